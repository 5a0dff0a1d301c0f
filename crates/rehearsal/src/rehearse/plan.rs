//! A scenario file (TOML): who comes, what the network does, what goes wrong and when, and what must have happened at the end.

use super::part::Part;
use crate::bot::CameraDoes;
use crate::rig::scenario::{LinkConfig, ScenarioError};
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;
use visavis_media::camera::CameraSource;

/// Of one file.
const MOST_BYTES: u64 = 64 * 1024;
const MOST_SECONDS: f64 = 4.0 * 3600.0;
const MOST_PEOPLE: usize = 500;
const MOST_WINDOWS: usize = 4;
const MOST_NODES: usize = 5;
/// What a rehearsal can do to a camera while it runs.
const MODIFIERS: [&str; 7] = ["none", "covered", "dark", "frozen", "loop", "unplugged", "stalled"];

/// Come with the program.
pub const SCENARIOS: [(&str, &str); 15] = [
    ("two", include_str!("../../evenings/two.toml")),
    ("cover", include_str!("../../evenings/cover.toml")),
    ("cameras", include_str!("../../evenings/cameras.toml")),
    ("rude", include_str!("../../evenings/rude.toml")),
    ("no-udp", include_str!("../../evenings/no-udp.toml")),
    ("windows", include_str!("../../evenings/windows.toml")),
    ("long", include_str!("../../evenings/long.toml")),
    ("one-call", include_str!("../../evenings/one-call.toml")),
    ("crowd", include_str!("../../evenings/crowd.toml")),
    ("games", include_str!("../../evenings/games.toml")),
    ("lossy", include_str!("../../evenings/lossy.toml")),
    ("outage", include_str!("../../evenings/outage.toml")),
    ("restart", include_str!("../../evenings/restart.toml")),
    ("nodes", include_str!("../../evenings/nodes.toml")),
    ("faults", include_str!("../../evenings/faults.toml")),
];

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error("there is no scenario {0:?}, and no file of that name either; --list names them")]
    Unknown(String),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error("{0} is larger than a scenario can be (64 KiB)")]
    TooLarge(String),
    #[error("the scenario cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("{0}")]
    Network(#[from] ScenarioError),
    #[error("{0}")]
    Value(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub about: String,
    /// From the first arrival to the end.
    pub seconds: f64,
    #[serde(default)]
    pub seed: u64,
    /// Each person's way to the relay and back.
    #[serde(default)]
    pub network: LinkConfig,
    /// Servers as processes of their own: one with its own database and relay, or more over PostgreSQL and NATS with coturn. Without
    /// it the server is in this process.
    pub nodes: Option<usize>,
    /// No UDP gets through to the relay; TCP does.
    #[serde(default)]
    pub udp_blocked: bool,
    /// A pair is not matched again before each has met so many others.
    #[serde(default = "sixteen")]
    pub recent_partners: u32,
    pub people: Vec<People>,
    #[serde(default)]
    pub change: Vec<Change>,
    #[serde(default)]
    pub expect: Expect,
    /// Memory, threads, descriptors and round trips must stay as they are.
    pub flat: Option<Flat>,
    /// Parts that are stopped and started again, by a seed.
    pub faults: Option<Faults>,
}

/// One of `parts` is stopped every `every_s` or so, for `down_s`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Without it the plan's.
    pub seed: Option<u64>,
    #[serde(default)]
    pub from_s: f64,
    /// Without it the end.
    pub to_s: Option<f64>,
    pub every_s: f64,
    /// From and to.
    #[serde(default = "some_seconds")]
    pub down_s: [f64; 2],
    pub parts: Vec<Part>,
}

