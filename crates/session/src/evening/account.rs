//! Signing in and out, the profile, and what the server's refusals mean for the page.

use super::{Account, Effect, Evening, Kind, Room, START_AGAIN, SignedIn, Socket, Stage};
use crate::view::Notice;
use crate::{Command, Event};
use std::time::Duration;
use visavis_wire::Private;
use visavis_wire::http::{Me, Refusal, RefusalCode};
use visavis_wire::people::{PeerCard, Profile};
use visavis_wire::socket::MatchId;

/// Why the server did not do what it was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    Unreachable {
        host: String,
    },
    Malformed,
    Refused(Refusal),
    /// The sign-in is over: the refresh token was refused.
    SignedOut(Refusal),
}

impl Evening {
    pub(super) fn retry(&mut self, out: &mut Vec<Effect>) {
        self.notice = None;
        self.attempts.all();
        [Kind::Camera, Kind::Microphone, Kind::Speaker].into_iter().for_each(|kind| self.plugs.of(kind).tried());
        match &mut self.stage {
            Stage::Starting { retry_at } => {
                *retry_at = None;
                out.push(Effect::Restore);
            }
            Stage::Welcome => {
                self.stage = Stage::SigningIn;
                out.push(Effect::SignIn);
            }
            Stage::SigningIn | Stage::Server(_) => {}
            Stage::SignedIn(signed_in) => {
                if !signed_in.online {
                    out.push(Effect::OpenSocket);
                }
                match signed_in.room {
                    Room::Friends(_) => out.push(Effect::FetchFollows),
                    Room::History { .. } => out.push(Effect::FetchHistory),
                    Room::Profile { .. } => out.push(Effect::FetchCard),
                    _ => {}
                }
            }
        }
    }

    pub(super) fn account_command(&mut self, command: &Command, out: &mut Vec<Effect>) {
        match (command, &self.stage) {
            (Command::SignIn, Stage::Welcome | Stage::Starting { .. }) => {
                self.notice = None;
                self.stage = Stage::SigningIn;
                out.push(Effect::SignIn);
            }
            (Command::CancelSignIn, Stage::SigningIn) => {
                self.notice = None;
                self.stage = Stage::Welcome;
                out.push(Effect::CancelSignIn);
            }
            (Command::SignOut, Stage::SignedIn(_)) => {
                self.drop_match(out);
                self.forget_care(out);
                self.stage = Stage::Welcome;
                self.notice = None;
                out.push(Effect::CloseSocket);
                out.push(Effect::SignOut);
            }
            _ => {}
        }
    }

    pub(super) fn save_profile(&mut self, profile: Profile, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Room::Profile { saving } = &mut signed_in.room else { return };
        if let Err(field) = profile.check() {
            let message = format!("The field \"{field}\" is too long or holds characters that cannot be shown.");
            self.notice = Some(Notice::Refused { code: RefusalCode::BadRequest, message });
            return;
        }
        *saving = true;
        out.push(Effect::SaveProfile(Box::new(profile)));
    }

    pub(super) fn picture_command(&mut self, command: Command, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let Room::Profile { saving } = &mut signed_in.room else { return };
        if *saving {
            return;
        }
        *saving = true;
        signed_in.picture = None;
        out.push(match command {
            Command::SetPicture { file } => Effect::SetPicture(file),
            _ => Effect::RemovePicture,
        });
    }

    fn picture_came(&mut self, of: Option<&MatchId>, jpeg: Option<Private<String>>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        match (of, &mut signed_in.room) {
            (None, _) => signed_in.picture = jpeg,
            (Some(of), Room::Offered(offered)) if offered.match_id == *of => offered.picture = jpeg,
            _ => {}
        }
    }

    pub(super) fn account(&mut self, account: Account, now: Duration, out: &mut Vec<Effect>) {
        match account {
            Account::NoStoredSignIn => {
                if matches!(self.stage, Stage::Starting { .. }) {
                    self.stage = Stage::Welcome;
                }
            }
            Account::SignedIn(me) => self.signed_in(*me, out),
            Account::KeyringMissing => self.notice = Some(Notice::KeyringMissing),
            Account::BrowserWanted { url } => {
                if matches!(self.stage, Stage::SigningIn) {
                    out.push(Effect::Emit(Event::OpenBrowser { url }));
                }
            }
            Account::SignInTimedOut => {
                if matches!(self.stage, Stage::SigningIn) {
                    self.stage = Stage::Welcome;
                    self.notice = Some(Notice::SignInTimedOut);
                }
            }
            Account::ProfileSaved(me) => self.profile_saved(*me, out),
            Account::Card(card) => {
                if let Stage::SignedIn(signed_in) = &mut self.stage {
                    signed_in.card = card;
                }
            }
            Account::Picture { of, jpeg } => self.picture_came(of.as_ref(), jpeg),
            Account::Follows(_)
            | Account::Texts { .. }
            | Account::Written { .. }
            | Account::History(_)
            | Account::FollowEnded
            | Account::Blocked => self.after_account(account, out),
            Account::Care(care) => self.care(care, out),
            Account::Failed(failure) => self.failed(failure, now, out),
        }
    }

