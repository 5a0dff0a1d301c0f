//! Which device of each kind is used while devices come and go. What the user wants is used whenever it is there; while it is not,
//! what the system itself would take, and it is taken back when it returns. A camera that nobody chose never takes over in a
//! meeting: it may look at something else.
//!
//! Lists come every few seconds, whether they changed or not; a list that cannot be had changes nothing.

use crate::settings::Settings;
use crate::view::Device;

/// A device as the settings keep it. The name tells it from another that has its identifier now: on Linux those of cameras are
/// numbers, given anew at each plugging.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub id: String,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Real {
    /// With `device:`.
    pub id: String,
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Camera,
    Microphone,
    Speaker,
}

/// What a look changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Same,
    /// Another one is used now, and nothing need be said.
    Taken,
    /// The same one is to be opened anew.
    Again,
    Gone {
        name: String,
        instead: Option<String>,
    },
    Back {
        name: String,
    },
}

/// Automatic attempts at a device that ends although it is listed.
const TRIES: u8 = 3;
const DEFAULT: &str = "default";
const SILENT: &str = "silent";

/// Devices of one kind.
#[derive(Clone, Debug)]
pub(crate) struct Plug {
    kind: Kind,
    /// From the configuration of this run: listed whether the machine names it or not.
    given: Option<String>,
    /// Without a real camera there is this one.
    face: String,
    wanted: Option<Wish>,
    used: Option<Wish>,
    /// As last listed.
    found: Vec<Real>,
    /// What the system itself would take, as last listed.
    default: Option<String>,
    /// It ended by itself, and nothing was done about it yet.
    ended: bool,
    tries: u8,
}

/// All devices.
#[derive(Clone, Debug)]
pub(crate) struct Plugs {
    pub camera: Plug,
    pub microphone: Plug,
    pub speaker: Plug,
}

/// Of this run, before what the settings remember.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub profile_name: String,
    pub camera: Option<String>,
    pub microphone: Option<String>,
    pub speaker: Option<String>,
}

impl Plugs {
    pub(crate) fn new(given: &Given, settings: &Settings) -> Self {
        let plug = |kind, given: &Option<String>, id: &Option<String>, name: &Option<String>| {
            let wish = |id: &String, name: Option<&String>| Wish { id: id.clone(), name: name.cloned() };
            let remembered = id.as_ref().map(|id| wish(id, name.as_ref()));
            let wanted = given.as_ref().map(|id| wish(id, None)).or(remembered);
            Plug { wanted, given: given.clone(), ..Plug::empty(kind) }
        };
        let mut camera = plug(Kind::Camera, &given.camera, &settings.camera, &settings.camera_name);
        camera.face = format!("face:{}", given.profile_name);
        Self {
            camera,
            microphone: plug(Kind::Microphone, &given.microphone, &settings.microphone, &settings.microphone_name),
            speaker: plug(Kind::Speaker, &given.speaker, &settings.speaker, &settings.speaker_name),
        }
    }

    pub(super) fn of(&mut self, kind: Kind) -> &mut Plug {
        match kind {
            Kind::Camera => &mut self.camera,
            Kind::Microphone => &mut self.microphone,
            Kind::Speaker => &mut self.speaker,
        }
    }

    /// What the user wants, into the settings. What a flag chose for this run is not the user's choice.
    pub(crate) fn remember(&self, settings: &mut Settings) {
        let keep = |plug: &Plug, id: &mut Option<String>, name: &mut Option<String>| {
            if let Some(wanted) = plug.wanted.as_ref().filter(|wanted| plug.given.as_ref() != Some(&wanted.id)) {
                (*id, *name) = (Some(wanted.id.clone()), wanted.name.clone());
            }
        };
        keep(&self.camera, &mut settings.camera, &mut settings.camera_name);
        keep(&self.microphone, &mut settings.microphone, &mut settings.microphone_name);
        keep(&self.speaker, &mut settings.speaker, &mut settings.speaker_name);
    }
}

impl Default for Plugs {
    fn default() -> Self {
        Self::new(&Given::default(), &Settings::default())
    }
}

/// Not made by the program.
fn is_real(id: &str) -> bool {
    id.starts_with("device:")
}

impl Plug {
    fn empty(kind: Kind) -> Self {
        let face = String::new();
        Self { kind, given: None, face, wanted: None, used: None, found: Vec::new(), default: None, ended: false, tries: 0 }
    }

    /// Empty before the first list, and while another device has the identifier.
    pub(super) fn used(&self) -> &str {
        self.used.as_ref().filter(|used| !self.is_taken(used)).map_or("", |used| used.id.as_str())
    }

