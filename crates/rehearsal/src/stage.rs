//! The real server inside this process, on loopback ports that are free, with the development issuer and the embedded relay.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use tempfile::TempDir;

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
    pub async fn start() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// For those who know the address before the server is there.
    pub async fn start_at(listen: SocketAddr) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        crate::browser::install_tls();
        let folder = tempfile::Builder::new().prefix("visavis-stage").tempdir()?;
        let server = visavis_server::Server::start(visavis_server::Config {
            listen,
            ..visavis_server::Config::dev(folder.path().join("server"))
        })
        .await?;
        let url = format!("http://{}", server.http);
        Ok(Self { server, url, folder })
    }

    /// A folder for one person's profile, next to the server's data.
    pub fn profile_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join("profiles").join(name)
    }
}