    /// A cancelled sign-in may still finish; then the page is `Welcome` and the answer comes too late.
    fn signed_in(&mut self, me: Me, out: &mut Vec<Effect>) {
        if !matches!(self.stage, Stage::Starting { .. } | Stage::SigningIn) {
            return;
        }
        if !matches!(self.notice, Some(Notice::KeyringMissing)) {
            self.notice = None;
        }
        let room = if me.profile.languages.value.is_empty() { Room::Profile { saving: false } } else { Room::Mirror };
        let card = PeerCard::default();
        self.stage = Stage::SignedIn(Box::new(SignedIn {
            username: me.username,
            profile: me.profile,
            card,
            picture: None,
            online: false,
            leave_later: None,
            unread: 0,
            follows: Vec::new(),
            ring: None,
            room,
        }));
        out.push(Effect::OpenSocket);
        out.push(Effect::FetchCard);
        self.fetch_care(out);
    }

    /// Saving leads on to the mirror the first time, when the profile was what was missing.
    fn profile_saved(&mut self, me: Me, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &mut self.stage else { return };
        let first = signed_in.profile.languages.value.is_empty();
        signed_in.profile = me.profile;
        if let Room::Profile { saving } = &mut signed_in.room {
            *saving = false;
            if first && !signed_in.profile.languages.value.is_empty() {
                signed_in.room = Room::Mirror;
            }
        }
        if signed_in.profile.picture.value && signed_in.picture.is_none() {
            out.push(Effect::FetchPicture(None));
        }
        out.push(Effect::FetchCard);
    }

    fn failed(&mut self, failure: Failure, now: Duration, out: &mut Vec<Effect>) {
        if let Stage::SignedIn(signed_in) = &mut self.stage
            && let Room::Profile { saving } = &mut signed_in.room
        {
            *saving = false;
        }
        self.care_failed();
        self.after_failure();
        match failure {
            Failure::Unreachable { host } => {
                self.notice = Some(Notice::ServerUnreachable { host });
                self.not_started(now);
            }
            Failure::Malformed => {
                self.malformed += 1;
                self.notice = Some(Notice::ServerMalformed);
                self.not_started(now);
            }
            Failure::Refused(refusal) => {
                self.not_started(now);
                self.refused(refusal);
            }
            Failure::SignedOut(refusal) => {
                self.drop_match(out);
                if matches!(self.stage, Stage::SignedIn(_)) {
                    out.push(Effect::CloseSocket);
                }
                self.stage = Stage::Welcome;
                self.refused(refusal);
            }
        }
    }

    /// The attempt to begin failed: the start page tries again by itself, a sign-in goes back to where it was asked for.
    fn not_started(&mut self, now: Duration) {
        match &mut self.stage {
            Stage::Starting { retry_at } => *retry_at = Some(now + START_AGAIN),
            Stage::SigningIn => self.stage = Stage::Welcome,
            Stage::Server(_) | Stage::Welcome | Stage::SignedIn(_) => {}
        }
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.notice = Some(match refusal.code {
            RefusalCode::Replaced => Notice::SignedInElsewhere,
            RefusalCode::ShuttingDown => Notice::ServerLost,
            code => Notice::Refused { code, message: refusal.message },
        });
    }

    pub(super) fn socket(&mut self, socket: Socket, now: Duration, out: &mut Vec<Effect>) {
        match socket {
            Socket::Message(message) => self.message(*message, now, out),
            Socket::Malformed => {
                self.malformed += 1;
                tracing::warn!(count = self.malformed, "a message of the server could not be read");
                self.notice = Some(Notice::ServerMalformed);
            }
            Socket::Down => {
                if let Stage::SignedIn(signed_in) = &mut self.stage {
                    signed_in.online = false;
                    self.offer_lost(now, out);
                    self.drop_ring(false, out);
                    self.notice = Some(Notice::ServerLost);
                }
            }
            Socket::Failed(failure) => {
                if let Stage::SignedIn(signed_in) = &mut self.stage {
                    signed_in.online = false;
                    self.failed(failure, now, out);
                }
            }
        }
    }
}
