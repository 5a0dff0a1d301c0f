//! Access tokens: opaque, short, known only as hashes, kept in memory. A restart makes every app refresh. What was opened with one
//! (a socket) outlives it, but not the sign-in it descends from.

use crate::random;
use crate::store::AccountId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use visavis_wire::http::RefusalCode;

#[derive(Clone, Debug)]
struct Grant {
    account: AccountId,
    /// The sign-in that this token and its refresh token descend from.
    family: String,
    until: Instant,
}

/// Sign-ins with an open socket, by family; through the sender their sockets hear of the end.
type Held = HashMap<String, (AccountId, watch::Sender<Option<RefusalCode>>)>;

pub struct AccessTokens {
    lasts: Duration,
    grants: Mutex<HashMap<String, Grant>>,
    held: Mutex<Held>,
}

/// As long as this is held the sign-in is watched.
pub struct SignInEnds(watch::Receiver<Option<RefusalCode>>);

impl SignInEnds {
    /// Returns when the sign-in is revoked, with what its holder is told.
    pub async fn ended(&mut self) -> RefusalCode {
        while self.0.changed().await.is_ok() {
            if let Some(why) = *self.0.borrow_and_update() {
                return why;
            }
        }
        RefusalCode::TokenInvalid
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Granted { account: AccountId, family: String },
    Expired,
    Unknown,
}

impl AccessTokens {
    pub fn new(lasts: Duration) -> Self {
        Self { lasts, grants: Mutex::default(), held: Mutex::default() }
    }

    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    pub fn issue(&self, account: AccountId, family: String) -> String {
        let token = random::token();
        let now = Instant::now();
        let mut grants = self.grants();
        // An expired one is kept for as long again, so that its owner is told that it expired.
        grants.retain(|_, grant| now < grant.until + self.lasts);
        grants.insert(random::hash_hex(&token), Grant { account, family, until: now + self.lasts });
        token
    }

    pub fn check(&self, token: &str) -> Access {
        match self.grants().get(&random::hash_hex(token)) {
            Some(grant) if Instant::now() < grant.until => {
                Access::Granted { account: grant.account, family: grant.family.clone() }
            }
            Some(_) => Access::Expired,
            None => Access::Unknown,
        }
    }

    /// Watches the sign-in of a valid token. No revocation falls between the check and the watch.
    pub fn hold(&self, token: &str) -> Option<SignInEnds> {
        let grants = self.grants();
        let grant = grants.get(&random::hash_hex(token)).filter(|grant| Instant::now() < grant.until)?;
        let mut held = self.held();
        let (_, sender) = held.entry(grant.family.clone()).or_insert_with(|| (grant.account, watch::channel(None).0));
        Some(SignInEnds(sender.subscribe()))
    }

    /// Forgets sign-ins that hold nothing open.
    pub fn tidy(&self) {
        self.held().retain(|_, (_, sender)| sender.receiver_count() > 0);
    }

    pub fn revoke_family(&self, family: &str) {
        self.grants().retain(|_, grant| grant.family != family);
        self.held().remove(family);
    }

    /// The sockets of the account are told `why`.
    pub fn revoke_account(&self, account: AccountId, why: RefusalCode) {
        self.grants().retain(|_, grant| grant.account != account);
        self.held().retain(|_, (holder, sender)| {
            if *holder == account {
                sender.send_replace(Some(why));
            }
            *holder != account
        });
    }

    fn grants(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_holds_a_sign_in_hears_why_it_ended() {
        let access = AccessTokens::new(Duration::from_secs(60));
        let [leaves, stays] = [1, 2].map(|number| AccountId(uuid::Uuid::from_u128(number)));
        let token = access.issue(leaves, String::from("phone"));
        let other = access.issue(leaves, String::from("desk"));
        let stranger = access.issue(stays, String::from("elsewhere"));
        let mut held = access.hold(&token).unwrap();
        let mut signed_out = access.hold(&other).unwrap();
        let mut kept = access.hold(&stranger).unwrap();
        access.revoke_family("desk");
        assert_eq!(signed_out.ended().await, RefusalCode::TokenInvalid);
        access.revoke_account(leaves, RefusalCode::Leaving);
        assert_eq!(held.ended().await, RefusalCode::Leaving);
        assert_eq!(access.check(&token), Access::Unknown);
        assert!(access.hold(&token).is_none());
        assert!(tokio::time::timeout(Duration::from_millis(20), kept.ended()).await.is_err(), "nobody else's ends");
    }
}
