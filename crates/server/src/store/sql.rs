//! The store over sqlx's `Any` driver; the engine is chosen by the URL. Today that is SQLite.

use super::{Account, AccountId, Entrant, Rotation, RunningMatch, SightFact, SignedIn, Store, StoreError, StoreResult};
use crate::conduct::{self, Covered};
use async_trait::async_trait;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, Executor, Row};
use std::path::Path;
use uuid::Uuid;
use visavis_wire::Private;
use visavis_wire::http::Follow;
use visavis_wire::people::Profile;
use visavis_wire::socket::{EndReason, MatchId};

/// SQLite has one writer at a time; more connections only serve readers.
const CONNECTIONS: u32 = 4;

const INSERT_REFRESH_TOKEN: &str =
    "INSERT INTO refresh_tokens (token_hash, family, account, expires_at, used) VALUES ($1, $2, $3, $4, 0)";

pub struct SqlStore {
    pool: AnyPool,
}

impl SqlStore {
    /// Makes the file where there is none and brings its tables up to date.
    pub async fn open_file(path: &Path) -> StoreResult<Self> {
        sqlx::any::install_default_drivers();
        let mut url = url::Url::parse("sqlite:///").map_err(|_| StoreError::Content("address"))?;
        // The path of an address is absolute, whatever the path of the file was.
        let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
        url.set_path(&path.to_string_lossy());
        url.set_query(Some("mode=rwc"));
        let pool = AnyPoolOptions::new()
            .max_connections(CONNECTIONS)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("PRAGMA busy_timeout = 5000").await?;
                    connection.execute("PRAGMA journal_mode = WAL").await?;
                    connection.execute("PRAGMA synchronous = NORMAL").await?;
                    connection.execute("PRAGMA foreign_keys = ON").await?;
                    Ok(())
                })
            })
            .connect(url.as_str())
            .await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self { pool })
    }
}

impl SqlStore {
    /// What was said of this person's camera, each with what the person said that they were told.
    async fn covered(&self, of: AccountId, since: i64) -> StoreResult<Vec<Covered>> {
        let rows = sqlx::query(
            "SELECT theirs.reporter AS partner, theirs.saw_s AS saw_s, own.told_s AS told_s, theirs.logged_at AS logged_at \
             FROM sight_facts theirs JOIN sight_facts own ON own.match_id = theirs.match_id AND own.reporter = theirs.peer \
             WHERE theirs.peer = $1 AND theirs.logged_at >= $2",
        )
        .bind(text(of))
        .bind(since)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Covered {
                    partner: account_id(row.try_get::<String, _>("partner")?.as_str())?,
                    saw_s: row.try_get("saw_s")?,
                    told_s: row.try_get("told_s")?,
                    at: row.try_get("logged_at")?,
                })
            })
            .collect()
    }
}

fn text(id: AccountId) -> String {
    id.0.to_string()
}

fn account_id(text: &str) -> StoreResult<AccountId> {
    Uuid::parse_str(text).map(AccountId).map_err(|_| StoreError::Content("account id"))
}

fn profile_to_text(profile: &Profile) -> StoreResult<String> {
    serde_json::to_string(profile).map_err(|_| StoreError::Content("profile"))
}

fn profile_from_text(text: &str) -> StoreResult<Profile> {
    serde_json::from_str(text).map_err(|_| StoreError::Content("profile"))
}

fn account(row: &AnyRow) -> StoreResult<Account> {
    Ok(Account {
        id: account_id(row.try_get::<String, _>("id")?.as_str())?,
        username: Private::new(row.try_get("username")?),
        adult: row.try_get::<i64, _>("adult")? != 0,
        profile: profile_from_text(row.try_get::<String, _>("profile")?.as_str())?,
    })
}

fn running_match(row: &AnyRow) -> StoreResult<RunningMatch> {
    Ok(RunningMatch {
        id: MatchId(row.try_get("id")?),
        a: account_id(row.try_get::<String, _>("account_a")?.as_str())?,
        b: account_id(row.try_get::<String, _>("account_b")?.as_str())?,
        a_offers: row.try_get::<i64, _>("a_offers")? != 0,
    })
}

