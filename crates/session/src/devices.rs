//! Which devices there are and keeping the chosen ones open. Opening and closing block (a camera that is busy, a sound server
//! that does not answer), so each kind of device is kept by a thread of its own; the loop only says what it wants.

use crate::evening::{DeviceInput, Input};
use crate::picture::{Order as PictureOrder, SMALL};
use crate::settings::Settings;
use crate::view::{Choices, Device, Notice};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use visavis_media::audio::{AudioDevice, ProcessingOptions, list_microphones, list_speakers};
use visavis_media::camera::{self, Camera, CameraError, CameraSource, Modifier};
use visavis_media::{Clock, FramePool};

/// Between two looks whether a device has ended by itself.
const CHECK_EVERY: Duration = Duration::from_millis(400);
/// Camera, own thread, two mailboxes, encoder, screen.
const CAMERA_FRAMES: usize = 10;
/// Asked of real cameras and files: what the call cannot use is scaled down (`picture.rs`).
const LARGE: (usize, usize) = (1280, 720);
const FPS: u32 = 30;

/// What a keeper is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// This device, opened anew; `None`: none.
    Want(Option<String>),
    Rehearse(Modifier),
    TestTone,
    /// Of the other, in percent.
    Volume(u8),
    /// From now on.
    Process(ProcessingOptions),
}

/// A device of one kind, opened and closed by its keeper's thread.
pub(crate) trait Kept: Send + 'static {
    fn open(&mut self, id: &str);
    fn close(&mut self);
    /// Looks whether it has ended by itself.
    fn check(&mut self);
    fn order(&mut self, order: &Order);
}

/// Starts a keeper; it closes its device and ends when the sender is dropped.
pub(crate) fn keep(name: &str, device: impl Kept) -> std::io::Result<Sender<Order>> {
    let (sender, orders) = channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || serve(device, &orders))?;
    Ok(sender)
}

fn serve(mut device: impl Kept, orders: &Receiver<Order>) {
    loop {
        match orders.recv_timeout(CHECK_EVERY) {
            Ok(first) => {
                let mut wanted = None;
                let mut others = Vec::new();
                // Only the last wish counts: opening takes time and the user may click on.
                for order in std::iter::once(first).chain(orders.try_iter()) {
                    match order {
                        Order::Want(id) => wanted = Some(id),
                        other => others.push(other),
                    }
                }
                if let Some(wanted) = wanted {
                    device.close();
                    if let Some(id) = wanted {
                        device.open(&id);
                    }
                }
                for order in &others {
                    device.order(order);
                }
            }
            Err(RecvTimeoutError::Timeout) => device.check(),
            Err(RecvTimeoutError::Disconnected) => {
                device.close();
                return;
            }
        }
    }
}

/// `none`, `covered`, `dark`, `frozen`, `loop`, `unplugged`, `stalled`.
pub(crate) fn modifier(text: &str) -> Option<Modifier> {
    Some(match text {
        "none" => Modifier::None,
        "covered" => Modifier::Covered,
        "dark" => Modifier::Dark,
        "frozen" => Modifier::Frozen,
        "loop" => Modifier::Loop,
        "unplugged" => Modifier::Unplugged,
        "stalled" => Modifier::Stalled,
        _ => return None,
    })
}

pub(crate) struct KeptCamera {
    clock: Clock,
    pool: FramePool,
    pictures: Sender<PictureOrder>,
    inputs: UnboundedSender<Input>,
    modifier: Modifier,
    shutter_closed: bool,
    open: Option<Camera>,
}

impl KeptCamera {
    pub(crate) fn new(clock: Clock, pictures: Sender<PictureOrder>, inputs: UnboundedSender<Input>) -> Self {
        Self {
            clock,
            pool: FramePool::new(CAMERA_FRAMES),
            pictures,
            inputs,
            modifier: Modifier::None,
            shutter_closed: false,
            open: None,
        }
    }

    fn shutter(&mut self, closed: bool) {
        if std::mem::replace(&mut self.shutter_closed, closed) != closed {
            let _ = self.inputs.send(Input::Device(DeviceInput::Shutter { closed }));
        }
    }

