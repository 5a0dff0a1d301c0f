//! Devices that come and go, by lists of a script: what is used, and what is said.

use super::*;
use crate::evening::plugs::{Given, Plugs};
use crate::settings::Settings;
use crate::view::Device;
use visavis_media::audio::{AudioDevice, SoundDevices};
use visavis_media::camera::CameraInfo;

fn text(text: &str) -> String {
    text.to_owned()
}

/// Identifiers and names.
type List<'a> = &'a [(&'a str, &'a str)];

impl Night {
    fn cameras(&mut self, cameras: List<'_>) {
        let cameras = cameras.iter().map(|&(id, name)| CameraInfo { id: text(id), name: text(name) }).collect();
        self.input(Input::Device(DeviceInput::Cameras(Some(cameras))));
    }

    /// Microphones alone; the default is by its identifier.
    fn microphones(&mut self, microphones: List<'_>, default: Option<&str>) {
        let microphones = microphones.iter().map(|&(id, name)| AudioDevice { id: text(id), name: text(name) }).collect();
        let default_microphone = default.map(text);
        let sound = SoundDevices { microphones, default_microphone, ..SoundDevices::default() };
        self.input(Input::Device(DeviceInput::Sound(Some(sound))));
    }

    fn devices(&self) -> crate::view::Devices {
        self.evening.view(self.now).devices
    }

    fn ended(&mut self, kind: Kind, id: &str) -> Vec<Effect> {
        self.input(Input::Device(DeviceInput::Ended { kind, id: text(id) }))
    }

    /// What is listed of the machine's own, gone ones in brackets.
    fn listed(&self) -> Vec<String> {
        let said = |device: &Device| if device.gone { format!("({})", device.name) } else { device.name.clone() };
        self.devices().cameras.iter().filter(|device| !device.synthetic).map(said).collect()
    }

    fn remembered(&self) -> Settings {
        let mut settings = Settings::default();
        self.evening.plugs().remember(&mut settings);
        settings
    }
}

const A: (&str, &str) = ("/dev/video0", "Front");
const B: (&str, &str) = ("/dev/video2", "Desk");

#[test]
fn a_camera_that_is_pulled_out_gives_way_and_is_taken_back() {
    let mut night = Night::at_mirror();
    night.cameras(&[A, B]);
    assert_eq!(night.devices().camera, "device:/dev/video0");
    night.user(Command::ChooseCamera { id: text("device:/dev/video2") });
    assert!(has(&night.ended(Kind::Camera, "device:/dev/video2"), |effect| matches!(effect, Effect::LookForDevices)));
    assert_eq!(night.notice(), None, "said once it is known what is left");
    night.cameras(&[A]);
    assert_eq!(night.devices().camera, "device:/dev/video0");
    assert_eq!(night.evening.wanted().camera.as_deref(), Some("device:/dev/video0"));
    assert_eq!(night.notice(), Some(Notice::CameraInstead { name: text("Desk"), other: text("Front") }));
    assert_eq!(night.remembered().camera.as_deref(), Some("device:/dev/video2"), "what was chosen stays chosen");
    night.cameras(&[A, B]);
    assert_eq!(night.devices().camera, "device:/dev/video2");
    assert_eq!(night.notice(), Some(Notice::DeviceBack { name: text("Desk") }));
    // The one in use stays when another one goes or comes.
    night.user(Command::DismissNotice);
    let before = night.evening.wanted();
    night.cameras(&[B]);
    night.cameras(&[A, B]);
    assert_eq!((night.evening.wanted(), night.notice()), (before, None));
}

#[test]
fn the_only_camera_leaves_no_drawing_in_its_place() {
    let mut night = Night::at_mirror();
    night.cameras(&[A]);
    night.cameras(&[]);
    assert_eq!(night.devices().camera, "device:/dev/video0");
    assert_eq!(night.listed(), ["(Front)"]);
    assert_eq!(night.notice(), Some(Notice::CameraGone { name: text("Front") }));
    assert!(night.user(Command::ChooseCamera { id: text("device:/dev/video0") }).is_empty(), "not while it is gone");
    let before = night.evening.wanted().attempts.camera;
    night.cameras(&[A]);
    assert_ne!(night.evening.wanted().attempts.camera, before, "opened anew");
    assert_eq!((night.listed(), night.notice()), (vec![text("Front")], Some(Notice::DeviceBack { name: text("Front") })));
}

