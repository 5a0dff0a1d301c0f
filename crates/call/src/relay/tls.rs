//! TLS to a relay: the authorities of the web, or the operator's own where the server names one.
//!
//! What goes over it is encrypted between the two apps already. TLS is spoken because some networks let nothing else out; that it
//! is verified keeps credentials and the shape of the traffic from whoever stands in between.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// `None`: no configuration could be made, and TLS is not tried.
#[derive(Clone)]
pub(super) struct Dialer(Option<TlsConnector>);

impl Dialer {
    pub fn new(authority: Option<&str>) -> Self {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for certificate in CertificateDer::pem_slice_iter(authority.unwrap_or_default().as_bytes()) {
            if !certificate.is_ok_and(|certificate| roots.add(certificate).is_ok()) {
                tracing::warn!("an authority that the server named cannot be read");
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(roots).with_no_client_auth());
        Self(config.ok().map(|config| TlsConnector::from(Arc::new(config))))
    }

    pub async fn secure(&self, host: &str, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).ok()?;
        match self.0.as_ref()?.connect(name, stream).await {
            Ok(stream) => Some(stream),
            Err(_) => {
                // The error may name the host.
                tracing::warn!("TLS with the relay did not come about");
                None
            }
        }
    }
}