    pub(super) fn is_new(&self) -> bool {
        self.used.is_none()
    }

    fn is_taken(&self, wish: &Wish) -> bool {
        !self.is_there(wish) && self.found.iter().any(|real| real.id == wish.id)
    }

    /// By the user's hand.
    pub(super) fn choose(&mut self, id: String) {
        let name = self.found.iter().find(|real| real.id == id).map(|real| real.name.clone());
        let wish = Wish { id, name };
        (self.wanted, self.used) = (Some(wish.clone()), Some(wish));
        self.tried();
    }

    /// The user asked to try again.
    pub(super) fn tried(&mut self) {
        (self.ended, self.tries) = (false, 0);
    }

    /// A device ended by itself. `false`: it is not used any more.
    pub(super) fn ended(&mut self, id: &str) -> bool {
        self.ended = self.used.as_ref().is_some_and(|used| used.id == id);
        self.ended
    }

    /// Whether it ended and a look did not help; asked once.
    pub(super) fn gave_up(&mut self) -> bool {
        std::mem::take(&mut self.ended)
    }

    /// `free`: one that nobody chose may take over. The turn is what the user is told.
    pub(super) fn look(&mut self, found: Vec<Real>, default: Option<String>, free: bool) -> Turn {
        let first = self.used.is_none();
        let before = std::mem::replace(&mut self.found, found);
        let default_before = std::mem::replace(&mut self.default, default);
        let (mut wanted, mut used) = (self.wanted.take(), self.used.take());
        for wish in [&mut wanted, &mut used].into_iter().flatten() {
            self.recognise(wish, &before, first);
        }
        (self.wanted, self.used) = (wanted, used);
        if before != self.found {
            self.tries = 0;
        }
        let Some(used) = self.used.clone() else { return self.begin() };
        let was_there = self.was_there(&used, &before);
        if !free && is_real(&used.id) {
            return self.stay(&used, was_there);
        }
        let next = self.best(&used);
        if next.id == used.id {
            return self.keep(&used, was_there, (&before, default_before.as_deref()));
        }
        let turn = if self.is_there(&used) {
            // What is wanted is back, or there is something real at last.
            match self.wanted.as_ref().filter(|wanted| wanted.id == next.id && is_real(&next.id)) {
                Some(wanted) => Turn::Back { name: self.name_of(wanted) },
                None => Turn::Taken,
            }
        } else {
            let name = if used.id == DEFAULT { name_in(&before, default_before.as_deref()) } else { Some(self.name_of(&used)) };
            let instead = (is_real(&next.id) || next.id == DEFAULT).then(|| self.name_of(&next));
            Turn::Gone { name: name.unwrap_or_default(), instead }
        };
        self.used = Some(next);
        self.tried();
        turn
    }

    /// The first list.
    fn begin(&mut self) -> Turn {
        let missing = self.wanted.clone().filter(|wanted| is_real(&wanted.id) && !self.is_there(wanted));
        let next = self.best(&Wish { id: String::new(), name: None });
        let instead = (is_real(&next.id) || next.id == DEFAULT).then(|| self.name_of(&next));
        self.used = Some(next);
        missing.map_or(Turn::Taken, |missing| Turn::Gone { name: self.name_of(&missing), instead })
    }

    /// The same one, whatever comes or goes.
    fn stay(&mut self, used: &Wish, was_there: bool) -> Turn {
        match (was_there, self.is_there(used)) {
            (true, false) => {
                self.ended = false;
                Turn::Gone { name: self.name_of(used), instead: None }
            }
            (false, true) => {
                self.tried();
                Turn::Back { name: self.name_of(used) }
            }
            (true, true) => self.again(),
            (false, false) => {
                // Said when it went.
                self.ended = false;
                Turn::Same
            }
        }
    }

    /// What is used is the best there is.
    fn keep(&mut self, used: &Wish, was_there: bool, (before, default): (&[Real], Option<&str>)) -> Turn {
        if used.id != DEFAULT {
            return self.stay(used, was_there);
        }
        if self.default.as_deref() == default || default.is_none() || self.default.is_none() {
            return self.again();
        }
        self.tried();
        let gone = default.filter(|default| self.found.iter().all(|real| real.id != *default));
        match (name_in(before, gone), name_in(&self.found, self.default.as_deref())) {
            (Some(name), instead @ Some(_)) => Turn::Gone { name, instead },
            // The user told the system so.
            _ => Turn::Again,
        }
    }

