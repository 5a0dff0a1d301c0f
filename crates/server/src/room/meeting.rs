//! One match from the pairing to the end of its follow question.

mod blocked;
mod call;
mod clock;
mod outcome;
mod taken_over;

use super::games::Games;
use super::people::{card_of, reason};
use super::waiting::Waiting;
use super::{Output, Phase, Place, Room, Rules, SocketId, Sources, send};
use crate::blind::{Blind, Change, Kind as Counts, Side};
use crate::sdp;
use crate::store::{AccountId, RunningMatch, SightFact};
use outcome::Course;
use visavis_matching as matching;
use visavis_wire::friends::{CallEnd, FollowId};
use visavis_wire::socket::{EndReason, MatchId, Question, RelayCredentials, Role, ServerMessage, Signal};

#[derive(Debug)]
pub(super) struct Meeting {
    accounts: [AccountId; 2],
    kind: Kind,
    offerer: Side,
    stage: Stage,
    revealed: Revealed,
    /// Who has said what they saw.
    logged: [bool; 2],
    /// Who allows a direct path to friends. Not written down: the apps of a call that goes directly say it again.
    allows_direct: [bool; 2],
    course: Course,
}

#[derive(Debug)]
enum Kind {
    Strangers,
    /// One called the other, and is `Side::A`. Each one's own name for the other; of calls that an earlier leader began none, for
    /// they serve until the call begins.
    Friends(Box<[FollowId; 2]>),
}

/// For how long the pictures were open.
#[derive(Debug, Default)]
struct Revealed {
    since_ms: Option<u64>,
    before_ms: u64,
}

impl Revealed {
    fn change(&mut self, open: bool, now_ms: u64) {
        self.before_ms = self.total_ms(now_ms);
        self.since_ms = open.then_some(now_ms);
    }

    fn total_ms(&self, now_ms: u64) -> u64 {
        self.before_ms + self.since_ms.map_or(0, |since| now_ms.saturating_sub(since))
    }
}

#[derive(Debug)]
enum Stage {
    /// A call: whether the other can be called is being asked.
    Asking,
    /// The store is being asked; nobody knows yet.
    Committing {
        waiting: Box<[Waiting; 2]>,
    },
    Offered {
        waiting: Box<[Waiting; 2]>,
        meet: [bool; 2],
        relay: Box<[RelayCredentials; 2]>,
        until_ms: u64,
    },
    Together {
        reveal: Blind,
        games: Games,
        away_until_ms: [Option<u64>; 2],
        /// Whether the other has been told of it.
        away_told: [bool; 2],
        renew_relay_at_ms: u64,
    },
    /// `storing`: both said yes and the store has not answered yet.
    Parting {
        follow: Blind,
        storing: bool,
        how: EndReason,
        until_ms: u64,
    },
}

impl Meeting {
    pub(super) fn new([(a, one), (b, other)]: [(AccountId, Waiting); 2], a_offers: bool) -> Self {
        Self {
            accounts: [a, b],
            kind: Kind::Strangers,
            offerer: if a_offers { Side::A } else { Side::B },
            stage: Stage::Committing { waiting: Box::new([one, other]) },
            revealed: Revealed::default(),
            logged: [false; 2],
            allows_direct: [false; 2],
            course: Course::default(),
        }
    }

    /// From committed to offered.
    fn announce(&mut self, now_ms: u64, rules: &Rules, sources: &mut dyn Sources) {
        let Stage::Committing { waiting } = &self.stage else { return };
        self.stage = Stage::Offered {
            waiting: waiting.clone(),
            // Whoever calls wants to.
            meet: [self.is_call(), false],
            relay: Box::new([sources.relay(), sources.relay()]),
            until_ms: now_ms + if self.is_call() { rules.ring_ms } else { rules.offer_ms },
        };
    }