#[test]
fn in_a_meeting_no_camera_takes_over_that_nobody_chose() {
    let mut night = Night::at_mirror();
    night.cameras(&[A, B]);
    night.microphones(&[("m", "Desk microphone")], Some("m"));
    night.user(Command::Meet);
    night.server(offer("m", Role::Offerer));
    night.user(Command::AnswerMatch { meet: true });
    night.server(begins("m", Role::Offerer));
    night.call_event(call::Event::Connected);
    let microphone = night.evening.wanted().attempts.microphone;
    night.ended(Kind::Camera, "device:/dev/video0");
    night.cameras(&[B]);
    assert_eq!(night.devices().camera, "device:/dev/video0");
    assert_eq!(night.notice(), Some(Notice::CameraGone { name: text("Front") }));
    night.cameras(&[B, A]);
    assert_eq!(night.notice(), Some(Notice::DeviceBack { name: text("Front") }));
    assert_eq!(night.evening.wanted().attempts.microphone, microphone, "a camera is no matter of the sound");
    night.cameras(&[B]);
    night.user(Command::ChooseCamera { id: text("device:/dev/video2") });
    assert_eq!(night.evening.wanted().camera.as_deref(), Some("device:/dev/video2"), "by the user's hand");
    night.cameras(&[]);
    night.server(ended("m", EndReason::Left));
    night.user(Command::Done);
    night.cameras(&[A]);
    assert_eq!(night.devices().camera, "device:/dev/video0", "before the mirror it may");
}

#[test]
fn a_camera_that_nobody_chose_is_taken_when_the_first_comes() {
    let mut night = Night::at_mirror();
    night.cameras(&[]);
    assert_eq!(night.devices().camera, "face:");
    night.cameras(&[B]);
    assert_eq!((night.devices().camera.as_str(), night.notice()), ("device:/dev/video2", None));
    night.cameras(&[A, B]);
    assert_eq!(night.devices().camera, "device:/dev/video2", "and stays when another one comes before it");
    assert_eq!(night.remembered(), Settings::default());
    night.user(Command::ChooseCamera { id: text("face:") });
    night.cameras(&[B]);
    assert_eq!(night.devices().camera, "face:", "somebody chose it");
}

#[test]
fn two_of_one_name_are_told_apart() {
    let twins: [(&str, &str); 2] = [("/dev/video0", "USB Camera"), ("/dev/video2", "USB Camera")];
    let mut night = Night::at_mirror();
    night.cameras(&twins);
    assert_eq!(night.listed(), ["USB Camera", "USB Camera (2)"]);
    night.user(Command::ChooseCamera { id: text("device:/dev/video2") });
    night.cameras(&twins[..1]);
    assert_eq!(night.devices().camera, "device:/dev/video0");
    // It comes back under a number of its own: it is the only new one of that name.
    night.cameras(&[twins[0], ("/dev/video4", "USB Camera")]);
    assert_eq!(night.devices().camera, "device:/dev/video4");
    assert_eq!(night.notice(), Some(Notice::DeviceBack { name: text("USB Camera") }));
    // Two new ones at once: nobody knows which it is.
    night.cameras(&twins[..1]);
    night.cameras(&[twins[0], ("/dev/video6", "USB Camera"), ("/dev/video8", "USB Camera")]);
    assert_eq!(night.devices().camera, "device:/dev/video0");
}

#[test]
fn another_camera_under_the_same_number_is_another_camera() {
    let settings = Settings { camera: Some(text("device:/dev/video0")), camera_name: Some(text("Desk")), ..Settings::default() };
    let night = || {
        let mut night = Night::at_mirror();
        night.evening = night.evening.with_plugs(Plugs::new(&Given::default(), &settings));
        night
    };
    let mut moved = night();
    moved.cameras(&[A, ("/dev/video2", "Desk")]);
    assert_eq!((moved.devices().camera.as_str(), moved.notice()), ("device:/dev/video2", None));
    assert_eq!(moved.remembered().camera.as_deref(), Some("device:/dev/video2"));
    let mut missing = night();
    missing.cameras(&[A]);
    assert_eq!(missing.devices().camera, "device:/dev/video0");
    assert_eq!(missing.notice(), Some(Notice::CameraInstead { name: text("Desk"), other: text("Front") }));
    let mut none = night();
    none.cameras(&[]);
    assert_eq!(none.devices().camera, "face:");
    assert_eq!(none.notice(), Some(Notice::CameraGone { name: text("Desk") }));
}