    /// One that ended although it is listed is tried again: it was pulled out and put back between two looks. What the program makes
    /// itself ends only when somebody rehearses that.
    fn again(&mut self) -> Turn {
        let made = self.used.as_ref().is_some_and(|used| used.id != DEFAULT && !is_real(&used.id));
        if !self.ended || made || self.tries >= TRIES {
            return Turn::Same;
        }
        self.ended = false;
        self.tries += 1;
        Turn::Again
    }

    /// Follows a device to its new identifier: the only one of its name that was not there before.
    fn recognise(&self, wish: &mut Wish, before: &[Real], first: bool) {
        if !is_real(&wish.id) || self.is_there(wish) {
            if wish.name.is_none() {
                wish.name = name_in(&self.found, Some(&wish.id));
            }
            return;
        }
        let Some(name) = &wish.name else { return };
        let mut new = self.found.iter().filter(|real| real.name == *name && (first || !before.contains(real)));
        if let (Some(only), None) = (new.next(), new.next()) {
            wish.id.clone_from(&only.id);
        }
    }

    fn is_there(&self, wish: &Wish) -> bool {
        if self.given.as_ref() == Some(&wish.id) {
            return true;
        }
        match wish.id.as_str() {
            DEFAULT => !self.found.is_empty(),
            id if is_real(id) => self.was_there(wish, &self.found),
            _ => true,
        }
    }

    fn was_there(&self, wish: &Wish, found: &[Real]) -> bool {
        let is_it = |real: &Real| real.id == wish.id && wish.name.as_ref().is_none_or(|name| *name == real.name);
        !is_real(&wish.id) || self.given.as_ref() == Some(&wish.id) || found.iter().any(is_it)
    }

    fn best(&self, used: &Wish) -> Wish {
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| self.is_there(wanted)) {
            return wanted.clone();
        }
        let made = |id: &str| Wish { id: id.to_owned(), name: None };
        if self.kind != Kind::Camera {
            return made(if self.found.is_empty() { SILENT } else { DEFAULT });
        }
        let real = |real: &Real| Wish { id: real.id.clone(), name: Some(real.name.clone()) };
        if is_real(&used.id) {
            // A drawing never takes the place of a camera by itself.
            return if self.is_there(used) { used.clone() } else { self.found.first().map_or_else(|| used.clone(), real) };
        }
        self.found.first().map_or_else(|| made(&self.face), real)
    }

    fn name_of(&self, wish: &Wish) -> String {
        let id = if wish.id == DEFAULT { self.default.as_deref() } else { Some(wish.id.as_str()) };
        let first = || self.found.first().map(|real| real.name.clone()).filter(|_| wish.id == DEFAULT);
        wish.name.clone().or_else(|| name_in(&self.found, id)).or_else(first).unwrap_or_else(|| wish.id.clone())
    }

    /// For the pickers. Those of one name get numbers.
    pub(super) fn listed(&self) -> Vec<Device> {
        let mut devices = Vec::new();
        let device = |id: &str, name: String, synthetic: bool| Device { id: id.to_owned(), name, synthetic, gone: false };
        if self.kind != Kind::Camera && !self.found.is_empty() {
            devices.push(device(DEFAULT, name_in(&self.found, self.default.as_deref()).unwrap_or_default(), false));
        }
        for (at, real) in self.found.iter().enumerate() {
            let same = self.found[..at].iter().filter(|other| other.name == real.name).count();
            let name = if same == 0 { real.name.clone() } else { format!("{} ({})", real.name, same + 1) };
            devices.push(device(&real.id, name, false));
        }
        // Two of one identifier cannot both be listed.
        if let Some(used) = self.used.as_ref().filter(|used| is_real(&used.id) && !self.is_there(used) && !self.is_taken(used)) {
            devices.push(Device { gone: true, ..device(&used.id, self.name_of(used), false) });
        }
        if self.kind == Kind::Camera {
            devices.push(device(&self.face, String::from("Drawn face"), true));
            devices.push(device("pattern", String::from("Test pattern"), true));
        } else {
            devices.push(device(SILENT, String::from("None"), true));
        }
        if let Some(given) = self.given.as_ref().filter(|given| devices.iter().all(|device| device.id != **given)) {
            // The last part of a path, or the whole.
            devices.push(device(given, given.rsplit(['/', '\\']).next().unwrap_or(given).to_owned(), true));
        }
        devices
    }
}

fn name_in(found: &[Real], id: Option<&str>) -> Option<String> {
    found.iter().find(|real| Some(real.id.as_str()) == id).map(|real| real.name.clone())
}
