//! People: who they are at the issuer, whether they are adults, their profile, and what the meeting room asks of them.

use super::{AccountId, StoreResult};
use async_trait::async_trait;
use visavis_wire::Private;
use visavis_wire::people::Profile;

#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub username: Private<String>,
    /// Proven by the issuer at the latest sign-in.
    pub adult: bool,
    pub profile: Profile,
}

/// What a successful sign-in says of a person.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub issuer: String,
    pub subject_hash: String,
    pub username: Private<String>,
    pub adult: bool,
    /// Which claim proved it.
    pub checked_how: &'static str,
    pub checked_at: i64,
    /// Fills a new account's profile. Of an old one, age and sign alone are brought up to date.
    pub profile: Profile,
}

/// What the meeting room needs of somebody who wants to join.
#[derive(Clone, Debug)]
pub struct Entrant {
    pub adult: bool,
    pub profile: Profile,
    /// Newest first, at most as many as were asked for.
    pub recent: Vec<AccountId>,
    /// Whom this person blocked or was blocked by.
    pub blocked: Vec<AccountId>,
    /// Points of [`crate::conduct`].
    pub conduct: u32,
    /// Sums of past meetings; private.
    pub log: visavis_matching::Log,
}

#[async_trait]
pub trait Accounts: Send + Sync {
    /// Finds or makes the account of (issuer, subject).
    async fn sign_in(&self, signed_in: SignedIn) -> StoreResult<AccountId>;

    /// Takes the adult flag away from an account whose issuer no longer vouches for it, and its refresh tokens. `None`: there is
    /// no such account.
    async fn withdraw_adult(&self, issuer: &str, subject_hash: &str, at: i64) -> StoreResult<Option<AccountId>>;

    async fn account(&self, id: AccountId) -> StoreResult<Option<Account>>;

    /// Keeps the stored values of age and sign.
    async fn set_profile(&self, id: AccountId, profile: Profile) -> StoreResult<Option<Account>>;

    async fn entrant(&self, id: AccountId, recent: u32, now: i64) -> StoreResult<Option<Entrant>>;
}
