//! What time alone does to the matches of a room.

use super::*;

impl Room {
    pub(in crate::room) fn expire_matches(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        let due: Vec<MatchId> =
            self.matches.iter().filter(|(_, meeting)| meeting.is_due(now_ms)).map(|(id, _)| id.clone()).collect();
        for match_id in due {
            match self.matches.get(&match_id).map(|meeting| &meeting.stage) {
                Some(Stage::Offered { .. }) => self.withdraw(now_ms, &match_id, [true; 2], out),
                Some(Stage::Together { .. }) => self.end(now_ms, &match_id, EndReason::Vanished, out),
                Some(Stage::Parting { .. }) => {
                    self.part(&match_id, ServerMessage::FollowClosed { match_id: match_id.clone() }, out);
                }
                Some(Stage::Asking | Stage::Committing { .. }) | None => {}
            }
        }
    }

    pub(in crate::room) fn renew_relays(&mut self, now_ms: u64, sources: &mut dyn Sources, out: &mut Vec<Output>) {
        let mut due = Vec::new();
        for (match_id, meeting) in &mut self.matches {
            if let Stage::Together { renew_relay_at_ms, .. } = &mut meeting.stage
                && *renew_relay_at_ms <= now_ms
            {
                *renew_relay_at_ms = now_ms + self.rules.renew_relay_ms;
                due.extend(meeting.accounts.map(|account| (account, match_id.clone())));
            }
        }
        for (account, match_id) in due {
            self.send_to(account, ServerMessage::RelayRenewed { match_id, relay: sources.relay() }, out);
        }
    }

    /// Matches that have begun stay written down as running: the next process takes them up, and until then the two calls go on.
    pub(in crate::room) fn close_matches(&mut self, out: &mut Vec<Output>) {
        for (match_id, meeting) in std::mem::take(&mut self.matches) {
            match &meeting.stage {
                Stage::Asking | Stage::Committing { .. } | Stage::Together { .. } => {}
                Stage::Offered { .. } => {
                    for account in meeting.accounts {
                        self.send_to(account, ServerMessage::MatchWithdrawn { match_id: match_id.clone() }, out);
                    }
                    out.push(Output::Withdrawn { match_id });
                }
                Stage::Parting { .. } => {
                    self.learn(&match_id, &meeting, out);
                    for account in meeting.accounts {
                        self.send_to(account, ServerMessage::FollowClosed { match_id: match_id.clone() }, out);
                    }
                }
            }
        }
    }
}

impl Meeting {
    fn is_due(&self, now_ms: u64) -> bool {
        match &self.stage {
            Stage::Asking | Stage::Committing { .. } => false,
            Stage::Offered { until_ms, .. } => *until_ms <= now_ms,
            Stage::Together { away_until_ms, .. } => away_until_ms.iter().flatten().any(|until| *until <= now_ms),
            Stage::Parting { storing, until_ms, .. } => !storing && *until_ms <= now_ms,
        }
    }
}
