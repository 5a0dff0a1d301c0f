//! Calls between people who follow each other, until they are taken: over any page, beside whatever one does there. From
//! `MatchBegins` on a call is a call like that of a match.

use super::meeting::{Offered, WORD_LATE};
use super::{Effect, Evening, Room, SignedIn, Stage, safety};
use crate::Command;
use crate::view::{Notice, RingView};
use std::time::Duration;
use visavis_call as call;
use visavis_wire::friends::{CallEnd, FollowId, FriendCall};
use visavis_wire::socket::{ClientMessage, MatchId, RelayCredentials};

/// Until the server has said that it rings, or why not.
const ASKED_FOR: Duration = Duration::from_secs(10);

pub(super) struct Ring {
    follow: FollowId,
    outgoing: bool,
    /// Absent while the server is being asked.
    offer: Option<Offered>,
    /// Of a call that comes: used once it is taken.
    relay: Option<Box<RelayCredentials>>,
    until: Duration,
}

impl Ring {
    /// The call gathers already.
    pub(super) fn is_started(&self) -> bool {
        self.offer.as_ref().is_some_and(|offer| offer.answered)
    }

    pub(super) fn view(&self, signed_in: &SignedIn, now: Duration) -> RingView {
        let named = signed_in.follows.iter().find(|follow| follow.id == self.follow);
        RingView {
            follow: self.follow.clone(),
            name: named.map(|follow| follow.username.reveal().clone()),
            outgoing: self.outgoing,
            answered: self.outgoing || self.is_started(),
            left_s: u32::try_from(self.until.saturating_sub(now).as_secs()).unwrap_or(u32::MAX),
        }
    }
}

impl Evening {
    pub(super) fn ring_command(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match command {
            Command::Call { follow } => {
                let known = signed_in.follows.iter().any(|known| known.id == follow);
                let free = !matches!(signed_in.room, Room::Waiting(_) | Room::Offered(_) | Room::Call(_));
                if known && free && signed_in.online && signed_in.ring.is_none() {
                    self.notice = None;
                    let direct = self.own.choices.direct_calls;
                    out.push(Effect::Send(ClientMessage::Ring { follow: follow.clone(), direct }));
                    let until = now + ASKED_FOR;
                    signed_in.ring = Some(Ring { follow, outgoing: true, offer: None, relay: None, until });
                }
            }
            Command::AnswerCall { yes: false } => self.drop_ring(true, out),
            Command::AnswerCall { yes: true } => self.take_call(out),
            _ => {}
        }
    }

