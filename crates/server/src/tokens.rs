//! Access tokens: short, opaque to the app, signed under the secret that all nodes share, so that each node knows those of every
//! other and keeps none. A sign-in that ended is known to all within about a second, through the store. What was opened with a
//! token (a socket) outlives it, but not the sign-in it descends from.

use crate::random;
use crate::store::AccountId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;
use visavis_wire::http::RefusalCode;

/// Clocks of nodes may differ by this much; a token from further ahead was made before a clock was set back.
const AHEAD_MS: i64 = 120_000;
/// Account, time of issue, end.
const HEAD: usize = 32;
const MAC: usize = 32;
/// Longer than the name of any sign-in.
const FAMILY: usize = 128;

/// Sign-ins with an open socket, by family; through the sender their sockets hear of the end.
type Held = HashMap<String, watch::Sender<Option<RefusalCode>>>;

pub struct AccessTokens {
    lasts: Duration,
    secret: [u8; 32],
    /// Until when their tokens would still be good.
    ended: Mutex<HashMap<String, i64>>,
    held: Mutex<Held>,
}

/// As long as this is held the sign-in is watched.
pub struct SignInEnds(watch::Receiver<Option<RefusalCode>>);

impl SignInEnds {
    /// Returns when the sign-in is revoked, with what its holder is told.
    pub async fn ended(&mut self) -> RefusalCode {
        while self.0.changed().await.is_ok() {
            if let Some(why) = *self.0.borrow_and_update() {
                return why;
            }
        }
        RefusalCode::TokenInvalid
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    Granted { account: AccountId, family: String },
    Expired,
    Unknown,
}

impl AccessTokens {
    pub fn new(lasts: Duration, secret: [u8; 32]) -> Self {
        Self { lasts, secret, ended: Mutex::default(), held: Mutex::default() }
    }

    pub fn lasts(&self) -> Duration {
        self.lasts
    }

    fn lasts_ms(&self) -> i64 {
        i64::try_from(self.lasts.as_millis()).unwrap_or(i64::MAX)
    }

    fn mac(&self, payload: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC takes a key of any length");
        mac.update(b"visavis access 1");
        mac.update(payload);
        mac
    }

    pub fn issue(&self, account: AccountId, family: &str) -> String {
        self.issue_at(account, family, random::unix_millis())
    }

