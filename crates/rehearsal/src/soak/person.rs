//! One app, and who sits before it: the product's own evening and gate, and a character that decides by what the page shows.

use super::dice::Dice;
use super::eye::{Eye, Picture, release, seen};
use super::judge::MARK;
use super::store::profile;
use crate::player::{Deed, Player};
use std::time::Duration;
use visavis_games::Phase;
use visavis_server::pure::{AccountId, SocketId};
use visavis_session::Command;
use visavis_session::pure::{Effect, Evening, Input, Sight};
use visavis_session::view::{CallView, Connection, FollowState, Page, RevealState, View};
use visavis_sight::detector::CameraState;
use visavis_sight::gate::{Because, Input as GateInput};
use visavis_sight::{Gate, View as Shown};
use visavis_wire::Private;
use visavis_wire::channel::{Seen, Shows};
use visavis_wire::http::Me;
use visavis_wire::paper::Point;
use visavis_wire::socket::MatchId;

/// How a match will go, as one of the two has it in mind.
#[derive(Default)]
struct Intent {
    leaves_ms: u64,
    reveals_ms: Option<u64>,
    /// Takes the yes back, and gives it again.
    hides_ms: Option<(u64, u64)>,
    covers_ms: Option<(u64, u64, CameraState)>,
    switches_off_ms: Option<(u64, u64)>,
    draws_until_ms: u64,
    follows: bool,
    blocks: bool,
    /// The app ends without a word.
    crashes_ms: Option<u64>,
    plays: bool,
}

pub struct Person {
    pub number: usize,
    pub account: AccountId,
    /// Of the app; grows when it starts anew.
    pub life: u64,
    pub evening: Evening,
    pub socket: Option<(usize, SocketId)>,
    pub wants_socket: bool,
    /// When the newest of what goes up, and of what comes down, arrives.
    pub up_ms: u64,
    pub down_ms: u64,
    pub call: Option<usize>,
    /// The number that the app gave to its call.
    pub call_number: u64,
    pub gate: Option<Gate>,
    pub eye: Eye,
    pub match_id: Option<MatchId>,
    pub page: &'static str,
    pub connected: bool,
    /// Something was drawn last.
    pub drawn_ms: u64,
    pub played: bool,
    pub revealed: bool,
    pub mutual: bool,
    intent: Intent,
    lens: CameraState,
    camera_on: bool,
    covered: bool,
    off: bool,
    hidden: bool,
    taken: u64,
    own_looks: Seen,
    said_gate: Option<(Shown, Option<Because>)>,
    said_peer: Option<(Seen, bool)>,
    next_ms: u64,
    stroke: u32,
    player: Option<Player>,
}

impl Person {
    pub fn new(number: usize) -> (Self, Vec<Effect>) {
        let (evening, effects) = evening(number, 1);
        let person = Self {
            number,
            account: AccountId(uuid::Uuid::from_u128(number as u128 + 1)),
            life: 1,
            evening,
            socket: None,
            wants_socket: false,
            up_ms: 0,
            down_ms: 0,
            call: None,
            call_number: 0,
            gate: None,
            eye: Eye::default(),
            match_id: None,
            page: "",
            connected: false,
            drawn_ms: 0,
            played: false,
            revealed: false,
            mutual: false,
            intent: Intent::default(),
            lens: CameraState::Clear,
            camera_on: true,
            covered: false,
            off: false,
            hidden: false,
            taken: 0,
            own_looks: Seen::Unknown,
            said_gate: None,
            said_peer: None,
            next_ms: 0,
            stroke: 0,
            player: None,
        };
        (person, effects)
    }

    /// The app ended and starts again; nothing of it is left but the account.
    pub fn start_again(&mut self) -> Vec<Effect> {
        let (mut next, effects) = Self::new(self.number);
        let (evening, _) = evening(self.number, self.life + 1);
        (next.evening, next.life) = (evening, self.life + 1);
        (next.up_ms, next.down_ms) = (self.up_ms, self.down_ms);
        *self = next;
        effects
    }

    pub fn address(&self) -> String {
        format!("{}{}.{}", super::judge::ADDRESS, self.number / 250, self.number % 250 + 1)
    }

    pub fn name(number: usize) -> String {
        format!("{MARK}name{number}")
    }

    pub fn me(&self) -> Me {
        Me { username: Private::new(Self::name(self.number)), profile: profile(self.account) }
    }

    pub fn show_to_peer(&mut self, now: u64) {
        (self.gate, self.eye, self.said_gate, self.said_peer) = (Some(Gate::new()), Eye::new(now), None, None);
    }

