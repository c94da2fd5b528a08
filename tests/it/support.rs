//! What the integration tests share: places to work in, databases, a mail server.

use std::os::unix::fs::PermissionsExt;

/// A directory that vanishes at the end of the test. Other users (that of a private Postgres, when
/// the tests run as root) may pass it, and its path is short enough for a unix socket.
pub fn scratch() -> tempfile::TempDir {
    let dir = tempfile::Builder::new().prefix("lanka-test-").tempdir().expect("a temporary directory");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).expect("its mode");
    dir
}
