//! One socket at the node that holds it, and what has to be said of it to a new leader of its pool.

use super::packet::Pool;
use crate::room::{Arrival, Phase};
use crate::store::AccountId;
use visavis_wire::http::RefusalCode;
use visavis_wire::socket::{ClientMessage, MatchId, Question, ServerMessage};

/// Said while nobody leads the pool; more than this a well-behaved app does not say in those seconds.
const HELD: usize = 128;

#[derive(Debug)]
pub struct Seat {
    pub account: AccountId,
    /// Known once the store has said it.
    pub pool: Option<String>,
    /// The leader to whom it has been named.
    pub named_to: Option<Pool>,
    greeted: bool,
    waiting_since_ms: Option<u64>,
    place: Option<(MatchId, Phase)>,
    /// What the person said last of each kind and what may still matter.
    unsettled: Vec<ClientMessage>,
    held: Vec<ClientMessage>,
    /// A call that rings: nobody who wants it waits for strangers because of it.
    rings: Option<MatchId>,
    /// Moved to another pool; back to that of the own language at the next wait.
    guest: bool,
    /// The latest offer that was taken back.
    withdrawn: Option<MatchId>,
    /// The store did not know of it when it was last asked.
    doubted: std::cell::Cell<bool>,
}

impl Seat {
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            pool: None,
            named_to: None,
            greeted: false,
            waiting_since_ms: None,
            place: None,
            unsettled: Vec::new(),
            held: Vec::new(),
            rings: None,
            guest: false,
            withdrawn: None,
            doubted: std::cell::Cell::new(false),
        }
    }

    pub fn arrival(&self, now_ms: u64) -> Arrival {
        if !self.greeted {
            return Arrival::New;
        }
        let place = self.place.clone().map(|(id, phase)| match phase {
            Phase::Offered { .. } => (id.clone(), Phase::Offered { meet: self.said_meet(&id) }),
            phase => (id, phase),
        });
        Arrival::Again { waited_ms: self.waiting_since_ms.map(|since| now_ms.saturating_sub(since)), place }
    }

    /// True when it is doubted twice running: once may be a socket that was written down a moment later.
    pub fn doubted(&self, now: bool) -> bool {
        self.doubted.replace(now && self.pool.is_some()) && now
    }

    /// In a match that has begun, or waiting for its last question.
    pub fn is_in_match(&self) -> bool {
        matches!(self.place, Some((_, Phase::Together | Phase::Parting)))
    }

    pub fn waits(&self) -> bool {
        self.waiting_since_ms.is_some()
    }

    pub fn be_guest(&mut self) {
        self.guest = true;
    }

    pub fn take_guest(&mut self) -> bool {
        std::mem::take(&mut self.guest)
    }

    fn said_meet(&self, id: &MatchId) -> bool {
        if self.rings.as_ref() == Some(id) {
            return false;
        }
        let yes = |said: &ClientMessage| matches!(said, ClientMessage::MatchAnswer { match_id, meet: true } if match_id == id);
        self.unsettled.iter().any(yes)
    }

    /// A "meet" that crossed with the withdrawal of its offer: the app believes that it waits again, so it does.
    pub fn uncrossed(&mut self, message: ClientMessage) -> ClientMessage {
        match &message {
            ClientMessage::MatchAnswer { match_id, meet: true } if self.withdrawn.as_ref() == Some(match_id) => {
                self.withdrawn = None;
                ClientMessage::Join
            }
            _ => message,
        }
    }

    /// To be said again after the arrival.
    pub fn unsettled(&self) -> &[ClientMessage] {
        &self.unsettled
    }

    pub fn hold(&mut self, message: ClientMessage) {
        if self.held.len() < HELD {
            self.held.push(message);
        }
    }

    pub fn take_held(&mut self) -> Vec<ClientMessage> {
        std::mem::take(&mut self.held)
    }

    pub fn said(&mut self, now_ms: u64, message: &ClientMessage) {
        match message {
            ClientMessage::Join if matches!(self.place, Some((_, Phase::Offered { .. } | Phase::Together))) => {}
            ClientMessage::Join => {
                self.waiting_since_ms.get_or_insert(now_ms);
            }
            ClientMessage::CancelWaiting
            | ClientMessage::MatchAnswer { .. }
            | ClientMessage::Answer { .. }
            | ClientMessage::Leave { .. }
            | ClientMessage::SawCovered { .. } => {
                let key = kind(message);
                self.unsettled.retain(|said| kind(said) != key);
                self.unsettled.push(message.clone());
            }
            // Descriptions and candidates cannot be said again out of their order; the app's call recovers by itself.
            _ => {}
        }
    }

    /// What the person is told on the way out. True: the app takes it that it waits from now on.
    pub fn told(&mut self, now_ms: u64, message: &ServerMessage) -> bool {
        match message {
            ServerMessage::Welcome { .. } => self.greeted = true,
            ServerMessage::Waiting { waited_s, .. } => {
                self.waiting_since_ms.get_or_insert(now_ms.saturating_sub(u64::from(*waited_s) * 1000));
            }
            ServerMessage::WaitingEnded => {
                self.waiting_since_ms = None;
                self.unsettled.retain(|said| !matches!(said, ClientMessage::CancelWaiting));
            }
            ServerMessage::MatchOffered { match_id, call, .. } => {
                self.enter(match_id, Phase::Offered { meet: false });
                self.rings = call.as_ref().map(|_| match_id.clone());
            }
            ServerMessage::CallOver { match_id: Some(match_id), .. } => self.part(match_id),
            ServerMessage::MatchBegins { match_id, .. } => {
                let known = matches!(&self.place, Some((id, Phase::Together)) if id == match_id);
                if !known {
                    self.enter(match_id, Phase::Together);
                }
            }
            ServerMessage::MatchEnded { match_id, .. } => self.enter(match_id, Phase::Parting),
            ServerMessage::MatchWithdrawn { match_id } => {
                let waits = self.said_meet(match_id);
                self.part(match_id);
                self.withdrawn = (!waits && self.rings.as_ref() != Some(match_id)).then(|| match_id.clone());
                if waits {
                    self.waiting_since_ms.get_or_insert(now_ms);
                }
                return waits;
            }
            ServerMessage::FollowClosed { match_id } => self.part(match_id),
            ServerMessage::QuestionOpened { match_id, question: Question::Follow } => self.part(match_id),
            ServerMessage::Refused { refusal } => {
                let keeps_waiting = matches!(refusal.code, RefusalCode::BadRequest | RefusalCode::TooManyRequests);
                if !keeps_waiting {
                    self.waiting_since_ms = None;
                }
            }
            _ => {}
        }
        false
    }

    fn enter(&mut self, match_id: &MatchId, phase: Phase) {
        if phase != Phase::Parting {
            self.waiting_since_ms = None;
        }
        // The seconds of a covered camera may be said before or after the end.
        self.unsettled.retain(|said| phase == Phase::Parting && matches!(said, ClientMessage::SawCovered { .. }));
        self.place = Some((match_id.clone(), phase));
    }

    fn part(&mut self, match_id: &MatchId) {
        if self.place.as_ref().is_some_and(|(id, _)| id == match_id) {
            self.place = None;
            self.unsettled.clear();
        }
    }
}

fn kind(message: &ClientMessage) -> (std::mem::Discriminant<ClientMessage>, Option<Question>) {
    let question = match message {
        ClientMessage::Answer { question, .. } => Some(*question),
        _ => None,
    };
    (std::mem::discriminant(message), question)
}
