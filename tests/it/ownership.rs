//! What commands by root leave behind belongs to the daemon's user.

use crate::support::scratch;
use lanka::shell::content::ContentStore;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

/// Everything below a path that is not this user's.
fn foreign(path: &Path, uid: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("listed").map(|entry| entry.expect("an entry")) {
        let metadata = entry.metadata().expect("its metadata");
        if metadata.uid() != uid {
            found.push(format!("{} is {}'s", entry.path().display(), metadata.uid()));
        }
        if metadata.is_dir() {
            found.extend(foreign(&entry.path(), uid));
        }
    }
    found
}

/// A user who is not root and whom this machine knows, if the test may play him.
fn somebody() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        println!("not run: only root can make files for somebody else");
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("users");
    let nobody = users.lines().find(|line| line.starts_with("nobody:")).expect("nobody is everywhere");
    let fields: Vec<&str> = nobody.split(':').collect();
    Some((fields[2].parse().expect("a number"), fields[3].parse().expect("a number")))
}

#[tokio::test]
async fn what_root_stores_belongs_to_the_owner_of_the_store() {
    let Some((uid, gid)) = somebody() else { return };
    let dir = scratch();
    chown(dir.path(), Some(uid), Some(gid)).expect("given");
    let store = ContentStore::open(&dir.path().join("data/content")).expect("a store");
    for text in ["one", "other"] {
        let stored = store.put(text.into()).await.expect("put");
        assert_eq!(store.get(stored.hash).await.expect("got"), text);
        store.put(text.into()).await.expect("put again");
    }
    assert_eq!(foreign(dir.path(), uid), Vec::<String>::new());

    // A file that was there before stays whose it is.
    let roots = dir.path().join("roots");
    fs::write(&roots, "root's").expect("written");
    let swapped = dir.path().join("data/content/incoming/swapped");
    fs::hard_link(&roots, &swapped).expect("linked");
    let owner = lanka::shell::ownership::Owner::of(dir.path()).expect("somebody");
    assert!(owner.take(&swapped).is_err());
    fs::remove_file(&swapped).expect("removed");
    std::os::unix::fs::symlink(&roots, &swapped).expect("linked");
    assert!(owner.take(&swapped).is_err());
    assert_eq!(fs::metadata(&roots).expect("there").uid(), 0);
}

#[tokio::test]
async fn a_whole_import_by_root_leaves_nothing_of_roots() {
    let Some((uid, gid)) = somebody() else { return };
    for is_made in [true, false] {
        let dir = scratch();
        // Made by the package, or to be made in a directory that is the daemon's.
        let home = dir.path().join("home");
        let data = home.join("data");
        fs::create_dir_all(if is_made { &data } else { &home }).expect("made");
        for given in [&home, &data].into_iter().filter(|path| path.exists()) {
            chown(given, Some(uid), Some(gid)).expect("given");
        }
        let config = dir.path().join("lanka.toml");
        let text = "data_dir = \"DATA\"\n[channels.mail]\nkind = \"maildir\"\npath = \"DATA/mail\"\naddresses = [\"desk@kauppa.example\"]\n";
        fs::write(&config, text.replace("DATA", &data.display().to_string())).expect("written");
        // Over 256 KiB: the raw body goes to the content store, and the attachment too.
        let body = "QUJD".repeat(100_000);
        let mail = format!(
            "From: minna@posti.example\r\nTo: desk@kauppa.example\r\nSubject: Kuva\r\nMessage-ID: <a@posti.example>\r\n\
             MIME-Version: 1.0\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=a.png\r\n\r\n{body}\r\n"
        );
        let file = dir.path().join("mail.eml");
        fs::write(&file, mail).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanka"));
        command.args(["import", "--channel", "mail", "--config"]).arg(&config).arg(&file).stdin(Stdio::null());
        let output = command.output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(data.join("lanka.key").exists() && data.join("content").exists() && data.join("postgres").exists());
        assert_eq!(foreign(&home, uid), Vec::<String>::new(), "made before: {is_made}");
    }
}
