//! Accounts in SQL.

use super::tokens::end_all_of;
use super::{SqlStore, account_id, text};
use crate::conduct::{self, Covered};
use crate::store::{Account, AccountId, Accounts, Entrant, SignedIn, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;
use visavis_wire::Private;
use visavis_wire::people::Profile;

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

pub fn profile_to_text(profile: &Profile) -> StoreResult<String> {
    serde_json::to_string(profile).map_err(|_| StoreError::Content("profile"))
}

pub fn profile_from_text(text: &str) -> StoreResult<Profile> {
    serde_json::from_str(text).map_err(|_| StoreError::Content("profile"))
}

pub fn account(row: &AnyRow) -> StoreResult<Account> {
    Ok(Account {
        id: account_id(row.try_get::<String, _>("id")?.as_str())?,
        username: Private::new(row.try_get("username")?),
        adult: row.try_get::<i64, _>("adult")? != 0,
        profile: profile_from_text(row.try_get::<String, _>("profile")?.as_str())?,
    })
}

#[async_trait]
impl Accounts for SqlStore {
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
        sqlx::query(
            "UPDATE accounts SET username = $1, adult = $2, checked_at = $3, checked_how = $4 \
             WHERE issuer = $5 AND subject_hash = $6",
        )
        .bind(who.username.reveal())
        .bind(i64::from(who.adult))
        .bind(who.checked_at)
        .bind(who.checked_how)
        .bind(&who.issuer)
        .bind(&who.subject_hash)
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
        sqlx::query("UPDATE accounts SET profile = $1 WHERE id = $2")
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
        let Some(row) = row else { return Ok(None) };
        let id: String = row.try_get("id")?;
        end_all_of(&mut transaction, &id, false, at).await?;
        sqlx::query("DELETE FROM refresh_tokens WHERE account = $1").bind(&id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        account_id(&id).map(Some)
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
        profile.picture.value = known.profile.picture.value;
        sqlx::query("UPDATE accounts SET profile = $1 WHERE id = $2")
            .bind(profile_to_text(&profile)?)
            .bind(text(id))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        known.profile = profile;
        Ok(Some(known))
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
        let (blocked, log) = (self.blocked(id).await?, self.activity(id).await?);
        Ok(Some(Entrant { adult: known.adult, profile: known.profile, recent, blocked, conduct, log }))
    }
}
