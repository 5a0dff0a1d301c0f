//! Going from page to page while nobody is being met.

use super::after::Friends;
use super::{Effect, Evening, Room, Stage, safety};
use crate::Command;
use std::time::Duration;
use visavis_wire::socket::ClientMessage;

impl Evening {
    /// Pages that the user goes to freely; never out of a match, which ends by `Leave` alone.
    pub(super) fn go(&mut self, command: &Command, now: Duration, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match signed_in.room {
            Room::Offered(_) | Room::Call(_) => return,
            Room::Waiting(_) => out.push(Effect::Send(ClientMessage::CancelWaiting)),
            Room::Parting(_) => out.push(Effect::Care(safety::Order::ForgetPictures)),
            Room::Profile { .. } | Room::Mirror | Room::Friends(_) | Room::History { .. } => {}
        }
        signed_in.room = match command {
            Command::OpenProfile => {
                out.push(Effect::FetchCard);
                if signed_in.profile.picture.value && signed_in.picture.is_none() {
                    out.push(Effect::FetchPicture(None));
                }
                Room::Profile { saving: false }
            }
            Command::OpenFriends => {
                out.push(Effect::FetchFollows);
                Room::Friends(Friends::asked(now))
            }
            Command::OpenHistory => {
                out.push(Effect::FetchHistory);
                Room::History { sessions: None }
            }
            _ => Room::Mirror,
        };
    }
}
