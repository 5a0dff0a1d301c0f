//! Matches and offers of the room before this one, and what the apps of their two know of them.

use super::{Course, Kind, Meeting, Revealed, Stage};
use crate::blind::{Blind, Kind as Counts, Side};
use crate::room::games::Games;
use crate::room::waiting::Waiting;
use crate::room::{Output, Room, Rules, Sources};
use crate::store::{AccountId, RunningMatch};
use visavis_wire::socket::{MatchId, ServerMessage};

impl Meeting {
    pub(in crate::room) fn restored(running: &RunningMatch, now_ms: u64, rules: &Rules) -> Self {
        let RunningMatch { a, b, a_offers, friends, .. } = running;
        let away_until_ms = [Some(now_ms + rules.away_ms); 2];
        Self {
            accounts: [*a, *b],
            kind: if *friends { Kind::Friends(Box::default()) } else { Kind::Strangers },
            offerer: if *a_offers { Side::A } else { Side::B },
            stage: Stage::Together {
                reveal: Blind::new(Counts::Standing),
                games: Games::new(),
                away_until_ms,
                away_told: [false; 2],
                renew_relay_at_ms: now_ms + rules.renew_relay_ms,
            },
            revealed: Revealed::default(),
            logged: [false; 2],
            allows_direct: [false; 2],
            course: Course::default(),
        }
    }

    pub(in crate::room) fn offered(
        two: [(AccountId, Waiting); 2],
        a_offers: bool,
        now_ms: u64,
        rules: &Rules,
        sources: &mut dyn Sources,
    ) -> Self {
        let mut meeting = Self::new(two, a_offers);
        meeting.announce(now_ms, rules, sources);
        meeting
    }
}

impl Room {
    /// Somebody of a running match is here whose app has noticed nothing.
    pub(in crate::room) fn back_unnoticed(&mut self, match_id: &MatchId, account: AccountId, out: &mut Vec<Output>) {
        let Some(meeting) = self.matches.get_mut(match_id) else { return };
        let Some(side) = meeting.side(account) else { return };
        let peer = meeting.account(side.other());
        let Stage::Together { away_until_ms, away_told, .. } = &mut meeting.stage else { return };
        away_until_ms[side.index()] = None;
        if std::mem::take(&mut away_told[side.index()]) {
            self.send_to(peer, ServerMessage::PeerBack { match_id: match_id.clone() }, out);
        }
    }
}
