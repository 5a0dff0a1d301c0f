//! Whether a Visavis server of this version answers at an address, and if not, why.

use super::{Backend, CONNECT_WITHIN, choose_cryptography};
use crate::keyring::Keyring;
use crate::server::{ServerProblem, Untrusted, normalised};
use reqwest::StatusCode;
use rustls::CertificateError;
use serde::Deserialize;
use std::error::Error;
use visavis_wire::SERVER_PROTOCOL;

/// Of an answer that is a line.
const HEALTH_BYTES: usize = 64 * 1024;

#[derive(Deserialize)]
struct Health {
    status: String,
    protocol: u16,
}

/// The address to use for what was typed.
pub async fn check(typed: &str) -> Result<String, ServerProblem> {
    choose_cryptography();
    let address = normalised(typed)?;
    Backend::new(&address, Keyring::memory()).is_there().await?;
    Ok(address)
}

impl Backend {
    async fn is_there(&self) -> Result<(), ServerProblem> {
        let host = self.place();
        let (status, body) = self.look("v1/health").await?;
        if is_away(status) {
            return Err(ServerProblem::NotReady { host });
        }
        let health: Option<Health> = serde_json::from_slice(&body).ok();
        let Some(health) = health.filter(|health| status.is_success() && health.status == "ok") else {
            return Err(ServerProblem::NotVisavis { host });
        };
        match health.protocol {
            SERVER_PROTOCOL => {}
            newer if newer > SERVER_PROTOCOL => return Err(ServerProblem::AppTooOld { host }),
            _ => return Err(ServerProblem::ServerTooOld { host }),
        }
        let (status, _) = self.look("v1/ready").await?;
        if status.is_success() { Ok(()) } else { Err(ServerProblem::NotReady { host }) }
    }

    /// Name and port, as in the address.
    fn place(&self) -> String {
        let Ok(base) = &self.base else { return String::new() };
        let host = base.host_str().unwrap_or_default();
        base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    async fn look(&self, path: &str) -> Result<(StatusCode, Vec<u8>), ServerProblem> {
        let host = self.place();
        let untrusted = |because| ServerProblem::Untrusted { host: host.clone(), because };
        // Where the machine's certificates cannot be read, nobody can be trusted.
        let http = self.http.as_ref().map_err(|_| untrusted(Untrusted::UnknownIssuer))?;
        let url = self.url(path).map_err(|_| ServerProblem::NoAddress)?;
        let mut response = match http.get(url).timeout(CONNECT_WITHIN * 2).send().await {
            Ok(response) => response,
            Err(error) => return Err(self.explained(&error).await),
        };
        let mut body = Vec::new();
        while body.len() < HEALTH_BYTES {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => return Err(ServerProblem::NotVisavis { host }),
            }
        }
        Ok((response.status(), body))
    }

    async fn explained(&self, error: &reqwest::Error) -> ServerProblem {
        let host = self.place();
        if let Some(because) = tls_error(error).map(untrusted) {
            return ServerProblem::Untrusted { host, because };
        }
        if !error.is_connect() {
            return if error.is_timeout() { ServerProblem::Unreachable { host } } else { ServerProblem::NotVisavis { host } };
        }
        if self.has_name().await { ServerProblem::Unreachable { host } } else { ServerProblem::NameUnknown { host } }
    }

    async fn has_name(&self) -> bool {
        let Ok(base) = &self.base else { return false };
        let (Some(host), Some(port)) = (base.host_str(), base.port_or_known_default()) else { return false };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::time::timeout(CONNECT_WITHIN, tokio::net::lookup_host((host, port))).await;
        // A name server that does not answer knows nothing against the name.
        found.is_err() || found.is_ok_and(|names| names.is_ok_and(|mut names| names.next().is_some()))
    }
}

/// A proxy in front of a server that is down, or a server that is asked too often.
fn is_away(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

/// What TLS found wrong, wherever it lies in the chain of causes; I/O errors hold theirs beside the chain.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        if let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref)
            && let Some(found) = tls_error(inner)
        {
            return Some(found);
        }
        next = cause.source();
    }
    None
}

fn untrusted(error: &rustls::Error) -> Untrusted {
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Untrusted::Expired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Untrusted::OtherName,
            CertificateError::UnknownIssuer => Untrusted::UnknownIssuer,
            _ => Untrusted::Other,
        },
        rustls::Error::InvalidMessage(_) => Untrusted::NoTls,
        _ => Untrusted::Other,
    }
}
