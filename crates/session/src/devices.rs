//! Looking which devices there are and keeping the chosen ones open. Opening and closing block (a camera that is busy, a sound server
//! that does not answer), so each kind of device is kept by a thread of its own; the loop only says what it wants.

use crate::evening::{DeviceInput, Input, Kind};
use crate::picture::{Order as PictureOrder, SMALL};
use crate::view::Notice;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use visavis_media::audio::ProcessingOptions;
use visavis_media::camera::{Camera, CameraError, CameraSource, Modifier};
use visavis_media::machine::{CameraWish, Machine};
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
    machine: Arc<dyn Machine>,
    clock: Clock,
    pool: FramePool,
    pictures: Sender<PictureOrder>,
    inputs: UnboundedSender<Input>,
    modifier: Modifier,
    shutter_closed: bool,
    /// And what it was asked for as.
    open: Option<(String, Camera)>,
}

impl KeptCamera {
    pub(crate) fn new(
        machine: Arc<dyn Machine>,
        clock: Clock,
        pictures: Sender<PictureOrder>,
        inputs: UnboundedSender<Input>,
    ) -> Self {
        Self {
            machine,
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
        let _ = self.inputs.send(Input::Device(DeviceInput::Failed { kind: Kind::Camera, notice }));
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
        match self.machine.open_camera(&source, CameraWish { size, fps: FPS, pool: self.pool.clone(), clock: self.clock }) {
            Ok(camera) => {
                camera.set_modifier(self.modifier);
                let _ = self.pictures.send(PictureOrder::Camera(Some(camera.frames())));
                self.open = Some((id.to_owned(), camera));
            }
            Err(error) => self.failed(notice(id, error)),
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
        if let Some((id, error)) = self.open.as_ref().and_then(|(id, camera)| Some((id.clone(), camera.failure()?))) {
            self.close();
            match error {
                CameraError::Unplugged | CameraError::Missing(_) => {
                    let _ = self.inputs.send(Input::Device(DeviceInput::Ended { kind: Kind::Camera, id }));
                }
                other => self.failed(notice(&id, other)),
            }
        }
        self.shutter(self.open.as_ref().is_some_and(|(_, camera)| camera.shutter_is_closed()));
    }

    fn order(&mut self, order: &Order) {
        if let Order::Rehearse(modifier) = order {
            // A camera that was unplugged and is opened again is plugged in.
            self.modifier = if *modifier == Modifier::Unplugged { Modifier::None } else { *modifier };
            if let Some((_, camera)) = &self.open {
                camera.set_modifier(*modifier);
            }
        }
    }
}

fn notice(id: &str, error: CameraError) -> Notice {
    match error {
        CameraError::Unplugged => Notice::CameraMissing { name: id.to_owned() },
        CameraError::Missing(name) => Notice::CameraMissing { name },
        CameraError::Busy(name) => Notice::CameraBusy { name },
        CameraError::Denied(name, why) => Notice::CameraDenied { name, why: why.into() },
        CameraError::File(name, detail) => Notice::CameraFileBroken { name, detail },
        CameraError::Failed(detail) => Notice::CameraFailed { detail },
    }
}

/// Looks what there is, again and again, and at once when it is told to. Ends with its sender.
pub(crate) fn watch(machine: Arc<dyn Machine>, inputs: UnboundedSender<Input>) -> std::io::Result<Sender<()>> {
    let (sender, orders) = channel();
    let body = move || {
        loop {
            // Cameras first: a sound server that hangs does not hold the mirror up.
            let told = inputs.send(Input::Device(DeviceInput::Cameras(machine.cameras())));
            if told.is_err() || inputs.send(Input::Device(DeviceInput::Sound(machine.sound()))).is_err() {
                return;
            }
            if orders.recv_timeout(machine.look_every()) == Err(RecvTimeoutError::Disconnected) {
                return;
            }
            orders.try_iter().for_each(drop);
        }
    };
    std::thread::Builder::new().name("device-watch".to_owned()).spawn(body)?;
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_camera_shut_is_said_by_its_kind() {
        let why = visavis_media::Forbidden::LinuxGroup;
        let denied = CameraError::Denied(String::from("n"), why);
        assert_eq!(notice("x", denied), Notice::CameraDenied { name: String::from("n"), why: why.into() });
        assert_eq!(notice("x", CameraError::Busy(String::from("n"))), Notice::CameraBusy { name: String::from("n") });
        assert_eq!(notice("x", CameraError::Unplugged), Notice::CameraMissing { name: String::from("x") });
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
