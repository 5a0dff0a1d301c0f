//! The relying party: starts a sign-in at the OpenID Connect issuer and checks what comes back.
//!
//! The app keeps the PKCE verifier and listens for the redirect; this side keeps state and nonce, speaks to the issuer, and
//! verifies signature, issuer, audience, party, nonce and times of the ID token. Whether the person is an adult is decided in
//! [`crate::adult`]; accounts are made by whoever calls.

use crate::adult::{Adult, Evidence, NotAdult, adult, date_of};
use crate::issuer_http::IssuerHttp;
use crate::random;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AdditionalClaims, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, Client, ClientId,
    ClientSecret, CsrfToken, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims, IdTokenFields,
    IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse,
    StandardTokenResponse, TokenResponse, UserInfoClaims,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use visavis_wire::Private;
use visavis_wire::http::{SignInFinish, SignInStart, SignInStarted};

/// Attempts under way at once; the oldest beyond these are void.
const MAX_ATTEMPTS: usize = 10_000;
/// How far the issuer's clock may be from ours.
const CLOCK_SKEW: Duration = Duration::from_secs(60);
/// A token comes straight from the issuer, in the moment it is made.
const TOKEN_IS_NEW_FOR: Duration = Duration::from_secs(600);
/// Keys and addresses of the issuer are asked for anew after this time, and when a signature does not verify.
const METADATA_LASTS: Duration = Duration::from_secs(3600);
/// Not more often than this, however many signatures do not verify.
const KEYS_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// An issuer as the operator configured it.
#[derive(Clone, Debug)]
pub struct IssuerConfig {
    /// Without a slash at its end unless the issuer's own name has one.
    pub url: String,
    pub client_id: String,
    pub client_secret: Option<Private<String>>,
    /// The issuer checks birthdates, so a plain `birthdate` claim is proof.
    pub birthdate_is_verified: bool,
}

/// Claims beside the standard ones. What profile an issuer suggests only fills a new account.
#[derive(Clone, Default, Deserialize, Serialize)]
struct PersonClaims {
    /// RFC 7519 section 4.1.5; seconds, perhaps with a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    age_over_18: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified_claims: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    visavis_profile: Option<ProfileSeed>,
}

impl std::fmt::Debug for PersonClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[private]")
    }
}

impl AdditionalClaims for PersonClaims {}

/// What a new profile starts with, beside the standard claims `address.locality` and `locale`.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct ProfileSeed {
    #[serde(default)]
    pub languages: Vec<String>,
    #[serde(default)]
    pub interests: Vec<String>,
    #[serde(default)]
    pub games: Vec<String>,
    /// Names of facts that start shared, beyond the usual ones.
    #[serde(default)]
    pub share: Vec<String>,
}

/// Somebody whose ID token is in order and who is a verified adult.
pub struct Verified {
    pub subject: Private<String>,
    pub username: Private<String>,
    pub adult: Adult,
    pub city: Option<Private<String>>,
    pub locale: Option<String>,
    /// IANA name.
    pub zone: Option<String>,
    pub seed: ProfileSeed,
}

/// A person the issuer vouches for, but not as an adult.
pub struct Rejected {
    pub subject: Private<String>,
    pub why: NotAdult,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("{0}")]
    BadRequest(&'static str),
    #[error("the attempt is unknown, used or too old")]
    Expired,
    /// The text is for the log; it names no person.
    #[error("the issuer is at fault: {0}")]
    Issuer(String),
}

/// Why a token is not believed.
struct Unverified {
    /// It may verify under newer keys of the issuer.
    key: bool,
    why: String,
}

impl Unverified {
    fn because(why: &str) -> Self {
        Self { key: false, why: why.to_owned() }
    }
}

impl From<Unverified> for IdentityError {
    fn from(unverified: Unverified) -> Self {
        Self::Issuer(unverified.why)
    }
}

struct Attempt {
    redirect_uri: RedirectUrl,
    code_challenge: String,
    nonce: Nonce,
    began: Instant,
}