    fn failed(&self, notice: Notice) {
        // Nobody listens once the session ends; the same holds below.
        let _ = self.inputs.send(Input::Device(DeviceInput::CameraFailed(notice)));
    }
}

impl Kept for KeptCamera {
    fn open(&mut self, id: &str) {
        let source: CameraSource = match id.parse() {
            Ok(source) => source,
            Err(_) => return self.failed(Notice::CameraMissing { name: id.to_owned() }),
        };
        // Drawing large pictures costs more than it shows.
        let size = match source {
            CameraSource::Pattern | CameraSource::Face { .. } => SMALL,
            CameraSource::Device { .. } | CameraSource::File { .. } | CameraSource::Image { .. } => LARGE,
        };
        match Camera::open(&source, size, FPS, self.pool.clone(), self.clock) {
            Ok(camera) => {
                camera.set_modifier(self.modifier);
                let _ = self.pictures.send(PictureOrder::Camera(Some(camera.frames())));
                self.open = Some(camera);
            }
            Err(error) => self.failed(notice(error)),
        }
    }

    fn close(&mut self) {
        if self.open.is_some() {
            let _ = self.pictures.send(PictureOrder::Camera(None));
            self.open = None;
        }
        self.shutter(false);
    }

    fn check(&mut self) {
        if let Some(detail) = self.open.as_ref().and_then(Camera::failure) {
            self.close();
            self.failed(Notice::CameraFailed { detail });
        }
        self.shutter(self.open.as_ref().is_some_and(Camera::shutter_is_closed));
    }

    fn order(&mut self, order: &Order) {
        if let Order::Rehearse(modifier) = order {
            // A camera that was unplugged and is opened again is plugged in.
            self.modifier = if *modifier == Modifier::Unplugged { Modifier::None } else { *modifier };
            if let Some(camera) = &self.open {
                camera.set_modifier(*modifier);
            }
        }
    }
}

fn notice(error: CameraError) -> Notice {
    match error {
        CameraError::Missing(name) => Notice::CameraMissing { name },
        CameraError::Busy(name) => Notice::CameraBusy { name },
        CameraError::Denied(name) => Notice::CameraDenied { name },
        CameraError::File(name, detail) => Notice::CameraFileBroken { name, detail },
        CameraError::Failed(detail) => Notice::CameraFailed { detail },
    }
}

/// What the settings, the command line and the machine offer.
#[derive(Clone)]
pub(crate) struct Choice {
    pub profile_name: String,
    /// From the configuration: before the settings, and listed even when the machine does not name them.
    pub camera: Option<String>,
    pub microphone: Option<String>,
    pub speaker: Option<String>,
    /// At the start of this run.
    pub choices: Choices,
    pub settings: Settings,
}

/// Lists everything and settles what is used. Blocks for seconds in the worst case.
pub(crate) fn look(choice: &Choice) -> Vec<DeviceInput> {
    let real = camera::list();
    let first = real.first().map(|camera| CameraSource::Device { id: camera.id.clone() }.to_string());
    let mut cameras: Vec<_> = real
        .into_iter()
        .map(|camera| Device { id: CameraSource::Device { id: camera.id }.to_string(), name: camera.name, synthetic: false })
        .collect();
    let face = CameraSource::Face { name: choice.profile_name.clone() }.to_string();
    cameras.push(Device { id: face.clone(), name: String::from("Drawn face"), synthetic: true });
    cameras.push(Device { id: CameraSource::Pattern.to_string(), name: String::from("Test pattern"), synthetic: true });
    if let Some(id) = &choice.camera {
        add(&mut cameras, id);
    }
    let known = |id: &&String| cameras.iter().any(|camera| camera.id == **id);
    let remembered = choice.settings.camera.as_ref();
    let mut said = Vec::new();
    if choice.camera.is_none()
        && let Some(id) = remembered.filter(|id| !known(id))
    {
        said.push(DeviceInput::CameraFailed(Notice::CameraMissing { name: id.clone() }));
    }
    let camera = choice.camera.clone().or_else(|| remembered.filter(known).cloned()).or(first).unwrap_or(face);
    let (microphones, microphone) = sound(list_microphones(), choice.microphone.as_ref(), choice.settings.microphone.as_ref());
    let (speakers, speaker) = sound(list_speakers(), choice.speaker.as_ref(), choice.settings.speaker.as_ref());
    said.push(DeviceInput::Cameras(cameras));
    said.push(DeviceInput::Sound { microphones, speakers });
    said.push(DeviceInput::Using { camera: Some(camera), microphone: Some(microphone), speaker: Some(speaker) });
    said
}

