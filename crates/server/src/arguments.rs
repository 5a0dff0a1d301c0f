//! The command line. A flag goes before its variable, both before the configuration file.

use clap::Parser;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use visavis_server::{Config, LogFormat, Moderate, Settings, SettingsError, Sources};
use visavis_wire::Private;

/// The Visavis server. Prints one line of JSON on standard output when it is ready; the log goes to standard error.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    pub instead: Option<Instead>,
}

/// What is done instead of serving.
#[derive(clap::Subcommand)]
pub enum Instead {
    /// Reports, decisions, appeals, the log of them; works beside a running server.
    Moderate {
        #[command(subcommand)]
        what: Moderate,
    },
    /// Copies the SQLite database and the secret of --data into a new folder; works beside a running server.
    Backup { into: PathBuf },
    /// Puts a backup into --data, where no server may be running.
    Restore {
        from: PathBuf,
        /// Overwrite data that are there.
        #[arg(long)]
        replace: bool,
    },
}

pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

#[derive(clap::Args)]
pub struct Serve {
    /// Configuration file (TOML); deploy/visavis.toml explains its keys. Each can also come from the environment, such as
    /// VISAVIS__LIMITS__JOINS_PER_MINUTE.
    #[arg(long, env = "VISAVIS_CONFIG")]
    config: Option<PathBuf>,
    /// Serve the development issuer and let people meet again at once. Loopback only.
    #[arg(long, env = "VISAVIS_DEV")]
    dev: bool,
    /// Address and port of the HTTP interface; port 0 takes a free one [default: 127.0.0.1:0]
    #[arg(long, env = "VISAVIS_LISTEN")]
    listen: Option<SocketAddr>,
    /// Address and port of the metrics and the moderators' page, on loopback [default: not served]
    #[arg(long, env = "VISAVIS_ADMIN_LISTEN")]
    admin_listen: Option<SocketAddr>,
    /// Folder of the database and the server's secret [default: visavis-data]
    #[arg(long, env = "VISAVIS_DATA")]
    data: Option<PathBuf>,
    /// PostgreSQL, as postgres://USER:PASSWORD@HOST:PORT/DATABASE, for several nodes; without it a SQLite file in the data folder.
    #[arg(long, env = "VISAVIS_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// NATS, as nats://USER:PASSWORD@HOST:PORT, through which several nodes over one database talk.
    #[arg(long, env = "VISAVIS_NATS", hide_env_values = true)]
    nats: Option<String>,
    /// This node's name among several, the same after a restart [default: drawn at random]
    #[arg(long, env = "VISAVIS_NODE")]
    node: Option<String>,
    /// Certificate of the HTTP interface with its chain (PEM); read again on SIGHUP.
    #[arg(long, env = "VISAVIS_CERTIFICATE", requires = "key")]
    certificate: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, env = "VISAVIS_KEY", requires = "certificate")]
    key: Option<PathBuf>,
    /// How log lines look: text or json [default: text]
    #[arg(long, env = "VISAVIS_LOG_FORMAT", value_parser = log_format)]
    log_format: Option<LogFormat>,
    /// Address and port of the embedded relay, for UDP and TCP alike [default: 127.0.0.1:0]
    #[arg(long, env = "VISAVIS_RELAY_LISTEN")]
    relay_listen: Option<SocketAddr>,
    /// The relay's address as clients see it, where it differs.
    #[arg(long, env = "VISAVIS_RELAY_PUBLIC_IP")]
    relay_public_ip: Option<IpAddr>,
    /// Certificate of the embedded relay with its chain (PEM), so that it can be reached over TLS on the same port.
    #[arg(long, env = "VISAVIS_RELAY_CERTIFICATE", requires_all = ["relay_key", "relay_name"])]
    relay_certificate: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, env = "VISAVIS_RELAY_KEY")]
    relay_key: Option<PathBuf>,
    /// The name in it, by which clients reach the relay.
    #[arg(long, env = "VISAVIS_RELAY_NAME")]
    relay_name: Option<String>,
    /// Authority that signed the relay's certificate (PEM), where it is your own.
    #[arg(long, env = "VISAVIS_RELAY_AUTHORITY")]
    relay_authority: Option<PathBuf>,
    /// Relay beside this server instead of the embedded one, such as coturn with use-auth-secret; several ways to it are
    /// separated by commas: turn:HOST:PORT?transport=udp, the same with tcp, turns:HOST:PORT?transport=tcp.
    #[arg(long, env = "VISAVIS_TURN_URLS", value_delimiter = ',')]
    turn_urls: Vec<String>,
    /// The secret that it shares with this server. From the environment, where other users of the machine cannot read it.
    #[arg(long, env = "VISAVIS_TURN_SECRET", hide_env_values = true)]
    turn_secret: Option<String>,
    /// The OpenID Connect issuer.
    #[arg(long, env = "VISAVIS_ISSUER")]
    issuer: Option<String>,
    /// What the issuer calls this server.
    #[arg(long, env = "VISAVIS_CLIENT_ID")]
    client_id: Option<String>,
    /// From the environment, where other users of the machine cannot read it.
    #[arg(long, env = "VISAVIS_CLIENT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,
    /// The issuer verifies birthdates, so that a plain `birthdate` claim proves an age.
    #[arg(long, env = "VISAVIS_ISSUER_VERIFIES_BIRTHDATES")]
    issuer_verifies_birthdates: bool,
    /// What clients call this server, where it is behind a proxy.
    #[arg(long, env = "VISAVIS_PUBLIC_URL")]
    public_url: Option<String>,
    /// How many of the latest partners are not met again [default: 16, with --dev 0]
    #[arg(long, env = "VISAVIS_RECENT_PARTNERS")]
    recent_partners: Option<u32>,
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(String::from("write text or json")),
    }
}

