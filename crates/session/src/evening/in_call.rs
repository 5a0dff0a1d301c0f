//! The call's page: the media connection and its recovery, who sees what, the reveal question, and the paper.

use super::covered::Covered;
use super::games::Games;
use super::meeting::SIGNALS_KEPT;
use super::paper::Paper;
use super::parting::Parting;
use super::{Effect, Evening, Room, Sight, Stage};
use crate::Command;
use crate::sight::camera_state;
use crate::view::Notice;
use std::time::Duration;
use visavis_call as call;
use visavis_call::{Pictures, Statistics};
use visavis_sight::gate::{Because, Input as GateInput};
use visavis_wire::channel::{Control, Operations, Seen, Shows};
use visavis_wire::paper::Author;
use visavis_wire::people::PeerCard;
use visavis_wire::socket::{ClientMessage, EndReason, MatchId, Question, RelayCredentials, Role, Signal};

/// A report that was lost with its connection is made good by the next.
const REPORT_EVERY: Duration = Duration::from_secs(2);
/// Media silence before new candidates are negotiated; the answerer waits longer, so that both do not ask at once.
const RESTART_OFFERER: Duration = Duration::from_secs(3);
const RESTART_ANSWERER: Duration = Duration::from_secs(5);
const RESTART_MOST: Duration = Duration::from_secs(20);
/// A call that never connects, or is gone for this long, is over.
const CONNECT_WITHIN: Duration = Duration::from_secs(30);
const GONE_FOR: Duration = Duration::from_secs(90);

/// The media path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Link {
    Connecting { since: Duration },
    Connected,
    Interrupted { since: Duration, restart_at: Duration, pause: Duration },
}

pub(super) struct InCall {
    pub match_id: MatchId,
    role: Role,
    /// With somebody one follows, who was called or called.
    pub friend: bool,
    /// The apps may tell each other their addresses.
    pub direct: bool,
    pub card: PeerCard,
    pub link: Link,
    /// First time that media flowed.
    pub connected_at: Option<Duration>,
    pub peer_away: bool,
    /// Own answer to the reveal question.
    pub agreed: bool,
    /// The server's word that both said yes.
    pub opened: bool,
    /// What the gate lets out, by its own report.
    pub shows: Shows,
    pub because: Option<Because>,
    /// Has been clear since the question opened.
    pub was_clear: bool,
    /// Veiled until the user says otherwise, because of "ask me before unveiling".
    pub held: bool,
    pub covered: Covered,
    pub peer: Peer,
    pub statistics: Option<Statistics>,
    /// Operations and ink of the peer that were not taken, as of the last statistics: a flood must not redraw the page.
    pub ignored: u32,
    /// That tell whether somebody sits in between.
    pub pictures: Option<Pictures>,
    pub paper: Paper,
    pub games: Games,
    reported: Option<(Duration, Control)>,
    /// For the peer, while the server is away.
    unsent: Vec<Signal>,
}

/// The other side, as its pixels show it and as it says.
#[derive(Default)]
pub(super) struct Peer {
    pub looks: Seen,
    pub mosaic: bool,
    pub says_shows: Shows,
    pub says_camera_on: bool,
    /// How one's own camera looks to the peer.
    pub says_sees: Seen,
    pub muted: bool,
}

impl Peer {
    /// The more careful of report and pixels.
    pub(super) fn shows(&self) -> Shows {
        if self.says_shows == Shows::Clear && !self.mosaic && self.looks != Seen::Off { Shows::Clear } else { Shows::Veiled }
    }

    /// By its pixels alone.
    pub(super) fn is_clearly_seen(&self) -> bool {
        !self.mosaic && self.looks == Seen::Clear
    }

    /// The detector's calm answer is late enough (0.4 s) for words not to flicker.
    pub(super) fn warn(&self) -> bool {
        !matches!(self.looks, Seen::Clear | Seen::Unknown)
    }
}

impl InCall {
    /// `chance` is this call's own, `languages` those of the user's profile.
    pub(super) fn new(
        (match_id, role): (MatchId, Role),
        card: PeerCard,
        chance: [u8; 32],
        languages: Vec<String>,
        now: Duration,
    ) -> Self {
        let author = Author(if role == Role::Offerer { 0 } else { 1 });
        Self {
            match_id,
            role,
            friend: false,
            direct: false,
            card,
            link: Link::Connecting { since: now },
            connected_at: None,
            peer_away: false,
            agreed: false,
            opened: false,
            shows: Shows::Veiled,
            because: None,
            was_clear: false,
            held: false,
            covered: Covered::default(),
            peer: Peer { says_camera_on: true, ..Peer::default() },
            statistics: None,
            ignored: 0,
            pictures: None,
            paper: Paper::new(author, now),
            games: Games::new(author, chance, languages),
            reported: None,
            unsent: Vec::new(),
        }
    }

