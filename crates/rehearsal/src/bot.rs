//! A headless peer on the product's own `session`: signs in, is matched, sends a camera, looks, draws, answers blind questions as
//! its flags say. What happens is reported as a stream of [`Report`]s; `visavis-bot run` prints them as JSON lines.

mod pictures;
mod recipes;
mod weak;

pub use pictures::{MOSAIC, detail};
pub use recipes::{Line, house, sun};
pub use weak::WeakCamera;

use crate::player::{Deed, Player};
use pictures::watch_pictures;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;
use visavis_games::{GameView, Phase};
use visavis_media::audio::MicrophoneSource;
use visavis_media::camera::CameraSource;
use visavis_session::view::{CallView, Connection, FollowState, Page, RevealState, View};
use visavis_session::{Command, Event, Session};
use visavis_wire::channel::{Seen, Shows};
use visavis_wire::games::{Game, Play};
use visavis_wire::paper::Point;

/// Numbers of strokes in games begin above those of the house.
const FIRST_STROKE: u32 = 1000;

/// Something that becomes of a camera, in seconds of a call.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraDoes {
    /// `covered`, `dark`, `frozen`, `loop`, `unplugged`, `stalled`.
    pub is: String,
    pub from_s: f32,
    pub to_s: f32,
}

/// Numbers of a flood's strokes, far from those of drawings.
const FLOODING: u32 = 1_000_000;
const STROKES_AT_ONCE: u32 = 60;
const FLOOD_AGAIN: Duration = Duration::from_secs(2);
const PRESS_AGAIN: Duration = Duration::from_secs(3);
const PARTED: Duration = Duration::from_secs(8);

/// How a bot behaves.
#[derive(Clone, Debug)]
pub struct Manner {
    pub identity: String,
    pub meet: bool,
    pub reveal: bool,
    pub follow: bool,
    pub draw: bool,
    /// Wishes for games and plays them.
    pub play: bool,
    /// Leaves the call after this long; `None` stays until the other leaves.
    pub leave_after: Option<Duration>,
    /// What becomes of its own camera in each call.
    pub camera: Vec<CameraDoes>,
    /// Draws and wishes as fast as an app lets it.
    pub flood: bool,
    /// How many matches to go through before it ends; `None`: for ever.
    pub meetings: Option<u32>,
}

/// Written by one program and read by another where an app of an evening is a process of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Report {
    Page {
        #[serde(deserialize_with = "known_page")]
        page: PageName,
    },
    Notice {
        notice: serde_json::Value,
    },
    Sight {
        you_see: Shows,
        they_see: Shows,
        peer_looks: Seen,
        own_looks_to_peer: Seen,
        revealed: bool,
    },
    /// Once a second while pictures come: how many, the newest burnt-in frame number, and whether it is readable.
    Pictures {
        frames: u32,
        number: Option<u32>,
        width: usize,
        height: usize,
    },
    /// Marks on the paper, after a change, without those that can change no more.
    Strokes {
        visible: usize,
        /// Of what is shown, in order; the same on both sides once both have everything. Of no use once some can change no more.
        hash: Option<u64>,
    },
    /// What both sides compare with their eyes; the same for the two of one call.
    Fingerprint {
        pictures: [u8; 4],
    },
    /// The first picture after none for a second, and each time pictures turn from a mosaic to detail or back.
    Look {
        detailed: bool,
    },
    Statistics {
        statistics: visavis_call::Statistics,
    },
    /// A game has its outcome. Not read back: who is apart plays none.
    #[serde(skip_deserializing)]
    GameOver {
        game: Box<GameView>,
    },
    /// The follow question opened on yes + yes.
    Mutual,
    /// Of somebody who breaks the rules: so many messages that nobody can read went out in this call, on the channels that lose none.
    Unreadable {
        sent: u32,
    },
    Ended {
        meetings: u32,
    },
}

/// Starts a session and attends it.
pub async fn run(config: visavis_session::Config, manner: Manner, reports: UnboundedSender<Report>) {
    let (session, events) = Session::start(config);
    attend(Arc::new(session), events, manner, reports).await;
}

