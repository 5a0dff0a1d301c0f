//! What the store is asked that takes more than one of its methods.

use super::{AGAIN_AFTER, ASKED_FOR, TAKEN_UP_FOR, report};
use crate::node::{Taken, leads};
use crate::random;
use crate::room::Experience;
use crate::store::{self, AccountId, Store, StoreError, StoreResult};
use futures_util::StreamExt;
use tokio::time::Instant;
use visavis_wire::friends::CallEnd;

/// Profiles from which a new leader learns which interests lie near each other; more take longer than they teach.
const LISTS: u32 = 4_096;

/// The pool of the match that somebody is in, or that of their main language.
pub async fn pool_of(store: &dyn Store, account: AccountId, by_language: bool) -> StoreResult<String> {
    if let Some(lease) = store.engaged_at(account).await?
        && let Some(pool) = leads::pool_of_lease(&lease)
    {
        return Ok(pool.to_owned());
    }
    if !by_language {
        return Ok(String::from("all"));
    }
    let language = store.account(account).await?.and_then(|account| account.profile.languages.value.into_iter().next());
    Ok(language.map_or_else(|| String::from("none"), |language| language.trim().to_lowercase()))
}

pub async fn take_pool(
    store: &dyn Store,
    pool: &str,
    me: &str,
    seen: Option<(i64, i64)>,
    recent: u32,
) -> StoreResult<Option<Taken>> {
    let lease = leads::pool_lease(pool);
    let Some(fence) = store.take(&lease, me, seen).await? else { return Ok(None) };
    let now = random::unix_seconds();
    let left = persist!(store.take_over(&lease, now - TAKEN_UP_FOR))?;
    let experience = experience(store, pool, &lease).await?;
    let fence_of = store::Fence { lease, number: fence };
    let fence_of = &fence_of;
    let look_up = |pair: store::RunningMatch| async move {
        let both = tokio::join!(store.entrant(pair.a, recent, now), store.entrant(pair.b, recent, now));
        match both {
            // Whoever calls a friend calls again.
            (Ok(Some(one)), Ok(Some(other))) if !pair.friends => Some((pair, [one, other])),
            _ => {
                let given_up = [store::MatchWrite::Withdrawn(pair.id)];
                report("an offer that is given up", store.write_matches(fence_of, &given_up, now).await.map(|_| ()));
                None
            }
        }
    };
    let offered = futures_util::stream::iter(left.offered).map(look_up).buffer_unordered(8);
    let offered = offered.filter_map(async |offer| offer).collect().await;
    Ok(Some(Taken { fence, running: left.running, offered, experience }))
}

/// Whether the one can call the other now. Whether the other is busy is asked at the commit, after the end of a match before it has
/// been written.
pub async fn callable(
    store: &dyn Store,
    [caller, callee]: [AccountId; 2],
    recent: u32,
) -> Result<Box<[store::Entrant; 2]>, CallEnd> {
    let now = random::unix_seconds();
    // Whatever keeps the other away, also a question that finds no answer: they cannot be reached.
    let away = |error: StoreError| {
        tracing::warn!(%error, "whether somebody can be called could not be asked");
        CallEnd::Offline
    };
    for account in [caller, callee] {
        if store.bar(account, now).await.map_err(away)?.is_some() {
            return Err(CallEnd::Offline);
        }
    }
    if store.seats_of(&[callee]).await.map_err(away)?.is_empty() {
        return Err(CallEnd::Offline);
    }
    let both = (store.entrant(caller, recent, now).await.map_err(away)?, store.entrant(callee, recent, now).await.map_err(away)?);
    match both {
        (Some(one), Some(other)) if one.adult && other.adult => Ok(Box::new([one, other])),
        _ => Err(CallEnd::Offline),
    }
}

/// Of the leaders before, and of the people who speak the pool's language.
async fn experience(store: &dyn Store, pool: &str, lease: &str) -> StoreResult<Experience> {
    let model = persist!(store.learnt(lease))?;
    let lists = persist!(store.lists(LISTS))?;
    let speaks = |languages: &[String]| pool == "all" || languages.iter().any(|language| language.trim().to_lowercase() == pool);
    let interests = lists.into_iter().filter(|lists| speaks(&lists.languages)).map(|lists| lists.interests).collect();
    Ok(Experience { model, interests })
}
