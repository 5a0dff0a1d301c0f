//! How a server is started. The flags and the environment are read in `main`; this is the checked result.

use crate::doors::{Doors, DoorsError, DoorsSection};
use crate::identity::IssuerConfig;
use crate::room::Rules;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use visavis_wire::Private;
use visavis_wire::evidence::KEY_BYTES;
use visavis_wire::safety::Category;

/// How many of the latest partners are not met again.
pub const RECENT_PARTNERS: u32 = 16;

#[derive(Clone, Debug)]
pub struct Config {
    /// Port 0: a free one.
    pub listen: SocketAddr,
    /// Holds the database and the server's secret. Made where missing.
    pub data: PathBuf,
    /// `postgres://...`, shared by all nodes; `None`: a SQLite file in the data folder.
    pub database: Option<Private<String>>,
    /// Several nodes over one database talk through this; `None`: this is the only one.
    pub nats: Option<Private<String>>,
    /// This node's name among several, the same after a restart; `None`: drawn at random.
    pub node: Option<String>,
    /// One pool of waiting people for each main language, so that nodes share the work.
    pub pools_by_language: bool,
    /// How long matches may go on after the signal to stop.
    pub drain: Duration,
    /// HTTPS; without it plain HTTP, for loopback or behind a proxy.
    pub tls: Option<TlsFiles>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Metrics and the moderators' page.
    pub admin: Option<AdminConfig>,
    /// The embedded relay.
    pub relay: Option<RelayConfig>,
    pub relay_tls: Option<RelayTls>,
    /// Goes before the embedded relay.
    pub other_relay: Option<OtherRelay>,
    /// Serves the development issuer; on loopback only.
    pub dev: bool,
    /// `None` only with `dev`.
    pub issuer: Option<IssuerConfig>,
    /// What clients call this server, where it is behind a proxy. The development issuer's name starts with it.
    pub public_url: Option<String>,
    pub recent_partners: u32,
    pub rules: Rules,
    pub limits: Limits,
    pub moderation: ModerationRules,
    pub retention: RetentionDays,
    /// Changed while the server runs by [`crate::Running::set_doors`].
    pub doors: DoorsSection,
}

/// PEM files: the certificate with its chain, and its key. Read again on SIGHUP.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// On loopback only.
    pub listen: SocketAddr,
    /// What the page and the metrics ask for; without a name, `admin.token` in the data folder, made where missing.
    pub token_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModerationRules {
    /// X25519, to which apps seal pictures. Its private half is not on this server.
    pub public_key: Option<[u8; KEY_BYTES]>,
    /// So many different people within `pause_within` pause an account by themselves for `pause_lasts`. 0: never.
    pub pause_reporters: u32,
    pub pause_within: Duration,
    pub pause_lasts: Duration,
    /// In the order of [`Category::ALL`].
    pub deadlines: [Duration; 8],
    pub appeal_deadline: Duration,
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

impl Default for ModerationRules {
    fn default() -> Self {
        Self {
            public_key: None,
            pause_reporters: 3,
            pause_within: Duration::from_secs(7 * DAY),
            pause_lasts: Duration::from_secs(3 * DAY),
            deadlines: [4, 4, 12, 24, 24, 48, 48, 72].map(|hours| Duration::from_secs(hours * HOUR)),
            appeal_deadline: Duration::from_secs(3 * DAY),
        }
    }
}

impl ModerationRules {
    pub fn deadline(&self, category: Category) -> Duration {
        let place = Category::ALL.iter().position(|other| *other == category);
        place.and_then(|place| self.deadlines.get(place)).copied().unwrap_or(self.appeal_deadline)
    }
}

/// For how long rows are kept, in days after they have served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionDays {
    /// Sealed pictures, from the report on.
    pub evidence: u32,
    /// From their decision on.
    pub reports: u32,
    /// From their end on.
    pub matches: u32,
    /// From when they are no longer in force.
    pub decisions: u32,
    /// From the latest sign-in on, for accounts that are signed in nowhere.
    pub unused_accounts: u32,
}