/// Drives a session until the manner says that it is enough, or the session ends.
pub async fn attend(
    session: Arc<Session>,
    mut events: UnboundedReceiver<Event>,
    manner: Manner,
    reports: UnboundedSender<Report>,
) {
    let watcher = watch_pictures(Arc::clone(&session), reports.clone());
    let mut bot = Bot {
        session,
        manner,
        reports,
        page: "",
        pressed: Instant::now(),
        call_since: None,
        drawn: false,
        flooded: (Instant::now(), true),
        modifier: String::from("none"),
        sight: None,
        items: Vec::new(),
        settled: false,
        fingerprint: None,
        meetings: 0,
        player: None,
        game: None,
    };
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => bot.event(event).await,
                None => break,
            },
            _ = tick.tick() => bot.tick(),
        }
        if bot.manner.meetings.is_some_and(|wanted| bot.meetings >= wanted) && bot.page != "call" && bot.page != "parting" {
            break;
        }
    }
    watcher.abort();
    bot.say(Report::Ended { meetings: bot.meetings });
}

struct Bot {
    session: Arc<Session>,
    manner: Manner,
    reports: UnboundedSender<Report>,
    page: &'static str,
    /// Since the page was entered, or its button pressed for the last time.
    pressed: Instant,
    call_since: Option<Instant>,
    drawn: bool,
    /// Since it drew and wished last as one who floods, and whether its session has come to that yet.
    flooded: (Instant, bool),
    /// What the camera was told to do.
    modifier: String,
    sight: Option<(Shows, Shows, Seen, Seen, bool)>,
    items: Vec<visavis_canvas::Item>,
    /// Some marks can change no more, and are not among the items.
    settled: bool,
    fingerprint: Option<[u8; 4]>,
    meetings: u32,
    /// Of this call, while it is connected.
    player: Option<Player>,
    game: Option<GameView>,
}

impl Bot {
    fn say(&self, report: Report) {
        // Nobody reads any more: the bot is about to end anyway.
        let _ = self.reports.send(report);
    }

    fn act(&self, command: Command) {
        self.session.command(command);
    }

    async fn event(&mut self, event: Event) {
        match event {
            Event::View { view } => self.view(*view),
            Event::OpenBrowser { url } => {
                if let Err(error) = crate::browser::sign_in(&url, &self.manner.identity).await {
                    // The server it was begun at is away; it is begun again.
                    tracing::warn!(%error, "the bot could not sign in");
                    self.act(Command::CancelSignIn);
                }
            }
            Event::Paper { items, ground, .. } => {
                (self.items, self.settled) = (items, ground.is_some());
                self.paper();
            }
            Event::PaperChange { changes } => {
                visavis_canvas::apply(&mut self.items, changes);
                self.flooded.1 = true;
                self.paper();
            }
            Event::PeerInk { .. }
            | Event::PeerShape { .. }
            | Event::PeerDropped { .. }
            | Event::PeerCursor { .. }
            | Event::MicrophoneLevel { .. } => {}
        }
    }

    fn paper(&mut self) {
        let visible = visavis_canvas::shown(&self.items).count();
        let hash = (!self.settled).then(|| {
            let mut hasher = std::hash::DefaultHasher::new();
            for item in self.items.iter().filter(|item| item.shown) {
                serde_json::to_vec(&item.op).unwrap_or_default().hash(&mut hasher);
            }
            hasher.finish()
        });
        self.say(Report::Strokes { visible, hash });
    }

    fn view(&mut self, view: View) {
        if let Some(notice) = &view.notice {
            self.say(Report::Notice { notice: serde_json::to_value(notice).unwrap_or_default() });
            self.act(Command::DismissNotice);
        }
        let page = name_of(&view.page);
        let entered = page != self.page;
        if entered {
            (self.page, self.pressed) = (page, Instant::now());
            self.say(Report::Page { page });
        }
        match view.page {
            Page::Welcome | Page::Mirror { .. } if entered => self.press(),
            Page::Match { answered: false, .. } if entered => self.act(Command::AnswerMatch { meet: self.manner.meet }),
            Page::Call(call) => self.call(&call, entered),
            Page::Parting { follow, .. } => self.parting(&follow, entered),
            Page::Friends { .. } | Page::History { .. } | Page::Profile { .. } if entered => self.act(Command::OpenMirror),
            _ => {}
        }
    }

