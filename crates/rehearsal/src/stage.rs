//! The real server inside this process, on loopback ports that are free, with the development issuer and the embedded relay.

use crate::rehearse::shim::{self, FRONT, Shim, Weather};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use tempfile::TempDir;
use visavis_server::{Config, RelayConfig};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).map_or(0, |address| address.port())
}

/// A running server and the folder its data lie in, removed with it.
pub struct Stage {
    pub server: visavis_server::Running,
    pub url: String,
    folder: TempDir,
}

impl Stage {
    pub async fn start() -> Result<Self, Failure> {
        Self::start_with(|_| ()).await
    }

    /// For those who know the address before the server is there.
    pub async fn start_at(listen: SocketAddr) -> Result<Self, Failure> {
        Self::start_with(|config| config.listen = listen).await
    }

    /// With a bad network between the apps and the relay; it ends with the second value.
    pub async fn start_behind(weather: Weather, seed: u64) -> Result<(Self, Shim), Failure> {
        let relay = SocketAddr::from(([127, 0, 0, 1], shim::free_relay_port()?));
        let stage = Self::start_with(|config| config.relay = Some(RelayConfig { listen: relay, public: Some(FRONT) })).await?;
        Ok((stage, Shim::start(relay, weather, seed).await?))
    }

    async fn start_with(change: impl FnOnce(&mut Config)) -> Result<Self, Failure> {
        crate::browser::install_tls();
        let folder = tempfile::Builder::new().prefix("visavis-stage").tempdir()?;
        let mut config = Config { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..Config::dev(folder.path().join("server")) };
        change(&mut config);
        let server = visavis_server::Server::start(config).await?;
        let url = format!("http://{}", server.http);
        Ok(Self { server, url, folder })
    }

    /// A folder for one person's profile, next to the server's data.
    pub fn profile_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join("profiles").join(name)
    }
}
