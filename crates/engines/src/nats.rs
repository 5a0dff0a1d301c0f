//! A NATS server.

use crate::{End, EngineError, Kept, find_program, free_port, scratch, wait_for};
use std::io::Read;
use std::net::TcpStream;
use std::path::PathBuf;

pub struct Nats {
    kept: Option<Kept>,
    program: PathBuf,
    folder: PathBuf,
    pub port: u16,
}

impl Nats {
    pub fn start() -> Result<Self, EngineError> {
        let program = find_program("nats-server", &["/usr/sbin"]).ok_or(EngineError::Missing("NATS (package nats-server)"))?;
        let mut engine = Self { kept: None, program, folder: scratch("nats")?, port: free_port()? };
        engine.start_again()?;
        Ok(engine)
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    /// After [`Self::kill`], on the same port.
    pub fn start_again(&mut self) -> Result<(), EngineError> {
        let (program, port) = (self.program.to_string_lossy().into_owned(), self.port);
        let words = [program, String::from("-a"), String::from("127.0.0.1"), String::from("-p"), port.to_string()];
        self.kept = Some(Kept::start(&words, &self.folder, End::Kill)?);
        wait_for("NATS", &self.folder.join("log"), || {
            let mut first = [0; 4];
            TcpStream::connect(("127.0.0.1", port)).is_ok_and(|mut socket| socket.read_exact(&mut first).is_ok())
                && &first == b"INFO"
        })
    }
}
