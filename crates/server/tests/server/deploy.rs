//! The deployment folder: what can be checked of it without deploying.

use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

fn deploy(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Variables that the program reads, by its own help.
fn variables() -> BTreeSet<String> {
    let help = Command::new(env!("CARGO_BIN_EXE_visavis-server")).env_clear().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    help.split("[env: ").skip(1).map(|rest| rest.split(['=', ']']).next().unwrap().to_owned()).collect()
}

/// A variable of one key is right if the program takes it.
fn is_key(name: &str, value: &str) -> bool {
    let pair = std::iter::once((name.to_owned(), value.to_owned()));
    visavis_server::Sources::read(None, pair).is_ok()
}

#[test]
fn the_compose_file_is_whole() {
    let text = read("compose/compose.yaml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let compose = &documents[0];
    let services = compose["services"].as_mapping().unwrap();
    let names: BTreeSet<&str> = services.keys().filter_map(|name| name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["caddy", "coturn", "nats", "node1", "node2", "node3", "postgres"]));

    let known = variables();
    assert!(known.len() > 15, "the help has been read: {known:?}");
    let environment = compose["x-node"]["environment"].as_mapping().unwrap();
    for (name, value) in environment {
        let (name, value) = (name.as_str().unwrap(), value.as_str().unwrap());
        assert!(known.contains(name) || is_key(name, value), "the program does not read {name}");
    }
    for line in read("compose/environment.example").lines() {
        let name = line.split('=').next().unwrap();
        assert!(!name.starts_with("VISAVIS_") || name == "VISAVIS_HOST" || known.contains(name), "{name}");
    }
    // What .env has to say is in its example.
    let example = read("compose/environment.example");
    for part in text.split("${").skip(1) {
        let name = part.split([':', '}']).next().unwrap();
        assert!(example.lines().any(|line| line.starts_with(&format!("{name}="))), "{name} is not in the example");
    }
    let caddyfile = read("compose/Caddyfile");
    for node in ["node1", "node2", "node3"] {
        let mounted: Vec<_> =
            compose["services"][node]["volumes"].as_vec().unwrap().iter().filter_map(|volume| volume.as_str()).collect();
        assert!(mounted.iter().any(|volume| volume.ends_with(":/var/lib/visavis")), "{mounted:?}");
        assert!(compose["volumes"].as_mapping().unwrap().keys().any(|name| name.as_str() == Some(node)));
        assert!(caddyfile.contains(&format!("{node}:8080")));
    }
    for file in ["compose/visavis.toml", "compose/Dockerfile"] {
        assert!(deploy(file).exists());
    }
    assert!(visavis_server::Sources::read(Some(&deploy("compose/visavis.toml")), std::iter::empty()).is_ok());
}

/// `None`: not installed, which is said.
fn run(program: &str, arguments: &[&str]) -> Option<(bool, String)> {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
        }
        Err(error) => {
            println!("SKIPPED: {program} cannot be run here ({error}), so its configuration is not checked");
            None
        }
    }
}

#[test]
fn caddy_takes_its_file() {
    let file = deploy("compose/Caddyfile");
    let arguments = ["adapt", "--adapter", "caddyfile", "--config", file.to_str().unwrap()];
    let output = Command::new("caddy").args(arguments).env("VISAVIS_HOST", "meet.example.org").output();
    match output {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("SKIPPED: caddy cannot be run here ({error}), so its configuration is not checked"),
    }
}

#[test]
fn nginx_takes_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::generate_simple_self_signed(vec![String::from("meet.example.org")]).unwrap();
    let (chain, private) = (folder.path().join("fullchain.pem"), folder.path().join("privkey.pem"));
    std::fs::write(&chain, key.cert.pem()).unwrap();
    std::fs::write(&private, key.signing_key.serialize_pem()).unwrap();
    let site = read("nginx.conf").replace("/etc/visavis", folder.path().to_str().unwrap()).replace("443", "18443");
    let whole = format!(
        "pid {0}/pid; error_log stderr; events {{}} http {{ access_log off; client_body_temp_path {0}; proxy_temp_path {0}; \
         fastcgi_temp_path {0}; uwsgi_temp_path {0}; scgi_temp_path {0}; {site} }}",
        folder.path().display()
    );
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, whole).unwrap();
    if let Some((fine, said)) = run("nginx", &["-t", "-c", file.to_str().unwrap()]) {
        assert!(fine, "{said}");
    }
}

#[test]
fn systemd_takes_the_units() {
    for unit in ["systemd/visavis-server.service", "systemd/visavis-audit.timer", "systemd/visavis-audit.service"] {
        let text = read(unit);
        assert!(text.contains("[Unit]") && text.contains("Description="), "{unit}");
        // The program is not installed where the test runs; the rest of the unit is.
        let folder = tempfile::tempdir().unwrap();
        let copies: Vec<_> = ["visavis-server.service", "visavis-audit.service", "visavis-audit.timer"]
            .into_iter()
            .map(|name| {
                let copy = folder.path().join(name);
                let text =
                    read(&format!("systemd/{name}")).replace("/usr/bin/visavis-server", env!("CARGO_BIN_EXE_visavis-server"));
                std::fs::write(&copy, text.replace("Documentation=file:///usr/share/doc/visavis/README.md\n", "")).unwrap();
                copy
            })
            .collect();
        let copy = copies.iter().find(|copy| unit.ends_with(copy.file_name().unwrap().to_str().unwrap())).unwrap();
        if let Some((_, said)) = run("systemd-analyze", &["verify", copy.to_str().unwrap()]) {
            let name = copy.file_name().unwrap().to_str().unwrap();
            let about: Vec<_> = said
                .lines()
                .filter(|line| line.contains(name) && !line.contains("Unit nats") && !line.contains("postgresql"))
                .collect();
            assert!(about.is_empty(), "{about:?}");
        }
    }
}
