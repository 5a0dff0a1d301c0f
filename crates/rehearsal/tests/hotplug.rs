//! Devices that come and go while a real session runs, from a scripted machine: at the mirror and in a call against the real server.
//! What is open is asked of the machine, what is said of the view, what is seen of the other's pictures.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of their functions")]

#[path = "support/person.rs"]
mod person;

use person::{Person, meet};
use std::sync::Arc;
use std::time::Duration;
use visavis_media::Forbidden;
use visavis_media::camera::CameraSource;
use visavis_media::machine::{InUse, Refusal, Scripted};
use visavis_rehearsal::bot;
use visavis_rehearsal::stage::Stage;
use visavis_session::view::{self, Notice, View};
use visavis_session::{Command, Config, SpeakerTarget};
use visavis_wire::channel::Seen;

const PATIENCE: Duration = Duration::from_secs(30);

fn text(text: &str) -> String {
    text.to_owned()
}

/// A built-in set of devices and a headset; nothing is chosen.
fn machine() -> Arc<Scripted> {
    let machine = Scripted::default();
    machine.plug_camera("cam-front", "Front camera");
    machine.plug_microphone("mic-built-in", "Built-in microphone");
    machine.plug_microphone("mic-headset", "Headset microphone");
    machine.plug_speaker("out-built-in", "Built-in speaker");
    machine.plug_speaker("out-headset", "Headset speaker");
    Arc::new(machine)
}

fn arrive(stage: &Stage, identity: &'static str, machine: &Arc<Scripted>) -> Person {
    let config = bot::config(&stage.url, identity, stage.profile_folder(identity), CameraSource::Pattern);
    Person::with(Config { camera: None, microphone: None, speaker: None, machine: Arc::clone(machine) as _, ..config }, identity)
}

fn in_use(camera: Option<&str>, microphone: Option<&str>, speaker: Option<&str>) -> InUse {
    InUse { camera: camera.map(text), microphone: microphone.map(text), speaker: speaker.map(text) }
}

