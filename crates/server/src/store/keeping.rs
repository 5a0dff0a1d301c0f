//! What is held of a person: everything of it can be had, is deleted with the account, and goes by itself when it has served.
//!
//! [`HELD`] names every table with rows about people. A test compares it with the tables that there are, so that a new one is
//! thought of here.

use super::{AccountId, StoreResult};
use crate::config::RetentionDays;
use crate::store::safety::Hand;
use async_trait::async_trait;

/// A table with rows about people.
pub struct Held {
    pub table: &'static str,
    /// Columns with the id of whom a row is about.
    pub of: &'static [&'static str],
    /// Columns of text that its owner is given.
    pub texts: &'static [&'static str],
    pub numbers: &'static [&'static str],
    /// Columns that are about somebody else, or secrets; for the test that every column is thought of.
    #[cfg_attr(not(test), expect(dead_code, reason = "the list is complete, so that it can be checked"))]
    pub withheld: &'static [&'static str],
    /// Deleted at once although a report about the account is open.
    pub goes_at_once: bool,
}

const fn held(table: &'static str, of: &'static [&'static str]) -> Held {
    Held { table, of, texts: &[], numbers: &[], withheld: &[], goes_at_once: true }
}

pub const HELD: &[Held] = &[
    Held {
        texts: &["issuer", "subject_hash", "username", "checked_how", "profile", "zone"],
        numbers: &["adult", "checked_at", "created_at"],
        goes_at_once: false,
        ..held("accounts", &["id"])
    },
    Held { texts: &["jpeg"], numbers: &["set_at"], ..held("pictures", &["account"]) },
    Held { numbers: &["expires_at", "used"], withheld: &["token_hash", "family"], ..held("refresh_tokens", &["account"]) },
    Held {
        texts: &["id", "ended_how"],
        numbers: &["began_at", "ended_at"],
        withheld: &["a_offers", "counted", "friends"],
        goes_at_once: false,
        ..held("matches", &["account_a", "account_b"])
    },
    // Who it was is the partner's own.
    Held { numbers: &["met_at"], withheld: &["partner"], ..held("partners", &["account"]) },
    Held {
        texts: &["match_id"],
        numbers: &["saw_s", "told_s", "logged_at"],
        withheld: &["peer"],
        goes_at_once: false,
        ..held("sight_facts", &["reporter"])
    },
    // What others answered to a blind question stays theirs.
    Held {
        numbers: &["sessions", "seconds", "left_early", "followed"],
        withheld: &["was_left_early", "was_followed"],
        ..held("activity", &["account"])
    },
    // What the other shared, as its owner's history shows it.
    Held { texts: &["match_id", "card"], ..held("match_cards", &["seen_by"]) },
    Held { numbers: &["at"], withheld: &["blocked"], ..held("blocks", &["account"]) },
    // A conversation belongs to both.
    Held { texts: &["text"], numbers: &["number", "by_a", "sent_at"], ..held("texts", &["account_a", "account_b"]) },
    Held { numbers: &["since", "read_a", "read_b"], ..held("follows", &["account_a", "account_b"]) },
    // Of reports about a person the measures that came of them are told; who reported is not.
    Held {
        texts: &["id", "match_id", "category", "text", "match_log", "verdict"],
        numbers: &["made_at", "decide_by", "decided_at"],
        withheld: &["peer"],
        goes_at_once: false,
        ..held("reports", &["reporter"])
    },
    Held {
        texts: &["id", "measure", "reason"],
        numbers: &["made_at", "until", "lifted_at", "read_at"],
        withheld: &["report", "audit_seq"],
        goes_at_once: false,
        ..held("decisions", &["account"])
    },
    Held {
        texts: &["decision", "text", "answer"],
        numbers: &["made_at", "decide_by", "decided_at", "granted"],
        goes_at_once: false,
        ..held("appeals", &["account"])
    },
    Held { numbers: &["asked_at", "held_until"], goes_at_once: false, ..held("leaving", &["account"]) },
    Held {
        texts: &["match_id", "shard", "side"],
        numbers: &["a_offers", "running", "since", "friends"],
        goes_at_once: false,
        ..held("engaged", &["account"])
    },
    Held { texts: &["node"], numbers: &["life", "socket"], goes_at_once: false, ..held("seats", &["account"]) },
];

/// Tables without an owner, and why.
#[cfg(test)]
pub const NOT_HELD: &[(&str, &str)] = &[
    ("ended_sign_ins", "random names of sign-ins that are over, for some days"),
    ("learnt", "a few numbers, moved by everybody's meetings"),
    ("leases", "which node leads what"),
    ("_sqlx_migrations", "versions of the tables"),
    ("evidence", "sealed, by a report; the reporter made it and the server cannot read it"),
    ("kept_bars", "of an account that is gone: a hash and a measure"),
    ("audit", "names random ids alone, and is never changed"),
    ("audit_head", "a number"),
    ("room", "a number"),
];

/// What the janitor deleted, by kind.
pub type Forgotten = Vec<(&'static str, u64)>;

#[async_trait]
pub trait Keeping {
    /// Everything that is held of this person, by table.
    async fn export(&self, account: AccountId) -> StoreResult<serde_json::Value>;

    /// Until when a deletion would be held at the latest: there is an open report about this person.
    async fn held_until(&self, account: AccountId) -> StoreResult<Option<i64>>;

    /// Deletes everything, or what can go at once. What the person is barred from stays with the hash of the sign-in.
    async fn delete_account(&self, account: AccountId, hand: Hand<'_>) -> StoreResult<Option<i64>>;

    /// The account of this sign-in waits for its deletion.
    async fn is_leaving(&self, issuer: &str, subject_hash: &str) -> StoreResult<bool>;

    /// Whoever comes back takes up what they were barred from.
    async fn take_up_bar(&self, account: AccountId, hand: Hand<'_>) -> StoreResult<()>;

    /// One round of the janitor.
    async fn forget(&self, days: &RetentionDays, hand: Hand<'_>) -> StoreResult<Forgotten>;
}
