//! Starting and stopping.

use crate::backup::{self, BackupError};
use crate::bus::{Bus, LocalBus, NatsBus};
use crate::config::{AdminConfig, Config, ConfigError};
use crate::dev_issuer::{CLIENT_ID, DevIssuer};
use crate::doors::{Doors, DoorsError, DoorsSection};
use crate::http::{App, Confirmations, Rates};
use crate::identity::{IssuerConfig, RelyingParty};
use crate::issuer_http::IssuerHttp;
use crate::listener::{Certificate, CertificateError, Listener, Peer};
use crate::metrics::Metrics;
use crate::random;
use crate::relay::{CredentialMaker, Relay, RelayError};
use crate::room_task::{self, Cluster, NodeError, Parts, RoomHandle};
use crate::store::safety::AuditKey;
use crate::store::{SqlStore, Store, StoreError};
use crate::tokens::AccessTokens;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use visavis_wire::Private;
use visavis_wire::socket::RelayCredentials;

/// Open requests get this long after everybody has been told that the server closes.
const DRAIN: Duration = Duration::from_secs(3);
const TIDY_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("the data folder {} cannot be used: {why}", .folder.display())]
    Data { folder: PathBuf, why: std::io::Error },
    #[error("the data folder {} holds a damaged secret.key; restore it, or delete it and lose all accounts", .0.display())]
    Secret(PathBuf),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    InUse(#[from] BackupError),
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(transparent)]
    Relay(#[from] RelayError),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("the token file {} cannot be used: {why}", .file.display())]
    Token { file: PathBuf, why: String },
    #[error("the connection to the sign-in service cannot be set up: the system's certificates cannot be read")]
    Certificates,
    #[error("the development issuer's key cannot be made")]
    DevIssuer,
}

pub struct Server;

/// A server at work. Dropping it without [`Running::shutdown`] leaves it at work until the runtime ends.
pub struct Running {
    pub http: SocketAddr,
    pub relay: Option<SocketAddr>,
    /// Of the development issuer, where it is served.
    pub issuer_url: Option<String>,
    /// Of the metrics and the moderators' page.
    pub admin: Option<SocketAddr>,
    certificate: Option<Certificate>,
    room: RoomHandle,
    room_task: JoinHandle<()>,
    web_task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    turn: Option<Relay>,
    /// Held by the web task and by every open socket.
    app: Weak<App>,
    store: Arc<dyn Store>,
    /// Of the moderators' measures and the janitor.
    tasks: Vec<JoinHandle<()>>,
    drain: Duration,
    /// Of the data folder.
    _lock: Option<std::fs::File>,
}

