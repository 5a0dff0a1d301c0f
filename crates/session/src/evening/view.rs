//! From the state to what the page shows. Reads only.

use super::devices::Own;
use super::in_call::{InCall, Link};
use super::{Evening, Room, SignedIn, Stage};
use crate::diagnostics::Settings;
use crate::view::{CallView, ClosedView, Connection, OwnCamera, Page, Path, RevealState, RingView, VeilReason, View};
use std::time::Duration;
use visavis_sight::gate::Because;
use visavis_wire::channel::{Seen, Shows};

impl Evening {
    pub fn view(&self, now: Duration) -> View {
        let (page, username, unread) = match &self.stage {
            Stage::Starting { .. } => (Page::Starting, None, 0),
            Stage::Server(asked) => (asked.page(&self.servers), None, 0),
            Stage::Welcome => (Page::Welcome, None, 0),
            Stage::SigningIn => (Page::SigningIn, None, 0),
            Stage::SignedIn(signed_in) => {
                (self.room(signed_in, now), Some(signed_in.username.reveal().clone()), signed_in.unread)
            }
        };
        View {
            page,
            notice: self.notice.clone(),
            username,
            unread,
            devices: self.devices.clone(),
            ask_before_unveiling: self.own.ask_before_unveiling,
            choices: self.own.choices,
            ring: self.ring_view(now),
            care: self.care.view(),
            server: self.servers.view(),
        }
    }

    fn ring_view(&self, now: Duration) -> Option<RingView> {
        let Stage::SignedIn(signed_in) = &self.stage else { return None };
        signed_in.ring.as_ref().map(|ring| ring.view(signed_in, now))
    }

    /// What can be saved for somebody who helps.
    pub(super) fn diagnostics(&self, now: Duration) -> String {
        let settings = Settings { camera_on: self.own.camera_on, muted: self.own.muted };
        self.figures.report(&self.devices, settings, now)
    }

    fn room(&self, signed_in: &SignedIn, now: Duration) -> Page {
        match &signed_in.room {
            Room::Profile { saving } => Page::Profile {
                profile: signed_in.profile.clone(),
                card: signed_in.card.clone(),
                picture: signed_in.picture.clone(),
                saving: *saving,
            },
            Room::Mirror => Page::Mirror { own: own_camera(&self.own) },
            Room::Waiting(waiting) => Page::Waiting {
                waited_s: seconds(now.saturating_sub(waiting.since)),
                looking_for: waiting.looking_for.clone(),
                relaxed: waiting.relaxed.clone(),
                estimate_s: waiting.estimate_s,
                closed: waiting.closed.map(|(because, opens_at)| ClosedView {
                    because,
                    opens_in_s: opens_at.map(|at| seconds_up(at.saturating_sub(now))),
                }),
                widening: waiting.widening.clone(),
            },
            Room::Offered(offered) => Page::Match {
                card: offered.card.clone(),
                picture: offered.picture.clone(),
                reasons: offered.reasons.clone(),
                answer_within_s: seconds_up(offered.deadline.saturating_sub(now)),
                answered: offered.answered,
            },
            Room::Call(call) => Page::Call(Box::new(call_view(call, &self.own, now))),
            Room::Parting(parting) => Page::Parting {
                reason: parting.reason,
                follow: parting.follow.clone(),
                closes_in_s: seconds_up(parting.closes_at.saturating_sub(now)),
            },
            Room::Friends(friends) => Page::Friends { follows: signed_in.follows.clone(), open: friends.open.clone() },
            Room::History { sessions } => Page::History { sessions: sessions.clone() },
        }
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// A countdown ends at 0, not at the last whole second.
fn seconds_up(duration: Duration) -> u32 {
    seconds(duration + Duration::from_millis(999))
}

fn own_camera(own: &Own) -> OwnCamera {
    let looks = if own.camera_on { own.looks } else { Seen::Off };
    OwnCamera { on: own.camera_on, looks, shutter_closed: own.camera_on && own.shutter_closed }
}

fn call_view(call: &InCall, own: &Own, now: Duration) -> CallView {
    CallView {
        connection: match call.link {
            Link::Connected => Connection::Connected,
            _ if call.peer_away => Connection::PeerAway,
            Link::Connecting { .. } => Connection::Connecting,
            Link::Interrupted { .. } => Connection::Reconnecting,
        },
        path: match &call.statistics {
            _ if !call.direct => Path::Relayed,
            Some(statistics) if !statistics.relayed && call.link == Link::Connected => Path::Direct,
            _ => Path::MayBeDirect,
        },
        duration_s: call.connected_at.map_or(0, |at| seconds(now.saturating_sub(at))),
        card: call.card.clone(),
        you_see: call.peer.shows(),
        they_see: call.shows,
        peer_looks: call.peer.looks,
        warn_peer: call.link == Link::Connected && call.peer.warn(),
        own_looks_to_peer: call.peer.says_sees,
        own: own_camera(own),
        reveal: match (call.agreed, call.opened) {
            (true, true) => RevealState::Open,
            (true, false) => RevealState::YouSaidYes,
            (false, _) => RevealState::NotAsked,
        },
        veil_reason: (call.shows == Shows::Veiled).then_some(match call.because {
            _ if call.held => VeilReason::WaitsForYou,
            Some(Because::NotRevealed) | None => VeilReason::NotRevealed,
            Some(Because::PeerNotClear) => VeilReason::PeerNotClear,
            Some(Because::YouNotClear) => VeilReason::YouNotClear,
            Some(Because::PeerVeiled) => VeilReason::PeerVeiled,
        }),
        asks_to_unveil: call.held && call.peer.looks == Seen::Clear,
        muted: own.muted,
        peer_muted: call.peer.muted,
        can_undo: call.paper.history.can_undo(),
        can_redo: call.paper.history.can_redo(),
        statistics: call.statistics.clone(),
        ignored: call.ignored,
        pictures: call.pictures,
        game: call.games.view(),
        wish: call.games.wish,
        unfair: call.games.unfair,
    }
}
