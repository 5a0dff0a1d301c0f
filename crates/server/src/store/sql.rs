//! The store over sqlx's `Any` driver: SQLite for one machine, PostgreSQL for many. The address chooses the engine, the
//! statements are the same: TEXT and BIGINT alone, `$1` for arguments, `ON CONFLICT`.
//!
//! A transaction that reads before it writes begins with a statement that writes: on SQLite that takes the one write lock, on
//! PostgreSQL the lock of the row, so that two at once come one after the other on both.

mod accounts;
mod audit;
mod engagements;
mod follows;
#[cfg(test)]
mod full;
mod history;
mod keeping;
mod learning;
mod leases;
mod matches;
mod pictures;
mod safety;
mod seats;
mod texts;
mod tokens;

use super::{AccountId, Condition, Store, StoreError, StoreResult};
use async_trait::async_trait;
use sqlx::any::AnyPoolOptions;
use sqlx::{AnyPool, Executor};
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// SQLite has one writer at a time; more connections only serve readers.
const SQLITE_CONNECTIONS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 16;
/// An engine that is away for longer fails whoever asks.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

const ANSWERS_WITHIN: Duration = Duration::from_secs(1);

pub struct SqlStore {
    pool: AnyPool,
}

impl SqlStore {
    /// Makes the file where there is none and brings its tables up to date.
    pub async fn open_file(path: &Path) -> StoreResult<Self> {
        let mut url = url::Url::parse("sqlite:///").map_err(|_| StoreError::Content("address"))?;
        // The path of an address is absolute, whatever the path of the file was.
        let path = std::path::absolute(path).map_err(sqlx::Error::Io)?;
        url.set_path(&path.to_string_lossy());
        url.set_query(Some("mode=rwc"));
        let options = AnyPoolOptions::new().max_connections(SQLITE_CONNECTIONS).after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("PRAGMA busy_timeout = 5000").await?;
                connection.execute("PRAGMA journal_mode = WAL").await?;
                connection.execute("PRAGMA synchronous = NORMAL").await?;
                connection.execute("PRAGMA foreign_keys = ON").await?;
                Ok(())
            })
        });
        // Where a COMMIT fails and its ROLLBACK too, as on a full disk, the connection stays in its transaction: it would keep all others
        // from writing, and what is written through it later would be acknowledged and never be there. Such a one is closed.
        let options = options.after_release(|connection, _| {
            Box::pin(async move {
                let was_in_transaction = connection.execute("ROLLBACK").await.is_ok();
                Ok(!was_in_transaction)
            })
        });
        Self::open(options, url.as_str()).await
    }

    /// A consistent copy of a database that may be in use; the copy is one file without a journal.
    pub async fn copy_file(from: &Path, to: &Path) -> StoreResult<()> {
        let store = Self::open_file(from).await?;
        let to = std::path::absolute(to).map_err(sqlx::Error::Io)?;
        let copied = sqlx::query("VACUUM INTO $1").bind(to.to_string_lossy().into_owned()).execute(&store.pool).await;
        store.pool.close().await;
        copied?;
        Ok(())
    }

    /// Brings a copy up to date and looks through all of it.
    pub async fn check_file(path: &Path) -> StoreResult<()> {
        let store = Self::open_file(path).await?;
        let row = sqlx::query("PRAGMA integrity_check").fetch_one(&store.pool).await;
        // Leaves one file without a journal behind.
        let settled = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&store.pool).await;
        store.pool.close().await;
        let said: String = sqlx::Row::try_get(&row?, 0)?;
        settled?;
        if said == "ok" { Ok(()) } else { Err(StoreError::Content("a page of the database")) }
    }

    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. The database is there already; its tables are brought up to date.
    pub async fn open_postgres(url: &str) -> StoreResult<Self> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::Address("it does not begin with postgres://"));
        }
        Self::open(AnyPoolOptions::new().max_connections(POSTGRES_CONNECTIONS), url).await
    }

    async fn open(options: AnyPoolOptions, url: &str) -> StoreResult<Self> {
        sqlx::any::install_default_drivers();
        let pool = options.acquire_timeout(CONNECT_WITHIN).connect(url).await?;
        sqlx::migrate!().run(&pool).await?;
        Ok(Self { pool })
    }
}

fn text(id: AccountId) -> String {
    id.0.to_string()
}

fn account_id(text: &str) -> StoreResult<AccountId> {
    Uuid::parse_str(text).map(AccountId).map_err(|_| StoreError::Content("account id"))
}

#[async_trait]
impl Store for SqlStore {
    async fn condition(&self) -> Condition {
        let written = sqlx::query("UPDATE room SET tries = tries + 1").execute(&self.pool);
        match tokio::time::timeout(ANSWERS_WITHIN, written).await.map(|done| done.map_err(StoreError::Engine)) {
            Ok(Ok(_)) => Condition::Well,
            Ok(Err(error)) if error.has_no_room() => Condition::NoRoom,
            Ok(Err(_)) | Err(_) => Condition::Away,
        }
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