    fn signal(&self, signal: Signal) -> Effect {
        Effect::Send(ClientMessage::Signal { match_id: self.match_id.clone(), signal })
    }

    fn answer(&self, yes: bool) -> Effect {
        Effect::Send(ClientMessage::Answer { match_id: self.match_id.clone(), question: Question::Reveal, yes })
    }

    /// Both want the match: what was gathered meanwhile goes out.
    pub(super) fn begin(&mut self, signals: Vec<Signal>, muted: bool, out: &mut Vec<Effect>) {
        out.extend(signals.into_iter().map(|signal| self.signal(signal)));
        if muted {
            out.push(Effect::Call(call::Command::Mute(true)));
        }
    }

    /// Back in the match after the server was away. What was closed meanwhile is not told again, so the question counts as
    /// closed until the server says, right after this, that it is open.
    ///
    /// The relay may be another one than before (that of a server that was started anew), and what was signalled for the old one
    /// is of no use then: a path that is down is made anew.
    pub(super) fn resumed(&mut self, relay: RelayCredentials, out: &mut Vec<Effect>) {
        self.peer_away = false;
        self.opened = false;
        if self.direct {
            // It may be another server, or another part of it, by now.
            out.push(Effect::Send(ClientMessage::AllowDirect { match_id: self.match_id.clone() }));
        }
        out.push(Effect::Gate(GateInput::Opened(false)));
        out.push(Effect::Call(call::Command::Relay(Box::new(relay))));
        let unsent = std::mem::take(&mut self.unsent);
        if let Link::Interrupted { .. } = self.link {
            out.push(Effect::Call(call::Command::Restart));
        } else {
            out.extend(unsent.into_iter().map(|signal| self.signal(signal)));
        }
        if self.agreed {
            out.push(self.answer(true));
        }
        self.wish_again(out);
    }

    /// What was signalled while the peer's socket was away is lost: a connection that has not come about yet begins anew.
    pub(super) fn peer_back(&mut self, out: &mut Vec<Effect>) {
        self.peer_away = false;
        if self.link != Link::Connected {
            out.push(Effect::Call(call::Command::Restart));
        }
    }

    /// The old credentials expire.
    pub(super) fn renew_relay(&self, relay: RelayCredentials, out: &mut Vec<Effect>) {
        out.push(Effect::Call(call::Command::Relay(Box::new(relay))));
    }

    pub(super) fn remote_signal(&mut self, signal: Signal, out: &mut Vec<Effect>) {
        out.push(Effect::Call(call::Command::Signal(signal)));
    }

    pub(super) fn mute(&mut self, on: bool, out: &mut Vec<Effect>) {
        out.push(Effect::Call(call::Command::Mute(on)));
        out.push(Effect::Call(call::Command::Control(Control::Muted { muted: on })));
    }

    pub(super) fn hang_up(&self, out: &mut Vec<Effect>) {
        out.push(Effect::Call(call::Command::Control(Control::Leaving)));
        out.push(Effect::Call(call::Command::HangUp));
    }

    pub(super) fn opened(&mut self, out: &mut Vec<Effect>) {
        self.was_clear &= self.opened;
        self.opened = true;
        out.push(Effect::Gate(GateInput::Opened(true)));
    }

    /// The peer took the yes back, so one's own is spent too: a later yes of the peer alone must open nothing.
    pub(super) fn closed(&mut self, out: &mut Vec<Effect>) {
        self.opened = false;
        out.push(Effect::Gate(GateInput::Opened(false)));
        self.release_hold(out);
        if self.agreed {
            self.agreed = false;
            out.push(Effect::Gate(GateInput::Agreed(false)));
            out.push(self.answer(false));
        }
    }

    fn reveal(&mut self, yes: bool, out: &mut Vec<Effect>) {
        self.release_hold(out);
        self.agreed = yes;
        if !yes {
            self.opened = false;
            out.push(Effect::Gate(GateInput::Opened(false)));
        }
        out.push(Effect::Gate(GateInput::Agreed(yes)));
        out.push(self.answer(yes));
    }