    /// `None`: not announced yet.
    pub(super) fn phase(&self, account: AccountId) -> Option<Phase> {
        let side = self.side(account)?;
        match &self.stage {
            Stage::Asking | Stage::Committing { .. } => None,
            Stage::Offered { meet, .. } => Some(Phase::Offered { meet: meet[side.index()] }),
            Stage::Together { .. } => Some(Phase::Together),
            Stage::Parting { .. } => Some(Phase::Parting),
        }
    }

    fn side(&self, account: AccountId) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| self.account(*side) == account)
    }

    fn account(&self, side: Side) -> AccountId {
        self.accounts[side.index()]
    }

    fn role(&self, side: Side) -> Role {
        if self.offerer == side { Role::Offerer } else { Role::Answerer }
    }
}

fn seconds(ms: u64) -> u32 {
    u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)
}

impl Room {
    pub(super) fn committed(
        &mut self,
        now_ms: u64,
        match_id: &MatchId,
        allowed: bool,
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let Some(meeting) = self.matches.get_mut(match_id) else {
            // One of the two was gone before the store answered.
            if allowed {
                out.push(Output::Withdrawn { match_id: match_id.clone() });
            }
            return;
        };
        let Stage::Committing { waiting } = &meeting.stage else { return };
        let (accounts, is_call) = (meeting.accounts, meeting.is_call());
        if !allowed && is_call {
            self.call_failed(match_id, CallEnd::Busy, out);
            return;
        }
        if !allowed {
            // The store knows something that the waiting list does not: both are looked up anew.
            let since = [0, 1].map(|side: usize| waiting[side].waiter.since_ms);
            self.matches.remove(match_id);
            for (account, since_ms) in accounts.into_iter().zip(since) {
                if let Some(person) = self.people.get_mut(&account) {
                    person.place = Place::Joining { since_ms };
                    out.push(Output::LookUp { account });
                }
            }
            return;
        }
        meeting.announce(now_ms, &self.rules, sources);
        for account in accounts {
            self.offer(now_ms, match_id, account, out);
        }
        if is_call && self.people.get(&accounts[1]).is_none_or(|person| person.socket.is_none()) {
            out.push(Output::Summon { account: accounts[1] });
        }
    }

    /// Sends (again) the offer to one of the two.
    fn offer(&self, now_ms: u64, match_id: &MatchId, to: AccountId, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get(match_id) else { return };
        let (Some(side), Stage::Offered { waiting, relay, until_ms, .. }) = (meeting.side(to), &meeting.stage) else { return };
        let (own, peer) = (&waiting[side.index()], &waiting[side.other().index()]);
        let message = ServerMessage::MatchOffered {
            match_id: match_id.clone(),
            role: meeting.role(side),
            card: card_of(&peer.entrant.profile),
            reasons: match meeting.kind {
                Kind::Strangers => matching::reasons(&own.waiter, &peer.waiter).into_iter().map(reason).collect(),
                Kind::Friends(_) => Vec::new(),
            },
            answer_within_s: seconds(until_ms.saturating_sub(now_ms)),
            relay: relay[side.index()].clone(),
            call: meeting.call_of(side),
        };
        self.send_to(to, message, out);
    }

    pub(super) fn match_answer(&mut self, now_ms: u64, match_id: &MatchId, account: AccountId, yes: bool, out: &mut Vec<Output>) {
        if !yes {
            self.decline_offer(now_ms, match_id, account, out);
            return;
        }
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Some(side) = meeting.side(account) else { return };
        let Stage::Offered { meet, until_ms, .. } = &mut meeting.stage else { return };
        if *meet == [true; 2] {
            return;
        }
        meet[side.index()] = true;
        if *meet != [true; 2] {
            return;
        }
        // The store is being asked; the offer does not run out meanwhile.
        *until_ms = u64::MAX;
        let [a, b] = meeting.accounts;
        let (a_offers, friends) = (meeting.offerer == Side::A, meeting.is_call());
        let running = RunningMatch { id: match_id.clone(), a, b, a_offers, friends };
        out.push(Output::Began { running });
    }

