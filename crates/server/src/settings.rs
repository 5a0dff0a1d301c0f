//! The configuration file (TOML) and the environment, merged; `deploy/visavis.toml` explains each key. What is wrong is said with its
//! line, or its variable, and with what to write instead.
//!
//! Every key can also come from a variable: `VISAVIS__LIMITS__JOINS_PER_MINUTE=10` is `joins_per_minute` of `[limits]`. Variables
//! go before the file, flags before both. What the parts mean together is checked by [`Config::check`].

mod values;

use crate::config::{
    AdminConfig, Config, ConfigError, Limits, ModerationRules, OtherRelay, RECENT_PARTNERS, RelayConfig, RelayTls, RetentionDays,
    TlsFiles,
};
use crate::doors::DoorsSection;
use crate::identity::IssuerConfig;
use crate::room::Rules;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};
use values::{Days, Hours, Minutes, PublicKey, Seconds};
use visavis_wire::Private;

const PREFIX: &str = "VISAVIS__";

/// For matches to end by themselves after the signal to stop.
const DRAIN_MS: u64 = 60_000;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub server: ServerSection,
    pub admin: AdminSection,
    pub log: LogSection,
    pub issuer: IssuerSection,
    pub relay: RelaySection,
    pub matching: MatchingSection,
    pub limits: LimitsSection,
    pub moderation: ModerationSection,
    pub retention: RetentionSection,
    pub doors: DoorsSection,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerSection {
    pub listen: SocketAddr,
    pub data: PathBuf,
    pub database: Option<Private<String>>,
    pub nats: Option<Private<String>>,
    pub node: Option<String>,
    pub pools_by_language: bool,
    pub drain: Option<Seconds>,
    pub dev: bool,
    pub public_url: Option<String>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub trusted_proxies: Vec<IpNet>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminSection {
    pub listen: Option<SocketAddr>,
    pub token_file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IssuerSection {
    pub url: Option<String>,
    pub client_id: Option<String>,
    pub client_secret_file: Option<PathBuf>,
    pub birthdate_is_verified: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RelaySection {
    pub listen: SocketAddr,
    pub public_ip: Option<IpAddr>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub name: Option<String>,
    pub authority: Option<PathBuf>,
    pub turn_urls: Vec<String>,
    pub turn_secret_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MatchingSection {
    pub recent_partners: Option<u32>,
    pub offer: Option<Seconds>,
    pub away: Option<Seconds>,
    pub follow: Option<Seconds>,
    pub declined: Option<Seconds>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    pub access_token: Minutes,
    pub refresh_token: Days,
    pub joins_per_minute: u32,
    pub skips_per_minute: u32,
    pub socket_messages_per_second: u32,
    pub messages_per_minute: u32,
    pub reports_per_hour: u32,
    pub requests_per_minute: u32,
    pub sign_ins_per_minute: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModerationSection {
    pub public_key: Option<PublicKey>,
    pub automatic_pause: AutomaticPauseSection,
    pub deadlines: DeadlinesSection,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutomaticPauseSection {
    pub reporters: u32,
    pub within: Days,
    pub lasts: Hours,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeadlinesSection {
    pub underage: Hours,
    pub danger: Hours,
    pub sexual: Hours,
    pub harassment: Hours,
    pub hate: Hours,
    pub fake: Hours,
    pub scam: Hours,
    pub other: Hours,
    pub appeal: Hours,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSection {
    pub evidence: Days,
    pub reports: Days,
    pub matches: Days,
    pub decisions: Days,
    pub unused_accounts: Days,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: PathBuf::from("visavis-data"),
            database: None,
            nats: None,
            node: None,
            pools_by_language: false,
            drain: None,
            dev: false,
            public_url: None,
            certificate: None,
            key: None,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for LogSection {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: String::from("info,turn=warn") }
    }
}

impl Default for RelaySection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            public_ip: None,
            certificate: None,
            key: None,
            name: None,
            authority: None,
            turn_urls: Vec::new(),
            turn_secret_file: None,
        }
    }
}

impl Default for LimitsSection {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            access_token: Minutes::of(limits.access_token_lasts),
            refresh_token: Days::of(limits.refresh_token_lasts),
            joins_per_minute: limits.joins_per_minute,
            skips_per_minute: limits.skips_per_minute,
            socket_messages_per_second: limits.socket_messages_per_second,
            messages_per_minute: limits.messages_per_minute,
            reports_per_hour: limits.reports_per_hour,
            requests_per_minute: limits.requests_per_minute,
            sign_ins_per_minute: limits.sign_ins_per_minute,
        }
    }
}

impl Default for AutomaticPauseSection {
    fn default() -> Self {
        let rules = ModerationRules::default();
        Self { reporters: rules.pause_reporters, within: Days::of(rules.pause_within), lasts: Hours::of(rules.pause_lasts) }
    }
}

impl Default for DeadlinesSection {
    fn default() -> Self {
        let [underage, danger, sexual, harassment, hate, fake, scam, other] = ModerationRules::default().deadlines.map(Hours::of);
        let appeal = Hours::of(ModerationRules::default().appeal_deadline);
        Self { underage, danger, sexual, harassment, hate, fake, scam, other, appeal }
    }
}

impl Default for RetentionSection {
    fn default() -> Self {
        let days = RetentionDays::default();
        Self {
            evidence: Days(days.evidence),
            reports: Days(days.reports),
            matches: Days(days.matches),
            decisions: Days(days.decisions),
            unused_accounts: Days(days.unused_accounts),
        }
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    #[error("the configuration {} cannot be read: {why}", .file.display())]
    File { file: PathBuf, why: String },
    #[error("{} line {line}: {why}", .file.display())]
    Line { file: PathBuf, line: usize, why: String },
    #[error("the environment variable {name} cannot be used: {why}")]
    Variable { name: String, why: String },
    #[error("the file {} that the configuration names cannot be read: {why}", .file.display())]
    Secret { file: PathBuf, why: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Settings and where each came from, so that a fault found later still has its line.
pub struct Sources {
    pub settings: Settings,
    file: Option<(PathBuf, String)>,
}

impl Sources {
    pub fn read(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let file = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|error| SettingsError::File { file: path.to_owned(), why: error.to_string() })?;
                Some((path.to_owned(), text))
            }
            None => None,
        };
        Self::of(file, variables)
    }

    /// A file with its text, if there is one, and variables of the environment.
    pub(crate) fn of(
        file: Option<(PathBuf, String)>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let mut table = Table::new();
        if let Some((path, text)) = &file {
            parse(path, text)?;
            table = toml::from_str(text).map_err(|error| fault(path, text, &error))?;
        }
        let mut settings = settings_of(&table).map_err(|why| SettingsError::File { file: PathBuf::from("(defaults)"), why })?;
        for (name, value) in variables {
            let Some(keys) = name.strip_prefix(PREFIX) else { continue };
            let wrong = |why: String| SettingsError::Variable { name: name.clone(), why };
            let keys: Vec<String> = keys.split("__").map(str::to_lowercase).collect();
            set(&mut table, &keys, &value).map_err(wrong)?;
            settings = settings_of(&table).map_err(|why| {
                // What cannot be meant as a number or a list is meant as a text.
                SettingsError::Variable { name: name.clone(), why }
            })?;
        }
        Ok(Self { settings, file })
    }

    /// Adds the line of the key that a fault is about, if the file has one.
    pub fn place(&self, error: ConfigError) -> SettingsError {
        let place = self.file.as_ref().and_then(|(path, text)| Some((path, line_of(text, error.key())?)));
        match place {
            Some((path, line)) => SettingsError::Line { file: path.clone(), line, why: error.to_string() },
            None => SettingsError::Config(error),
        }
    }
}

fn parse(path: &Path, text: &str) -> Result<Settings, SettingsError> {
    toml::from_str(text).map_err(|error| fault(path, text, &error))
}

fn fault(path: &Path, text: &str, error: &toml::de::Error) -> SettingsError {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    SettingsError::Line { file: path.to_owned(), line, why: error.message().trim().replace('\n', "; ") }
}

fn settings_of(table: &Table) -> Result<Settings, String> {
    table.clone().try_into().map_err(|error: toml::de::Error| error.message().trim().replace('\n', "; "))
}

/// A value that reads as TOML is what it says; anything else is text.
fn set(table: &mut Table, keys: &[String], value: &str) -> Result<(), String> {
    let Some((last, sections)) = keys.split_last() else { return Err(String::from("it names no key")) };
    let mut table = table;
    for section in sections {
        let next = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        table = next.as_table_mut().ok_or_else(|| format!("\"{section}\" has no parts"))?;
    }
    let parsed = toml::from_str::<Table>(&format!("value = {value}")).ok().and_then(|mut parsed| parsed.remove("value"));
    table.insert(last.clone(), parsed.unwrap_or_else(|| Value::String(value.to_owned())));
    Ok(())
}

/// The line, from 1, on which `section.key` has its value.
fn line_of(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let mut found: Option<&Spanned<DeValue<'_>>> = None;
    for part in key.split('.') {
        let inside = match found {
            None => table.get_ref(),
            Some(value) => value.get_ref().as_table()?,
        };
        found = Some(inside.get(part)?);
    }
    let at = found?.span().start.min(text.len());
    Some(text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1)
}

fn secret(file: &Path) -> Result<Private<String>, SettingsError> {
    let text =
        std::fs::read_to_string(file).map_err(|error| SettingsError::Secret { file: file.to_owned(), why: error.to_string() })?;
    Ok(Private::new(text.trim().to_owned()))
}

impl Settings {
    /// Secrets are read from their files here.
    pub fn config(&self) -> Result<Config, SettingsError> {
        let dev = self.server.dev;
        let rules = if dev { Rules { declined_ms: 0, ..Rules::default() } } else { Rules::default() };
        let matching = &self.matching;
        let ms = |given: &Option<Seconds>, otherwise: u64| given.as_ref().map_or(otherwise, Seconds::millis);
        Ok(Config {
            listen: self.server.listen,
            data: self.server.data.clone(),
            database: self.server.database.clone(),
            nats: self.server.nats.clone(),
            node: self.server.node.clone(),
            pools_by_language: self.server.pools_by_language,
            drain: Duration::from_millis(ms(&self.server.drain, if dev { 0 } else { DRAIN_MS })),
            tls: self
                .server
                .certificate
                .clone()
                .zip(self.server.key.clone())
                .map(|(certificate, key)| TlsFiles { certificate, key }),
            trusted_proxies: self.server.trusted_proxies.clone(),
            admin: self.admin.listen.map(|listen| AdminConfig { listen, token_file: self.admin.token_file.clone() }),
            relay: Some(RelayConfig { listen: self.relay.listen, public: self.relay.public_ip }),
            relay_tls: self.relay.tls(),
            other_relay: self.relay.other()?,
            dev,
            issuer: self.issuer.config()?,
            public_url: self.server.public_url.clone(),
            recent_partners: matching.recent_partners.unwrap_or(if dev { 0 } else { RECENT_PARTNERS }),
            rules: Rules {
                offer_ms: ms(&matching.offer, rules.offer_ms),
                away_ms: ms(&matching.away, rules.away_ms),
                follow_ms: ms(&matching.follow, rules.follow_ms),
                declined_ms: ms(&matching.declined, rules.declined_ms),
                ..rules
            },
            limits: self.limits.limits(),
            moderation: self.moderation.rules(),
            retention: self.retention.days(),
            doors: self.doors.clone(),
        })
    }
}

impl IssuerSection {
    fn config(&self) -> Result<Option<IssuerConfig>, SettingsError> {
        let Some((url, client_id)) = self.url.clone().zip(self.client_id.clone()) else { return Ok(None) };
        let client_secret = self.client_secret_file.as_deref().map(secret).transpose()?;
        Ok(Some(IssuerConfig { url, client_id, client_secret, birthdate_is_verified: self.birthdate_is_verified }))
    }
}

impl RelaySection {
    fn tls(&self) -> Option<RelayTls> {
        let authority = self.authority.clone();
        let ((certificate, key), name) = self.certificate.clone().zip(self.key.clone()).zip(self.name.clone())?;
        Some(RelayTls { certificate, key, name, authority })
    }

    fn other(&self) -> Result<Option<OtherRelay>, SettingsError> {
        if self.turn_urls.is_empty() {
            return Ok(None);
        }
        let secret = self.turn_secret_file.as_deref().map(secret).transpose()?.unwrap_or_default();
        Ok(Some(OtherRelay { urls: self.turn_urls.clone(), secret, authority: self.authority.clone() }))
    }
}

impl LimitsSection {
    fn limits(&self) -> Limits {
        Limits {
            access_token_lasts: self.access_token.duration(),
            refresh_token_lasts: self.refresh_token.duration(),
            joins_per_minute: self.joins_per_minute,
            skips_per_minute: self.skips_per_minute,
            socket_messages_per_second: self.socket_messages_per_second,
            messages_per_minute: self.messages_per_minute,
            reports_per_hour: self.reports_per_hour,
            requests_per_minute: self.requests_per_minute,
            sign_ins_per_minute: self.sign_ins_per_minute,
            ..Limits::default()
        }
    }
}

impl ModerationSection {
    fn rules(&self) -> ModerationRules {
        let of = &self.deadlines;
        ModerationRules {
            public_key: self.public_key.as_ref().map(|key| key.0),
            pause_reporters: self.automatic_pause.reporters,
            pause_within: self.automatic_pause.within.duration(),
            pause_lasts: self.automatic_pause.lasts.duration(),
            deadlines: [&of.underage, &of.danger, &of.sexual, &of.harassment, &of.hate, &of.fake, &of.scam, &of.other]
                .map(Hours::duration),
            appeal_deadline: of.appeal.duration(),
        }
    }
}

impl RetentionSection {
    fn days(&self) -> RetentionDays {
        RetentionDays {
            evidence: self.evidence.0,
            reports: self.reports.0,
            matches: self.matches.0,
            decisions: self.decisions.0,
            unused_accounts: self.unused_accounts.0,
        }
    }
}

#[cfg(test)]
mod tests;