fn some_seconds() -> [f64; 2] {
    [1.0, 4.0]
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flat {
    /// Nothing is judged before.
    pub warm_up_s: f64,
    /// May be added from then to the end, by the slope.
    pub rise_percent: f64,
}

impl Default for Flat {
    fn default() -> Self {
        Self { warm_up_s: 60.0, rise_percent: 5.0 }
    }
}

fn sixteen() -> u32 {
    16
}

/// One person, or several who are alike.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// A test identity; without it they are guests.
    pub identity: Option<String>,
    #[serde(default = "one")]
    pub count: usize,
    /// When the first of them comes, and how far apart the others follow, seconds.
    #[serde(default)]
    pub arrive_s: f64,
    #[serde(default)]
    pub apart_s: f64,
    /// As `--camera` takes it; without it a drawn face of their own.
    pub camera: Option<String>,
    #[serde(default)]
    pub declines: bool,
    #[serde(default)]
    pub stays_veiled: bool,
    #[serde(default = "yes")]
    pub follows: bool,
    #[serde(default)]
    pub draws: bool,
    /// Wishes for games and plays them.
    #[serde(default)]
    pub plays: bool,
    /// Into each call.
    pub leaves_after_s: Option<f64>,
    /// From which to which second of each call something lies over the camera.
    pub covers_s: Option<[f32; 2]>,
    /// A real window of the app on a virtual display instead of a headless peer (Linux). It neither draws nor plays.
    #[serde(default)]
    pub window: bool,
    /// The app is a process of its own (`visavis-bot`) instead of one in this process.
    #[serde(default)]
    pub apart: bool,
    /// More of what becomes of the camera in each call.
    #[serde(default)]
    pub camera_does: Vec<CameraDoes>,
    /// A made voice instead of silence.
    #[serde(default)]
    pub speaks: bool,
    /// Pictures of 320 x 180, so many a second: many such people fit on one machine. Not for windows.
    pub weak_camera_fps: Option<u32>,
    /// The app ends without a word so many seconds into its first call, and does not come back.
    pub crashes_after_s: Option<f64>,
    /// Draws and wishes as fast as an app lets it.
    #[serde(default)]
    pub floods: bool,
    /// A modified app: it sends what cannot be read, or must not be, to the server and to whoever it meets. It shows no picture.
    #[serde(default)]
    pub malformed: bool,
    /// Without it as many as the evening has room for.
    pub meetings: Option<u32>,
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Change {
    pub at_s: f64,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// From now on, for everybody.
    Network(LinkConfig),
    /// `kill` with `for_s`; `outage_s` of the network, `server_restart_after_s` of the server in this process.
    Stop { part: Part, for_s: f64 },
    /// The camera of everybody in this process: `none`, `covered`, `dark`, `frozen`, `loop`, `unplugged`, `stalled`.
    Cameras(String),
}

/// A change as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    at_s: f64,
    network: Option<LinkConfig>,
    outage_s: Option<f64>,
    server_restart_after_s: Option<f64>,
    kill: Option<Part>,
    for_s: Option<f64>,
    cameras: Option<String>,
}

impl TryFrom<Written> for Change {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { at_s, network, outage_s, server_restart_after_s, kill, for_s, cameras } = written;
        let stop = |part| move |for_s| What::Stop { part, for_s };
        let killed = match (kill, for_s) {
            (Some(part), Some(for_s)) => Some(What::Stop { part, for_s }),
            (None, None) => None,
            _ => return Err(format!("the change at {at_s} s: kill and for_s go together")),
        };
        let all = [
            network.map(What::Network),
            outage_s.map(stop(Part::Network)),
            server_restart_after_s.map(stop(Part::Server)),
            killed,
            cameras.map(What::Cameras),
        ];
        let mut named = all.into_iter().flatten();
        match (named.next(), named.next()) {
            (Some(what), None) => Ok(Self { at_s, what }),
            _ => Err(format!("the change at {at_s} s names one of network, outage_s, server_restart_after_s, kill, cameras")),
        }
    }
}

/// Without which the evening was not what it should be.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// At least so many calls in which both saw something.
    pub calls: usize,
    /// At least so many pairs who follow each other.
    pub follows: usize,
    /// At least so many times somebody was seen covered.
    pub covers: usize,
    /// At least so many calls in which both saw the other unveiled.
    pub reveals: usize,
    /// At least so many games that both played to the end.
    pub games: usize,
    /// At least so many messages of the other that could not be read.
    pub malformed: usize,
}

/// One of those who come.
#[derive(Clone, Debug)]
pub struct Guest {
    pub identity: String,
    pub camera: CameraSource,
    pub arrives: Duration,
    pub manner: People,
}

impl People {
    /// All that becomes of the camera in a call.
    pub fn camera_does(&self) -> Vec<CameraDoes> {
        let covered = self.covers_s.map(|[from_s, to_s]| CameraDoes { is: String::from("covered"), from_s, to_s });
        covered.into_iter().chain(self.camera_does.iter().cloned()).collect()
    }
}