impl Default for RetentionDays {
    fn default() -> Self {
        Self { evidence: 30, reports: 180, matches: 90, decisions: 365, unused_accounts: 730 }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct RelayConfig {
    pub listen: SocketAddr,
    /// The address that clients see, where it is not the one listened on.
    pub public: Option<IpAddr>,
}

/// What the embedded relay needs to be reached over TLS too.
#[derive(Clone, Debug)]
pub struct RelayTls {
    /// PEM: the certificate and what it is signed by.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// In the certificate; clients reach the relay by it.
    pub name: String,
    /// PEM of the authority, where it is not one that every client knows.
    pub authority: Option<PathBuf>,
}

/// A relay beside this server, such as coturn with `use-auth-secret`.
#[derive(Clone, Debug)]
pub struct OtherRelay {
    /// As [`visavis_wire::socket::RelayCredentials::urls`] has them.
    pub urls: Vec<String>,
    pub secret: Private<String>,
    pub authority: Option<PathBuf>,
}

/// Times and rates of one client.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub sign_in_lasts: Duration,
    pub issuer_answers_within: Duration,
    pub access_token_lasts: Duration,
    pub refresh_token_lasts: Duration,
    /// A quiet socket is asked for a sign of life after this time and closed after twice more.
    pub ping_every: Duration,
    pub hello_within: Duration,
    pub joins_per_minute: u32,
    /// Offers declined.
    pub skips_per_minute: u32,
    pub socket_messages_per_second: u32,
    /// Texts to people one follows.
    pub messages_per_minute: u32,
    pub reports_per_hour: u32,
    /// Of one address, without a valid token.
    pub requests_per_minute: u32,
    /// Of one address.
    pub sign_ins_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sign_in_lasts: Duration::from_secs(600),
            issuer_answers_within: Duration::from_secs(10),
            access_token_lasts: Duration::from_secs(15 * 60),
            refresh_token_lasts: Duration::from_secs(60 * 24 * 3600),
            ping_every: Duration::from_secs(15),
            hello_within: Duration::from_secs(10),
            joins_per_minute: 30,
            skips_per_minute: 20,
            // Trickled candidates come in bursts; nothing else is frequent.
            socket_messages_per_second: 50,
            messages_per_minute: 30,
            reports_per_hour: 10,
            requests_per_minute: 300,
            sign_ins_per_minute: 60,
        }
    }
}

impl Config {
    /// Everything on this machine: free ports, the development issuer, people may meet again at once.
    pub fn dev(data: impl Into<PathBuf>) -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            listen: free,
            data: data.into(),
            database: None,
            nats: None,
            node: None,
            pools_by_language: false,
            drain: Duration::ZERO,
            tls: None,
            trusted_proxies: Vec::new(),
            admin: None,
            relay: Some(RelayConfig { listen: free, public: None }),
            relay_tls: None,
            other_relay: None,
            dev: true,
            issuer: None,
            public_url: None,
            recent_partners: 0,
            rules: Rules { declined_ms: 0, ..Rules::default() },
            limits: Limits::default(),
            moderation: ModerationRules::default(),
            retention: RetentionDays::default(),
            doors: DoorsSection::default(),
        }
    }

    pub fn check(&self) -> Result<(), ConfigError> {
        if self.nats.is_some() && self.database.is_none() {
            return Err(ConfigError::NodesWithoutDatabase);
        }
        if let Some(name) = self.node.as_ref().filter(|name| !crate::node::packet::is_name(name)) {
            return Err(ConfigError::NodeName(name.clone()));
        }
        if self.dev && !self.listen.ip().is_loopback() {
            return Err(ConfigError::DevBeyondLoopback(self.listen));
        }
        if let Some(admin) = self.admin.as_ref().filter(|admin| !admin.listen.ip().is_loopback()) {
            return Err(ConfigError::AdminBeyondLoopback(admin.listen));
        }
        match &self.issuer {
            None if !self.dev => return Err(ConfigError::NoIssuer),
            None => {}
            Some(_) if self.dev => return Err(ConfigError::TwoIssuers),
            Some(issuer) => check_url(&issuer.url).map_err(ConfigError::IssuerUrl)?,
        }
        Doors::try_from(&self.doors)?;
        if let Some(url) = &self.public_url {
            check_url(url).map_err(ConfigError::PublicUrl)?;
        }
        if let Some(other) = &self.other_relay {
            if other.secret.reveal().is_empty() {
                return Err(ConfigError::NoRelaySecret);
            }
            if let Some(url) = other.urls.iter().find(|url| !url.starts_with("turn:") && !url.starts_with("turns:")) {
                return Err(ConfigError::RelayUrl(url.clone()));
            }
        }
        match self.relay {
            Some(relay) if relay.public.unwrap_or(relay.listen.ip()).is_unspecified() => Err(ConfigError::RelayAddressUnknown),
            _ => Ok(()),
        }
    }
}