    /// What goes on from a page that nobody else turns.
    fn press(&mut self) {
        self.pressed = Instant::now();
        match self.page {
            "welcome" => self.act(Command::SignIn),
            "parting" => self.act(Command::Done),
            "mirror" if self.manner.meetings.is_none_or(|wanted| self.meetings < wanted) => self.act(Command::Meet),
            _ => {}
        }
    }

    fn call(&mut self, call: &CallView, entered: bool) {
        if entered {
            self.meetings += 1;
            self.call_since = Some(Instant::now());
            (self.drawn, self.fingerprint) = (false, None);
        }
        if let Some(pictures) = call.pictures.filter(|_| self.fingerprint != call.pictures) {
            self.fingerprint = Some(pictures);
            self.say(Report::Fingerprint { pictures });
        }
        if self.manner.reveal && call.reveal == RevealState::NotAsked {
            self.act(Command::Reveal { yes: true });
        }
        let revealed = call.reveal == RevealState::Open;
        let sight = (call.you_see, call.they_see, call.peer_looks, call.own_looks_to_peer, revealed);
        if self.sight.replace(sight) != Some(sight) {
            let (you_see, they_see, peer_looks, own_looks_to_peer, revealed) = sight;
            self.say(Report::Sight { you_see, they_see, peer_looks, own_looks_to_peer, revealed });
        }
        self.see_game(call, entered);
        if let Some(statistics) = &call.statistics {
            self.say(Report::Statistics { statistics: statistics.clone() });
        }
    }

    fn see_game(&mut self, call: &CallView, entered: bool) {
        let over = |game: &Option<GameView>| game.as_ref().is_some_and(|game| game.phase == Phase::Over);
        if let Some(game) = call.game.as_ref().filter(|_| over(&call.game) && !over(&self.game)) {
            self.say(Report::GameOver { game: Box::new(game.clone()) });
        }
        if let Some(game) = call.game.as_ref().filter(|game| {
            self.game
                .as_ref()
                .is_none_or(|before| (before.phase, before.round, before.paused) != (game.phase, game.round, game.paused))
        }) {
            tracing::debug!(identity = self.manner.identity, ?game.game, ?game.phase, game.round, game.paused, "a game goes on");
        }
        self.game = call.game.clone();
        if entered {
            self.player = None;
        }
        if self.manner.play && self.player.is_none() && call.connection == Connection::Connected {
            // Of the identity and the meeting, so that an evening can be repeated.
            let seed =
                self.manner.identity.bytes().fold(u64::from(self.meetings), |seed, byte| seed * 31 % (1 << 40) + u64::from(byte));
            self.player = Some(Player::new(seed));
        }
    }

    fn play(&mut self, since: Duration) {
        let Some(player) = &mut self.player else { return };
        for deed in player.look(self.game.as_ref(), since) {
            self.act(match deed {
                Deed::Wish(play) => Command::Wish { play: Some(play) },
                Deed::Act(action) => Command::Play { action },
                Deed::Points { stroke, colour, size, points } => {
                    let id = FIRST_STROKE + stroke;
                    Command::DrawPoints { id, colour: Some(colour), size, fades: false, points }
                }
                Deed::End { stroke } => Command::DrawEnd { id: FIRST_STROKE + stroke },
            });
        }
    }

    fn parting(&mut self, follow: &FollowState, entered: bool) {
        if entered {
            self.call_since = None;
            (self.player, self.game) = (None, None);
        }
        match follow {
            FollowState::Asked => self.act(Command::AnswerFollow { yes: self.manner.follow }),
            FollowState::Mutual => {
                self.say(Report::Mutual);
                self.act(Command::Done);
            }
            FollowState::Closed => self.act(Command::Done),
            FollowState::Answered { .. } => {}
        }
    }