    pub(super) fn command(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        match command {
            Command::Reveal { yes } => self.reveal(yes, out),
            Command::Unveil => self.unveil(out),
            Command::Wish { .. } | Command::Play { .. } => self.game_command(command, now, out),
            command => self.draw(command, now, out),
        }
    }

    fn control(&mut self, control: Control, now: Duration, out: &mut Vec<Effect>) {
        match control {
            Control::Sight { shows, camera_on, sees } => {
                self.peer.says_shows = shows;
                self.peer.says_camera_on = camera_on;
                self.peer.says_sees = sees;
                out.push(Effect::Gate(GateInput::PeerSeesMe(camera_state(sees))));
                out.push(Effect::PeerReport { shows, camera_on });
            }
            Control::Muted { muted } => self.peer.muted = muted,
            Control::StaysVeiled { stays } => out.push(Effect::Gate(GateInput::PeerStaysVeiled(stays))),
            Control::Paper(here) => self.paper_tells(out, |call, out| call.paper.meet(here, now, out)),
            Control::Game(message) => self.game_message(message, now, out),
            // Handled by the evening: it changes the page. And by the call, which tells it in its statistics, or by its pictures.
            Control::Leaving | Control::Lowered { .. } | Control::Comparison(_) => {}
        }
    }

    /// Media flows, for the first time or again: both sides bring each other up to date.
    fn flowing(&mut self, muted: bool, now: Duration, out: &mut Vec<Effect>) {
        self.link = Link::Connected;
        self.connected_at.get_or_insert(now);
        self.reported = None;
        out.push(Effect::Call(call::Command::Control(Control::Muted { muted })));
        out.push(Effect::Call(call::Command::Control(Control::StaysVeiled { stays: self.held })));
        self.paper_tells(out, |call, out| call.paper.flowing(now, out));
        self.game_flows(now, out);
    }

    /// Says what is shown and seen, when it changed or is due.
    fn report(&mut self, camera_on: bool, now: Duration, out: &mut Vec<Effect>) {
        if self.link != Link::Connected {
            return;
        }
        let control = Control::Sight { shows: self.shows, camera_on, sees: self.peer.looks };
        if let Some((at, before)) = &self.reported
            && *before == control
            && now < *at + REPORT_EVERY
        {
            return;
        }
        self.reported = Some((now, control.clone()));
        out.push(Effect::Call(call::Command::Control(control)));
    }

    /// `Some`: the call is over, and why.
    fn tick(&mut self, now: Duration, out: &mut Vec<Effect>) -> Option<&'static str> {
        self.paper_tells(out, |call, out| call.paper.tick(call.link == Link::Connected, now, out));
        self.tick_game(now, out);
        let open = self.agreed && self.opened && self.link == Link::Connected;
        self.covered.count(open, self.peer.looks, self.peer.says_sees, now);
        match &mut self.link {
            Link::Connected => None,
            Link::Connecting { since } => (now >= *since + CONNECT_WITHIN).then_some("no connection came about"),
            Link::Interrupted { since, restart_at, pause } => {
                if now >= *since + GONE_FOR {
                    return Some("the connection did not come back");
                }
                if now >= *restart_at {
                    *pause = (*pause * 2).min(RESTART_MOST);
                    *restart_at = now + *pause;
                    out.push(Effect::Call(call::Command::Restart));
                }
                None
            }
        }
    }
}

