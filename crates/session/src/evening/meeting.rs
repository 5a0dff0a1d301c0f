//! Waiting, the offered match, and the server's messages about both.

use super::in_call::InCall;
use super::parting::Parting;
use super::{Effect, Evening, Room, Stage};
use crate::Command;
use crate::view::Notice;
use sha2::{Digest, Sha256};
use std::time::Duration;
use visavis_wire::http::{Refusal, RefusalCode};
use visavis_wire::people::{PeerCard, Reason};
use visavis_wire::socket::{
    ClientMessage, Closed, EndReason, MatchId, Question, RelayCredentials, Role, ServerMessage, Signal, Widening,
};

pub(super) struct Waiting {
    pub since: Duration,
    pub looking_for: Vec<String>,
    pub relaxed: Vec<String>,
    pub estimate_s: Option<u32>,
    /// Nobody new can be met now, until then if that is known. One stays, draws, and is let in by itself.
    pub closed: Option<(Closed, Option<Duration>)>,
    pub widening: Option<Widening>,
}

impl Waiting {
    fn begun(now: Duration) -> Self {
        Self { since: now, looking_for: Vec::new(), relaxed: Vec::new(), estimate_s: None, closed: None, widening: None }
    }

    /// It opens: asked again without a word.
    pub(super) fn tick(&mut self, now: Duration, online: bool, out: &mut Vec<Effect>) {
        if online && matches!(self.closed, Some((_, Some(opens_at))) if now >= opens_at) {
            *self = Self::begun(now);
            out.push(Effect::Send(ClientMessage::Join));
        }
    }
}

/// A match that both still have to want. Its call gathers already; what it has to say to the peer is kept until both do.
pub(super) struct Offered {
    pub match_id: MatchId,
    pub role: Role,
    pub card: PeerCard,
    pub reasons: Vec<Reason>,
    pub deadline: Duration,
    pub answered: bool,
    signals: Vec<Signal>,
}

/// Beyond the time to answer, for the server's word to arrive.
pub(super) const WORD_LATE: Duration = Duration::from_secs(4);
/// Signals of one call that are kept; a call makes about a dozen.
pub(super) const SIGNALS_KEPT: usize = 128;

impl Offered {
    pub(super) fn keep(&mut self, signal: Signal) {
        if self.signals.len() < SIGNALS_KEPT {
            self.signals.push(signal);
        }
    }
}