/// Tokens travel to these addresses, so they are encrypted or stay on this machine.
fn check_url(text: &str) -> Result<(), &'static str> {
    let url = url::Url::parse(text).map_err(|_| "it is not an address")?;
    let loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => return Err("it names no host"),
    };
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err("http is for this machine alone; use https"),
        _ => Err("it is neither http nor https"),
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "the development issuer asks for no password and is served on loopback only, not on {0}; leave out --dev or listen on 127.0.0.1"
    )]
    DevBeyondLoopback(SocketAddr),
    #[error("the moderators' page and the metrics are for this machine alone and cannot be served on {0}; listen on 127.0.0.1")]
    AdminBeyondLoopback(SocketAddr),
    #[error("no issuer is configured; give --issuer and --client-id, or --dev for a rehearsal on this machine")]
    NoIssuer,
    #[error("several nodes share one PostgreSQL: with NATS, a database has to be given too")]
    NodesWithoutDatabase,
    #[error("a node's name has letters, digits, - and _ alone, {0:?} has not")]
    NodeName(String),
    #[error("--dev brings its own issuer; leave out --issuer or --dev")]
    TwoIssuers,
    #[error("the issuer's address cannot be used: {0}")]
    IssuerUrl(&'static str),
    #[error("the public address cannot be used: {0}")]
    PublicUrl(&'static str),
    #[error("the relay listens on every address, so --relay-public-ip must say which one clients are to use")]
    RelayAddressUnknown,
    #[error("a relay beside this server needs VISAVIS_TURN_SECRET, the secret that it shares with this server")]
    NoRelaySecret,
    #[error(transparent)]
    Doors(#[from] DoorsError),
    #[error("a relay's address begins with turn: or turns:, {0} does not")]
    RelayUrl(String),
}

impl ConfigError {
    /// The key of the configuration file that it is about.
    pub fn key(&self) -> &'static str {
        match self {
            Self::DevBeyondLoopback(_) => "server.listen",
            Self::AdminBeyondLoopback(_) => "admin.listen",
            Self::NoIssuer => "issuer",
            Self::TwoIssuers => "issuer.url",
            Self::IssuerUrl(_) => "issuer.url",
            Self::PublicUrl(_) => "server.public_url",
            Self::NodesWithoutDatabase => "server.nats",
            Self::NodeName(_) => "server.node",
            Self::RelayAddressUnknown => "relay.listen",
            Self::Doors(DoorsError::Percent) => "doors.admitted_percent",
            Self::Doors(DoorsError::Zone(_) | DoorsError::Window(_)) => "doors.regions",
            Self::NoRelaySecret | Self::RelayUrl(_) => "relay.turn_urls",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused() {
        let dev = Config::dev("data");
        assert_eq!(dev.check(), Ok(()));
        let open = SocketAddr::from(([0, 0, 0, 0], 80));
        assert_eq!(Config { listen: open, ..dev.clone() }.check(), Err(ConfigError::DevBeyondLoopback(open)));
        assert_eq!(Config { dev: false, ..dev.clone() }.check(), Err(ConfigError::NoIssuer));
        let issuer = |url: &str| {
            Some(IssuerConfig { url: url.into(), client_id: "v".into(), client_secret: None, birthdate_is_verified: false })
        };
        assert_eq!(Config { issuer: issuer("https://id.example"), ..dev.clone() }.check(), Err(ConfigError::TwoIssuers));
        let real = |url: &str| Config { dev: false, listen: open, issuer: issuer(url), ..dev.clone() }.check();
        assert_eq!(real("https://id.example/realm"), Ok(()));
        for bad in ["http://id.example", "nonsense", "file:///etc", "ftp://id.example"] {
            assert!(matches!(real(bad), Err(ConfigError::IssuerUrl(_))), "{bad}");
        }
        let relay = Some(RelayConfig { listen: open, public: None });
        assert_eq!(Config { relay, ..dev.clone() }.check(), Err(ConfigError::RelayAddressUnknown));
        let other = |url: &str, secret: &str| {
            let (urls, secret) = (vec![url.to_owned()], Private::new(secret.to_owned()));
            Config { other_relay: Some(OtherRelay { urls, secret, authority: None }), ..dev.clone() }.check()
        };
        assert_eq!(other("turn:relay.example?transport=udp", "s"), Ok(()));
        assert_eq!(other("turns:relay.example", ""), Err(ConfigError::NoRelaySecret));
        assert_eq!(other("stun:relay.example", "s"), Err(ConfigError::RelayUrl(String::from("stun:relay.example"))));
        assert!(matches!(Config { public_url: Some("http://x.example".into()), ..dev }.check(), Err(ConfigError::PublicUrl(_))));
    }
}