#[test]
fn the_systems_default_is_followed() {
    let headset: (&str, &str) = ("usb", "Headset");
    let built_in: (&str, &str) = ("pci", "Built-in");
    let mut night = Night::at_mirror();
    night.microphones(&[built_in], Some("pci"));
    assert_eq!((night.devices().microphone.as_str(), night.devices().microphones[0].name.as_str()), ("default", "Built-in"));
    let before = night.evening.wanted().attempts;
    // Plugged in, and the system takes it: opened anew, and nothing need be said.
    night.microphones(&[built_in, headset], Some("pci"));
    assert_eq!(night.evening.wanted().attempts, before);
    night.microphones(&[built_in, headset], Some("usb"));
    let moved = night.evening.wanted().attempts;
    assert_ne!(moved.microphone, before.microphone);
    assert_eq!((moved.camera, moved.speaker), (before.camera, before.speaker), "nothing else is disturbed");
    assert_eq!((night.devices().microphones[0].name.as_str(), night.notice()), ("Headset", None));
    // Pulled out: that is said.
    night.microphones(&[built_in], Some("pci"));
    assert_eq!(night.notice(), Some(Notice::MicrophoneInstead { name: text("Headset"), other: text("Built-in") }));
    assert_eq!(night.devices().microphone, "default");
    night.microphones(&[], None);
    assert_eq!(night.devices().microphone, "silent");
    assert_eq!(night.notice(), Some(Notice::MicrophoneGone { name: text("Built-in") }));
    night.microphones(&[headset], Some("usb"));
    assert_eq!(night.devices().microphone, "default");
    assert_eq!(night.remembered(), Settings::default(), "nobody chose anything");
}

#[test]
fn a_chosen_microphone_gives_way_to_the_default_and_is_taken_back() {
    let headset: (&str, &str) = ("usb", "Headset");
    let built_in: (&str, &str) = ("pci", "Built-in");
    let mut night = Night::at_mirror();
    night.microphones(&[built_in, headset], Some("pci"));
    night.user(Command::ChooseMicrophone { id: text("device:usb") });
    night.microphones(&[built_in], Some("pci"));
    assert_eq!(night.devices().microphone, "default");
    assert_eq!(night.notice(), Some(Notice::MicrophoneInstead { name: text("Headset"), other: text("Built-in") }));
    night.microphones(&[built_in, headset], Some("pci"));
    assert_eq!(night.devices().microphone, "device:usb");
    assert_eq!(night.notice(), Some(Notice::DeviceBack { name: text("Headset") }));
    // What is said of something else stays.
    night.microphones(&[], None);
    night.input(Input::EndedBadly);
    night.microphones(&[headset], Some("usb"));
    assert_eq!((night.devices().microphone.as_str(), night.notice()), ("device:usb", Some(Notice::EndedBadly)));
}

#[test]
fn a_list_that_cannot_be_had_changes_nothing() {
    let mut night = Night::at_mirror();
    night.input(Input::Device(DeviceInput::Cameras(None)));
    night.input(Input::Device(DeviceInput::Sound(None)));
    assert_eq!((night.devices().camera.as_str(), night.devices().microphone.as_str()), ("face:", "silent"));
    night.cameras(&[A]);
    night.microphones(&[("m", "M")], Some("m"));
    let (devices, wanted) = (night.devices(), night.evening.wanted());
    assert_eq!((devices.camera.as_str(), devices.microphone.as_str()), ("device:/dev/video0", "default"));
    night.input(Input::Device(DeviceInput::Cameras(None)));
    night.input(Input::Device(DeviceInput::Sound(None)));
    assert_eq!((night.devices(), night.evening.wanted(), night.notice()), (devices, wanted, None));
}