impl Server {
    pub async fn start(config: Config) -> Result<Running, StartError> {
        config.check()?;
        let doors = Doors::try_from(&config.doors).map_err(ConfigError::from)?;
        let secret = open_data_folder(&config.data)?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
        let http = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
        let certificate = config.tls.as_ref().map(Certificate::read).transpose()?;
        let web = Listener::new(listener, certificate.clone()).map_err(|error| StartError::Listen(config.listen, error))?;
        let admin = match &config.admin {
            Some(admin) => Some(open_admin(admin, &config.data).await?),
            None => None,
        };
        let other = config.other_relay.as_ref().map(CredentialMaker::of).transpose()?;
        let turn = match config.relay {
            Some(relay) if other.is_none() => Some(Relay::start(relay, config.relay_tls.as_ref()).await?),
            _ => None,
        };
        let credentials = other.or_else(|| turn.as_ref().map(|turn| turn.credentials.clone()));
        // Two processes on one file would each think themselves the only node.
        let lock = config.database.is_none().then(|| backup::lock(&config.data)).transpose()?;
        let store = open_store(&config).await?;

        let scheme = if certificate.is_some() { "https" } else { "http" };
        let base = config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{http}"));
        let dev = if config.dev {
            Some(Arc::new(DevIssuer::new(base.trim_end_matches('/')).ok_or(StartError::DevIssuer)?))
        } else {
            None
        };
        let issuer = match (&dev, config.issuer) {
            (Some(dev), _) => dev_issuer_config(dev),
            (None, Some(issuer)) => issuer,
            (None, None) => return Err(ConfigError::NoIssuer.into()),
        };
        let metrics = Metrics::new();
        let (cluster, bus) = cluster(&config.nats, config.node, config.pools_by_language).await?;
        let parts = Parts {
            rules: config.rules,
            store: Arc::clone(&store),
            bus,
            recent_partners: config.recent_partners,
            relay: credentials,
            metrics: metrics.clone(),
            secret,
        };
        let (room, room_task) = room_task::start(cluster, parts).await?;
        let app = Arc::new(App {
            store: Arc::clone(&store),
            room: room.clone(),
            issuer: if config.dev { String::from("development") } else { issuer.url.clone() },
            relying_party: RelyingParty::new(
                issuer,
                IssuerHttp::new(config.limits.issuer_answers_within).ok_or(StartError::Certificates)?,
                config.limits.sign_in_lasts,
            ),
            access: AccessTokens::new(config.limits.access_token_lasts, secret),
            secret,
            limits: config.limits,
            rates: Rates::new(&config.limits),
            trusted_proxies: config.trusted_proxies,
            moderation: config.moderation,
            retention: config.retention,
            metrics: metrics.clone(),
            audit_key: AuditKey::of(&secret),
            confirmations: Confirmations::default(),
            dev: config.dev,
            draining: AtomicBool::new(false),
            readiness: crate::http::Readiness::default(),
            decoding: tokio::sync::Semaphore::new(1),
            doors: RwLock::new(Arc::new(doors)),
        });
        let weak = Arc::downgrade(&app);
        let tasks = vec![
            tokio::spawn(crate::moderation::carry_out_measures(Weak::clone(&weak))),
            tokio::spawn(crate::moderation::forget(Weak::clone(&weak))),
        ];
        let issuer_url = dev.as_ref().map(|dev| dev.url().to_owned());
        let (stop, stopped) = watch::channel(false);
        let admin_address = admin.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
        if let Some((listener, token)) = admin {
            tokio::spawn(serve_admin(listener, crate::admin::router(Arc::clone(&app), token.reveal()), stopped.clone()));
        }
        let web_task = tokio::spawn(serve(web, app, dev, stopped));
        let relay = turn.as_ref().map(|turn| turn.address);
        tracing::info!(%http, relay = relay.map(tracing::field::display), recent_partners = config.recent_partners, "ready");
        if config.recent_partners == 0 {
            tracing::info!("two people may meet again at once");
        }
        Ok(Running {
            http,
            relay,
            issuer_url,
            admin: admin_address,
            certificate,
            room,
            room_task,
            web_task,
            stop,
            turn,
            app: weak,
            store,
            tasks,
            drain: config.drain,
            _lock: lock,
        })
    }
}

impl Running {
    /// For one who does not come through a match: the rig that measures calls. `None` without a relay.
    pub fn relay_credentials(&self) -> Option<RelayCredentials> {
        self.turn.as_ref().map(|turn| turn.credentials.make(random::unix_seconds()))
    }

    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.http)
    }

    /// Reads the certificate's files again; where they are not in order the old one stays.
    pub fn reload_certificate(&self) -> Result<(), CertificateError> {
        self.certificate.as_ref().map_or(Ok(()), Certificate::reload)
    }

    /// Takes nobody new and waits until nobody here is in a match, or for as long as the configuration says. Other nodes lead the
    /// pools meanwhile, where there are any.
    pub async fn drain(&self) {
        if let Some(app) = self.app.upgrade() {
            app.draining.store(true, Ordering::Relaxed);
        }
        self.room.drain().await;
        let began = tokio::time::Instant::now();
        while began.elapsed() < self.drain && self.room.in_match().await > 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tracing::info!(in_match = self.room.in_match().await, "drained");
    }

    /// For whoever comes from now on, and a moment later for those who wait.
    pub fn set_doors(&self, section: &DoorsSection) -> Result<(), DoorsError> {
        let doors = Doors::try_from(section)?;
        if let Some(app) = self.app.upgrade() {
            app.set_doors(doors);
        }
        Ok(())
    }

    /// Tells everybody, lets open requests end, closes the database. Takes some seconds at most.
    pub async fn shutdown(self) {
        self.room.close().await;
        for task in &self.tasks {
            task.abort();
        }
        if self.room_task.await.is_err() {
            tracing::error!("the meeting room had failed before it was closed");
        }
        // The web task may have ended by itself.
        let _ = self.stop.send(true);
        let abort = self.web_task.abort_handle();
        if tokio::time::timeout(DRAIN, self.web_task).await.is_err() {
            abort.abort();
        }
        // Sockets still carry their last words.
        let silence = async {
            while self.app.strong_count() > 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(DRAIN, silence).await.is_err() {
            tracing::warn!(sockets = self.app.strong_count(), "some sockets did not take their last message in time");
        }
        if let Some(turn) = &self.turn {
            turn.close().await;
        }
        self.store.close().await;
        tracing::info!("closed");
    }
}

