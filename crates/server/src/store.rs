//! What lasts. One trait and one file of statements a topic; each method is one transaction. The suite in `contract` runs over
//! every engine.
//!
//! | topic | trait | statements | contract |
//! |---|---|---|---|
//! | people, their profile, what the meeting room asks of them | [`Accounts`] | `sql/accounts` | `contract/accounts` |
//! | refresh tokens | [`Tokens`] | `sql/tokens` | `contract/tokens` |
//! | matches and what was said of them | [`Matches`] | `sql/matches` | `contract/matches` |
//! | reports, measures, appeals, the audit log | [`Safety`] | `sql/safety`, `sql/audit` | `contract/safety` |
//! | what is kept of a person, and until when | [`Keeping`] | `sql/keeping` | `contract/keeping` |
//! | what people who follow each other write | [`Texts`] | `sql/texts` | `contract/texts` |
//! | whom somebody met, blocks | [`HistoryOf`] | `sql/history` | `contract/history` |
//! | pictures of profiles | [`Pictures`] | `sql/pictures` | `contract/pictures` |
//! | follows | [`Follows`] | `sql/follows` | `contract/follows` |
//! | who is in which match right now, on any node | [`Engagements`] | `sql/engagements` | `contract/engagements` |
//! | what the matcher learns from and learnt | [`Learning`] | `sql/learning` | `contract/learning` |
//! | who leads which pool | [`Lease`] | `sql/leases` | `contract/leases` |
//! | on which node somebody's socket is | [`Seats`] | `sql/seats` | `contract/seats` |

mod accounts;
#[cfg(test)]
mod contract;
mod engagements;
mod follows;
mod history;
mod keeping;
mod learning;
mod leases;
mod matches;
mod pictures;
pub mod safety;
mod seats;
mod sql;
mod texts;
mod tokens;

pub use accounts::{Account, Accounts, Entrant, SignedIn};
pub use engagements::{Committed, Engagements, Fence, TakenOver};
pub use follows::Follows;
pub use history::HistoryOf;
pub use keeping::Keeping;
pub use learning::Learning;
pub use leases::{Lease, LeaseRow};
pub use matches::{MatchWrite, Matches, Parted, RunningMatch, SightFact};
pub use pictures::Pictures;
pub use safety::Safety;
pub use seats::{Seat, Seats};
pub use sql::SqlStore;
pub use texts::Texts;
pub use tokens::{Rotation, Tokens};

use async_trait::async_trait;
use uuid::Uuid;

/// Random; never leaves the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub Uuid);

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database cannot be used: {0}")]
    Engine(#[from] sqlx::Error),
    #[error("the database could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    #[error("the database holds a value that this version cannot read: {0}")]
    Content(&'static str),
    #[error("the address of the database cannot be used: {0}")]
    Address(&'static str),
}

impl StoreError {
    /// The disk is full, or the file may not grow: asked again later it may work.
    pub fn has_no_room(&self) -> bool {
        // https://sqlite.org/rescode.html: SQLITE_FULL and SQLITE_IOERR_WRITE; PostgreSQL: disk_full.
        let Self::Engine(sqlx::Error::Database(error)) = self else { return false };
        matches!(error.code().as_deref(), Some("13" | "778" | "53100"))
    }
}

pub type StoreResult<T> = Result<T, StoreError>;

/// Whether an engine can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Well,
    /// It answers, and can keep nothing.
    NoRoom,
    Away,
}

/// All topics of one engine.
#[async_trait]
pub trait Store:
    Accounts
    + Tokens
    + Matches
    + Follows
    + HistoryOf
    + Texts
    + Safety
    + Keeping
    + Engagements
    + Learning
    + Lease
    + Pictures
    + Seats
    + Send
    + Sync
    + 'static
{
    /// By a small write, within about a second.
    async fn condition(&self) -> Condition;

    async fn close(&self);
}
