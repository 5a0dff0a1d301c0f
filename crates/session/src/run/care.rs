//! Carries out what concerns reports, notes, export and deletion.

use super::{Loop, answered};
use crate::evening::Account;
use crate::evening::safety::{Care, Order};
use crate::evidence;
use crate::view::Notice;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use visavis_wire::safety::Report;

/// Beside the diagnostics.
const FILE: &str = "everything-about-me.json";

impl Loop {
    pub(super) fn care(&self, order: Order) {
        match order {
            Order::FetchConfiguration => self.ask(|backend| async move {
                // An older server has none, and takes no pictures.
                backend.configuration().await.ok().map(|known| Account::Care(Care::Configuration(known)))
            }),
            Order::FetchStanding => {
                // Looked for by itself: what fails is tried again later.
                self.ask(
                    |backend| async move { backend.standing().await.ok().map(|found| Account::Care(Care::Standing(found))) },
                );
            }
            Order::ReadNotice(decision) => self.ask(|backend| async move {
                answered(backend.read_notice(&decision).await, |found| Account::Care(Care::Standing(found)))
            }),
            Order::Appeal { decision, text } => self.ask(|backend| async move {
                answered(backend.appeal(&decision, text).await, |found| Account::Care(Care::Standing(found)))
            }),
            Order::Report(draft) => {
                let (kept, now) = (Arc::clone(&self.kept), self.parts.clock.now());
                self.ask(move |backend| async move {
                    let sealed = if draft.with_pictures {
                        let (match_id, key) = (draft.match_id.clone(), draft.key.clone());
                        let seal = move || evidence::sealed(&kept.evidence(now), &match_id, key.as_deref());
                        tokio::task::spawn_blocking(seal).await.ok().flatten()
                    } else {
                        None
                    };
                    let report =
                        Report { match_id: draft.match_id, category: draft.category, text: draft.text, evidence: sealed };
                    answered(backend.report(&report).await, |reported| Account::Care(Care::Reported(reported)))
                });
            }
            Order::Export => {
                let folder = self.parts.profile_dir.clone();
                self.ask(|backend| async move {
                    let held = match backend.export().await {
                        Ok(held) => held,
                        Err(failure) => return Some(Account::Failed(failure)),
                    };
                    let written = tokio::task::spawn_blocking(move || write(&held, &folder)).await.ok()?;
                    Some(Account::Care(Care::Exported(written)))
                });
            }
            Order::OfferDeletion => self.ask(|backend| async move {
                answered(backend.offer_deletion().await, |offer| Account::Care(Care::DeletionOffered(offer)))
            }),
            Order::Delete(confirmation) => self.ask(|backend| async move {
                answered(backend.delete(confirmation).await, |deleted| Account::Care(Care::Deleted(deleted)))
            }),
            Order::ForgetPictures => self.kept.forget(),
        }
    }
}

fn write(held: &serde_json::Value, folder: &Path) -> Notice {
    let path = folder.join(FILE);
    match put(held, folder, &path) {
        Ok(()) => {
            let path: PathBuf = std::path::absolute(&path).unwrap_or(path);
            Notice::DataExported { path: path.display().to_string() }
        }
        Err(error) => Notice::DataNotExported { detail: error.to_string() },
    }
}

/// For this user's eyes.
fn put(held: &serde_json::Value, folder: &Path, path: &Path) -> std::io::Result<()> {
    use std::io::Write;
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&serde_json::to_vec_pretty(held)?)?;
    file.sync_all()
}
