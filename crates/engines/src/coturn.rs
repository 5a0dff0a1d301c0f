//! coturn as an operator would run it beside the server, on loopback.

use crate::{End, EngineError, Kept, find_program, scratch, wait_for};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

pub struct Coturn {
    kept: Option<Kept>,
    program: PathBuf,
    folder: PathBuf,
    pub port: u16,
}

/// Certificate and key (PEM), and the port at which the relay is reached over TLS.
pub struct Tls<'a> {
    pub certificate: &'a Path,
    pub key: &'a Path,
    pub port: u16,
}

impl Coturn {
    /// `secret`: what it shares with the server (`use-auth-secret`).
    pub fn start(port: u16, secret: &str, tls: Option<Tls<'_>>) -> Result<Self, EngineError> {
        let program =
            find_program("turnserver", &["/usr/bin", "/usr/sbin"]).ok_or(EngineError::Missing("coturn (package coturn)"))?;
        let folder = scratch("coturn")?;
        let place = folder.display();
        let tls = tls.map_or(String::from("no-tls\nno-dtls"), |tls| {
            let (certificate, key) = (tls.certificate.display(), tls.key.display());
            format!("tls-listening-port={}\ncert={certificate}\npkey={key}", tls.port)
        });
        let lines = [
            format!("listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={port}\n{tls}"),
            format!("use-auth-secret\nstatic-auth-secret={secret}\nrealm=visavis"),
            // Both sides are on loopback, which it does not relay to unless told.
            String::from("allow-loopback-peers\ncli-password=unused\nno-cli\nfingerprint\nlog-file=stdout\nno-multicast-peers"),
            format!("pidfile={place}/pid\nuserdb={place}/turndb\n"),
        ];
        std::fs::write(folder.join("turnserver.conf"), lines.join("\n"))?;
        let mut engine = Self { kept: None, program, folder, port };
        engine.start_again()?;
        Ok(engine)
    }

    pub fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    /// After [`Self::kill`], on the same port.
    pub fn start_again(&mut self) -> Result<(), EngineError> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let words = [text(&self.program), String::from("-c"), text(&self.folder.join("turnserver.conf"))];
        self.kept = Some(Kept::start(&words, &self.folder, End::Kill)?);
        let port = self.port;
        wait_for("coturn", &self.folder.join("log"), || TcpStream::connect(("127.0.0.1", port)).is_ok())
    }
}