/// Waits until exactly these are open.
async fn opens(machine: &Scripted, wanted: &InUse) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while machine.in_use() != *wanted {
        assert!(tokio::time::Instant::now() < deadline, "open are {:?}, not {wanted:?}", machine.in_use());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn says(person: &mut Person, notice: Notice) -> View {
    person.until(&format!("{notice:?}"), |view| view.notice.as_ref() == Some(&notice)).await
}

async fn reach_mirror(person: &mut Person) {
    person.page("welcome").await;
    person.session.command(Command::SignIn);
    person.page("mirror").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_mirror_devices_come_and_go() {
    let stage = Stage::start().await.unwrap();
    let machine = machine();
    let mut ada = arrive(&stage, "ada", &machine);
    reach_mirror(&mut ada).await;
    opens(&machine, &in_use(Some("cam-front"), Some("mic-built-in"), Some("out-built-in"))).await;

    // Another camera is plugged in, chosen, pulled out, and put back.
    machine.plug_camera("cam-desk", "Desk camera");
    let listed = |view: &View, name: &str| view.devices.cameras.iter().any(|camera| camera.name == name && !camera.gone);
    ada.until("the new camera in the picker", |view| listed(view, "Desk camera")).await;
    ada.session.command(Command::ChooseCamera { id: text("device:cam-desk") });
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), Some("out-built-in"))).await;
    machine.unplug("cam-desk");
    let view = says(&mut ada, Notice::CameraInstead { name: text("Desk camera"), other: text("Front camera") }).await;
    assert_eq!(view.devices.camera, "device:cam-front");
    opens(&machine, &in_use(Some("cam-front"), Some("mic-built-in"), Some("out-built-in"))).await;
    machine.plug_camera("cam-desk", "Desk camera");
    let view = says(&mut ada, Notice::DeviceBack { name: text("Desk camera") }).await;
    assert_eq!(view.devices.camera, "device:cam-desk");
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), Some("out-built-in"))).await;

    // The system's default moves: what follows it moves along, the camera stays open.
    machine.set_default_microphone("mic-headset");
    machine.set_default_speaker("out-headset");
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-headset"), Some("out-headset"))).await;
    machine.unplug("mic-headset");
    let other = text("Built-in microphone");
    says(&mut ada, Notice::MicrophoneInstead { name: text("Headset microphone"), other }).await;
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), Some("out-headset"))).await;

    // A list that fails changes nothing, whatever happens meanwhile.
    machine.set_mute(true);
    machine.plug_camera("cam-third", "Third camera");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let view = ada.until("anything", |_| true).await;
    assert!(!listed(&view, "Third camera") && listed(&view, "Desk camera"));
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), Some("out-headset"))).await;
    machine.set_mute(false);
    ada.until("the third camera", |view| listed(view, "Third camera")).await;

    // Nothing is left of one kind.
    machine.unplug("out-headset");
    says(&mut ada, Notice::SpeakerInstead { name: text("Headset speaker"), other: text("Built-in speaker") }).await;
    machine.unplug("out-built-in");
    let view = says(&mut ada, Notice::SpeakerGone { name: text("Built-in speaker") }).await;
    assert_eq!((view.devices.speaker.as_str(), view.devices.speakers.len()), ("silent", 1));
    ada.until("a silent speaker", |view| view.devices.silent_speaker).await;
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), None)).await;
    machine.plug_speaker("out-usb", "USB speaker");
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), Some("out-usb"))).await;
    ada.until("sound again", |view| !view.devices.silent_speaker).await;
    ada.session.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_a_device_shut_is_said_and_tried_again() {
    let stage = Stage::start().await.unwrap();
    let machine = machine();
    machine.refuse("cam-front", Some(Refusal::Denied(Forbidden::LinuxGroup)));
    let mut bao = arrive(&stage, "bao", &machine);
    reach_mirror(&mut bao).await;
    let why = view::Forbidden::LinuxGroup;
    says(&mut bao, Notice::CameraDenied { name: text("Front camera"), why }).await;
    machine.refuse("cam-front", Some(Refusal::Busy));
    bao.session.command(Command::Retry);
    says(&mut bao, Notice::CameraBusy { name: text("Front camera") }).await;
    machine.refuse("cam-front", None);
    bao.session.command(Command::Retry);
    opens(&machine, &in_use(Some("cam-front"), Some("mic-built-in"), Some("out-built-in"))).await;
    machine.refuse("mic-headset", Some(Refusal::Denied(Forbidden::WindowsPrivacy)));
    bao.session.command(Command::ChooseMicrophone { id: text("device:mic-headset") });
    let why = view::Forbidden::WindowsPrivacy;
    says(&mut bao, Notice::MicrophoneDenied { why }).await;
    machine.refuse("out-headset", Some(Refusal::Busy));
    bao.session.command(Command::ChooseSpeaker { id: text("device:out-headset") });
    says(&mut bao, Notice::SpeakerBusy).await;
    opens(&machine, &in_use(Some("cam-front"), None, None)).await;
    bao.session.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_call_devices_come_and_go() {
    let stage = Stage::start().await.unwrap();
    let machine = machine();
    machine.plug_camera("cam-desk", "Desk camera");
    let mut ada = arrive(&stage, "ada", &machine);
    let theirs = bot::config(&stage.url, "bao", stage.profile_folder("bao"), CameraSource::Face { name: text("bao") });
    let mut bao = Person::with(Config { speaker: Some(SpeakerTarget::Silent), ..theirs }, "bao");
    meet(&mut ada, &mut bao).await;
    opens(&machine, &in_use(Some("cam-front"), Some("mic-built-in"), Some("out-built-in"))).await;
    bao.call("a camera that is clear", |call| call.peer_looks == Seen::Clear).await;

    // The microphone follows what is there; the camera waits, as nobody chose the other one.
    ada.session.command(Command::ChooseMicrophone { id: text("device:mic-headset") });
    opens(&machine, &in_use(Some("cam-front"), Some("mic-headset"), Some("out-built-in"))).await;
    machine.unplug("mic-headset");
    let other = text("Built-in microphone");
    says(&mut ada, Notice::MicrophoneInstead { name: text("Headset microphone"), other }).await;
    machine.unplug("cam-front");
    let view = says(&mut ada, Notice::CameraGone { name: text("Front camera") }).await;
    assert!(view.devices.cameras.iter().any(|camera| camera.gone && camera.id == view.devices.camera));
    opens(&machine, &in_use(None, Some("mic-built-in"), Some("out-built-in"))).await;
    bao.call("no picture", |call| call.peer_looks == Seen::NoSignal).await;

    // By the user's hand the other camera goes on, and the first one is no matter any more.
    ada.session.command(Command::ChooseCamera { id: text("device:cam-desk") });
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-built-in"), Some("out-built-in"))).await;
    bao.call("a camera that is clear again", |call| call.peer_looks == Seen::Clear).await;
    machine.plug_camera("cam-front", "Front camera");
    machine.plug_microphone("mic-headset", "Headset microphone");
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-headset"), Some("out-built-in"))).await;

    // Pulled out and put back between two looks.
    machine.unplug("cam-desk");
    machine.plug_camera("cam-desk", "Desk camera");
    opens(&machine, &in_use(Some("cam-desk"), Some("mic-headset"), Some("out-built-in"))).await;
    bao.call("the same camera again", |call| call.peer_looks == Seen::Clear).await;
    ada.session.shutdown().await;
    bao.session.shutdown().await;
}
