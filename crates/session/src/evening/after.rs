//! What comes after matches: people one follows and what one writes to them, the history, blocks.

use super::{Account, Effect, Evening, Room, SignedIn, Stage};
use crate::Command;
use crate::view::{ConversationView, Notice};
use std::time::Duration;
use visavis_wire::Private;
use visavis_wire::friends::{FollowId, PastSession, Text, is_text};
use visavis_wire::http::Follow;
use visavis_wire::limits::TEXTS_SHOWN;
use visavis_wire::socket::ClientMessage;

/// Who came and went is told. What a server that died left unsaid is found out so often, while the page of friends is open.
const PRESENCE_EVERY: Duration = Duration::from_secs(120);

#[derive(Default)]
pub(super) struct Friends {
    pub open: Option<ConversationView>,
    asked_at: Duration,
}

impl Friends {
    pub(super) fn asked(now: Duration) -> Self {
        Self { asked_at: now, ..Self::default() }
    }

    pub(super) fn tick(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if now >= self.asked_at + PRESENCE_EVERY {
            self.asked_at = now;
            out.push(Effect::FetchFollows);
        }
    }

    fn open(&mut self, follow: &FollowId) -> Option<&mut ConversationView> {
        self.open.as_mut().filter(|open| open.follow == *follow)
    }
}

impl Evening {
    pub(super) fn after_command(&mut self, command: Command, out: &mut Vec<Effect>) {
        match command {
            Command::BlockPeer => self.block_peer(out),
            Command::BlockSession { match_id } => {
                let known = |sessions: &[PastSession]| sessions.iter().any(|past| past.match_id == match_id);
                if matches!(self.room_now(), Some(Room::History { sessions: Some(sessions) }) if known(sessions)) {
                    out.push(Effect::BlockSession(match_id));
                }
            }
            command => {
                let Stage::SignedIn(signed_in) = &mut self.stage else { return };
                let SignedIn { room: Room::Friends(friends), follows, .. } = &mut **signed_in else { return };
                friends_command(friends, follows, command, out);
            }
        }
    }

    pub(super) fn room_now(&mut self) -> Option<&mut Room> {
        match &mut self.stage {
            Stage::SignedIn(signed_in) => Some(&mut signed_in.room),
            _ => None,
        }
    }

    /// The call ends here at once; the server sees to it that the two never meet again, and that the other's ends too.
    fn block_peer(&mut self, out: &mut Vec<Effect>) {
        let Some(room) = self.room_now() else { return };
        let match_id = match room {
            Room::Call(call) => {
                call.hang_up(out);
                out.push(Effect::EndCall);
                let match_id = call.match_id.clone();
                out.push(Effect::Send(ClientMessage::Leave { match_id: match_id.clone() }));
                match_id
            }
            Room::Parting(parting) => parting.match_id.clone(),
            _ => return,
        };
        *room = Room::Mirror;
        out.push(Effect::BlockSession(match_id));
    }

    pub(super) fn after_account(&mut self, account: Account, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let SignedIn { room, unread, follows, .. } = &mut **signed_in;
        match (account, room) {
            (Account::Follows(found), room) => {
                *unread = found.iter().fold(0, |sum, follow| sum.saturating_add(follow.unread));
                if let Room::Friends(friends) = room {
                    // Whoever unfollowed is gone, with what was written.
                    friends.open = friends.open.take().filter(|open| found.iter().any(|follow| follow.id == open.follow));
                }
                *follows = found;
            }
            (Account::Texts { follow, texts }, Room::Friends(friends)) => {
                if let Some(open) = friends.open(&follow) {
                    open.texts = texts;
                    open.loading = false;
                    // What was just read is no longer counted.
                    out.push(Effect::FetchFollows);
                }
            }
            (Account::Written { follow, text }, Room::Friends(friends)) => {
                if let Some(open) = friends.open(&follow) {
                    open.sending = false;
                    add(&mut open.texts, text);
                }
            }
            (Account::History(found), Room::History { sessions }) => *sessions = Some(found),
            (Account::FollowEnded, Room::Friends(_)) => out.push(Effect::FetchFollows),
            (Account::Blocked, room) => {
                match room {
                    Room::History { .. } => out.push(Effect::FetchHistory),
                    Room::Friends(_) => out.push(Effect::FetchFollows),
                    _ => {}
                }
                self.notice = Some(Notice::Blocked);
            }
            _ => {}
        }
    }

    /// Nothing stays greyed out after something failed.
    pub(super) fn after_failure(&mut self) {
        if let Some(Room::Friends(friends)) = self.room_now()
            && let Some(open) = &mut friends.open
        {
            open.sending = false;
            open.loading = false;
        }
    }

    pub(super) fn text_came(&mut self, follow: &FollowId, text: Text, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        if let Room::Friends(friends) = &mut signed_in.room {
            if let Some(open) = friends.open(follow) {
                add(&mut open.texts, text);
                // Asked for, it counts as read.
                out.push(Effect::FetchTexts(follow.clone()));
                return;
            }
            out.push(Effect::FetchFollows);
        }
        signed_in.unread = signed_in.unread.saturating_add(1);
    }
}

fn friends_command(friends: &mut Friends, follows: &[Follow], command: Command, out: &mut Vec<Effect>) {
    let known = |id: &FollowId| follows.iter().any(|follow| follow.id == *id);
    match command {
        Command::OpenConversation { follow } if known(&follow) => {
            friends.open = Some(ConversationView { follow: follow.clone(), texts: Vec::new(), loading: true, sending: false });
            out.push(Effect::FetchTexts(follow));
        }
        Command::CloseConversation => friends.open = None,
        Command::Write { text } => {
            if let Some(open) = friends.open.as_mut().filter(|open| !open.sending && is_text(text.reveal())) {
                open.sending = true;
                out.push(Effect::Write { follow: open.follow.clone(), text: Private::new(text.reveal().trim().to_owned()) });
            }
        }
        Command::Unfollow { follow } if known(&follow) => out.push(Effect::Unfollow(follow)),
        Command::BlockFollow { follow } if known(&follow) => out.push(Effect::BlockFollow(follow)),
        _ => {}
    }
}

/// In its place, once.
fn add(texts: &mut Vec<Text>, text: Text) {
    if let Err(at) = texts.binary_search_by_key(&text.number, |text| text.number) {
        texts.insert(at, text);
    }
    let over = texts.len().saturating_sub(TEXTS_SHOWN);
    texts.drain(..over);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_in_order_and_once() {
        let text = |number| Text { number, own: false, text: Private::default(), sent_at: 0 };
        let mut texts = Vec::new();
        for number in [2, 1, 2, 4, 3] {
            add(&mut texts, text(number));
        }
        assert_eq!(texts.iter().map(|text| text.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
        for number in 5..300 {
            add(&mut texts, text(number));
        }
        assert_eq!((texts.len(), texts[0].number), (TEXTS_SHOWN, 200));
    }
}
