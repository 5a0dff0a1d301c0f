//! The picture of a profile: set, taken away, shown to its owner and to a match.

use super::{App, Body, Caller, Refused};
use crate::picture::remade;
use crate::random;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;
use visavis_wire::Private;
use visavis_wire::http::{Me, RefusalCode};
use visavis_wire::limits::PICTURE_FILE;
use visavis_wire::people::{NewPicture, Picture};
use visavis_wire::socket::MatchId;

async fn keep(app: &App, caller: &Caller, jpeg: Option<&str>) -> Result<Json<Me>, Refused> {
    let kept = app.store.set_picture(caller.account, jpeg, random::unix_seconds()).await?;
    let account = kept.ok_or_else(|| Refused::new(RefusalCode::TokenInvalid))?;
    app.room.profile_changed(caller.account).await;
    Ok(Json(Me { username: account.username, profile: account.profile }))
}

/// Of a file in base64 and what is around it.
pub const PICTURE_BODY: usize = PICTURE_FILE / 3 * 4 + 1024;

pub async fn set(State(app): State<Arc<App>>, caller: Caller, Body(new): Body<NewPicture>) -> Result<Json<Me>, Refused> {
    app.rates.pictures.check_key(&caller.account).map_err(|_| app.limited("pictures"))?;
    let file = STANDARD.decode(new.file.reveal()).ok().filter(|file| file.len() <= PICTURE_FILE);
    let file =
        file.ok_or_else(|| Refused::saying(RefusalCode::BadRequest, "The picture is larger than 6 MB, or was not sent whole."))?;
    drop(new);
    // One at a time: each may take as much memory as a picture can have.
    let permit = app.decoding.acquire().await.map_err(|_| Refused::new(RefusalCode::ShuttingDown))?;
    let made = tokio::task::spawn_blocking(move || remade(&file)).await;
    drop(permit);
    let jpeg = made.map_err(|_| Refused::new(RefusalCode::Internal))?;
    let jpeg = jpeg.map_err(|error| Refused::saying(RefusalCode::BadRequest, error.to_string()))?;
    keep(&app, &caller, Some(&STANDARD.encode(jpeg))).await
}

pub async fn remove(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Me>, Refused> {
    keep(&app, &caller, None).await
}

fn found(jpeg: Option<String>) -> Result<Json<Picture>, Refused> {
    let nothing = || {
        let Refused(_, refusal) = Refused::saying(RefusalCode::BadRequest, "There is no picture to see.");
        Refused(StatusCode::NOT_FOUND, refusal)
    };
    jpeg.map(|jpeg| Json(Picture { jpeg: Private::new(jpeg) })).ok_or_else(nothing)
}

pub async fn own(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Picture>, Refused> {
    found(app.store.picture(caller.account).await?)
}

pub async fn of_match(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<MatchId>) -> Result<Json<Picture>, Refused> {
    found(app.store.picture_in(&id, caller.account).await?)
}