    pub(super) fn begun(&mut self, now_ms: u64, match_id: &MatchId, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Stage::Offered { meet: [true, true], relay, waiting, .. } = &meeting.stage else { return };
        let relay = relay.clone();
        meeting.course = if meeting.is_call() { Course::default() } else { Course::began(waiting, now_ms) };
        meeting.stage = Stage::Together {
            reveal: Blind::new(Counts::Standing),
            games: Games::new(),
            away_until_ms: [None; 2],
            away_told: [false; 2],
            renew_relay_at_ms: now_ms + self.rules.renew_relay_ms,
        };
        let direct = meeting.is_direct();
        let begins = Side::BOTH.map(|side| (meeting.account(side), meeting.role(side), relay[side.index()].clone()));
        for (account, role, relay) in begins {
            self.send_to(account, ServerMessage::MatchBegins { match_id: match_id.clone(), role, relay, direct }, out);
        }
    }

    /// A "not now" of `account`. False where there is no offer to decline.
    pub(super) fn decline_offer(&mut self, now_ms: u64, match_id: &MatchId, account: AccountId, out: &mut Vec<Output>) -> bool {
        let Some(meeting) = self.matches.get(match_id) else { return false };
        let open = matches!(meeting.stage, Stage::Asking | Stage::Committing { .. } | Stage::Offered { .. });
        let Some(side) = meeting.side(account).filter(|_| open) else { return false };
        let mut stays = [true; 2];
        stays[side.index()] = false;
        self.withdraw(now_ms, match_id, stays, out);
        true
    }

    /// The offer is over. Whoever stays and said "meet" waits again; while nothing had been announced, whoever stays does.
    fn withdraw(&mut self, now_ms: u64, match_id: &MatchId, stays: [bool; 2], out: &mut Vec<Output>) {
        if self.matches.get(match_id).is_some_and(Meeting::is_call) {
            self.call_withdrawn(match_id, stays, out);
            return;
        }
        let Some(meeting) = self.matches.remove(match_id) else { return };
        // On its way to be written down as running: then it has to end.
        let begun = matches!(&meeting.stage, Stage::Offered { meet: [true, true], .. });
        let (waiting, again, announced) = match meeting.stage {
            Stage::Committing { waiting } => (waiting, stays, false),
            Stage::Offered { waiting, meet, .. } => (waiting, [stays[0] && meet[0], stays[1] && meet[1]], true),
            Stage::Asking | Stage::Together { .. } | Stage::Parting { .. } => return,
        };
        let [a, b] = meeting.accounts;
        if announced {
            self.declined.insert((a.min(b), a.max(b)), now_ms + self.rules.declined_ms);
            let (match_id, how) = (match_id.clone(), EndReason::Left);
            out.push(if begun { Output::Ended { match_id, how } } else { Output::Withdrawn { match_id } });
        }
        for ((account, waiting), again) in meeting.accounts.into_iter().zip(*waiting).zip(again) {
            if announced {
                self.send_to(account, ServerMessage::MatchWithdrawn { match_id: match_id.clone() }, out);
            }
            if let Some(person) = self.people.get_mut(&account) {
                person.place = Place::Idle;
            }
            if again {
                self.wait_again(now_ms, account, waiting, out);
            } else {
                self.forget_if_idle(account);
            }
        }
    }

    pub(super) fn signal(&mut self, match_id: &MatchId, from: AccountId, signal: Signal, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get(match_id) else { return };
        let (Some(side), Stage::Together { .. }) = (meeting.side(from), &meeting.stage) else { return };
        let passed = if meeting.is_direct() { Some(signal) } else { sdp::without_direct_addresses(signal) };
        if let Some(signal) = passed {
            self.send_to(meeting.account(side.other()), ServerMessage::Signal { match_id: match_id.clone(), signal }, out);
        }
    }

