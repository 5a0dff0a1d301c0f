//! A backup taken beside a running server, and what comes of it in another folder.

use crate::support::TestServer;
use std::path::Path;
use std::process::{Command, Output};
use visavis_wire::http::Me;

fn server(data: &Path, arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
    command.arg("--data").arg(data).args(arguments).args(paths).env_clear().output().unwrap()
}

fn fails(data: &Path, arguments: &[&str], paths: &[&Path], because: &str) {
    let Output { status, stderr, .. } = server(data, arguments, paths);
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.code() == Some(1) && said.contains(because), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_beside_a_running_server_is_a_server_elsewhere() {
    let first = TestServer::start().await;
    let token = first.sign_in("ada").await;
    let before: Me = first.get("/v1/me", &token).await.unwrap();
    let place = tempfile::tempdir().unwrap();
    let (copy, other) = (place.path().join("copy"), tempfile::tempdir().unwrap());
    let data = first.folder.path();

    let done = server(data, &["backup"], &[&copy]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fails(data, &["backup"], &[&copy], "exists already");
    fails(data, &["restore", "--replace"], &[&copy], "in use by a running server");
    fails(other.path(), &["backup"], &[&place.path().join("x")], "no server's data");
    fails(other.path(), &["restore"], &[data.parent().unwrap()], "no backup");
    // Came after the backup, so it is not in it.
    first.sign_in("bao").await;

    let done = server(other.path(), &["restore"], &[&copy]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fails(other.path(), &["restore"], &[&copy], "holds data already");
    let second = TestServer::in_folder(other, |_| {}).await;
    let token = second.sign_in("ada").await;
    let me: Me = second.get("/v1/me", &token).await.unwrap();
    assert_eq!(me.profile, before.profile);

    // A damaged copy does not replace what is there.
    let third = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(copy.join("visavis.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[4096..middle].fill(0x5a);
    std::fs::write(copy.join("visavis.db"), bytes).unwrap();
    fails(third.path(), &["restore"], &[&copy], "damaged");
    assert!(!third.path().join("visavis.db").exists());
    first.running.shutdown().await;
    second.running.shutdown().await;
}
