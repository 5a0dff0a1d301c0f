//! `visavis-server`: the configuration put together, the line that says it is ready, signals.

mod arguments;

use arguments::Arguments;
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
<<<<<<< HEAD
use visavis_server::{Config, IssuerConfig, Limits, OtherRelay, RECENT_PARTNERS, RelayConfig, RelayTls, Rules, Server};
use visavis_wire::Private;

/// The Visavis server. Prints one line of JSON on standard output when it is ready; the log goes to standard error.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Serve the development issuer and let people meet again at once. Loopback only.
    #[arg(long, env = "VISAVIS_DEV")]
    dev: bool,
    /// Address and port of the HTTP interface; port 0 takes a free one.
    #[arg(long, env = "VISAVIS_LISTEN", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Folder of the database and the server's secret.
    #[arg(long, env = "VISAVIS_DATA", default_value = "visavis-data")]
    data: PathBuf,
    /// PostgreSQL, as postgres://USER:PASSWORD@HOST:PORT/DATABASE, for several nodes; without it a SQLite file in the data folder.
    #[arg(long, env = "VISAVIS_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// Address and port of the embedded relay, for UDP and TCP alike.
    #[arg(long, env = "VISAVIS_RELAY_LISTEN", default_value = "127.0.0.1:0")]
    relay_listen: SocketAddr,
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
    #[arg(long, env = "VISAVIS_ISSUER", requires = "client_id")]
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

impl Arguments {
    fn config(self) -> Config {
        let (verified, secret) = (self.issuer_verifies_birthdates, self.client_secret);
        let issuer = self.issuer.zip(self.client_id).map(|(url, client_id)| IssuerConfig {
            url,
            client_id,
            client_secret: secret.map(Private::new),
            birthdate_is_verified: verified,
        });
        let rules = if self.dev { Rules { declined_ms: 0, ..Rules::default() } } else { Rules::default() };
        let tls = self.relay_certificate.zip(self.relay_key).zip(self.relay_name);
        let authority = self.relay_authority.clone();
        let relay_tls = tls.map(|((certificate, key), name)| RelayTls { certificate, key, name, authority });
        let other_relay = (!self.turn_urls.is_empty()).then(|| OtherRelay {
            urls: self.turn_urls,
            secret: Private::new(self.turn_secret.unwrap_or_default()),
            authority: self.relay_authority,
        });
        Config {
            listen: self.listen,
            data: self.data,
            database: self.database.map(Private::new),
            relay: Some(RelayConfig { listen: self.relay_listen, public: self.relay_public_ip }),
            relay_tls,
            other_relay,
            dev: self.dev,
            issuer,
            public_url: self.public_url,
            recent_partners: self.recent_partners.unwrap_or(if self.dev { 0 } else { RECENT_PARTNERS }),
            rules,
            limits: Limits::default(),
        }
    }
}
=======
use visavis_server::{Config, LogFormat, Server};
>>>>>>> 50c6d1e (Read a configuration file, serve TLS, count behind proxies, show figures on a port of the operator)

/// Wrong use and everything that keeps a server from starting.
const CANNOT_START: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (config, log) = match arguments.config() {
        Ok(config) => config,
        Err(error) => return cannot_start(&error),
    };
    let filter = match std::env::var("VISAVIS_LOG").ok().unwrap_or(log.filter).parse::<EnvFilter>() {
        Ok(filter) => filter,
        Err(error) => return cannot_start(&format!("the log filter cannot be used: {error}")),
    };
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    match log.format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(&error),
    };
    runtime.block_on(run(config))
}

async fn run(config: Config) -> ExitCode {
    let stop = stop_signal();
    let running = match Server::start(config).await {
        Ok(running) => running,
        Err(error) => return cannot_start(&error),
    };
    let relay = running.relay.map(|address| address.to_string());
    let admin = running.admin.map(|address| format!("http://{address}"));
    let ready = serde_json::json!({
        "ready": true, "http": running.url(), "relay": relay, "issuer": running.issuer_url, "admin": admin,
    });
    let mut stdout = std::io::stdout();
    // Nobody may be reading; the server is of use all the same.
    let _ = writeln!(stdout, "{ready}").and_then(|()| stdout.flush());
    tokio::select! {
        () = stop => {}
        () = reload_on_hangup(&running) => {}
    }
    running.shutdown().await;
    ExitCode::SUCCESS
}

fn cannot_start(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("visavis-server cannot start: {why}");
    ExitCode::from(CANNOT_START)
}

/// Never ends.
#[cfg(unix)]
async fn reload_on_hangup(running: &visavis_server::Running) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    loop {
        if hangup.recv().await.is_none() {
            return std::future::pending().await;
        }
        match running.reload_certificate() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }
}

#[cfg(not(unix))]
async fn reload_on_hangup(_running: &visavis_server::Running) {
    std::future::pending().await
}

/// Listens from the moment of the call, so that a signal during the start is not lost.
#[cfg(unix)]
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = signal(SignalKind::interrupt()).and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    async move {
        match signals {
            Ok((mut interrupt, mut terminate)) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "signals cannot be listened for");
                std::future::pending().await
            }
        }
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