type IdFields = IdTokenFields<
    PersonClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<IdFields, CoreTokenType>;
type IssuerClient = Client<
    PersonClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type Claims = IdTokenClaims<PersonClaims, CoreGenderClaim>;
type UserInfo = UserInfoClaims<PersonClaims, CoreGenderClaim>;

pub struct RelyingParty {
    config: IssuerConfig,
    http: IssuerHttp,
    lasts: Duration,
    attempts: Mutex<HashMap<String, Attempt>>,
    metadata: tokio::sync::Mutex<Option<(Instant, CoreProviderMetadata)>>,
}

impl RelyingParty {
    /// `attempts_last`: how long somebody may take between "sign in" and coming back from the browser.
    pub fn new(config: IssuerConfig, http: IssuerHttp, attempts_last: Duration) -> Self {
        Self { config, http, lasts: attempts_last, attempts: Mutex::default(), metadata: tokio::sync::Mutex::default() }
    }

    pub async fn start(&self, start: SignInStart) -> Result<SignInStarted, IdentityError> {
        let redirect_uri = loopback(&start.redirect_uri)?;
        if start.code_challenge.len() != 43 || !random::is_pkce_text(&start.code_challenge) {
            return Err(IdentityError::BadRequest("The code challenge is not an S256 challenge."));
        }
        let client = self.client(false).await?;
        let (url, state, nonce) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(random::token()),
                || Nonce::new(random::token()),
            )
            .set_redirect_uri(std::borrow::Cow::Borrowed(&redirect_uri))
            .add_scope(Scope::new(String::from("profile")))
            .add_extra_param("code_challenge", start.code_challenge.clone())
            .add_extra_param("code_challenge_method", "S256")
            .url();
        let attempt =
            Attempt { redirect_uri: redirect_uri.clone(), code_challenge: start.code_challenge, nonce, began: Instant::now() };
        self.remember(state.secret().clone(), attempt);
        Ok(SignInStarted {
            authorization_url: url.into(),
            state: Private::new(state.into_secret()),
            expires_in_s: u32::try_from(self.lasts.as_secs()).unwrap_or(u32::MAX),
        })
    }

    /// The outer error: no identity at all. The inner: somebody who may not come in.
    pub async fn finish(&self, finish: SignInFinish) -> Result<Result<Verified, Rejected>, IdentityError> {
        // Whatever comes of it, the attempt has served.
        let attempt = self.take(finish.state.reveal()).ok_or(IdentityError::Expired)?;
        let verifier = finish.code_verifier.into_inner();
        if !random::is_pkce_text(&verifier) || random::pkce_challenge(&verifier) != attempt.code_challenge {
            return Err(IdentityError::BadRequest("The code verifier does not belong to this sign-in."));
        }
        let client = self.client(false).await?;
        let tokens: Tokens = client
            .exchange_code(AuthorizationCode::new(finish.code.into_inner()))
            .map_err(|_| IdentityError::Issuer(String::from("its discovery document names no token endpoint")))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier))
            .set_redirect_uri(std::borrow::Cow::Borrowed(&attempt.redirect_uri))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(answer) if *answer.error() == CoreErrorResponseType::InvalidGrant => {
                    IdentityError::Expired
                }
                RequestTokenError::ServerResponse(answer) => {
                    IdentityError::Issuer(format!("it refused the code: {}", answer.error()))
                }
                RequestTokenError::Request(error) => IdentityError::Issuer(error.to_string()),
                _ => IdentityError::Issuer(String::from("its answer to the code cannot be read")),
            })?;
        let claims = match self.verified_claims(&client, &tokens, &attempt.nonce) {
            // The issuer may have changed its keys since they were fetched.
            Err(Unverified { key: true, .. }) => self.verified_claims(&self.client(true).await?, &tokens, &attempt.nonce),
            known => known,
        }?;
        let more = self.user_info(&client, &tokens, &claims).await?;
        Ok(self.judge(&claims, more.as_ref()))
    }

    fn verified_claims(&self, client: &IssuerClient, tokens: &Tokens, nonce: &Nonce) -> Result<Claims, Unverified> {
        let token = tokens.id_token().ok_or_else(|| Unverified::because("it gave no ID token"))?;
        let now = SystemTime::now();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ASYMMETRIC)
            .set_time_fn(move || (now - CLOCK_SKEW).into())
            .set_issue_time_verifier_fn(move |issued| match SystemTime::from(issued) {
                issued if issued > now + CLOCK_SKEW => Err(String::from("issued in the future")),
                issued if issued < now - TOKEN_IS_NEW_FOR => Err(String::from("issued long ago")),
                _ => Ok(()),
            });
        let claims = token.claims(&verifier, nonce).map_err(|error| Unverified {
            key: matches!(error, ClaimsVerificationError::SignatureVerification(_)),
            why: format!("its ID token does not verify: {error}"),
        })?;
        let latest = (now + CLOCK_SKEW).duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        if claims.additional_claims().nbf.is_some_and(|from| from > latest) {
            return Err(Unverified::because("its ID token is not valid yet"));
        }
        // OpenID Connect Core section 3.1.3.7, step 5; the library leaves it to its users.
        if claims.authorized_party().is_some_and(|party| party.as_str() != self.config.client_id) {
            return Err(Unverified::because("its ID token was issued to another party"));
        }
        if claims.subject().is_empty() {
            return Err(Unverified::because("its ID token names nobody"));
        }
        Ok(claims.clone())
    }

    /// Some issuers give the identity claims here alone. Asked only if the ID token says nothing about the age.
    async fn user_info(
        &self,
        client: &IssuerClient,
        tokens: &Tokens,
        claims: &Claims,
    ) -> Result<Option<UserInfo>, IdentityError> {
        let enough = !matches!(self.judge(claims, None), Err(Rejected { why: NotAdult::NotVerified, .. }));
        if enough || client.user_info_url().is_none() {
            return Ok(None);
        }
        let access = AccessToken::new(tokens.access_token().secret().clone());
        let request = client
            .user_info(access, Some(claims.subject().clone()))
            .map_err(|_| IdentityError::Issuer(String::from("its discovery document names no user info endpoint")))?;
        let info: UserInfo = request
            .request_async(&self.http)
            .await
            .map_err(|_| IdentityError::Issuer(String::from("it did not answer the question for user info")))?;
        Ok(Some(info))
    }

    fn judge(&self, claims: &Claims, more: Option<&UserInfo>) -> Result<Verified, Rejected> {
        let subject = Private::new(claims.subject().to_string());
        let own = claims.additional_claims();
        let other = more.map(UserInfoClaims::additional_claims);
        let birthdate = claims.birthdate().or_else(|| more.and_then(UserInfoClaims::birthdate));
        let evidence = Evidence {
            age_over_18: own.age_over_18.or_else(|| other.and_then(|other| other.age_over_18)),
            birthdate: birthdate.map(|date| date.as_str()),
            birthdate_is_verified: self.config.birthdate_is_verified,
            verified_claims: own.verified_claims.as_ref().or_else(|| other.and_then(|other| other.verified_claims.as_ref())),
        };
        let adult = match adult(&evidence, date_of(random::unix_seconds())) {
            Ok(adult) => adult,
            Err(why) => return Err(Rejected { subject, why }),
        };
        let names = [
            claims.preferred_username().map(|name| name.to_string()),
            claims.name().and_then(|name| name.get(None)).map(|name| name.to_string()),
            more.and_then(UserInfoClaims::preferred_username).map(|name| name.to_string()),
            more.and_then(UserInfoClaims::name).and_then(|name| name.get(None)).map(|name| name.to_string()),
        ];
        let username = names.into_iter().flatten().find_map(|name| tidy(&name)).unwrap_or_else(|| String::from("Somebody"));
        let city = claims.address().and_then(|address| address.locality.as_ref()).and_then(|city| tidy(city.as_str()));
        Ok(Verified {
            subject,
            username: Private::new(username),
            adult,
            city: city.map(Private::new),
            locale: claims.locale().map(|locale| locale.to_string()),
            zone: claims.zoneinfo().and_then(|zone| tidy(zone.as_str())),
            seed: own.visavis_profile.clone().unwrap_or_default(),
        })
    }

    async fn client(&self, fresh: bool) -> Result<IssuerClient, IdentityError> {
        let mut kept = self.metadata.lock().await;
        let metadata = match &*kept {
            Some((since, metadata)) if since.elapsed() < METADATA_LASTS && (!fresh || since.elapsed() < KEYS_AGAIN_AFTER) => {
                metadata.clone()
            }
            _ => {
                let url = IssuerUrl::new(self.config.url.clone()).map_err(|error| IdentityError::Issuer(error.to_string()))?;
                let metadata = CoreProviderMetadata::discover_async(url, &self.http)
                    .await
                    .map_err(|error| IdentityError::Issuer(format!("its discovery document could not be had: {error}")))?;
                kept.insert((Instant::now(), metadata)).1.clone()
            }
        };
        let secret = self.config.client_secret.as_ref().map(|secret| ClientSecret::new(secret.reveal().clone()));
        Ok(IssuerClient::from_provider_metadata(metadata, ClientId::new(self.config.client_id.clone()), secret))
    }

    fn remember(&self, state: String, attempt: Attempt) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|_, attempt| attempt.began.elapsed() < self.lasts);
        if attempts.len() >= MAX_ATTEMPTS
            && let Some(oldest) = attempts.iter().min_by_key(|(_, attempt)| attempt.began).map(|(state, _)| state.clone())
        {
            attempts.remove(&oldest);
        }
        attempts.insert(state, attempt);
    }

    fn take(&self, state: &str) -> Option<Attempt> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.remove(state).filter(|attempt| attempt.began.elapsed() < self.lasts)
    }
}

