//! Effects that are requests to the server, and what of their answers the evening is told.

use crate::backend::Backend;
use crate::evening::{Account, Effect, Failure};

/// Pictures, and what comes after matches.
pub async fn after(backend: &Backend, effect: Effect) -> Option<Account> {
    match effect {
        Effect::SetPicture(file) => answered(backend.set_picture(file).await, |me| Account::ProfileSaved(Box::new(me))),
        Effect::RemovePicture => answered(backend.remove_picture().await, |me| Account::ProfileSaved(Box::new(me))),
        // A picture that does not come is nobody's trouble.
        Effect::FetchPicture(of) => Some(Account::Picture { jpeg: backend.picture(of.as_ref()).await.ok()?, of }),
        Effect::FetchTexts(follow) => {
            answered(backend.texts(&follow).await, |found| Account::Texts { follow, texts: found.texts })
        }
        Effect::Write { follow, text } => answered(backend.write(&follow, text).await, |text| Account::Written { follow, text }),
        Effect::Unfollow(follow) => answered(backend.unfollow(&follow).await, |()| Account::FollowEnded),
        Effect::BlockFollow(follow) => answered(backend.block_follow(&follow).await, |()| Account::Blocked),
        Effect::FetchHistory => answered(backend.history().await, |found| Account::History(found.sessions)),
        Effect::BlockSession(match_id) => answered(backend.block_session(&match_id).await, |()| Account::Blocked),
        _ => None,
    }
}

pub fn answered<T>(answer: Result<T, Failure>, as_account: impl FnOnce(T) -> Account) -> Option<Account> {
    Some(answer.map_or_else(Account::Failed, as_account))
}

/// A keyring that is missing is told of when there is something to keep, not before.
pub async fn restore(backend: &Backend) -> Option<Account> {
    match backend.load().await {
        Ok(true) => answered(backend.me().await, |me| Account::SignedIn(Box::new(me))),
        Ok(false) | Err(_) => Some(Account::NoStoredSignIn),
    }
}
