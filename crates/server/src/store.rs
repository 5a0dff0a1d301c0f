//! What lasts: accounts, refresh tokens, matches, follows. The trait is the seam for another engine; each method is one
//! transaction.

mod sql;

pub use sql::SqlStore;

use async_trait::async_trait;
use uuid::Uuid;
use visavis_wire::Private;
use visavis_wire::http::Follow;
use visavis_wire::people::Profile;
use visavis_wire::socket::{EndReason, MatchId};

/// Random; never leaves the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub Uuid);

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
    /// Points of [`crate::conduct`].
    pub conduct: u32,
}

/// What one of the two of a match said of it at its end; see `ClientMessage::SawCovered`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightFact {
    pub match_id: MatchId,
    pub reporter: AccountId,
    pub peer: AccountId,
    pub saw_s: u32,
    pub told_s: u32,
}

/// A match that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningMatch {
    pub id: MatchId,
    pub a: AccountId,
    pub b: AccountId,
    pub a_offers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The new token is stored.
    Done(AccountId),
    Unknown,
    Expired,
    /// The token had served before: somebody has a copy, so the whole family is revoked.
    Reused,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database cannot be used: {0}")]
    Engine(#[from] sqlx::Error),
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the database holds a value that this version cannot read: {0}")]
    Content(&'static str),
}

pub type StoreResult<T> = Result<T, StoreError>;

#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Finds or makes the account of (issuer, subject).
    async fn sign_in(&self, signed_in: SignedIn) -> StoreResult<AccountId>;

    /// Takes the adult flag away from an account whose issuer no longer vouches for it, and its refresh tokens. `None`: there is
    /// no such account.
    async fn withdraw_adult(&self, issuer: &str, subject_hash: &str, at: i64) -> StoreResult<Option<AccountId>>;

    async fn account(&self, id: AccountId) -> StoreResult<Option<Account>>;

    /// Keeps the stored values of age and sign.
    async fn set_profile(&self, id: AccountId, profile: Profile) -> StoreResult<Option<Account>>;

    async fn add_refresh_token(&self, account: AccountId, family: &str, token_hash: &str, expires_at: i64) -> StoreResult<()>;

    async fn rotate(&self, old_hash: &str, new_hash: &str, now: i64, expires_at: i64) -> StoreResult<(Rotation, Option<String>)>;

    async fn revoke_family(&self, family: &str) -> StoreResult<()>;

    async fn entrant(&self, id: AccountId, recent: u32, now: i64) -> StoreResult<Option<Entrant>>;

    /// Asked at the moment of pairing: both still exist and both are verified adults.
    async fn both_adults(&self, a: AccountId, b: AccountId) -> StoreResult<bool>;

    async fn match_began(&self, running: &RunningMatch, at: i64) -> StoreResult<()>;

    /// Those that began since then and have not ended.
    async fn running_matches(&self, since: i64) -> StoreResult<Vec<RunningMatch>>;

    async fn match_ended(&self, id: &MatchId, how: EndReason, at: i64) -> StoreResult<()>;

    /// Idempotent; the first word of each about a match counts. What is too old to count is forgotten.
    async fn log_sight(&self, fact: &SightFact, at: i64) -> StoreResult<()>;

    /// Idempotent; the first time of following counts.
    async fn add_follow(&self, a: AccountId, b: AccountId, at: i64) -> StoreResult<()>;

    /// Newest first, `online` always false: the meeting room knows that.
    async fn follows(&self, of: AccountId) -> StoreResult<Vec<(AccountId, Follow)>>;

    async fn close(&self);
}