/// Signatures whose key only the issuer holds.
const ASYMMETRIC: [CoreJwsSigningAlgorithm; 10] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EcdsaP521Sha512,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// RFC 8252 section 7.3: the app's own listener, by address rather than by name.
fn loopback(redirect_uri: &str) -> Result<RedirectUrl, IdentityError> {
    const NOT_LOOPBACK: IdentityError =
        IdentityError::BadRequest("The redirect address must be http://127.0.0.1:PORT/... or http://[::1]:PORT/...");
    let url = url::Url::parse(redirect_uri).map_err(|_| NOT_LOOPBACK)?;
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    if url.scheme() != "http"
        || !is_loopback
        || !url.username().is_empty()
        || url.password().is_some()
        || url.fragment().is_some()
    {
        return Err(NOT_LOOPBACK);
    }
    RedirectUrl::new(redirect_uri.to_owned()).map_err(|_| NOT_LOOPBACK)
}

/// A line of text as profiles hold it; nothing if nothing is left.
pub fn tidy(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(visavis_wire::limits::PROFILE_TEXT).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_redirect_is_taken() {
        for good in ["http://127.0.0.1:49152/callback", "http://[::1]:8080/callback", "http://127.0.0.1/"] {
            assert!(loopback(good).is_ok(), "{good}");
        }
        for bad in [
            "https://127.0.0.1:1/",
            "http://localhost:1/callback",
            "http://127.0.0.1.example.org/",
            "http://example.org/callback",
            "http://user@127.0.0.1:1/",
            "http://127.0.0.1:1/#x",
            "visavis://callback",
            "nonsense",
            "",
        ] {
            assert!(loopback(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_tidied() {
        assert_eq!(tidy(" Ada\u{7}\n "), Some("Ada".into()));
        assert_eq!(tidy("\n\t "), None);
        assert_eq!(tidy(&"x".repeat(500)).map(|text| text.len()), Some(64));
    }
}