    fn tick(&mut self) {
        // It led nowhere: the server was away.
        match self.page {
            "welcome" | "mirror" if self.pressed.elapsed() > PRESS_AGAIN => self.press(),
            // Whether both said yes shows within moments, or not at all.
            "parting" if self.pressed.elapsed() > PARTED => self.press(),
            _ => {}
        }
        let Some(since) = self.call_since else { return };
        let elapsed = since.elapsed();
        self.play(elapsed);
        if self.manner.draw && !self.drawn && elapsed > Duration::from_secs(3) {
            self.drawn = true;
            self.draw_house();
        }
        let does = self.manner.camera.iter().find(|does| (does.from_s..does.to_s).contains(&elapsed.as_secs_f32()));
        let modifier = does.map_or("none", |does| does.is.as_str()).to_owned();
        if modifier != self.modifier {
            self.modifier.clone_from(&modifier);
            self.act(Command::RehearseCamera { modifier });
        }
        // No faster than its own session, whose commands wait in a row.
        if self.manner.flood && (self.flooded.1 || self.flooded.0.elapsed() > FLOOD_AGAIN) {
            self.flooded = (Instant::now(), false);
            self.flood(elapsed);
        }
        if self.manner.leave_after.is_some_and(|after| elapsed > after) {
            self.call_since = None;
            self.act(Command::Leave);
        }
    }

    /// A tenth of a second of it.
    fn flood(&self, elapsed: Duration) {
        let first = FLOODING + elapsed.as_millis() as u32;
        for id in first..first + STROKES_AT_ONCE {
            let at = (id * 37 % 15_000) as u16;
            let points = (0..8).map(|step| Point { x: at + step * 20, y: at / 2, pressure: 128 }).collect();
            self.act(Command::DrawPoints { id, colour: Some(0x77_77_77), size: 20, fades: id.is_multiple_of(2), points });
            self.act(Command::DrawEnd { id });
            self.act(Command::MoveCursor { x: at, y: at / 2 });
        }
        let games = [Game::Gomoku, Game::SameWord];
        let play = Play { game: games[first as usize / 100 % 2], twist: None };
        self.act(Command::Wish { play: Some(play) });
    }

    fn draw_house(&self) {
        for (id, (colour, points)) in (1..).zip(house()) {
            self.act(Command::DrawPoints { id, colour: Some(colour), size: 60, fades: false, points });
            self.act(Command::DrawEnd { id });
        }
    }
}

/// One of [`PAGES`].
type PageName = &'static str;

/// Names of pages.
pub const PAGES: [&str; 12] = [
    "starting",
    "server",
    "welcome",
    "signing_in",
    "profile",
    "mirror",
    "waiting",
    "match",
    "call",
    "parting",
    "friends",
    "history",
];

fn known_page<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<PageName, D::Error> {
    let page = String::deserialize(deserializer)?;
    PAGES.into_iter().find(|known| *known == page).ok_or_else(|| serde::de::Error::custom("no page of the app"))
}

pub fn name_of(page: &Page) -> &'static str {
    match page {
        Page::Starting => "starting",
        Page::Server { .. } => "server",
        Page::Welcome => "welcome",
        Page::SigningIn => "signing_in",
        Page::Profile { .. } => "profile",
        Page::Mirror { .. } => "mirror",
        Page::Waiting { .. } => "waiting",
        Page::Match { .. } => "match",
        Page::Call(_) => "call",
        Page::Parting { .. } => "parting",
        Page::Friends { .. } => "friends",
        Page::History { .. } => "history",
    }
}

/// A made voice, another for each name.
pub fn voice(identity: &str) -> MicrophoneSource {
    let seed = identity.bytes().fold(1u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    MicrophoneSource::Speech { seed }
}

/// The bot's own parts of a session's configuration.
pub fn config(server: &str, identity: &str, profile_dir: PathBuf, camera: CameraSource) -> visavis_session::Config {
    visavis_session::Config {
        server: visavis_session::server::Server::Given(server.to_owned()),
        profile_name: identity.to_owned(),
        drawings_dir: profile_dir.join("drawings"),
        profile_dir,
        camera: Some(camera),
        microphone: Some(MicrophoneSource::Silent),
        speaker: Some(visavis_media::audio::SpeakerTarget::Silent),
        machine: Arc::new(visavis_media::machine::Nothing),
        sound: visavis_session::ProcessingOptions::default(),
        keyring: false,
        clock: visavis_media::Clock::start(),
    }
}