fn ended_how(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Left => "left",
        EndReason::Vanished => "vanished",
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn sign_in(&self, who: SignedIn) -> StoreResult<AccountId> {
        let mut transaction = self.pool.begin().await?;
        // The write comes first: it takes the lock before anything is read, so two sign-ins at once make one account.
        sqlx::query(
            "INSERT INTO accounts (id, issuer, subject_hash, username, adult, checked_at, checked_how, profile, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (issuer, subject_hash) DO NOTHING",
        )
        .bind(Uuid::new_v4().to_string())
        .bind(&who.issuer)
        .bind(&who.subject_hash)
        .bind(who.username.reveal())
        .bind(i64::from(who.adult))
        .bind(who.checked_at)
        .bind(who.checked_how)
        .bind(profile_to_text(&who.profile)?)
        .bind(who.checked_at)
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("SELECT id, username, adult, profile FROM accounts WHERE issuer = $1 AND subject_hash = $2")
            .bind(&who.issuer)
            .bind(&who.subject_hash)
            .fetch_one(&mut *transaction)
            .await?;
        let known = account(&row)?;
        let mut profile = known.profile;
        profile.age.value = who.profile.age.value;
        profile.sign.value = who.profile.sign.value;
        sqlx::query(
            "UPDATE accounts SET username = $1, adult = $2, checked_at = $3, checked_how = $4, profile = $5 WHERE id = $6",
        )
        .bind(who.username.reveal())
        .bind(i64::from(who.adult))
        .bind(who.checked_at)
        .bind(who.checked_how)
        .bind(profile_to_text(&profile)?)
        .bind(text(known.id))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(known.id)
    }

    async fn withdraw_adult(&self, issuer: &str, subject_hash: &str, at: i64) -> StoreResult<Option<AccountId>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "UPDATE accounts SET adult = 0, checked_at = $1, checked_how = 'none' WHERE issuer = $2 AND subject_hash = $3",
        )
        .bind(at)
        .bind(issuer)
        .bind(subject_hash)
        .execute(&mut *transaction)
        .await?;
        let row = sqlx::query("SELECT id FROM accounts WHERE issuer = $1 AND subject_hash = $2")
            .bind(issuer)
            .bind(subject_hash)
            .fetch_optional(&mut *transaction)
            .await?;
        let id: Option<String> = row.map(|row| row.try_get("id")).transpose()?;
        sqlx::query("DELETE FROM refresh_tokens WHERE account = $1").bind(id.as_deref()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        id.as_deref().map(account_id).transpose()
    }

    async fn account(&self, id: AccountId) -> StoreResult<Option<Account>> {
        let row = sqlx::query("SELECT id, username, adult, profile FROM accounts WHERE id = $1")
            .bind(text(id))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(account).transpose()
    }

    async fn set_profile(&self, id: AccountId, mut profile: Profile) -> StoreResult<Option<Account>> {
        let mut transaction = self.pool.begin().await?;
        // Takes the write lock before the read, so that a sign-in at the same time cannot be undone by an old value.
        sqlx::query("UPDATE accounts SET id = id WHERE id = $1").bind(text(id)).execute(&mut *transaction).await?;
        let row = sqlx::query("SELECT id, username, adult, profile FROM accounts WHERE id = $1")
            .bind(text(id))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(mut known) = row.as_ref().map(account).transpose()? else {
            return Ok(None);
        };
        profile.age.value = known.profile.age.value;
        profile.sign.value = known.profile.sign.value;
        sqlx::query("UPDATE accounts SET profile = $1 WHERE id = $2")
            .bind(profile_to_text(&profile)?)
            .bind(text(id))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        known.profile = profile;
        Ok(Some(known))
    }

    async fn add_refresh_token(&self, account: AccountId, family: &str, token_hash: &str, expires_at: i64) -> StoreResult<()> {
        sqlx::query(INSERT_REFRESH_TOKEN)
            .bind(token_hash)
            .bind(family)
            .bind(text(account))
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn rotate(&self, old_hash: &str, new_hash: &str, now: i64, expires_at: i64) -> StoreResult<(Rotation, Option<String>)> {
        let mut transaction = self.pool.begin().await?;
        // The one statement that decides which of two simultaneous uses is the first.
        let used = sqlx::query("UPDATE refresh_tokens SET used = 1 WHERE token_hash = $1 AND used = 0")
            .bind(old_hash)
            .execute(&mut *transaction)
            .await?;
        let row = sqlx::query("SELECT family, account, expires_at FROM refresh_tokens WHERE token_hash = $1")
            .bind(old_hash)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else {
            return Ok((Rotation::Unknown, None));
        };
        let family: String = row.try_get("family")?;
        let account: String = row.try_get("account")?;
        let outcome = if used.rows_affected() != 1 {
            sqlx::query("DELETE FROM refresh_tokens WHERE family = $1").bind(&family).execute(&mut *transaction).await?;
            Rotation::Reused
        } else if row.try_get::<i64, _>("expires_at")? <= now {
            Rotation::Expired
        } else {
            sqlx::query(INSERT_REFRESH_TOKEN)
                .bind(new_hash)
                .bind(&family)
                .bind(&account)
                .bind(expires_at)
                .execute(&mut *transaction)
                .await?;
            Rotation::Done(account_id(&account)?)
        };
        sqlx::query("DELETE FROM refresh_tokens WHERE expires_at <= $1").bind(now).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok((outcome, Some(family)))
    }

    async fn revoke_family(&self, family: &str) -> StoreResult<()> {
        sqlx::query("DELETE FROM refresh_tokens WHERE family = $1").bind(family).execute(&self.pool).await?;
        Ok(())
    }

    async fn entrant(&self, id: AccountId, recent: u32, now: i64) -> StoreResult<Option<Entrant>> {
        let Some(known) = self.account(id).await? else {
            return Ok(None);
        };
        let rows = sqlx::query("SELECT partner FROM partners WHERE account = $1 ORDER BY met_at DESC LIMIT $2")
            .bind(text(id))
            .bind(i64::from(recent))
            .fetch_all(&self.pool)
            .await?;
        let recent =
            rows.iter().map(|row| account_id(row.try_get::<String, _>("partner")?.as_str())).collect::<StoreResult<_>>()?;
        let conduct = conduct::points(&self.covered(id, now - conduct::COUNTS_FOR_S).await?, now);
        Ok(Some(Entrant { adult: known.adult, profile: known.profile, recent, conduct }))
    }

    async fn both_adults(&self, a: AccountId, b: AccountId) -> StoreResult<bool> {
        let row = sqlx::query("SELECT COUNT(*) AS adults FROM accounts WHERE adult = 1 AND (id = $1 OR id = $2)")
            .bind(text(a))
            .bind(text(b))
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get::<i64, _>("adults")? == 2)
    }

    async fn running_matches(&self, since: i64) -> StoreResult<Vec<RunningMatch>> {
        let rows = sqlx::query(
            "SELECT id, account_a, account_b, a_offers FROM matches WHERE ended_at IS NULL AND began_at >= $1 ORDER BY id",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(running_match).collect()
    }

    async fn match_began(&self, running: &RunningMatch, at: i64) -> StoreResult<()> {
        let RunningMatch { id, a, b, a_offers } = running;
        let mut transaction = self.pool.begin().await?;
        sqlx::query("INSERT INTO matches (id, account_a, account_b, began_at, a_offers) VALUES ($1, $2, $3, $4, $5)")
            .bind(&id.0)
            .bind(text(*a))
            .bind(text(*b))
            .bind(at)
            .bind(i64::from(*a_offers))
            .execute(&mut *transaction)
            .await?;
        for (one, other) in [(*a, *b), (*b, *a)] {
            sqlx::query(
                "INSERT INTO partners (account, partner, met_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (account, partner) DO UPDATE SET met_at = excluded.met_at",
            )
            .bind(text(one))
            .bind(text(other))
            .bind(at)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn match_ended(&self, id: &MatchId, how: EndReason, at: i64) -> StoreResult<()> {
        sqlx::query("UPDATE matches SET ended_at = $1, ended_how = $2 WHERE id = $3")
            .bind(at)
            .bind(ended_how(how))
            .bind(&id.0)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn log_sight(&self, fact: &SightFact, at: i64) -> StoreResult<()> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(
            "INSERT INTO sight_facts (match_id, reporter, peer, saw_s, told_s, logged_at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (match_id, reporter) DO NOTHING",
        )
        .bind(&fact.match_id.0)
        .bind(text(fact.reporter))
        .bind(text(fact.peer))
        .bind(i64::from(fact.saw_s))
        .bind(i64::from(fact.told_s))
        .bind(at)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM sight_facts WHERE logged_at < $1")
            .bind(at - conduct::COUNTS_FOR_S)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn add_follow(&self, a: AccountId, b: AccountId, at: i64) -> StoreResult<()> {
        sqlx::query("INSERT INTO follows (account_a, account_b, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(text(a.min(b)))
            .bind(text(a.max(b)))
            .bind(at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn follows(&self, of: AccountId) -> StoreResult<Vec<(AccountId, Follow)>> {
        let rows = sqlx::query(
            "SELECT accounts.id AS id, accounts.username AS username, follows.since AS since FROM follows \
             JOIN accounts ON accounts.id = CASE WHEN follows.account_a = $1 THEN follows.account_b ELSE follows.account_a END \
             WHERE follows.account_a = $1 OR follows.account_b = $1 ORDER BY follows.since DESC, accounts.id",
        )
        .bind(text(of))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let follow =
                    Follow { username: Private::new(row.try_get("username")?), since: row.try_get("since")?, online: false };
                Ok((account_id(row.try_get::<String, _>("id")?.as_str())?, follow))
            })
            .collect()
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
#[path = "sql_tests.rs"]
mod tests;
