//! Starting and stopping.

use crate::config::{Config, ConfigError};
use crate::dev_issuer::{CLIENT_ID, DevIssuer};
use crate::http::{App, Rates};
use crate::identity::{IssuerConfig, RelyingParty};
use crate::issuer_http::IssuerHttp;
use crate::random;
use crate::relay::{CredentialMaker, Relay, RelayError};
use crate::room_task::{self, RoomHandle};
use crate::store::{SqlStore, Store, StoreError};
use crate::tokens::AccessTokens;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
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
    Relay(#[from] RelayError),
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
    room: RoomHandle,
    room_task: JoinHandle<()>,
    web_task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    turn: Option<Relay>,
    /// Held by the web task and by every open socket.
    app: Weak<App>,
    store: Arc<dyn Store>,
}

impl Server {
    pub async fn start(config: Config) -> Result<Running, StartError> {
        config.check()?;
        let secret = open_data_folder(&config.data)?;
        let listener = TcpListener::bind(config.listen).await.map_err(|error| StartError::Listen(config.listen, error))?;
        let http = listener.local_addr().map_err(|error| StartError::Listen(config.listen, error))?;
        let other = config.other_relay.as_ref().map(CredentialMaker::of).transpose()?;
        let turn = match config.relay {
            Some(relay) if other.is_none() => Some(Relay::start(relay, config.relay_tls.as_ref()).await?),
            _ => None,
        };
        let credentials = other.or_else(|| turn.as_ref().map(|turn| turn.credentials.clone()));
        let store: Arc<dyn Store> = Arc::new(match &config.database {
            Some(url) => SqlStore::open_postgres(url.reveal()).await?,
            None => SqlStore::open_file(&config.data.join("visavis.db")).await?,
        });

        let base = config.public_url.clone().unwrap_or_else(|| format!("http://{http}"));
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
        let (room, room_task) = room_task::start(config.rules, Arc::clone(&store), config.recent_partners, credentials);
        let app = Arc::new(App {
            store: Arc::clone(&store),
            room: room.clone(),
            issuer: if config.dev { String::from("development") } else { issuer.url.clone() },
            relying_party: RelyingParty::new(
                issuer,
                IssuerHttp::new().ok_or(StartError::Certificates)?,
                config.limits.sign_in_lasts,
            ),
            access: AccessTokens::new(config.limits.access_token_lasts),
            secret,
            limits: config.limits,
            rates: Rates::new(&config.limits),
        });
        let weak = Arc::downgrade(&app);
        let issuer_url = dev.as_ref().map(|dev| dev.url().to_owned());
        let (stop, stopped) = watch::channel(false);
        let web_task = tokio::spawn(serve(listener, app, dev, stopped));
        let relay = turn.as_ref().map(|turn| turn.address);
        tracing::info!(%http, relay = relay.map(tracing::field::display), recent_partners = config.recent_partners, "ready");
        if config.recent_partners == 0 {
            tracing::info!("two people may meet again at once");
        }
        Ok(Running { http, relay, issuer_url, room, room_task, web_task, stop, turn, app: weak, store })
    }
}

impl Running {
    /// For one who does not come through a match: the rig that measures calls. `None` without a relay.
    pub fn relay_credentials(&self) -> Option<RelayCredentials> {
        self.turn.as_ref().map(|turn| turn.credentials.make(random::unix_seconds()))
    }

    /// Tells everybody, lets open requests end, closes the database. Takes some seconds at most.
    pub async fn shutdown(self) {
        self.room.close().await;
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

async fn serve(listener: TcpListener, app: Arc<App>, dev: Option<Arc<DevIssuer>>, mut stopped: watch::Receiver<bool>) {
    let mut router = crate::http::router(Arc::clone(&app));
    if let Some(dev) = dev {
        router = router.merge(dev.router());
    }
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut until = stopped.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        // An error means that the server was dropped, which ends it as well.
        let _ = until.wait_for(|stop| *stop).await;
    });
    let tidying = async {
        let mut ticks = tokio::time::interval(TIDY_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => app.rates.tidy(),
                _ = stopped.wait_for(|stop| *stop) => return,
            }
        }
    };
    let (served, ()) = tokio::join!(serving, tidying);
    if let Err(error) = served {
        tracing::error!(%error, "the web server ended");
    }
}

fn dev_issuer_config(dev: &DevIssuer) -> IssuerConfig {
    IssuerConfig { url: dev.url().to_owned(), client_id: CLIENT_ID.to_owned(), client_secret: None, birthdate_is_verified: true }
}

/// Makes the folder, makes sure that it can be written to, and reads the server's secret or makes it.
fn open_data_folder(data: &Path) -> Result<[u8; 32], StartError> {
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
fn write_private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
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