    pub fn end_call(&mut self) {
        (self.call, self.gate, self.connected) = (None, None, false);
    }

    /// A picture of the own camera through the gate, if there is one, and what the app hears of gate and detector.
    pub fn look(&mut self, now: u64, open_gate: bool) -> (Option<Picture>, Vec<Input>) {
        let mut inputs = Vec::new();
        if self.own_looks != seen(self.lens) {
            self.own_looks = seen(self.lens);
            inputs.push(Input::Sight(Sight::OwnLooks(self.own_looks)));
        }
        let Some(gate) = &mut self.gate else { return (None, inputs) };
        let at = Duration::from_millis(now);
        let shows = if self.eye.mosaic { Shown::Veiled } else { Shown::Clear };
        gate.input(GateInput::PeerShows(shows), at);
        gate.input(GateInput::PeerLooks(self.eye.evidence(now)), at);
        let looks = (seen(self.eye.state(now)), self.eye.mosaic);
        if self.said_peer.replace(looks) != Some(looks) {
            inputs.push(Input::Sight(Sight::Peer { number: self.call_number, looks: looks.0, mosaic: looks.1 }));
        }
        if open_gate {
            for input in [GateInput::Agreed(true), GateInput::Opened(true)] {
                gate.input(input, at);
            }
            gate.input(GateInput::PeerLooks(CameraState::Clear), at);
            gate.input(GateInput::PeerSeesMe(CameraState::Clear), at);
        }
        let said = (gate.view(at), gate.veiled_because(at));
        if self.said_gate.replace(said) != Some(said) {
            let shows = if said.0 == Shown::Clear { Shows::Clear } else { Shows::Veiled };
            inputs.push(Input::Sight(Sight::Gate { number: self.call_number, shows, because: said.1 }));
        }
        self.taken += 1;
        let number = if self.lens == CameraState::Frozen { 0 } else { self.taken };
        let picture = self.camera_on.then(|| release(gate, Picture::taken(self.lens, number), now).into_picture());
        (picture, inputs)
    }

    pub fn crashes(&self, now: u64) -> bool {
        self.page == "call" && self.intent.crashes_ms.is_some_and(|at| now >= at)
    }

    /// What the person does about what the page shows. `home`: the evening is over.
    pub fn decide(&mut self, view: &View, now: u64, home: bool, dice: &mut Dice) -> Vec<Command> {
        let page = crate::bot::name_of(&view.page);
        let entered = self.page != page;
        if entered {
            self.page = page;
            self.next_ms = now + dice.between(200, 2_500);
        }
        match &view.page {
            Page::Call(call) => self.in_call(call, entered, now, home, dice),
            Page::Parting { follow, .. } => self.parting(follow, now, dice),
            Page::Mirror { .. } if !home && now >= self.next_ms => vec![Command::Meet],
            Page::Waiting { .. } if home => vec![Command::CancelWaiting],
            Page::Waiting { .. } if now >= self.next_ms + 8_000 && dice.percent(2) => vec![Command::CancelWaiting],
            Page::Match { answered: false, .. } if now >= self.next_ms => {
                vec![Command::AnswerMatch { meet: !home && !dice.percent(8) }]
            }
            Page::Friends { .. } | Page::History { .. } | Page::Profile { .. } => vec![Command::OpenMirror],
            _ => Vec::new(),
        }
    }

    fn intend(&mut self, now: u64, dice: &mut Dice) {
        let leaves_ms = now + dice.between(16_000, 34_000);
        let within = |dice: &mut Dice, percent: u64, most: u64| {
            dice.percent(percent).then(|| {
                let from = now + dice.between(4_000, 14_000);
                (from, from + dice.between(300, most))
            })
        };
        let lenses = [CameraState::Covered, CameraState::Dark, CameraState::Frozen];
        self.intent = Intent {
            leaves_ms,
            reveals_ms: dice.percent(85).then(|| now + dice.between(1_000, 5_000)),
            hides_ms: within(dice, 15, 6_000),
            covers_ms: within(dice, 25, 4_000).map(|(from, to)| (from, to, lenses[dice.below(3) as usize])),
            switches_off_ms: within(dice, 10, 4_000),
            draws_until_ms: if dice.percent(60) { now + 8_000 } else { 0 },
            follows: dice.percent(55),
            blocks: dice.percent(6),
            crashes_ms: dice.percent(5).then(|| now + dice.between(3_000, 15_000)),
            plays: dice.percent(25),
        };
        (self.covered, self.off, self.hidden, self.played, self.revealed, self.mutual) =
            (false, false, false, false, false, false);
        self.drawn_ms = now;
        self.player = self.intent.plays.then(|| Player::new(dice.number() >> 20));
    }

