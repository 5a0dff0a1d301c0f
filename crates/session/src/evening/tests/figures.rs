//! What a user can save for somebody who helps.

use super::*;
use visavis_media::audio::{AudioDevice, SoundDevices};
use visavis_media::camera::CameraInfo;

const SECRETS: [&str; 8] =
    ["ada", "Lovelace", "Rotterdam", "203.0.113.7", "192.168.1.20", "relay-user", "relay-password", "match-id-17"];

/// A call in which every name, address and token is known.
fn talkative() -> Night {
    let mut night = Night::at_mirror();
    let camera = CameraInfo { id: String::from("camera-ada"), name: String::from("camera of Lovelace") };
    night.input(Input::Device(DeviceInput::Cameras(Some(vec![camera]))));
    let microphones = vec![AudioDevice { id: String::from("microphone-ada"), name: String::from("microphone of Lovelace") }];
    night.input(Input::Device(DeviceInput::Sound(Some(SoundDevices { microphones, ..SoundDevices::default() }))));
    night.user(Command::Meet);
    let ServerMessage::MatchOffered { role, reasons, answer_within_s, call, .. } = offer("m", Role::Offerer) else {
        unreachable!()
    };
    night.server(ServerMessage::MatchOffered {
        match_id: id("match-id-17"),
        role,
        card: PeerCard { city: Some(Private::new(String::from("Rotterdam"))), ..PeerCard::default() },
        reasons,
        answer_within_s,
        call,
        relay: RelayCredentials {
            urls: vec![String::from("turn:203.0.113.7:3478")],
            username: Private::new(String::from("relay-user")),
            credential: Private::new(String::from("relay-password")),
            ..RelayCredentials::default()
        },
    });
    night.user(Command::AnswerMatch { meet: true });
    night.server(begins("match-id-17", Role::Offerer));
    let line = Some(Private::new(String::from("candidate:1 1 udp 1 192.168.1.20 41234 typ host")));
    night.call_event(call::Event::Signal(Signal::Candidate { candidate: line, sdp_mid: None, sdp_m_line_index: None }));
    night.call_event(call::Event::Connected);
    night
}

fn saved(effects: Vec<Effect>) -> String {
    effects.into_iter().find_map(|effect| if let Effect::SaveDiagnostics(report) = effect { Some(report) } else { None }).unwrap()
}

#[test]
fn the_file_holds_figures_and_kinds_but_no_names_addresses_or_tokens() {
    let mut night = talkative();
    for _ in 0..3 {
        night.wait(1.0);
        let figures = call::Statistics { sent_kbps: 777, relayed: true, ..call::Statistics::default() };
        night.call_event(call::Event::Statistics(figures));
    }
    night.user(Command::Mute { on: true });
    let report = saved(night.user(Command::SaveDiagnostics));
    let found: Vec<&str> = SECRETS.into_iter().filter(|secret| report.to_lowercase().contains(&secret.to_lowercase())).collect();
    assert!(found.is_empty(), "{found:?} in {report}");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["camera"], &report["microphone"], &report["speaker"]),
        (&"device".into(), &"device".into(), &"synthetic".into())
    );
    assert_eq!(report["settings"]["muted"], true);
    let samples = report["samples"].as_array().unwrap();
    assert_eq!((samples.len(), &samples[2]["figures"]["sent_kbps"]), (3, &777.into()));
    assert_eq!(samples[0]["figures"]["quality"], "good");
}

#[test]
fn the_last_call_can_be_reported_after_it_and_the_page_is_told_where() {
    let mut night = talkative();
    night.call_event(call::Event::Statistics(call::Statistics::default()));
    night.user(Command::Leave);
    let report = saved(night.user(Command::SaveDiagnostics));
    assert!(report.contains("\"call\": 1"), "{report}");
    let notice = Notice::DiagnosticsSaved { path: String::from("/somewhere/file.json") };
    night.input(Input::Diagnostics(notice.clone()));
    assert_eq!(night.notice(), Some(notice));
}