    pub(super) fn answer(
        &mut self,
        now_ms: u64,
        match_id: &MatchId,
        account: AccountId,
        question: Question,
        yes: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Some(side) = meeting.side(account) else { return };
        let [a, b] = meeting.accounts;
        match (&mut meeting.stage, question) {
            (Stage::Together { reveal, .. }, Question::Reveal) => {
                let Some(change) = reveal.answer(side, yes) else { return };
                meeting.revealed.change(change == Change::Opened, now_ms);
                let message = match change {
                    Change::Opened => ServerMessage::QuestionOpened { match_id: match_id.clone(), question },
                    Change::Closed => ServerMessage::QuestionClosed { match_id: match_id.clone(), question },
                };
                self.send_to(a, message.clone(), out);
                self.send_to(b, message, out);
            }
            (Stage::Together { games, .. }, Question::Play(play)) => {
                let Some((play, number)) = games.answer(now_ms, side, play, yes) else { return };
                let message = ServerMessage::GameOpened { match_id: match_id.clone(), play, number };
                self.send_to(a, message.clone(), out);
                self.send_to(b, message, out);
            }
            (Stage::Parting { follow, storing, .. }, Question::Follow) => {
                let opened = follow.answer(side, yes) == Some(Change::Opened);
                if opened {
                    *storing = true;
                    out.push(Output::StoreFollow { match_id: match_id.clone(), a, b });
                }
            }
            // Asked at another time: an answer that crossed with the end of the call.
            _ => {}
        }
    }

    /// Told only once it is stored. Where it cannot be stored, the question ends at its time like any other.
    pub(super) fn follow_stored(&mut self, match_id: &MatchId, stored: bool, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Stage::Parting { storing, .. } = &mut meeting.stage else { return };
        *storing = false;
        if stored {
            let question = Question::Follow;
            self.part(match_id, ServerMessage::QuestionOpened { match_id: match_id.clone(), question }, out);
        }
    }

    pub(super) fn leave(&mut self, now_ms: u64, match_id: &MatchId, account: AccountId, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Some(side) = meeting.side(account) else { return };
        match meeting.stage {
            Stage::Asking | Stage::Committing { .. } | Stage::Offered { .. } => {
                self.decline_offer(now_ms, match_id, account, out);
            }
            Stage::Together { .. } => {
                meeting.course.left(side, now_ms);
                self.end(now_ms, match_id, EndReason::Left, out);
            }
            Stage::Parting { .. } => {}
        }
    }

