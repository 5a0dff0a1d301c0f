//! Bodies of the HTTP interface under `/v1`.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v1/sign-in` | [`SignInStart`] | [`SignInStarted`] |
//! | `POST /v1/sign-in/finish` | [`SignInFinish`] | [`Tokens`] |
//! | `POST /v1/token` | [`Refresh`] | [`Tokens`] |
//! | `POST /v1/sign-out` | - | 204 |
//! | `GET /v1/me` | - | [`Me`] |
//! | `PUT /v1/me/profile` | `Profile` | [`Me`] |
//! | `PUT /v1/me/picture` | `NewPicture` | [`Me`] |
//! | `DELETE /v1/me/picture` | - | [`Me`] |
//! | `GET /v1/me/picture`, `GET /v1/matches/{match}/picture` | - | `Picture`; 404 where there is none to see |
//! | `GET /v1/me/card` | - | `PeerCard`, the very value a match would get |
//! | `GET /v1/follows` and more of [`crate::friends`] | - | [`Follows`] |
//! | `GET /v1/socket` | WebSocket upgrade | `socket::ServerMessage` |
//!
//! All but the first three and `GET /v1/health` want `Authorization: Bearer <access token>`. A refusal carries [`Refusal`].

use crate::Private;
use crate::friends::FollowId;
use crate::people::Profile;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The app listens on `redirect_uri` (RFC 8252 section 7.3: `http://127.0.0.1:<port>/callback`) and keeps the PKCE verifier.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInStart {
    pub redirect_uri: String,
    /// `S256` challenge, RFC 7636.
    pub code_challenge: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInStarted {
    /// To be opened in the system browser.
    pub authorization_url: String,
    /// What the redirect must bring back; a redirect with another `state` is ignored.
    pub state: Private<String>,
    /// Seconds after which the attempt is void.
    pub expires_in_s: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInFinish {
    pub state: Private<String>,
    pub code: Private<String>,
    pub code_verifier: Private<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refresh {
    pub refresh_token: Private<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tokens {
    pub access_token: Private<String>,
    pub expires_in_s: u32,
    /// Rotates: each one serves once.
    pub refresh_token: Private<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Me {
    pub username: Private<String>,
    pub profile: Profile,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Follows {
    /// Newest first.
    pub follows: Vec<Follow>,
}

/// A mutual follow: from here on names are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Follow {
    pub id: FollowId,
    pub username: Private<String>,
    /// Unix seconds.
    #[ts(type = "number")]
    pub since: i64,
    pub online: bool,
    /// Texts of the other that were not read yet.
    pub unread: u32,
}

/// Body of every answer that is not 2xx, and of `ServerMessage::Refused`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: RefusalCode,
    /// An English sentence for the user; the app prefers its own words for a code that it knows.
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum RefusalCode {
    /// The claims say that the person is under 18.
    UnderAge,
    /// No verified adult claim.
    NotVerified,
    /// Unknown, used or expired sign-in attempt.
    SignInExpired,
    /// The issuer answered with an error, or with a token that does not verify.
    IssuerFault,
    /// The person pressed "cancel" at the issuer.
    SignInDenied,
    TokenExpired,
    TokenInvalid,
    BadRequest,
    ProfileIncomplete,
    TooManyRequests,
    /// Moderators paused the account, or it was paused by itself; `safety::Standing` says until when.
    Paused,
    Banned,
    /// The account is being deleted and kept only until an open report is decided.
    Leaving,
    /// The same account signed in to the waiting room elsewhere; that socket goes on, this one is closed.
    Replaced,
    OutdatedApp,
    ShuttingDown,
    Internal,
    /// A code that this version of the app does not know.
    #[serde(other)]
    Unknown,
}
