//! The private Postgres: it starts, is shared, comes back, and ends with its parent.

use super::support::{eventually, scratch};
use lanka::shell::cluster::{Cluster, ClusterError};
use sqlx::Connection;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where a process of [`hold_a_cluster`] finds its directory.
const HELD_DIR: &str = "LANKA_TEST_HELD_CLUSTER";

async fn text(url: &str, sql: &'static str) -> Result<String, sqlx::Error> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await
}

async fn server_pid(url: &str) -> i32 {
    let pid = text(url, "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)").await;
    pid.expect("postmaster.pid").parse().expect("a number")
}

fn kill(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
}

#[tokio::test]
async fn it_starts_keeps_its_data_and_stops() {
    let dir = scratch();
    let home = dir.path().join("made/on the way/pg");
    let cluster = Cluster::start(&home, None).await.expect("first start");
    let settings = "select concat_ws(' ', current_setting('fsync'), current_setting('synchronous_commit'),
        current_setting('max_locks_per_transaction'), current_setting('max_connections'), current_setting('data_checksums'),
        current_setting('listen_addresses'), current_database(), current_setting('server_encoding'))";
    let url = cluster.url();
    assert_eq!(text(&url, settings).await.expect("settings"), "on on 256 60 on  lanka UTF8");
    text(&url, "with made as (select lo_from_bytea(4711, 'kept')) select 'made' from made").await.expect("written");
    cluster.stop().await;
    assert!(text(&url, "select 'x'").await.is_err(), "it still answers after stop()");
    assert!(!home.join("data/postmaster.pid").exists(), "the shutdown was not clean");

    let cluster = Cluster::start_with(&home, None, &["fsync=off"]).await.expect("second start");
    assert_eq!(text(&cluster.url(), "select convert_from(lo_get(4711), 'UTF8')").await.expect("read"), "kept");
    assert_eq!(text(&cluster.url(), "select current_setting('fsync')").await.expect("read"), "off");
    cluster.stop().await;
}

#[tokio::test]
async fn it_comes_back_after_the_server_dies() {
    let dir = scratch();
    let cluster = Cluster::start(&dir.path().join("pg"), None).await.expect("start");
    let before = server_pid(&cluster.url()).await;
    kill(before);
    let url = cluster.url();
    let after = eventually("a restart", async || {
        text(&url, "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)").await.ok()
    });
    assert_ne!(after.await, before.to_string());
    cluster.stop().await;
}

#[tokio::test]
async fn a_second_user_shares_the_server_and_inherits_it() {
    let dir = scratch();
    let home = dir.path().join("pg");
    let (one, other) = tokio::join!(Cluster::start(&home, None), Cluster::start(&home, None));
    let (one, other) = (one.expect("one"), other.expect("other"));
    let before = server_pid(&one.url()).await;
    assert_eq!(before, server_pid(&other.url()).await);
    // Whichever of the two owns it: it answers as long as one of them remains.
    one.stop().await;
    let url = other.url();
    eventually("the other taking over", async || text(&url, "select 'x'").await.ok()).await;
    other.stop().await;
    eventually("the end", async || text(&url, "select 'x'").await.err()).await;
}

/// Not a test of its own: the process that the next test kills. Alone it does nothing.
#[tokio::test]
async fn hold_a_cluster() {
    let Ok(home) = std::env::var(HELD_DIR) else { return };
    let _cluster = Cluster::start(Path::new(&home), None).await.expect("start");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn it_ends_with_its_parent_and_starts_again_at_once() {
    let dir = scratch();
    let home = dir.path().join("pg");
    let mut parent = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "cluster::hold_a_cluster"])
        .env(HELD_DIR, &home)
        .stdout(Stdio::null())
        .spawn()
        .expect("the parent");
    let is_ready =
        || std::fs::read_to_string(home.join("data/postmaster.pid")).is_ok_and(|file| file.contains("\nready"));
    eventually("the start", async || (home.join("database-created").exists() && is_ready()).then_some(())).await;
    parent.kill().expect("killed");
    parent.wait().expect("ended");
    let pid_file = home.join("data/postmaster.pid");
    eventually("the server's own end", async || (!pid_file.exists()).then_some(())).await;

    // Both killed at once: the dead server still holds its file when the next start comes.
    for _ in 0..2 {
        let cluster = Cluster::start(&home, None).await.expect("start after a kill");
        kill(server_pid(&cluster.url()).await);
        drop(cluster);
    }
    let cluster = Cluster::start(&home, None).await.expect("start after both were killed");
    assert_eq!(text(&cluster.url(), "select 'alive'").await.expect("an answer"), "alive");
    cluster.stop().await;
    // A keeper that was dropped above may have been quicker to start it: then it is his to stop.
    eventually("the end of all", async || (!pid_file.exists()).then_some(())).await;
}

#[tokio::test]
async fn a_stale_file_that_names_another_program_does_not_block() {
    let dir = scratch();
    let home = dir.path().join("pg");
    Cluster::start(&home, None).await.expect("start").stop().await;
    // This test's own number, as a small number in a container would be somebody's.
    let stale = format!("{}\n{}\n0\n5432\n{}\n\n0 0\nready   \n", std::process::id(), home.display(), home.display());
    std::fs::write(home.join("data/postmaster.pid"), stale).expect("written");
    Cluster::start(&home, None).await.expect("start beside a stale file").stop().await;
}

#[tokio::test]
async fn what_cannot_work_is_said() {
    let dir = scratch();
    let home = dir.path().join("pg");
    let error = Cluster::start(&home, Some(dir.path())).await.expect_err("no binaries there");
    assert!(
        matches!(error, ClusterError::WrongBinDir { .. }) && error.to_string().contains("database.bin_dir is wrong"),
        "{error}"
    );

    std::fs::create_dir_all(home.join("data")).expect("made");
    std::fs::write(home.join("data/PG_VERSION"), "9\n").expect("written");
    let error = Cluster::start(&home, None).await.expect_err("another major");
    assert!(matches!(error, ClusterError::OtherMajor { .. }) && error.to_string().contains("pg_upgrade"), "{error}");

    let error = Cluster::start(&dir.path().join("d".repeat(120)), None).await.expect_err("too long");
    assert!(matches!(error, ClusterError::SocketPath { .. }), "{error}");

    let home = dir.path().join("bad");
    let error = Cluster::start_with(&home, None, &["no_such_setting=1"]).await.expect_err("a bad setting");
    assert!(error.to_string().contains("no_such_setting"), "the log's end is not quoted: {error}");
}