    fn issue_at(&self, account: AccountId, family: &str, now: i64) -> String {
        let mut bytes = account.0.as_bytes().to_vec();
        bytes.extend(now.to_be_bytes());
        bytes.extend(now.saturating_add(self.lasts_ms()).to_be_bytes());
        bytes.extend(family.as_bytes());
        let mac = self.mac(&bytes).finalize().into_bytes();
        bytes.extend(mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub fn check(&self, token: &str) -> Access {
        self.check_at(token, random::unix_millis())
    }

    fn check_at(&self, token: &str, now: i64) -> Access {
        let Some((account, issued, until, family)) = self.read(token) else { return Access::Unknown };
        if self.ended().contains_key(&family) {
            Access::Unknown
        } else if now >= until || issued > now.saturating_add(AHEAD_MS) {
            Access::Expired
        } else {
            Access::Granted { account, family }
        }
    }

    /// Of a token that a node of this cluster made.
    fn read(&self, token: &str) -> Option<(AccountId, i64, i64, String)> {
        if token.len() > (HEAD + FAMILY + MAC) / 3 * 4 + 4 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (payload, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        self.mac(payload).verify_slice(mac).ok()?;
        let (account, rest) = payload.split_first_chunk::<16>()?;
        let (issued, rest) = rest.split_first_chunk::<8>()?;
        let (until, family) = rest.split_first_chunk::<8>()?;
        let family = std::str::from_utf8(family).ok()?.to_owned();
        Some((AccountId(Uuid::from_bytes(*account)), i64::from_be_bytes(*issued), i64::from_be_bytes(*until), family))
    }

    /// Watches the sign-in of a valid token. No end falls between the check and the watch.
    pub fn hold(&self, token: &str) -> Option<SignInEnds> {
        let mut held = self.held();
        let Access::Granted { family, .. } = self.check(token) else { return None };
        Some(SignInEnds(held.entry(family).or_insert_with(|| watch::channel(None).0).subscribe()))
    }

    /// Forgets sign-ins that hold nothing open, and ended ones whose tokens have run out.
    pub fn tidy(&self) {
        self.held().retain(|_, sender| sender.receiver_count() > 0);
        let now = random::unix_millis();
        self.ended().retain(|_, until| *until > now);
    }

    /// Known to have ended; its sockets are told `why`.
    pub fn end(&self, family: &str, why: RefusalCode) {
        // Kept for longer than any token of it is good, by whatever clock it was made.
        let until = random::unix_millis().saturating_add(self.lasts_ms()).saturating_add(2 * AHEAD_MS);
        let new = self.ended().insert(family.to_owned(), until).is_none();
        if let Some(sender) = self.held().remove(family).filter(|_| new) {
            // Whoever held it may be gone.
            let _ = sender.send(Some(why));
        }
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LASTS: Duration = Duration::from_secs(60);

    fn node() -> AccessTokens {
        AccessTokens::new(LASTS, [7; 32])
    }

    fn person(number: u128) -> AccountId {
        AccountId(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn whoever_holds_a_sign_in_hears_why_it_ended() {
        let (access, other_node) = (node(), node());
        let [leaves, stays] = [1, 2].map(person);
        let token = access.issue(leaves, "phone");
        let other = access.issue(leaves, "desk");
        let stranger = access.issue(stays, "elsewhere");
        let mut held = other_node.hold(&token).unwrap();
        let mut signed_out = access.hold(&other).unwrap();
        let mut kept = access.hold(&stranger).unwrap();
        access.end("desk", RefusalCode::TokenInvalid);
        assert_eq!(signed_out.ended().await, RefusalCode::TokenInvalid);
        for node in [&access, &other_node] {
            node.end("phone", RefusalCode::Leaving);
            node.end("phone", RefusalCode::Leaving);
            assert_eq!(node.check(&token), Access::Unknown);
            assert!(node.hold(&token).is_none());
            node.tidy();
            assert_eq!(node.check(&token), Access::Unknown);
        }
        assert_eq!(held.ended().await, RefusalCode::Leaving);
        assert!(tokio::time::timeout(Duration::from_millis(20), kept.ended()).await.is_err(), "nobody else's ends");
    }

    #[test]
    fn a_token_of_one_node_is_good_at_all_until_it_runs_out_and_clocks_may_jump() {
        let (one, other) = (node(), node());
        let token = one.issue_at(person(5), "phone", 1_000_000);
        let granted = Access::Granted { account: person(5), family: String::from("phone") };
        for (now, access) in [
            (1_000_000, granted.clone()),
            (1_059_999, granted.clone()),
            (1_060_000, Access::Expired),
            (i64::MAX, Access::Expired),
            // A node whose clock is behind, and one whose clock was set back by an hour.
            (1_000_000 - AHEAD_MS, granted),
            (1_000_000 - 3_600_000, Access::Expired),
            (i64::MIN, Access::Expired),
        ] {
            assert_eq!(other.check_at(&token, now), access, "{now}");
        }
        assert_eq!(AccessTokens::new(LASTS, [8; 32]).check_at(&token, 1_000_000), Access::Unknown, "another cluster's");
    }

    proptest! {
        #[test]
        fn whatever_is_no_token_is_unknown(text in ".{0,300}", bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let access = node();
            prop_assert_eq!(access.check(&text), Access::Unknown);
            prop_assert_eq!(access.check(&URL_SAFE_NO_PAD.encode(&bytes)), Access::Unknown);
        }

        #[test]
        fn a_token_of_which_anything_is_changed_is_unknown(at in any::<prop::sample::Index>(), bit in 0u32..8) {
            let access = node();
            let mut bytes = URL_SAFE_NO_PAD.decode(access.issue(person(5), "phone")).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(access.check(&URL_SAFE_NO_PAD.encode(&bytes)), Access::Unknown);
        }
    }
}