#[test]
fn one_that_ends_although_it_is_listed_is_tried_again_but_not_for_ever() {
    let mut night = Night::at_mirror();
    night.cameras(&[A]);
    let mut attempts = night.evening.wanted().attempts.camera;
    for _ in 0..3 {
        night.ended(Kind::Camera, "device:/dev/video0");
        night.cameras(&[A]);
        let now = night.evening.wanted().attempts.camera;
        assert_eq!((now, night.notice()), (attempts + 1, None), "pulled out and put back between two looks");
        attempts = now;
    }
    night.ended(Kind::Camera, "device:/dev/video0");
    night.cameras(&[A]);
    assert_eq!(night.evening.wanted().attempts.camera, attempts);
    assert_eq!(night.notice(), Some(Notice::CameraMissing { name: text("Front") }), "by its name");
    night.user(Command::Retry);
    assert_eq!(night.evening.wanted().attempts.camera, attempts + 1);
    assert!(night.ended(Kind::Camera, "device:of-before").is_empty(), "of one that is not used any more");
    night.input(Input::Device(DeviceInput::Failed {
        kind: Kind::Camera,
        notice: Notice::CameraBusy { name: text("/dev/video0") },
    }));
    assert_eq!(night.notice(), Some(Notice::CameraBusy { name: text("Front") }));
}

#[test]
fn a_camera_that_is_made_up_stays_away_once_it_is_rehearsed_to_be_pulled_out() {
    let mut night = Night::at_mirror();
    night.cameras(&[]);
    let before = night.evening.wanted();
    night.ended(Kind::Camera, "face:");
    night.cameras(&[]);
    night.cameras(&[]);
    assert_eq!(night.evening.wanted(), before);
    assert_eq!(night.notice(), Some(Notice::CameraMissing { name: text("Drawn face") }));
}

#[test]
fn what_a_flag_gives_is_used_and_not_remembered() {
    let given = Given { camera: Some(text("file:/x/talk.y4m")), microphone: Some(text("tone:440")), ..Given::default() };
    let settings = Settings { camera: Some(text("device:/dev/video2")), ..Settings::default() };
    let mut night = Night::at_mirror();
    night.evening = night.evening.with_plugs(Plugs::new(&given, &settings));
    night.cameras(&[A, B]);
    night.microphones(&[("m", "M")], Some("m"));
    assert_eq!((night.devices().camera.as_str(), night.devices().microphone.as_str()), ("file:/x/talk.y4m", "tone:440"));
    let named = |device: &Device| device.name == "talk.y4m" && device.synthetic;
    assert!(night.devices().cameras.iter().any(named));
    let mut kept = settings.clone();
    night.evening.plugs().remember(&mut kept);
    assert_eq!(kept, settings);
    night.user(Command::ChooseCamera { id: text("device:/dev/video0") });
    night.evening.plugs().remember(&mut kept);
    assert_eq!((kept.camera.as_deref(), kept.camera_name.as_deref()), (Some("device:/dev/video0"), Some("Front")));
}

proptest! {
    /// Whatever comes and goes: what is used is listed (or listed as gone), and a camera that is wanted and there is used.
    #[test]
    fn what_is_used_is_always_listed(
        lists in proptest::collection::vec((proptest::collection::vec((0usize..5, 0usize..3), 0..4), any::<bool>(), 0usize..8), 1..30),
    ) {
        let mut night = Night::at_mirror();
        let ids = ["a", "b", "c", "d", "e"];
        let names = ["one", "two", "three"];
        for (list, ends, choice) in lists {
            let mut cameras: Vec<(&str, &str)> = list.iter().map(|&(id, name)| (ids[id], names[name])).collect();
            cameras.sort_unstable();
            cameras.dedup_by_key(|camera| camera.0);
            night.cameras(&cameras);
            night.microphones(&cameras, cameras.first().map(|camera| camera.0));
            let devices = night.devices();
            for (used, listed) in [(&devices.camera, &devices.cameras), (&devices.microphone, &devices.microphones)] {
                prop_assert!(used.is_empty() || listed.iter().filter(|device| device.id == *used).count() == 1, "{used} {listed:?}");
                let mut all: Vec<_> = listed.iter().map(|device| &device.id).collect();
                all.sort_unstable();
                all.dedup();
                prop_assert_eq!(all.len(), listed.len());
            }
            if let Some(id) = devices.cameras.get(choice).map(|device| device.id.clone()) {
                night.user(Command::ChooseCamera { id });
            }
            if ends {
                let id = night.devices().camera;
                night.ended(Kind::Camera, &id);
            }
        }
    }
}