    fn in_call(&mut self, call: &CallView, entered: bool, now: u64, home: bool, dice: &mut Dice) -> Vec<Command> {
        if entered {
            self.intend(now, dice);
        }
        self.connected = call.connection == Connection::Connected;
        self.revealed |= call.reveal == RevealState::Open;
        self.played |= call.game.is_some();
        let intent = &self.intent;
        if home || now >= intent.leaves_ms {
            return vec![if intent.blocks && !home { Command::BlockPeer } else { Command::Leave }];
        }
        let mut commands = Vec::new();
        let inside = |window: Option<(u64, u64)>| window.is_some_and(|(from, to)| (from..to).contains(&now));
        let hides = inside(intent.hides_ms);
        if call.reveal == RevealState::NotAsked && !hides && intent.reveals_ms.is_some_and(|at| now >= at) {
            commands.push(Command::Reveal { yes: true });
        }
        if hides && call.reveal != RevealState::NotAsked {
            commands.push(Command::Reveal { yes: false });
        }
        let covered = intent.covers_ms.filter(|(from, to, _)| (*from..*to).contains(&now));
        self.lens = covered.map_or(CameraState::Clear, |(_, _, lens)| lens);
        let off = inside(intent.switches_off_ms);
        if off == self.camera_on {
            self.camera_on = !off;
            commands.push(Command::Camera { on: !off });
        }
        if self.connected && now < intent.draws_until_ms && dice.percent(50) {
            self.draw(now, dice, &mut commands);
        }
        self.play(call, now, &mut commands);
        commands
    }

    fn draw(&mut self, now: u64, dice: &mut Dice, commands: &mut Vec<Command>) {
        self.drawn_ms = now;
        match dice.below(20) {
            0 => commands.push(Command::ClearPaper),
            1..=3 => commands.push(Command::Undo),
            4 | 5 => commands.push(Command::Redo),
            kind => {
                self.stroke += 1;
                let (x, y) = (dice.below(14_000) as u16, dice.below(8_000) as u16);
                let point = |step: u16| Point { x: x + step * 100, y: y + step * step * 10, pressure: 128 };
                let points = (0..2 + dice.below(6) as u16).map(point).collect();
                let id = self.stroke;
                commands.push(Command::DrawPoints { id, colour: Some(0x33_66_99), size: 60, fades: kind == 6, points });
                commands.push(Command::DrawEnd { id });
            }
        }
    }

    fn play(&mut self, call: &CallView, now: u64, commands: &mut Vec<Command>) {
        let Some(player) = self.player.as_mut().filter(|_| self.connected) else { return };
        if call.game.as_ref().is_some_and(|game| game.phase != Phase::Over) {
            self.drawn_ms = now;
        }
        for deed in player.look(call.game.as_ref(), Duration::from_millis(now)) {
            commands.push(match deed {
                Deed::Wish(play) => Command::Wish { play: Some(play) },
                Deed::Act(action) => Command::Play { action },
                Deed::Points { stroke, colour, size, points } => {
                    Command::DrawPoints { id: 100_000 + stroke, colour: Some(colour), size, fades: false, points }
                }
                Deed::End { stroke } => Command::DrawEnd { id: 100_000 + stroke },
            });
        }
    }

    fn parting(&mut self, follow: &FollowState, now: u64, dice: &mut Dice) -> Vec<Command> {
        self.lens = CameraState::Clear;
        let mut commands = Vec::new();
        if !self.camera_on {
            self.camera_on = true;
            commands.push(Command::Camera { on: true });
        }
        if now < self.next_ms {
            return commands;
        }
        match follow {
            // Some go without an answer.
            FollowState::Asked if dice.percent(10) => commands.push(Command::Done),
            FollowState::Asked => commands.push(Command::AnswerFollow { yes: self.intent.follows }),
            FollowState::Answered { .. } if now > self.next_ms + 6_000 => commands.push(Command::Done),
            FollowState::Answered { .. } => {}
            FollowState::Mutual => {
                self.mutual = true;
                commands.push(Command::Done);
            }
            FollowState::Closed => commands.push(Command::Done),
        }
        commands
    }
}

fn evening(number: usize, life: u64) -> (Evening, Vec<Effect>) {
    let (evening, effects) = Evening::new(number.is_multiple_of(9));
    let mut chance = [0; 32];
    chance[..8].copy_from_slice(&(number as u64).to_le_bytes());
    chance[8..16].copy_from_slice(&life.to_le_bytes());
    (evening.with_chance(chance), effects)
}
