//! Backup and restore of a server that keeps its data in SQLite: the database, consistent while the server runs, and the secret
//! without which nobody would be recognised.

use crate::store::{SqlStore, StoreError};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

pub(crate) const DATABASE: &str = "visavis.db";
pub(crate) const SECRET: &str = "secret.key";
/// Locked for as long as a server or a restore works on the folder.
const LOCK: &str = "visavis.lock";

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("there is no server's data in {}", .0.display())]
    NoData(PathBuf),
    #[error("there is no backup in {}", .0.display())]
    NoBackup(PathBuf),
    #[error("{} exists already; a backup is written into a new folder", .0.display())]
    Exists(PathBuf),
    #[error("{} is in use by a running server; stop it first", .0.display())]
    InUse(PathBuf),
    #[error("{} holds data already; move them away first, or give --replace", .0.display())]
    HoldsData(PathBuf),
    #[error("{} cannot be used: {why}", .path.display())]
    File { path: PathBuf, why: std::io::Error },
    #[error("the database of the backup is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn at<T>(path: &Path, result: std::io::Result<T>) -> Result<T, BackupError> {
    result.map_err(|why| BackupError::File { path: path.to_owned(), why })
}

/// The only one at work on that folder, for as long as the result lives.
pub(crate) fn lock(folder: &Path) -> Result<File, BackupError> {
    let path = folder.join(LOCK);
    let file = at(&path, File::options().create(true).truncate(false).write(true).open(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::InUse(folder.to_owned())),
        Err(TryLockError::Error(why)) => Err(BackupError::File { path, why }),
    }
}

/// Works beside a running server. `into` is a new folder; it is complete or not there.
pub async fn backup(data: &Path, into: &Path) -> Result<(), BackupError> {
    if !data.join(DATABASE).is_file() || !data.join(SECRET).is_file() {
        return Err(BackupError::NoData(data.to_owned()));
    }
    if into.exists() {
        return Err(BackupError::Exists(into.to_owned()));
    }
    let mut name = into.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = into.with_file_name(name);
    if new.exists() {
        at(&new, std::fs::remove_dir_all(&new))?;
    }
    at(&new, std::fs::create_dir_all(&new))?;
    for_this_user_alone(&new)?;
    let copied = SqlStore::copy_file(&data.join(DATABASE), &new.join(DATABASE)).await;
    if let Err(error) = copied {
        // What is there of it is of no use.
        let _ = std::fs::remove_dir_all(&new);
        return Err(error.into());
    }
    at(&new, std::fs::copy(data.join(SECRET), new.join(SECRET)))?;
    for file in [DATABASE, SECRET] {
        let path = new.join(file);
        at(&path, File::open(&path).and_then(|file| file.sync_all()))?;
    }
    at(into, std::fs::rename(&new, into))
}

/// Into a folder without a running server. `replace`: data that are there are overwritten.
pub async fn restore(from: &Path, data: &Path, replace: bool) -> Result<(), BackupError> {
    if !from.join(DATABASE).is_file() || !from.join(SECRET).is_file() {
        return Err(BackupError::NoBackup(from.to_owned()));
    }
    at(data, std::fs::create_dir_all(data))?;
    let _lock = lock(data)?;
    if data.join(DATABASE).exists() && !replace {
        return Err(BackupError::HoldsData(data.to_owned()));
    }
    let new = data.join("visavis.db.new");
    at(&new, std::fs::copy(from.join(DATABASE), &new))?;
    if let Err(error) = SqlStore::check_file(&new).await {
        let _ = std::fs::remove_file(&new);
        return Err(BackupError::Damaged(error.to_string()));
    }
    // The journal of the old database must not meet the new one.
    for suffix in ["-wal", "-shm"] {
        for database in [DATABASE, "visavis.db.new"] {
            let journal = data.join(format!("{database}{suffix}"));
            if journal.exists() {
                at(&journal, std::fs::remove_file(&journal))?;
            }
        }
    }
    at(data, std::fs::copy(from.join(SECRET), data.join(SECRET)))?;
    at(&new, File::open(&new).and_then(|file| file.sync_all()))?;
    at(data, std::fs::rename(&new, data.join(DATABASE)))
}

#[cfg(unix)]
fn for_this_user_alone(folder: &Path) -> Result<(), BackupError> {
    use std::os::unix::fs::PermissionsExt;
    at(folder, std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)))
}

#[cfg(not(unix))]
fn for_this_user_alone(_folder: &Path) -> Result<(), BackupError> {
    Ok(())
}