impl Evening {
    pub(super) fn call_event(&mut self, event: call::Event, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        if let call::Event::NetworkChanged = event {
            // What the call signals from here on is kept until the server knows us again.
            signed_in.online = false;
            out.push(Effect::RenewSocket);
            return;
        }
        let online = signed_in.online;
        if self.ring_event(&event, out) {
            return;
        }
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match &mut signed_in.room {
            Room::Offered(offered) => match event {
                call::Event::Signal(signal) => offered.keep(signal),
                call::Event::Failed(detail) => {
                    out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offered.match_id.clone(), meet: false }));
                    out.push(Effect::EndCall);
                    signed_in.room = Room::Mirror;
                    self.notice = Some(Notice::CallFailed { detail });
                }
                _ => {}
            },
            Room::Call(call) => {
                if let Some(end) = call_event(call, event, online, self.own.muted, now, out) {
                    self.call_over(end, now, out);
                } else {
                    self.report_sight(now, out);
                }
            }
            _ => {}
        }
    }

    pub(super) fn sight(&mut self, sight: Sight, now: Duration, out: &mut Vec<Effect>) {
        let (current, ask) = (self.number, self.own.ask_before_unveiling);
        match sight {
            Sight::OwnLooks(looks) => self.own.looks = looks,
            Sight::Peer { number, looks, mosaic } if number == current => {
                if let Some(call) = self.call() {
                    call.peer.looks = looks;
                    call.peer.mosaic = mosaic;
                }
            }
            Sight::Gate { number, shows, because } if number == current => {
                if let Some(call) = self.call() {
                    call.gate_says(shows, because, ask, out);
                }
            }
            Sight::Peer { .. } | Sight::Gate { .. } => {}
        }
        self.report_sight(now, out);
    }

    pub(super) fn report_sight(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let camera_on = self.own.camera_on;
        if let Some(call) = self.call() {
            call.report(camera_on, now, out);
        }
    }

    pub(super) fn tick_call(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let Some(call) = self.call() else { return };
        if let Some(why) = call.tick(now, out) {
            self.call_over(End::Failed(String::from(why)), now, out);
        } else {
            self.report_sight(now, out);
        }
    }

    /// The call ended without the user: the server is told, so that the other learns it too.
    fn call_over(&mut self, end: End, now: Duration, out: &mut Vec<Effect>) {
        self.leave(now, out);
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        if let (Room::Parting(Parting { reason, .. }), End::Vanished) = (&mut signed_in.room, &end) {
            *reason = EndReason::Vanished;
        }
        match end {
            End::Failed(detail) => self.notice = Some(Notice::CallFailed { detail }),
            End::Tampered => self.notice = Some(Notice::CallTampered),
            End::Left | End::Vanished => {}
        }
    }
}

/// How a call ends that the user did not end.
enum End {
    /// The peer said so.
    Left,
    /// The connection was taken down without a word.
    Vanished,
    Failed(String),
    /// Somebody sat in between.
    Tampered,
}

fn call_event(
    call: &mut InCall,
    event: call::Event,
    online: bool,
    muted: bool,
    now: Duration,
    out: &mut Vec<Effect>,
) -> Option<End> {
    match event {
        call::Event::Signal(signal) if online => out.push(call.signal(signal)),
        call::Event::Signal(signal) => {
            if call.unsent.len() < SIGNALS_KEPT {
                call.unsent.push(signal);
            }
        }
        call::Event::Connected | call::Event::Restored => call.flowing(muted, now, out),
        call::Event::Interrupted => {
            if call.link == Link::Connected {
                let pause = if call.role == Role::Offerer { RESTART_OFFERER } else { RESTART_ANSWERER };
                call.link = Link::Interrupted { since: now, restart_at: now + pause, pause };
            }
        }
        call::Event::Control(Control::Leaving) => return Some(End::Left),
        call::Event::Control(control) => call.control(control, now, out),
        call::Event::Operations(Operations(ops)) => call.peer_draws(ops, now, out),
        call::Event::Live(live) => call.peer_inks(live, now, out),
        call::Event::Statistics(statistics) => {
            call.statistics = Some(statistics);
            call.ignored = u32::try_from(call.paper.ignored()).unwrap_or(u32::MAX);
        }
        call::Event::Pictures(pictures) => call.pictures = Some(pictures),
        call::Event::Tampered => return Some(End::Tampered),
        call::Event::Failed(detail) => return Some(End::Failed(detail)),
        call::Event::Closed => return Some(End::Vanished),
        // Handled by the evening: it is about the server as well.
        call::Event::NetworkChanged => {}
    }
    None
}

impl Evening {
    /// The paper of the call, or of the one that has just ended.
    pub(super) fn paper(&self) -> Option<&Paper> {
        match &self.stage {
            Stage::SignedIn(signed_in) => match &signed_in.room {
                Room::Call(call) => Some(&call.paper),
                Room::Parting(parting) => Some(&parting.paper),
                _ => None,
            },
            _ => None,
        }
    }

    pub(super) fn call(&mut self) -> Option<&mut InCall> {
        match &mut self.stage {
            Stage::SignedIn(signed_in) => match &mut signed_in.room {
                Room::Call(call) => Some(call),
                _ => None,
            },
            _ => None,
        }
    }
}
