//! Access tokens: opaque, short, known only as hashes, kept in memory. A restart makes every app refresh.

use crate::random;
use crate::store::AccountId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Debug)]
struct Grant {
    account: AccountId,
    /// The sign-in that this token and its refresh token descend from.
    family: String,
    until: Instant,
}

pub struct AccessTokens {
    lasts: Duration,
    grants: Mutex<HashMap<String, Grant>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Granted { account: AccountId, family: String },
    Expired,
    Unknown,
}

impl AccessTokens {
    pub fn new(lasts: Duration) -> Self {
        Self { lasts, grants: Mutex::default() }
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

    pub fn revoke_family(&self, family: &str) {
        self.grants().retain(|_, grant| grant.family != family);
    }

    pub fn revoke_account(&self, account: AccountId) {
        self.grants().retain(|_, grant| grant.account != account);
    }

    fn grants(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
