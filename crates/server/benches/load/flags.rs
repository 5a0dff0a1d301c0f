//! The flags of the bench.

use std::path::PathBuf;
use std::time::Duration;

pub struct Flags {
    pub only: Vec<String>,
    pub idle: usize,
    pub joining: usize,
    pub over: Duration,
    pub meeting: usize,
    pub seconds: Duration,
    pub json: Option<PathBuf>,
}

impl Flags {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut flags = Self {
            only: ["idle", "join", "sessions"].map(String::from).to_vec(),
            idle: 20_000,
            joining: 5_000,
            over: Duration::from_secs(10),
            meeting: 2_000,
            seconds: Duration::from_secs(30),
            json: None,
        };
        while let Some(word) = words.next() {
            if word == "--bench" {
                // Cargo's own.
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            let number = || match value.parse::<usize>() {
                Ok(number) if (2..=200_000).contains(&number) => Ok(number),
                _ => Err(format!("{word} takes a number from 2 to 200000, not {value:?}")),
            };
            match word.as_str() {
                "--only" => flags.only = value.split(',').map(String::from).collect(),
                "--idle" => flags.idle = number()?,
                "--joining" => flags.joining = number()?,
                "--over-s" => flags.over = Duration::from_secs(number()? as u64),
                "--meeting" => flags.meeting = number()?,
                "--seconds" => flags.seconds = Duration::from_secs(number()? as u64),
                "--json" => flags.json = Some(PathBuf::from(&value)),
                other => return Err(format!("there is no flag {other}")),
            }
        }
        Ok(flags)
    }

    /// Fewer people, where so many sockets are not allowed.
    pub fn hold_to(&mut self, sockets: usize) {
        for count in [&mut self.idle, &mut self.joining, &mut self.meeting] {
            *count = sockets.min(*count);
        }
    }

    /// At once, at most.
    pub fn sockets(&self) -> usize {
        let of = |name: &str, count: usize| if self.only.iter().any(|only| only == name) { count } else { 0 };
        of("idle", self.idle).max(of("join", self.joining)).max(of("sessions", self.meeting))
    }
}