impl Plan {
    /// One that comes with the program, or a file.
    pub fn find(name: &str) -> Result<Self, PlanError> {
        if let Some((_, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) {
            return Self::parse(text);
        }
        let path = Path::new(name);
        let size = match path.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(PlanError::Unknown(name.to_owned())),
            Err(error) => return Err(PlanError::File(name.to_owned(), error)),
        };
        if size > MOST_BYTES {
            return Err(PlanError::TooLarge(name.to_owned()));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(|error| PlanError::File(name.to_owned(), error))?)
    }

    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let plan: Self = toml::from_str(text)?;
        plan.check()?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), PlanError> {
        let wrong = |words: String| Err(PlanError::Value(words));
        let time = |seconds: f64| (0.0..=MOST_SECONDS).contains(&seconds);
        if !(1.0..=MOST_SECONDS).contains(&self.seconds) {
            return wrong(format!("seconds = {}: from 1 to {MOST_SECONDS}", self.seconds));
        }
        let people: usize = self.people.iter().fold(0, |sum, people| sum.saturating_add(people.count));
        if !(1..=MOST_PEOPLE).contains(&people) {
            return wrong(format!("{people} people: from 1 to {MOST_PEOPLE} may come"));
        }
        self.network.check()?;
        if self.windows() > MOST_WINDOWS {
            return wrong(format!("{} windows: at most {MOST_WINDOWS}", self.windows()));
        }
        if let Some(flat) = self.flat.filter(|flat| !time(flat.warm_up_s) || !(0.0..=1000.0).contains(&flat.rise_percent)) {
            return wrong(format!("{flat:?} is out of range"));
        }
        if let Some(nodes) = self.nodes.filter(|nodes| !(1..=MOST_NODES).contains(nodes)) {
            return wrong(format!("nodes = {nodes}: from 1 to {MOST_NODES}"));
        }
        if let Some(faults) = &self.faults {
            self.check_faults(faults)?;
        }
        for people in &self.people {
            if people.apart && (people.window || people.plays || people.crashes_after_s.is_some()) {
                return wrong(String::from("who is apart has no window, plays no games and crashes by kill = \"bot\""));
            }
            if people.malformed && (people.window || people.apart || people.plays || people.draws || people.floods) {
                return wrong(String::from("who is malformed does nothing else"));
            }
            if people.identity.is_some() && people.count != 1 {
                return wrong(String::from("only one person has an identity; guests (without it) may be many"));
            }
            let ends = [people.leaves_after_s, people.crashes_after_s].map(Option::unwrap_or_default);
            let times = [people.arrive_s, people.apart_s, ends[0], ends[1]];
            let covers = people.covers_s.unwrap_or_default().map(f64::from);
            if !times.into_iter().chain(covers).all(time) || covers[0] > covers[1] {
                return wrong(format!("a time of people is negative, too long or the wrong way round: {people:?}"));
            }
        }
        for does in self.people.iter().flat_map(People::camera_does) {
            if !MODIFIERS[1..].contains(&does.is.as_str()) {
                return wrong(format!("camera_does {:?}: one of {}", does.is, MODIFIERS[1..].join(", ")));
            }
            if !time(does.from_s.into()) || !time(does.to_s.into()) || does.from_s > does.to_s {
                return wrong(format!("a camera is {} from {} to {} s of a call", does.is, does.from_s, does.to_s));
            }
        }
        for change in &self.change {
            match &change.what {
                What::Network(link) => link.check()?,
                What::Stop { for_s, .. } if !time(*for_s) => return wrong(format!("{for_s} s is not a length of time")),
                What::Stop { part, .. } => self.check_part(*part)?,
                What::Cameras(name) if !MODIFIERS.contains(&name.as_str()) => {
                    return wrong(format!("cameras = {name:?}: one of {}", MODIFIERS.join(", ")));
                }
                _ => {}
            }
            if !time(change.at_s) || change.at_s > self.seconds {
                return wrong(format!("at_s = {}: within the evening's {} s", change.at_s, self.seconds));
            }
        }
        self.guests().map(|_| ())
    }

    fn check_part(&self, part: Part) -> Result<(), PlanError> {
        part.check(self).map_err(|why| PlanError::Value(format!("{part:?} cannot be stopped: {why}")))
    }

    fn check_faults(&self, faults: &Faults) -> Result<(), PlanError> {
        let (to_s, down) = (faults.to_s.unwrap_or(self.seconds), faults.down_s);
        let times = [faults.from_s, to_s, faults.every_s, down[0], down[1]];
        let in_order = faults.from_s <= to_s && to_s <= self.seconds && down[0] <= down[1] && faults.every_s >= 0.5;
        if !in_order || !times.iter().all(|seconds| (0.0..=MOST_SECONDS).contains(seconds)) || faults.parts.is_empty() {
            return Err(PlanError::Value(format!("{faults:?} is out of range")));
        }
        faults.parts.iter().try_for_each(|part| self.check_part(*part))
    }

    pub fn windows(&self) -> usize {
        self.people.iter().filter(|people| people.window).fold(0, |sum, people| sum.saturating_add(people.count))
    }

    /// Everybody, in the order of the file.
    pub fn guests(&self) -> Result<Vec<Guest>, PlanError> {
        let mut guests: Vec<Guest> = Vec::new();
        let mut number = 0;
        for people in &self.people {
            for at in 0..people.count {
                number += 1;
                let identity = people.identity.clone().unwrap_or_else(|| format!("guest-{number}"));
                if guests.iter().any(|guest| guest.identity == identity) {
                    return Err(PlanError::Value(format!("{identity} comes twice")));
                }
                let camera = match &people.camera {
                    Some(camera) => camera.parse().map_err(|error| PlanError::Value(format!("camera = {camera:?}: {error}")))?,
                    None => CameraSource::Face { name: identity.clone() },
                };
                let arrives = Duration::from_secs_f64(people.arrive_s + people.apart_s * at as f64);
                guests.push(Guest { identity, camera, arrives, manner: people.clone() });
            }
        }
        Ok(guests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scenarios_that_come_along_can_be_read() {
        for (name, _) in SCENARIOS {
            let plan = Plan::find(name).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(plan.expect.calls > 0 && plan.about.len() > 10, "{name} would prove nothing");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let whole = "about = \"\"\nseconds = 9\n";
        let cases = [
            ("about = 1", "invalid type"),
            ("about = \"\"\nseconds = 1e9\npeople = []", "seconds ="),
            ("about = \"\"\nseconds = 9\npeople = []", "0 people"),
            (&format!("{whole}[[people]]\nidentity = \"ada\"\ncount = 2"), "only one person"),
            (&format!("{whole}[[people]]\nidentity = \"ada\"\n[[people]]\nidentity = \"ada\""), "ada comes twice"),
            (&format!("{whole}[[people]]\ncamera = \"what\""), "camera ="),
            (&format!("{whole}[[people]]\nleave_after = 3"), "leave_after"),
            (&format!("{whole}[[people]]\ncovers_s = [5, 2]"), "wrong way round"),
            (&format!("{whole}[[people]]\ncamera_does = [{{ is = \"lost\", from_s = 1, to_s = 2 }}]"), "one of covered"),
            (&format!("{whole}[[people]]\ncamera_does = [{{ is = \"dark\", from_s = 3, to_s = 2 }}]"), "from 3 to 2"),
            (&format!("{whole}[[people]]\n[network]\nloss_pct = 200"), "out of range"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 10\ncameras = \"dark\""), "at_s = 10"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 1\ncameras = \"broken\""), "one of none"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 1\nfire = 3"), "fire"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 1\noutage_s = 3\ncameras = \"dark\""), "names one of"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 1\nkill = \"bot\""), "go together"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 1\nkill = \"moon\"\nfor_s = 1"), "no part"),
            (&format!("{whole}[[people]]\n[[change]]\nat_s = 1\nkill = \"node\"\nfor_s = 1"), "name server"),
            (&format!("{whole}nodes = 2\n[[people]]\n[[change]]\nat_s = 1\nkill = \"node-3\"\nfor_s = 1"), "not so many"),
            (&format!("{whole}nodes = 1\n[[people]]\n[faults]\nevery_s = 2\nparts = [\"nats\"]"), "two nodes"),
            (&format!("{whole}nodes = 9\n[[people]]"), "nodes = 9"),
            (&format!("{whole}[[people]]\n[faults]\nevery_s = 0\nparts = [\"bot\"]"), "out of range"),
            (&format!("{whole}[[people]]\nwindow = true\n[faults]\nevery_s = 2\nparts = [\"bot\"]"), "has a window"),
        ];
        for (text, words) in cases {
            let error = Plan::parse(text).expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        assert!(matches!(Plan::find("no-such-scenario"), Err(PlanError::Unknown(_))));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(about = \"x\"\n)?(seconds = [0-9e]{1,4}\n)?(\\[\\[people\\]\\]\n)?(count = [0-9-]{1,6}\n)?.{0,40}") {
            let _ = Plan::parse(&text);
        }
    }
}
