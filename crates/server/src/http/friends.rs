//! People who follow each other, the history, blocks.

use super::{App, Body, Caller, Refused};
use crate::random;
use crate::store::{AccountId, StoreResult};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::Arc;
use visavis_wire::friends::{CallEnd, Conversation, FollowId, History, NewText, Text, is_text};
use visavis_wire::http::{Follows, RefusalCode};
use visavis_wire::limits::{HISTORY, TEXT, TEXTS_SHOWN};
use visavis_wire::socket::{MatchId, ServerMessage};

/// Differs for each of the two, so that nobody can find a common friend by its name.
pub fn follow_id(secret: &[u8; 32], of: AccountId, with: AccountId) -> FollowId {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(b"visavis follow 1");
    mac.update(of.0.as_bytes());
    mac.update(with.0.as_bytes());
    let bytes = mac.finalize().into_bytes();
    FollowId(random::hex(bytes.get(..16).unwrap_or_default()))
}

/// Whom this person means.
async fn named(app: &App, by: AccountId, id: &FollowId) -> StoreResult<Option<AccountId>> {
    let follows = app.store.follows(by).await?;
    Ok(follows.into_iter().map(|(other, _)| other).find(|other| follow_id(&app.secret, by, *other) == *id))
}

pub enum Called {
    Callee(AccountId),
    Nobody(CallEnd),
}

/// Who is meant by a call, and whether it may ring.
pub async fn called(app: &App, by: AccountId, id: &FollowId) -> StoreResult<Called> {
    if app.rates.rings.check_key(&by).is_err() {
        app.limited("calls");
        return Ok(Called::Nobody(CallEnd::TooOften));
    }
    let Some(callee) = named(app, by, id).await? else { return Ok(Called::Nobody(CallEnd::NotFriends)) };
    if app.rates.rings_at.check_key(&(by, callee)).is_err() {
        app.limited("calls");
        return Ok(Called::Nobody(CallEnd::TooOften));
    }
    Ok(Called::Callee(callee))
}

async fn followed(app: &App, caller: &Caller, id: &FollowId) -> Result<AccountId, Refused> {
    let named = named(app, caller.account, id).await?;
    named.ok_or_else(|| Refused::saying(RefusalCode::BadRequest, "You two do not follow each other."))
}

pub async fn follows(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Follows>, Refused> {
    let (accounts, mut follows): (Vec<_>, Vec<_>) = app.store.follows(caller.account).await?.into_iter().unzip();
    for (follow, other) in follows.iter_mut().zip(&accounts) {
        follow.id = follow_id(&app.secret, caller.account, *other);
    }
    for (follow, online) in follows.iter_mut().zip(app.room.online(accounts).await) {
        follow.online = online;
    }
    Ok(Json(Follows { follows }))
}

pub async fn unfollow(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<FollowId>) -> Result<StatusCode, Refused> {
    let other = followed(&app, &caller, &id).await?;
    app.store.unfollow(caller.account, other).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn block_follow(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<FollowId>) -> Result<StatusCode, Refused> {
    let other = followed(&app, &caller, &id).await?;
    block(&app, &caller, other).await
}

pub async fn block_session(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<MatchId>) -> Result<StatusCode, Refused> {
    let Some(other) = app.store.peer_in(caller.account, &id).await? else {
        return Err(Refused::saying(RefusalCode::BadRequest, "There is no such session in your history."));
    };
    block(&app, &caller, other).await
}

async fn block(app: &App, caller: &Caller, other: AccountId) -> Result<StatusCode, Refused> {
    app.store.block(caller.account, other, random::unix_seconds()).await?;
    app.room.block(caller.account, other).await;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn texts(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<FollowId>) -> Result<Json<Conversation>, Refused> {
    let other = followed(&app, &caller, &id).await?;
    let texts = app.store.texts(caller.account, other, TEXTS_SHOWN).await?;
    if let Some(last) = texts.last() {
        app.store.read_texts(caller.account, other, last.number).await?;
    }
    Ok(Json(Conversation { texts }))
}

pub async fn write(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<FollowId>,
    Body(new): Body<NewText>,
) -> Result<Json<Text>, Refused> {
    app.rates.texts.check_key(&caller.account).map_err(|_| app.limited("texts"))?;
    if !is_text(new.text.reveal()) {
        let why = format!("A message is 1 to {TEXT} characters, and no control characters.");
        return Err(Refused::saying(RefusalCode::BadRequest, why));
    }
    let other = followed(&app, &caller, &id).await?;
    let text = app.store.add_text(caller.account, other, new.text.reveal(), random::unix_seconds()).await?;
    let text = text.ok_or_else(|| Refused::saying(RefusalCode::BadRequest, "You two do not follow each other."))?;
    let follow = follow_id(&app.secret, other, caller.account);
    app.room.tell(other, ServerMessage::Text { follow, text: Text { own: false, ..text.clone() } }).await;
    Ok(Json(text))
}

pub async fn history(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<History>, Refused> {
    Ok(Json(History { sessions: app.store.history(caller.account, HISTORY).await? }))
}
