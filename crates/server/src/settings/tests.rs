//! The example file, and how faults are said.

use super::*;
use std::collections::BTreeSet;

const EXAMPLE: &str = include_str!("../../../../deploy/visavis.toml");

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Sources, SettingsError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("v.toml");
    std::fs::write(&file, text).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Sources::read(Some(&file), variables)
}

fn refused(text: &str) -> (usize, String) {
    match read(text, &[]).err() {
        Some(SettingsError::Line { line, why, .. }) => (line, why),
        other => panic!("{other:?}"),
    }
}

/// `#key = value`, as opposed to a sentence.
fn is_example(line: &str) -> bool {
    line.strip_prefix('#').is_some_and(|rest| {
        rest.split_once(" = ")
            .is_some_and(|(key, _)| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    })
}

#[test]
fn the_example_is_the_defaults() {
    assert_eq!(read(EXAMPLE, &[]).unwrap().settings, Settings::default());
    assert_eq!(read("", &[]).unwrap().settings, Settings::default());
    let config = Settings::default().config().unwrap();
    assert_eq!(config.moderation, ModerationRules::default());
    assert_eq!(config.retention, RetentionDays::default());
    assert_eq!(format!("{:?}", config.limits), format!("{:?}", Limits::default()));
    assert_eq!(format!("{:?}", config.rules), format!("{:?}", Rules::default()));
}

#[test]
fn what_the_example_has_commented_out_can_be_written_so() {
    let lines = EXAMPLE.lines().map(|line| if is_example(line) { &line[1..] } else { line });
    let text = lines.collect::<Vec<_>>().join("\n");
    let settings = read(&text, &[]).unwrap().settings;
    assert_eq!(settings.admin.listen, Some("127.0.0.1:9641".parse().unwrap()));
    assert_eq!(settings.matching.offer, Some(Seconds(20)));
    assert!(settings.moderation.public_key.is_some() && settings.issuer.url.is_some());
}

/// What a section's own complaint about a key that does not exist says that it expects.
fn keys(section: &str) -> BTreeSet<String> {
    let (_, why) = refused(&format!("[{section}]\nnot_a_key = 1"));
    why.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_key_is_explained_in_the_example() {
    let sections = ["server", "admin", "log", "issuer", "relay", "matching", "limits", "moderation", "retention", "doors"];
    let (_, why) = refused("not_a_section = 1");
    assert!(sections.iter().all(|section| why.contains(&format!("`{section}`"))), "{why}");
    assert_eq!(why.matches('`').count(), 2 * (sections.len() + 1), "a section that this test does not know: {why}");
    for section in sections.into_iter().chain(["moderation.automatic_pause", "moderation.deadlines"]) {
        let part = EXAMPLE.split(&format!("\n[{section}]\n")).nth(1).unwrap_or_else(|| panic!("no [{section}]"));
        let part = part.split("\n[").next().unwrap();
        let known = keys(section);
        assert!(known.len() >= 2 || section == "moderation", "{section}: {known:?}");
        for key in known.iter().filter(|key| !["automatic_pause", "deadlines"].contains(&key.as_str())) {
            let there = part.lines().any(|line| line.trim_start_matches('#').starts_with(&format!("{key} = ")));
            assert!(there, "{section}.{key} is not explained");
        }
    }
}

#[test]
fn a_fault_is_said_with_its_line_and_what_to_write() {
    let (line, why) = refused("[limits]\n\njoins_per_minut = 3");
    assert_eq!(line, 3);
    assert!(why.contains("joins_per_minut") && why.contains("`joins_per_minute`"), "{why}");
    let (line, why) = refused("[server]\nlisten = \"nonsense\"");
    assert_eq!(line, 2);
    assert!(why.contains("socket address"), "{why}");
    let (line, why) = refused("[limits]\nrefresh_token = 0");
    assert_eq!(line, 2);
    assert!(why.contains("write days between 1 and 3660"), "{why}");
    let (line, why) = refused("# a\n[moderation]\npublic_key = \"abc\"");
    assert_eq!(line, 3);
    assert!(why.contains("keygen"), "{why}");
    let (line, _) = refused("[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"");
    assert!((2..=3).contains(&line), "{line}");
    let (line, why) = refused("[server\n");
    assert_eq!(line, 1, "{why}");
    assert!(matches!(Sources::read(Some(Path::new("/nonexistent")), std::iter::empty()), Err(SettingsError::File { .. })));
}

#[test]
fn a_fault_of_parts_together_has_its_line_too() {
    let sources = read("# first\n[server]\ndev = true\nlisten = \"0.0.0.0:80\"\n", &[]).unwrap();
    let error = sources.settings.config().unwrap().check().unwrap_err();
    let said = sources.place(error).to_string();
    assert!(said.contains("v.toml line 4: ") && said.contains("loopback only"), "{said}");
    // A key that the file does not have has no line.
    let sources = read("[admin]\nlisten = \"0.0.0.0:80\"\n", &[("VISAVIS__SERVER__DEV", "true")]).unwrap();
    let error = sources.settings.config().unwrap().check().unwrap_err();
    assert!(sources.place(error).to_string().contains("line 2"), "the admin port");
    let bare = read("", &[]).unwrap();
    let error = bare.settings.config().unwrap().check().unwrap_err();
    assert_eq!(bare.place(error.clone()), SettingsError::Config(error));
}

#[test]
fn variables_go_before_the_file() {
    let of = |name: &str, value: &str| read("[limits]\njoins_per_minute = 7", &[(name, value)]).map(|sources| sources.settings);
    assert_eq!(of("OTHER", "1").unwrap().limits.joins_per_minute, 7);
    assert_eq!(of("VISAVIS__LIMITS__JOINS_PER_MINUTE", "9").unwrap().limits.joins_per_minute, 9);
    assert_eq!(of("VISAVIS__SERVER__LISTEN", "127.0.0.1:80").unwrap().server.listen.port(), 80);
    let nets = of("VISAVIS__SERVER__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]").unwrap().server.trusted_proxies;
    assert_eq!(nets, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(of("VISAVIS__MODERATION__DEADLINES__HATE", "2").unwrap().moderation.deadlines.hate, Hours(2));
    let said = of("VISAVIS__LIMITS__JOINS_PER_MINUTE", "many").unwrap_err().to_string();
    assert!(said.contains("VISAVIS__LIMITS__JOINS_PER_MINUTE") && said.contains("invalid type"), "{said}");
    let said = of("VISAVIS__LIMITS__JOINS", "1").unwrap_err().to_string();
    assert!(said.contains("VISAVIS__LIMITS__JOINS") && said.contains("joins_per_minute"), "{said}");
    assert!(of("VISAVIS__LIMITS__JOINS_PER_MINUTE__MORE", "1").is_err());
}

#[test]
fn secrets_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "s3cret\n").unwrap();
    let mut settings = Settings::default();
    settings.issuer.url = Some(String::from("https://id.example"));
    settings.issuer.client_id = Some(String::from("v"));
    settings.issuer.client_secret_file = Some(file.clone());
    settings.relay.turn_urls = vec![String::from("turn:relay.example")];
    settings.relay.turn_secret_file = Some(file);
    let config = settings.config().unwrap();
    assert_eq!(config.issuer.unwrap().client_secret.unwrap().reveal(), "s3cret");
    assert_eq!(config.other_relay.unwrap().secret.reveal(), "s3cret");
    settings.relay.turn_secret_file = Some(folder.path().join("missing"));
    assert!(matches!(settings.config(), Err(SettingsError::Secret { .. })));
}