fn add(devices: &mut Vec<Device>, id: &str) {
    if !devices.iter().any(|device| device.id == id) {
        // The last part of a path, or the whole.
        let name = id.rsplit(['/', '\\']).next().unwrap_or(id).to_owned();
        devices.push(Device { id: id.to_owned(), name, synthetic: true });
    }
}

/// The list, and what of it is used: configured, remembered, the system's default, silence.
fn sound(found: Vec<AudioDevice>, configured: Option<&String>, remembered: Option<&String>) -> (Vec<Device>, String) {
    let mut devices = Vec::new();
    if !found.is_empty() {
        devices.push(Device { id: String::from("default"), name: String::from("Default"), synthetic: false });
    }
    devices.extend(found.into_iter().map(|device| Device {
        id: format!("device:{}", device.id),
        name: device.name,
        synthetic: false,
    }));
    devices.push(Device { id: String::from("silent"), name: String::from("None"), synthetic: true });
    if let Some(id) = configured {
        add(&mut devices, id);
    }
    let known = |id: &&String| devices.iter().any(|device| device.id == **id);
    let used = configured.or(remembered.filter(known)).cloned();
    let used = used.unwrap_or_else(|| devices[0].id.clone());
    (devices, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str) -> AudioDevice {
        AudioDevice { id: id.to_owned(), name: id.to_owned() }
    }

    #[test]
    fn sound_falls_back_to_the_default_and_then_to_silence() {
        let gone = String::from("device:gone");
        let here = String::from("device:b");
        assert_eq!(sound(Vec::new(), None, Some(&gone)).1, "silent");
        assert_eq!(sound(vec![device("b")], None, Some(&gone)).1, "default");
        assert_eq!(sound(vec![device("b")], None, Some(&here)).1, "device:b");
        let (devices, used) = sound(vec![device("b")], Some(&String::from("tone:440")), Some(&here));
        assert_eq!(used, "tone:440");
        assert!(devices.iter().any(|device| device.id == "tone:440" && device.synthetic));
    }

    #[test]
    fn without_a_real_camera_there_is_a_face() {
        let choice = Choice {
            profile_name: String::from("ada"),
            camera: None,
            microphone: Some(String::from("silent")),
            speaker: Some(String::from("silent")),
            choices: Choices::default(),
            settings: Settings { camera: Some(String::from("device:gone")), ..Settings::default() },
        };
        let said = look(&choice);
        assert!(said.iter().any(|input| matches!(input, DeviceInput::CameraFailed(Notice::CameraMissing { .. }))));
        let using = said.iter().find_map(|input| match input {
            DeviceInput::Using { camera, .. } => camera.clone(),
            _ => None,
        });
        match camera::list().first() {
            None => assert_eq!(using.as_deref(), Some("face:ada")),
            Some(real) => assert_eq!(using, Some(format!("device:{}", real.id))),
        }
    }

    #[test]
    fn only_the_last_wish_is_opened() {
        struct Probe(Sender<String>);
        impl Kept for Probe {
            fn open(&mut self, id: &str) {
                self.0.send(format!("open {id}")).unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
            fn close(&mut self) {
                self.0.send(String::from("close")).unwrap();
            }
            fn check(&mut self) {}
            fn order(&mut self, order: &Order) {
                self.0.send(format!("{order:?}")).unwrap();
            }
        }
        let (sender, happened) = channel();
        let orders = keep("probe", Probe(sender)).unwrap();
        orders.send(Order::Want(Some(String::from("a")))).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        orders.send(Order::Want(Some(String::from("b")))).unwrap();
        orders.send(Order::TestTone).unwrap();
        orders.send(Order::Want(Some(String::from("c")))).unwrap();
        drop(orders);
        let happened: Vec<_> = happened.iter().collect();
        assert_eq!(happened, ["close", "open a", "close", "open c", "TestTone", "close"]);
    }
}