    fn take_call(&mut self, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Some(Ring { outgoing: false, offer: Some(offer), relay, .. }) = &mut signed_in.ring else { return };
        let Some(relay) = relay.take().filter(|_| !offer.answered) else { return };
        offer.answered = true;
        self.number += 1;
        out.push(Effect::StartCall { number: self.number, role: offer.role, relay, direct: false });
        if self.own.choices.direct_calls {
            out.push(Effect::Send(ClientMessage::AllowDirect { match_id: offer.match_id.clone() }));
        }
        out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offer.match_id.clone(), meet: true }));
    }

    /// An offer that is a call.
    pub(super) fn rung(&mut self, rung: FriendCall, offer: Offered, relay: RelayCredentials, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let FriendCall { follow, outgoing } = rung;
        let (busy, until) = (matches!(signed_in.room, Room::Offered(_) | Room::Call(_)), offer.deadline);
        match &mut signed_in.ring {
            Some(ring) if ring.offer.as_ref().is_some_and(|known| known.match_id == offer.match_id) => {}
            Some(ring) if ring.outgoing && ring.offer.is_none() && ring.follow == follow && !busy => {
                // One's own; or both called each other at the same moment, and both want to.
                *ring = Ring { follow, outgoing, offer: Some(offer), relay: Some(Box::new(relay)), until };
                if outgoing { self.start_own_call(out) } else { self.take_call(out) }
            }
            None if !outgoing && !busy => {
                if signed_in.follows.iter().all(|known| known.id != follow) {
                    out.push(Effect::FetchFollows);
                }
                signed_in.ring = Some(Ring { follow, outgoing, offer: Some(offer), relay: Some(Box::new(relay)), until });
            }
            // Given up meanwhile, or there is another one.
            _ => out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offer.match_id, meet: false })),
        }
    }

    fn start_own_call(&mut self, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Some(Ring { offer: Some(offer), relay, .. }) = &mut signed_in.ring else { return };
        let Some(relay) = relay.take() else { return };
        offer.answered = true;
        self.number += 1;
        out.push(Effect::StartCall { number: self.number, role: offer.role, relay, direct: false });
    }

    /// The call that begins, where it is the one that rang.
    pub(super) fn taken_ring(&mut self, match_id: &MatchId, out: &mut Vec<Effect>) -> Option<Offered> {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return None };
        let rings = |ring: &mut Ring| ring.is_started() && ring.offer.as_ref().is_some_and(|offer| offer.match_id == *match_id);
        let offer = signed_in.ring.take_if(rings)?.offer;
        if matches!(signed_in.room, Room::Parting(_)) {
            out.push(Effect::Care(safety::Order::ForgetPictures));
        }
        offer
    }

    /// By the user's wish (`tell` the server), or because the server is gone or says so. Whoever waited for strangers before
    /// waits again.
    pub(super) fn drop_ring(&mut self, tell: bool, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Some(ring) = signed_in.ring.take() else { return };
        if ring.is_started() {
            out.push(Effect::EndCall);
        }
        if let Some(offer) = ring.offer.filter(|_| tell) {
            out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: offer.match_id, meet: false }));
        }
        if !ring.outgoing && matches!(signed_in.room, Room::Waiting(_)) && signed_in.online {
            out.push(Effect::Send(ClientMessage::Join));
        }
    }

    pub(super) fn ring_over(&mut self, follow: &FollowId, match_id: Option<&MatchId>, why: CallEnd, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let of_ring = |ring: &Ring| match (&ring.offer, match_id) {
            (Some(offer), Some(match_id)) => offer.match_id == *match_id,
            (None, _) => ring.outgoing && ring.follow == *follow,
            (Some(_), None) => false,
        };
        if signed_in.ring.as_ref().is_some_and(of_ring) {
            let named = signed_in.follows.iter().find(|known| known.id == *follow);
            let name = named.map(|known| known.username.reveal().clone()).unwrap_or_default();
            self.notice = Some(notice(why, name));
            self.drop_ring(false, out);
        }
    }

    /// An offer that is taken back with no more words: the pool's leader died.
    pub(super) fn ring_withdrawn(&mut self, match_id: &MatchId, out: &mut Vec<Effect>) -> bool {
        let Stage::SignedIn(signed_in) = &self.stage else { return false };
        let Some(Ring { follow, outgoing, offer: Some(offer), .. }) = &signed_in.ring else { return false };
        if offer.match_id != *match_id {
            return false;
        }
        let (follow, why) = (follow.clone(), if *outgoing { CallEnd::NoAnswer } else { CallEnd::Missed });
        self.ring_over(&follow, Some(match_id), why, out);
        true
    }

    pub(super) fn tick_ring(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &self.stage else { return };
        let Some(ring) = signed_in.ring.as_ref().filter(|ring| now >= ring.until + WORD_LATE) else { return };
        let (follow, match_id) = (ring.follow.clone(), ring.offer.as_ref().map(|offer| offer.match_id.clone()));
        let why = if ring.outgoing { CallEnd::NoAnswer } else { CallEnd::Missed };
        if let Some(match_id) = &match_id {
            out.push(Effect::Send(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: false }));
        }
        self.ring_over(&follow, match_id.as_ref(), why, out);
    }

    /// What the call of a ring says before it begins. False: there is none.
    pub(super) fn ring_event(&mut self, event: &call::Event, out: &mut Vec<Effect>) -> bool {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return false };
        let Some(ring) = signed_in.ring.as_mut().filter(|ring| ring.is_started()) else { return false };
        match (event, &mut ring.offer) {
            (call::Event::Signal(signal), Some(offer)) => offer.keep(signal.clone()),
            (call::Event::Failed(detail), _) => {
                self.notice = Some(Notice::CallFailed { detail: detail.clone() });
                self.drop_ring(true, out);
            }
            _ => {}
        }
        true
    }

    pub(super) fn presence(&mut self, follow: &FollowId, online: bool, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match signed_in.follows.iter_mut().find(|known| known.id == *follow) {
            Some(known) => known.online = online,
            // A follow that is newer than the list.
            None => out.push(Effect::FetchFollows),
        }
    }
}

fn notice(why: CallEnd, name: String) -> Notice {
    match why {
        CallEnd::Declined => Notice::CallDeclined { name },
        CallEnd::NoAnswer => Notice::CallUnanswered { name },
        CallEnd::Busy => Notice::CallBusy { name },
        CallEnd::Offline => Notice::CallOffline { name },
        CallEnd::Missed => Notice::CallMissed { name },
        CallEnd::TooOften => Notice::CallTooOften { name },
        CallEnd::NotFriends => Notice::CallNotFriends,
    }
}
