//! Bytes to a tool: how an [`Outgoing`](crate::pure::wire::step::Outgoing) leaves. Few, closed.
//!
//! **Invariant:** a carrier knows no mirror and no ticket. It says what was answered, or why nothing
//! was; what that means is the mirror's to say.

pub mod http;
pub mod mail;
pub mod mailbox;

use std::sync::Once;

/// Makes `ring` the process's TLS provider. Called by everything that opens TLS connections, so
/// that no program and no test can forget it; later calls do nothing.
pub fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that the program has installed one itself, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