    /// What one of the two saw, once; no longer than the pictures were open.
    pub(super) fn saw_covered(
        &mut self,
        now_ms: u64,
        match_id: &MatchId,
        reporter: AccountId,
        seconds: [u16; 2],
        out: &mut Vec<Output>,
    ) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Some(side) = meeting.side(reporter) else { return };
        if !matches!(meeting.stage, Stage::Together { .. } | Stage::Parting { .. }) || meeting.logged[side.index()] {
            return;
        }
        meeting.logged[side.index()] = true;
        let most = self::seconds(meeting.revealed.total_ms(now_ms));
        let [saw_s, told_s] = seconds.map(|seconds| u32::from(seconds).min(most));
        let (match_id, peer) = (match_id.clone(), meeting.account(side.other()));
        if saw_s > 0 || told_s > 0 {
            out.push(Output::LogSight(SightFact { match_id, reporter, peer, saw_s, told_s }));
        }
    }

    pub(super) fn end(&mut self, now_ms: u64, match_id: &MatchId, how: EndReason, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        if meeting.is_call() {
            self.call_ended(match_id, how, out);
            return;
        }
        meeting.revealed.change(false, now_ms);
        let until_ms = now_ms + self.rules.follow_ms;
        meeting.stage = Stage::Parting { follow: Blind::new(Counts::Once), storing: false, how, until_ms };
        out.push(Output::Ended { match_id: match_id.clone(), how });
        for account in meeting.accounts {
            if let Some(person) = self.people.get_mut(&account) {
                person.place = Place::Idle;
                person.parting = Some(match_id.clone());
            }
            self.send_to(account, ended(match_id, how, self.rules.follow_ms), out);
        }
    }

    /// The follow question is over for both at the same moment.
    fn part(&mut self, match_id: &MatchId, last: ServerMessage, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.remove(match_id) else { return };
        self.learn(match_id, &meeting, out);
        for account in meeting.accounts {
            self.send_to(account, last.clone(), out);
            if let Some(person) = self.people.get_mut(&account)
                && person.parting.as_ref() == Some(match_id)
            {
                person.parting = None;
            }
            self.forget_if_idle(account);
        }
    }

    pub(super) fn went_away(&mut self, now_ms: u64, match_id: &MatchId, who: AccountId, replaced: bool, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Some(side) = meeting.side(who) else { return };
        let peer = meeting.account(side.other());
        match &mut meeting.stage {
            Stage::Asking | Stage::Committing { .. } | Stage::Offered { .. } if replaced => {}
            Stage::Asking | Stage::Committing { .. } | Stage::Offered { .. } => {
                self.decline_offer(now_ms, match_id, who, out);
            }
            Stage::Together { away_until_ms, away_told, .. } => {
                away_until_ms[side.index()] = Some(now_ms + self.rules.away_ms);
                away_told[side.index()] = true;
                self.send_to(peer, ServerMessage::PeerAway { match_id: match_id.clone() }, out);
            }
            Stage::Parting { .. } => {}
        }
    }

    /// Tells somebody who arrives where they are.
    pub(super) fn resume(
        &mut self,
        now_ms: u64,
        account: AccountId,
        socket: SocketId,
        sources: &mut dyn Sources,
        out: &mut Vec<Output>,
    ) {
        let Some(person) = self.people.get(&account) else { return };
        if let Some(match_id) = person.parting.clone()
            && let Some(Meeting { stage: Stage::Parting { how, until_ms, .. }, .. }) = self.matches.get(&match_id)
        {
            out.push(send(socket, ended(&match_id, *how, until_ms.saturating_sub(now_ms))));
        }
        let Place::Matched(match_id) = &person.place else { return };
        let match_id = match_id.clone();
        self.offer(now_ms, &match_id, account, out);
        let Some(meeting) = self.matches.get_mut(&match_id) else { return };
        let Some(side) = meeting.side(account) else { return };
        let (role, peer, direct) = (meeting.role(side), meeting.account(side.other()), meeting.is_direct());
        let Stage::Together { reveal, games, away_until_ms, away_told, .. } = &mut meeting.stage else { return };
        let relay = sources.relay();
        out.push(send(socket, ServerMessage::MatchBegins { match_id: match_id.clone(), role, relay, direct }));
        if reveal.is_open() {
            out.push(send(socket, ServerMessage::QuestionOpened { match_id: match_id.clone(), question: Question::Reveal }));
        }
        if let Some((play, number)) = games.begun {
            out.push(send(socket, ServerMessage::GameOpened { match_id: match_id.clone(), play, number }));
        }
        if away_until_ms[side.other().index()].is_some() {
            away_told[side.other().index()] = true;
            out.push(send(socket, ServerMessage::PeerAway { match_id: match_id.clone() }));
        }
        away_until_ms[side.index()] = None;
        if std::mem::take(&mut away_told[side.index()]) {
            self.send_to(peer, ServerMessage::PeerBack { match_id }, out);
        }
    }
}

pub(super) fn ended(match_id: &MatchId, reason: EndReason, follow_ms: u64) -> ServerMessage {
    ServerMessage::MatchEnded { match_id: match_id.clone(), reason, follow_within_s: seconds(follow_ms) }
}

#[cfg(test)]
impl Meeting {
    pub(super) fn is_of_two_people(&self) -> bool {
        self.accounts[0] != self.accounts[1]
    }
}