fn put<T>(into: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *into = given;
    }
}

fn put_some<T>(into: &mut Option<T>, given: Option<T>) {
    if given.is_some() {
        *into = given;
    }
}

impl Arguments {
    /// The database and the rules, whatever is missing to serve.
    pub fn unchecked(self) -> Result<Config, SettingsError> {
        let mut sources = Sources::read(self.serve.config.as_deref(), variables())?;
        self.serve.over(&mut sources.settings);
        sources.settings.config()
    }

    /// Checked.
    pub fn config(self) -> Result<(Config, Log), SettingsError> {
        self.serve.config()
    }
}

impl Serve {
    pub fn config(self) -> Result<(Config, Log), SettingsError> {
        let mut sources = Sources::read(self.config.as_deref(), variables())?;
        let (client_secret, turn_secret) = (self.client_secret.clone(), self.turn_secret.clone());
        self.over(&mut sources.settings);
        let settings = &sources.settings;
        let mut config = settings.config()?;
        if let Some(issuer) = &mut config.issuer
            && let Some(secret) = client_secret
        {
            issuer.client_secret = Some(Private::new(secret));
        }
        if let Some(relay) = &mut config.other_relay
            && let Some(secret) = turn_secret
        {
            relay.secret = Private::new(secret);
        }
        let log = Log { format: settings.log.format, filter: settings.log.filter.clone() };
        config.check().map_err(|error| sources.place(error))?;
        Ok((config, log))
    }

    fn over(self, settings: &mut Settings) {
        let Settings { server, admin, log, issuer, relay, matching, .. } = settings;
        server.dev |= self.dev;
        put(&mut server.listen, self.listen);
        put(&mut server.data, self.data);
        put_some(&mut server.database, self.database.map(Private::new));
        put_some(&mut server.nats, self.nats.map(Private::new));
        put_some(&mut server.node, self.node);
        put_some(&mut server.certificate, self.certificate);
        put_some(&mut server.key, self.key);
        put_some(&mut server.public_url, self.public_url);
        put_some(&mut admin.listen, self.admin_listen);
        put(&mut log.format, self.log_format);
        put(&mut relay.listen, self.relay_listen);
        put_some(&mut relay.public_ip, self.relay_public_ip);
        put_some(&mut relay.certificate, self.relay_certificate);
        put_some(&mut relay.key, self.relay_key);
        put_some(&mut relay.name, self.relay_name);
        put_some(&mut relay.authority, self.relay_authority);
        put(&mut relay.turn_urls, Some(self.turn_urls).filter(|urls| !urls.is_empty()));
        put_some(&mut issuer.url, self.issuer);
        put_some(&mut issuer.client_id, self.client_id);
        issuer.birthdate_is_verified |= self.issuer_verifies_birthdates;
        put_some(&mut matching.recent_partners, self.recent_partners);
    }
}

/// Those that are text; others are not ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
