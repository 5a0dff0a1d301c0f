//! Sign-in, refresh, sign-out.

use super::{App, Body, Caller, ClientAddress, Refused};
use crate::adult::NotAdult;
use crate::identity::{IdentityError, Verified, tidy};
use crate::random;
use crate::store::{AccountId, Rotation, SignedIn};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::Arc;
use visavis_wire::Private;
use visavis_wire::http::{Refresh, RefusalCode, SignInFinish, SignInStart, SignInStarted, Tokens};
use visavis_wire::limits::PROFILE_LIST;
use visavis_wire::people::{Fact, Profile};

fn limit(app: &App, ClientAddress(from): ClientAddress) -> Result<(), Refused> {
    app.rates.sign_ins.check_key(&from).map_err(|_| app.limited("sign_ins"))
}

fn refused(error: IdentityError) -> Refused {
    match error {
        IdentityError::BadRequest(why) => Refused::saying(RefusalCode::BadRequest, why),
        IdentityError::Expired => Refused::new(RefusalCode::SignInExpired),
        IdentityError::Issuer(why) => {
            tracing::warn!(why, "a sign-in failed at the issuer");
            Refused::new(RefusalCode::IssuerFault)
        }
    }
}

pub async fn start(
    State(app): State<Arc<App>>,
    from: ClientAddress,
    Body(start): Body<SignInStart>,
) -> Result<Json<SignInStarted>, Refused> {
    limit(&app, from)?;
    app.relying_party.start(start).await.map(Json).map_err(refused)
}

pub async fn finish(
    State(app): State<Arc<App>>,
    from: ClientAddress,
    Body(finish): Body<SignInFinish>,
) -> Result<Json<Tokens>, Refused> {
    limit(&app, from)?;
    let issuer = app.issuer.clone();
    let now = random::unix_seconds();
    match app.relying_party.finish(finish).await.map_err(refused)? {
        Ok(person) => {
            let hash = subject_hash(&app.secret, &issuer, person.subject.reveal());
            if app.store.is_leaving(&issuer, &hash).await? {
                return Err(Refused::new(RefusalCode::Leaving));
            }
            let signed_in = SignedIn {
                subject_hash: hash,
                issuer,
                username: person.username.clone(),
                adult: true,
                checked_how: person.adult.how,
                checked_at: now,
                profile: first_profile(&person),
            };
            let account = app.store.sign_in(signed_in).await?;
            app.store.take_up_bar(account, app.hand("automatic")).await?;
            app.store.set_zone(account, person.zone.as_deref()).await?;
            let family = random::token();
            let refresh = random::token();
            let expires = now.saturating_add_unsigned(app.limits.refresh_token_lasts.as_secs());
            app.store.add_refresh_token(account, &family, &random::hash_hex(&refresh), expires).await?;
            Ok(Json(tokens(&app, account, &family, refresh)))
        }
        Err(rejected) => {
            let hash = subject_hash(&app.secret, &issuer, rejected.subject.reveal());
            app.store.withdraw_adult(&issuer, &hash, now).await?;
            app.look_for_ended_sign_ins(now).await;
            Err(Refused::new(match rejected.why {
                NotAdult::UnderAge => RefusalCode::UnderAge,
                NotAdult::NotVerified => RefusalCode::NotVerified,
            }))
        }
    }
}

pub async fn refresh(
    State(app): State<Arc<App>>,
    from: ClientAddress,
    Body(refresh): Body<Refresh>,
) -> Result<Json<Tokens>, Refused> {
    limit(&app, from)?;
    let now = random::unix_seconds();
    let next = random::token();
    let expires = now.saturating_add_unsigned(app.limits.refresh_token_lasts.as_secs());
    let old = random::hash_hex(refresh.refresh_token.reveal());
    match app.store.rotate(&old, &random::hash_hex(&next), now, expires).await? {
        (Rotation::Done(account), Some(family)) => Ok(Json(tokens(&app, account, &family, next))),
        (Rotation::Reused, Some(family)) => {
            tracing::warn!("a refresh token was used twice; its family is revoked");
            app.access.end(&family, RefusalCode::TokenInvalid);
            Err(Refused::new(RefusalCode::TokenInvalid))
        }
        (Rotation::Expired, _) => Err(Refused::new(RefusalCode::TokenExpired)),
        (Rotation::Unknown | Rotation::Done(_) | Rotation::Reused, _) => Err(Refused::new(RefusalCode::TokenInvalid)),
    }
}

pub async fn sign_out(State(app): State<Arc<App>>, caller: Caller) -> Result<StatusCode, Refused> {
    app.store.revoke_family(&caller.family, random::unix_seconds()).await?;
    app.access.end(&caller.family, RefusalCode::TokenInvalid);
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn tokens(app: &App, account: AccountId, family: &str, refresh: String) -> Tokens {
    Tokens {
        access_token: Private::new(app.access.issue(account, family)),
        expires_in_s: u32::try_from(app.access.lasts().as_secs()).unwrap_or(u32::MAX),
        refresh_token: Private::new(refresh),
    }
}

/// HMAC-SHA-256 under the server's secret: the database alone does not tell who somebody is at the issuer.
pub(super) fn subject_hash(secret: &[u8; 32], issuer: &str, subject: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(issuer.as_bytes());
    mac.update(&[0]);
    mac.update(subject.as_bytes());
    random::hex(&mac.finalize().into_bytes())
}

/// Languages, interests and games start shared, for without them a match is hard to explain; city, age and sign start hidden
/// unless the issuer's seed says otherwise.
fn first_profile(person: &Verified) -> Profile {
    let shares = |fact: &str| person.seed.share.iter().any(|name| name == fact);
    let list = |from: &[String]| from.iter().filter_map(|item| tidy(item)).take(PROFILE_LIST).collect::<Vec<_>>();
    let mut languages = list(&person.seed.languages);
    if languages.is_empty() {
        // BCP 47: the primary tag is what stands before the first hyphen (some issuers write an underscore).
        let primary = person.locale.as_deref().and_then(|locale| locale.split(['-', '_']).next()).unwrap_or_default();
        languages.extend(tidy(&primary.to_lowercase()));
    }
    Profile {
        city: Fact { value: person.city.clone().unwrap_or_default(), shared: shares("city") },
        languages: Fact { value: languages, shared: true },
        interests: Fact { value: list(&person.seed.interests), shared: true },
        games: Fact { value: list(&person.seed.games), shared: true },
        age: Fact { value: person.adult.age, shared: shares("age") },
        sign: Fact { value: person.adult.sign, shared: shares("sign") },
        picture: Fact::default(),
    }
}