impl Evening {
    pub(super) fn meeting_command(&mut self, command: &Command, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match (command, &mut signed_in.room) {
            (Command::Meet, Room::Mirror) => {
                if signed_in.online {
                    out.push(Effect::Send(ClientMessage::Join));
                } else {
                    out.push(Effect::OpenSocket);
                }
                signed_in.room = Room::Waiting(Waiting::begun(now));
                self.notice = None;
            }
            (Command::CancelWaiting, Room::Waiting(_)) => {
                out.push(Effect::Send(ClientMessage::CancelWaiting));
                signed_in.room = Room::Mirror;
            }
            (Command::Widen { languages, any_age }, Room::Waiting(waiting)) => {
                if let Some(offer) = waiting.widening.take() {
                    let languages = offer.languages.into_iter().filter(|language| languages.contains(language)).collect();
                    out.push(Effect::Send(ClientMessage::Widen { languages, any_age: offer.any_age && *any_age }));
                }
            }
            (Command::AnswerMatch { meet: true }, Room::Offered(offered)) if !offered.answered => {
                offered.answered = true;
                out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offered.match_id.clone(), meet: true }));
            }
            (Command::AnswerMatch { meet: false }, Room::Offered(offered)) => {
                out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offered.match_id.clone(), meet: false }));
                out.push(Effect::EndCall);
                signed_in.room = Room::Mirror;
            }
            _ => {}
        }
    }

    pub(super) fn message(&mut self, message: ServerMessage, now: Duration, out: &mut Vec<Effect>) {
        match message {
            ServerMessage::Welcome { .. } => self.welcomed(out),
            ServerMessage::Waiting { waited_s, looking_for, relaxed, estimate_s, widening } => {
                let Stage::SignedIn(signed_in) = &mut self.stage else { return };
                if let Room::Waiting(waiting) = &mut signed_in.room {
                    let since = now.saturating_sub(Duration::from_secs(u64::from(waited_s)));
                    *waiting = Waiting { since, looking_for, relaxed, estimate_s, closed: None, widening };
                }
            }
            ServerMessage::WaitingEnded => self.waiting_ended(),
            ServerMessage::MatchOffered { match_id, role, card, reasons, answer_within_s, relay, call } => {
                let deadline = now + Duration::from_secs(u64::from(answer_within_s.min(600)));
                let offered = Offered { match_id, role, card, reasons, deadline, answered: false, signals: Vec::new() };
                match call {
                    Some(call) => self.rung(call, offered, relay, out),
                    None => self.offered(offered, relay, out),
                }
            }
            ServerMessage::MatchWithdrawn { match_id } => self.withdrawn(&match_id, now, out),
            ServerMessage::MatchBegins { match_id, role, relay, direct } => {
                self.begins((match_id, role), relay, direct, now, out);
            }
            ServerMessage::RelayRenewed { match_id, relay } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.renew_relay(relay, out);
                }
            }
            ServerMessage::MatchEnded { match_id, reason, follow_within_s } => {
                self.ended(&match_id, reason, Duration::from_secs(u64::from(follow_within_s.min(3600))), now, out);
            }
            ServerMessage::Signal { match_id, signal } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.remote_signal(signal, out);
                }
            }
            ServerMessage::QuestionOpened { match_id, question: Question::Reveal } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.opened(out);
                }
            }
            ServerMessage::QuestionClosed { match_id, question: Question::Reveal } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.closed(out);
                }
            }
            ServerMessage::QuestionOpened { match_id, question: Question::Follow } => self.follow_mutual(&match_id),
            ServerMessage::QuestionClosed { match_id, question: Question::Follow } | ServerMessage::FollowClosed { match_id } => {
                self.follow_closed(&match_id);
            }
            // A game does not begin or end this way.
            ServerMessage::QuestionOpened { question: Question::Play(_), .. }
            | ServerMessage::QuestionClosed { question: Question::Play(_), .. } => {}
            ServerMessage::GameOpened { match_id, play, number } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.game_opened(play, number, now, out);
                }
            }
            ServerMessage::PeerAway { match_id } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.peer_away = true;
                }
            }
            ServerMessage::PeerBack { match_id } => {
                if let Some(call) = self.call_of(&match_id) {
                    call.peer_back(out);
                }
            }
            ServerMessage::Closed { because, opens_in_s } => self.closed(because, opens_in_s, now, out),
            ServerMessage::CallOver { follow, match_id, why } => self.ring_over(&follow, match_id.as_ref(), why, out),
            ServerMessage::Presence { follow, online } => self.presence(&follow, online, out),
            ServerMessage::Text { follow, text } => self.text_came(&follow, text, out),
            ServerMessage::Refused { refusal } => self.refused_on_socket(refusal, out),
        }
    }

    fn call_of(&mut self, match_id: &MatchId) -> Option<&mut InCall> {
        self.call().filter(|call| call.match_id == *match_id)
    }

    /// The server knows us (again): it is told what was decided while it was away, and whoever waited waits again.
    fn welcomed(&mut self, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        signed_in.online = true;
        if matches!(self.notice, Some(Notice::ServerLost | Notice::ServerUnreachable { .. })) {
            self.notice = None;
        }
        if let Some(match_id) = signed_in.leave_later.take() {
            out.push(Effect::Send(ClientMessage::Leave { match_id }));
        }
        if matches!(signed_in.room, Room::Waiting(_)) {
            out.push(Effect::Send(ClientMessage::Join));
        }
        // What was written while one was away.
        out.push(Effect::FetchFollows);
    }

    fn waiting_ended(&mut self) {
        if let Stage::SignedIn(signed_in) = &mut self.stage
            && matches!(&signed_in.room, Room::Waiting(waiting) if waiting.closed.is_none())
        {
            signed_in.room = Room::Mirror;
        }
    }

    /// Told on the waiting page, whether one has just come, waited, or wanted a match that came too late.
    fn closed(&mut self, because: Closed, opens_in_s: Option<u32>, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match &signed_in.room {
            Room::Waiting(_) => {}
            Room::Offered(_) => out.push(Effect::EndCall),
            _ => return,
        }
        let opens_at = opens_in_s.map(|seconds| now + Duration::from_secs(u64::from(seconds)));
        signed_in.room = Room::Waiting(Waiting { closed: Some((because, opens_at)), ..Waiting::begun(now) });
    }

    fn offered(&mut self, offered: Offered, relay: RelayCredentials, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match &signed_in.room {
            Room::Offered(before) if before.match_id == offered.match_id => return,
            Room::Offered(_) => out.push(Effect::EndCall),
            Room::Waiting(_) => {}
            // Came across a cancelled wait.
            _ => {
                out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offered.match_id, meet: false }));
                return;
            }
        }
        self.number += 1;
        self.notice = None;
        out.push(Effect::StartCall { number: self.number, role: offered.role, relay: Box::new(relay), direct: false });
        signed_in.room = Room::Offered(offered);
    }

    fn withdrawn(&mut self, match_id: &MatchId, now: Duration, out: &mut Vec<Effect>) {
        if self.ring_withdrawn(match_id, out) {
            return;
        }
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Room::Offered(offered) = &signed_in.room else { return };
        if offered.match_id != *match_id {
            return;
        }
        out.push(Effect::EndCall);
        signed_in.room = if offered.answered { Room::Waiting(Waiting::begun(now)) } else { Room::Mirror };
        self.notice = Some(Notice::MatchWithdrawn);
    }

    /// The server takes an offer back when the socket of one of the two is gone. Whoever wanted the match waits again, once the
    /// server is back.
    pub(super) fn offer_lost(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        if let Room::Offered(offered) = &signed_in.room {
            out.push(Effect::EndCall);
            signed_in.room = if offered.answered { Room::Waiting(Waiting::begun(now)) } else { Room::Mirror };
        }
    }

    /// The server's word is late, or was lost with the socket: nobody stays on the card for ever.
    pub(super) fn tick_offered(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Room::Offered(offered) = &signed_in.room else { return };
        if now < offered.deadline + WORD_LATE {
            return;
        }
        let (match_id, answered) = (offered.match_id.clone(), offered.answered);
        out.push(Effect::EndCall);
        self.notice = Some(Notice::MatchWithdrawn);
        if answered && signed_in.online {
            out.push(Effect::Send(ClientMessage::Join));
        }
        if !answered {
            out.push(Effect::Send(ClientMessage::MatchAnswer { match_id, meet: false }));
        }
        signed_in.room = if answered { Room::Waiting(Waiting::begun(now)) } else { Room::Mirror };
    }

    fn begins(
        &mut self,
        (match_id, role): (MatchId, Role),
        relay: RelayCredentials,
        direct: bool,
        now: Duration,
        out: &mut Vec<Effect>,
    ) {
        let rang = self.taken_ring(&match_id, out);
        let friend = rang.is_some();
        // Whatever the server says: with a friend alone, and by one's own leave.
        let direct = direct && friend && self.own.choices.direct_calls;
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        if let Some(offered) = rang {
            signed_in.room = Room::Offered(offered);
        }
        match &mut signed_in.room {
            Room::Call(call) if call.match_id == match_id => call.resumed(relay, out),
            // Only after one's own yes: a server that begins a match that was not wanted gets a no.
            Room::Offered(offered) if offered.match_id == match_id && offered.answered && offered.role == role => {
                let mut signals = std::mem::take(&mut offered.signals);
                if direct {
                    // What gathered for the relay alone gives way to a call that may use every path.
                    signals.clear();
                    self.number += 1;
                    out.push(Effect::StartCall { number: self.number, role, relay: Box::new(relay), direct });
                }
                let chance = Sha256::new().chain_update(self.chance).chain_update(&match_id.0).finalize().into();
                let languages = signed_in.profile.languages.value.clone();
                let mut call = InCall::new((match_id, role), std::mem::take(&mut offered.card), chance, languages, now);
                (call.friend, call.direct) = (friend, direct);
                out.push(Effect::Emit(call.paper.show()));
                out.push(Effect::ShowToPeer);
                call.begin(signals, self.own.muted, out);
                signed_in.room = Room::Call(Box::new(call));
            }
            // A match of a session before this one, whose call is gone.
            _ => out.push(Effect::Send(ClientMessage::Leave { match_id })),
        }
    }

    fn ended(&mut self, match_id: &MatchId, reason: EndReason, follow: Duration, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match &mut signed_in.room {
            Room::Call(call) if call.match_id == *match_id => {
                out.extend(call.saw_covered().map(Effect::Send));
                out.push(Effect::EndCall);
                let (friend, paper) = (call.friend, call.paper.take(now));
                let parting = Parting::asked(match_id.clone(), reason, now + follow, paper);
                signed_in.room = Room::Parting(parting.of_friends(friend));
            }
            Room::Parting(parting) if parting.match_id == *match_id => parting.confirmed(reason, now + follow),
            Room::Offered(offered) if offered.match_id == *match_id => {
                out.push(Effect::EndCall);
                signed_in.room = Room::Mirror;
                self.notice = Some(Notice::MatchWithdrawn);
            }
            _ => {}
        }
    }

    fn refused_on_socket(&mut self, refusal: Refusal, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match refusal.code {
            RefusalCode::Replaced => {
                self.drop_ring(false, out);
                let Stage::SignedIn(signed_in) = &mut self.stage else { return };
                signed_in.online = false;
                signed_in.leave_later = None;
                out.push(Effect::CloseSocket);
                if matches!(signed_in.room, Room::Offered(_) | Room::Call(_)) {
                    out.push(Effect::EndCall);
                }
                if !matches!(signed_in.room, Room::Profile { .. } | Room::Friends(_) | Room::History { .. }) {
                    signed_in.room = Room::Mirror;
                }
            }
            RefusalCode::ShuttingDown => {}
            RefusalCode::ProfileIncomplete if matches!(signed_in.room, Room::Waiting(_)) => {
                signed_in.room = Room::Profile { saving: false };
            }
            _ if matches!(signed_in.room, Room::Waiting(_)) => signed_in.room = Room::Mirror,
            _ => {}
        }
        self.look_at_standing(refusal.code, out);
        self.refused(refusal);
    }

    /// The user signs out or is signed out: the match ends for both.
    pub(super) fn drop_match(&mut self, out: &mut Vec<Effect>) {
        self.drop_ring(true, out);
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match &signed_in.room {
            Room::Offered(offered) => {
                out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offered.match_id.clone(), meet: false }));
                out.push(Effect::EndCall);
            }
            Room::Call(call) => {
                call.hang_up(out);
                out.extend(call.saw_covered().map(Effect::Send));
                out.push(Effect::Send(ClientMessage::Leave { match_id: call.match_id.clone() }));
                out.push(Effect::EndCall);
            }
            Room::Waiting(_) => out.push(Effect::Send(ClientMessage::CancelWaiting)),
            _ => {}
        }
        signed_in.room = Room::Mirror;
    }
}
