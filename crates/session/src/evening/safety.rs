//! Reports, notes from the moderators, and what is held of a person: export and deletion. Kept apart from where the person is,
//! because a note may come at any time.

use super::{Effect, Evening, Room, Stage};
use crate::Command;
use crate::view::{CareView, DeletionStep, Notice};
use std::time::Duration;
use visavis_wire::Private;
use visavis_wire::http::RefusalCode;
use visavis_wire::safety::{Category, Configuration, Deleted, DeletionOffer, Reported, Standing, is_report_text};
use visavis_wire::socket::MatchId;

/// What a report consists of; the pictures are added by whoever holds them.
#[derive(Debug)]
pub struct Draft {
    pub match_id: MatchId,
    pub category: Category,
    pub text: Private<String>,
    pub with_pictures: bool,
    pub key: Option<String>,
}

/// What is asked of the server, and of whoever holds the pictures.
#[derive(Debug)]
pub enum Order {
    FetchConfiguration,
    FetchStanding,
    Report(Box<Draft>),
    ReadNotice(String),
    Appeal {
        decision: String,
        text: Private<String>,
    },
    Export,
    OfferDeletion,
    /// With the confirmation that the server gave.
    Delete(Private<String>),
    /// Of the peer, kept for a report.
    ForgetPictures,
}

/// Answers of the server.
#[derive(Debug)]
pub enum Care {
    Configuration(Configuration),
    Standing(Standing),
    Reported(Reported),
    /// A file was written, or not.
    Exported(Notice),
    DeletionOffered(DeletionOffer),
    Deleted(Deleted),
}

#[derive(Default)]
pub(super) struct CareState {
    configuration: Option<Configuration>,
    standing: Standing,
    sending: bool,
    deletion: Option<DeletionOffer>,
    /// Asked for by the first press, not answered yet.
    asking: bool,
    /// When to look for new notes next.
    due: Option<Duration>,
}

impl CareState {
    pub(super) fn view(&self) -> CareView {
        let offers_pictures = self.configuration.as_ref().is_some_and(|known| known.moderation_key.is_some());
        CareView {
            notices: self.standing.notices.clone(),
            sending_report: self.sending,
            offers_pictures,
            evidence_days: self.configuration.as_ref().map_or(0, |known| known.evidence_days),
            deletion: match &self.deletion {
                Some(offer) => DeletionStep::Offered { held_until: offer.held_until },
                None if self.asking => DeletionStep::Asking,
                None => DeletionStep::None,
            },
        }
    }
}

impl Evening {
    pub(super) fn care_command(&mut self, command: Command, out: &mut Vec<Effect>) {
        let Stage::SignedIn(_) = &self.stage else { return };
        match command {
            Command::Report { match_id, category, text, with_pictures } => {
                self.report(match_id, category, text, with_pictures, out)
            }
            Command::ReadNotice { decision } => out.push(Effect::Care(Order::ReadNotice(decision))),
            Command::AskForAnotherLook { decision, text } => self.ask_for_another_look(decision, text, out),
            Command::ExportData => out.push(Effect::Care(Order::Export)),
            Command::AskDeletion => {
                self.care.asking = true;
                out.push(Effect::Care(Order::OfferDeletion));
            }
            Command::CancelDeletion => {
                self.care.deletion = None;
                self.care.asking = false;
            }
            Command::ConfirmDeletion => {
                if let Some(offer) = self.care.deletion.take() {
                    out.push(Effect::Care(Order::Delete(offer.confirmation)));
                }
            }
            _ => {}
        }
    }

    fn ask_for_another_look(&mut self, decision: String, text: String, out: &mut Vec<Effect>) {
        if self.text_fits(&text) {
            out.push(Effect::Care(Order::Appeal { decision, text: Private::new(text) }));
        }
    }

    fn text_fits(&mut self, text: &str) -> bool {
        let fits = is_report_text(text);
        if !fits {
            let message = String::from("The text is longer than 1000 characters, or holds some that cannot be shown.");
            self.notice = Some(Notice::Refused { code: RefusalCode::BadRequest, message });
        }
        fits
    }

    /// Of the session that is, or of the one just over, unless an older one is named.
    fn report(&mut self, named: Option<MatchId>, category: Category, text: String, with_pictures: bool, out: &mut Vec<Effect>) {
        let Stage::SignedIn(signed_in) = &self.stage else { return };
        let current = match &signed_in.room {
            Room::Call(call) => Some(&call.match_id),
            Room::Parting(parting) => Some(&parting.match_id),
            _ => None,
        };
        // Pictures are of the current one alone.
        let with_pictures = with_pictures && (named.is_none() || named.as_ref() == current);
        let Some(match_id) = named.or_else(|| current.cloned()) else { return };
        if self.care.sending || !self.text_fits(&text) {
            return;
        }
        self.care.sending = true;
        let key = self.care.configuration.as_ref().and_then(|known| known.moderation_key.clone());
        let draft = Draft { match_id, category, text: Private::new(text), with_pictures, key };
        out.push(Effect::Care(Order::Report(Box::new(draft))));
    }

    pub(super) fn care(&mut self, care: Care, out: &mut Vec<Effect>) {
        match care {
            Care::Configuration(known) => self.care.configuration = Some(known),
            Care::Standing(standing) => self.care.standing = standing,
            Care::Reported(reported) => {
                self.care.sending = false;
                self.notice = Some(Notice::Reported { decided_by: reported.decided_by });
            }
            Care::Exported(notice) => self.notice = Some(notice),
            Care::DeletionOffered(offer) => {
                if std::mem::take(&mut self.care.asking) {
                    self.care.deletion = Some(offer);
                }
            }
            Care::Deleted(deleted) => {
                self.drop_match(out);
                self.forget_care(out);
                self.stage = Stage::Welcome;
                self.notice = Some(Notice::AccountDeleted { held_until: deleted.held_until });
                out.push(Effect::CloseSocket);
                // The tokens are void; this makes the keyring forget them.
                out.push(Effect::SignOut);
            }
        }
    }

    /// With each sign-in, and whenever the server says that there is something to read.
    pub(super) fn fetch_care(&self, out: &mut Vec<Effect>) {
        out.push(Effect::Care(Order::FetchConfiguration));
        out.push(Effect::Care(Order::FetchStanding));
    }

    /// Nothing of it is the next person's.
    pub(super) fn forget_care(&mut self, out: &mut Vec<Effect>) {
        self.care = CareState::default();
        out.push(Effect::Care(Order::ForgetPictures));
    }

    /// What was under way when the server refused.
    pub(super) fn care_failed(&mut self) {
        self.care.sending = false;
        self.care.asking = false;
    }

    /// A pause or a ban has its words in the standing.
    pub(super) fn look_at_standing(&self, code: RefusalCode, out: &mut Vec<Effect>) {
        if matches!(code, RefusalCode::Paused | RefusalCode::Banned) {
            out.push(Effect::Care(Order::FetchStanding));
        }
    }

    /// A warning that comes during the evening is seen at the latest after so long.
    pub(super) fn tick_care(&mut self, now: Duration, out: &mut Vec<Effect>) {
        const LOOK_EVERY: Duration = Duration::from_secs(120);
        let online = matches!(&self.stage, Stage::SignedIn(signed_in) if signed_in.online);
        match self.care.due {
            // It was looked for at the sign-in.
            None if online => self.care.due = Some(now + LOOK_EVERY),
            Some(due) if online && now >= due => {
                self.care.due = Some(now + LOOK_EVERY);
                out.push(Effect::Care(Order::FetchStanding));
            }
            _ => {}
        }
    }
}
