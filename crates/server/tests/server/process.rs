//! The program itself: its first line, its end, and what it says when it cannot start.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn server(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
    command.args(arguments).arg("--data").arg(data).env_clear().stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn refuses(arguments: &[&str], data: &Path) -> String {
    let Output { status, stderr, stdout } = server(arguments, data).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{said}");
    assert!(stdout.is_empty());
    said
}

#[test]
fn it_says_when_it_is_ready_and_ends_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    // A relative path with a space in it.
    let mut child = server(&["--dev"], Path::new("my data")).current_dir(folder.path()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["ready"], true);
    assert!(ready["http"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
    assert!(ready["relay"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
    assert!(folder.path().join("my data/visavis.db").exists());
    #[cfg(unix)]
    {
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    #[cfg(not(unix))]
    child.kill().unwrap();
}

#[test]
fn what_keeps_it_from_starting_is_said_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refuses(&["--dev", "--listen", &address], folder.path());
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");

    let said = refuses(&["--dev", "--listen", "0.0.0.0:0"], folder.path());
    assert!(said.contains("on loopback only"), "{said}");
    let said = refuses(&[], folder.path());
    assert!(said.contains("no issuer is configured"), "{said}");
    let said = refuses(&["--issuer", "http://id.example.org", "--client-id", "v"], folder.path());
    assert!(said.contains("use https"), "{said}");
    let said = refuses(&["--dev", "--listen", "nonsense"], folder.path());
    assert!(said.contains("--listen"), "{said}");

    // A file where the folder should be; this holds for every user, also one who may write everywhere.
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let said = refuses(&["--dev"], &file);
    assert!(said.contains("the data folder") && said.contains("cannot be used"), "{said}");
    std::fs::write(folder.path().join("secret.key"), "short").unwrap();
    let said = refuses(&["--dev"], folder.path());
    assert!(said.contains("damaged secret.key"), "{said}");
}