async fn serve(listener: Listener, app: Arc<App>, dev: Option<Arc<DevIssuer>>, mut stopped: watch::Receiver<bool>) {
    let mut router = crate::http::router(Arc::clone(&app));
    if let Some(dev) = dev {
        router = router.merge(dev.router());
    }
    let service = router.into_make_service_with_connect_info::<Peer>();
    let mut until = stopped.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        // An error means that the server was dropped, which ends it as well.
        let _ = until.wait_for(|stop| *stop).await;
    });
    let tidying = async {
        let mut ticks = tokio::time::interval(TIDY_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    app.rates.tidy();
                    app.access.tidy();
                }
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
    };
    let (served, ()) = tokio::join!(serving, tidying);
    if let Err(error) = served {
        tracing::error!(%error, "the web server ended");
    }
}

async fn serve_admin(listener: TcpListener, router: axum::Router, mut stopped: watch::Receiver<bool>) {
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    });
    if let Err(error) = serving.await {
        tracing::error!(%error, "the moderators' page ended");
    }
}

/// The listener, and the token that is asked for.
async fn open_admin(admin: &AdminConfig, data: &Path) -> Result<(TcpListener, Private<String>), StartError> {
    let file = admin.token_file.clone().unwrap_or_else(|| data.join("admin.token"));
    let fault = |why: String| StartError::Token { file: file.clone(), why };
    let token = match std::fs::read_to_string(&file) {
        Ok(text) if text.trim().len() >= 20 => Private::new(text.trim().to_owned()),
        Ok(_) => return Err(fault(String::from("a token has 20 characters or more; delete the file and a good one is made"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let token = random::token();
            write_private(&file, token.as_bytes()).map_err(|error| fault(error.to_string()))?;
            Private::new(token)
        }
        Err(error) => return Err(fault(error.to_string())),
    };
    let listener = TcpListener::bind(admin.listen).await.map_err(|error| StartError::Listen(admin.listen, error))?;
    Ok((listener, token))
}

/// Of several nodes, or of the only one, to whom nobody can do harm by being slow.
async fn cluster(
    nats: &Option<Private<String>>,
    name: Option<String>,
    by_language: bool,
) -> Result<(Cluster, Arc<dyn Bus>), NodeError> {
    match nats {
        Some(urls) => {
            let name = name.unwrap_or_else(|| format!("node-{}", random::hex(&random::bytes::<6>())));
            let cluster = Cluster { name, beat: Duration::from_millis(400), dead: Duration::from_secs(2), by_language };
            Ok((cluster, Arc::new(NatsBus::connect(urls.reveal()).await?)))
        }
        None => {
            let name = name.unwrap_or_else(|| String::from("local"));
            let cluster = Cluster { name, beat: Duration::from_secs(20), dead: Duration::from_secs(100), by_language };
            Ok((cluster, Arc::new(LocalBus::default())))
        }
    }
}

fn dev_issuer_config(dev: &DevIssuer) -> IssuerConfig {
    IssuerConfig { url: dev.url().to_owned(), client_id: CLIENT_ID.to_owned(), client_secret: None, birthdate_is_verified: true }
}

pub(crate) async fn open_store(config: &Config) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(match &config.database {
        Some(url) => SqlStore::open_postgres(url.reveal()).await?,
        None => SqlStore::open_file(&config.data.join("visavis.db")).await?,
    }))
}

/// Makes the folder, makes sure that it can be written to, and reads the server's secret or makes it.
pub(crate) fn open_data_folder(data: &Path) -> Result<[u8; 32], StartError> {
    let unusable = |why| StartError::Data { folder: data.to_owned(), why };
    std::fs::create_dir_all(data).map_err(unusable)?;
    let file = data.join("secret.key");
    match std::fs::read(&file) {
        Ok(secret) => secret.try_into().map_err(|_| StartError::Secret(data.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let secret = random::bytes::<32>();
            write_private(&file, &secret).map_err(unusable)?;
            Ok(secret)
        }
        Err(error) => Err(unusable(error)),
    }
}

/// For this user's eyes, complete or not at all.
pub(crate) fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let new = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&new)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    std::fs::rename(&new, file)
}
