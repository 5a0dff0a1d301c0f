//! One program per profile: the first start holds the profile's lock, a later one hands its link over and ends. Where the first is
//! on its way out, the later one waits for it and takes its place. The file that tells a later start where to hand its link also tells
//! the next first one whether this one came to a proper end.
//!
//! The two speak over loopback with a token that only the profile's owner can read, so one code serves every system.

use crate::links::Link;
use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Both ends are programs of this machine, and the first answers before it does anything.
const PATIENCE: Duration = Duration::from_secs(2);
/// A program that was closed says good-bye, puts its devices back and ends; on a busy machine that takes seconds.
pub const LEAVING: Duration = Duration::from_secs(15);
const ASKED_EVERY: Duration = Duration::from_millis(100);
/// Of a line from another process, and of the file.
const LONGEST: u64 = 4096;
const LOCK: &str = "instance.lock";
const PLACE: &str = "instance.json";
const TAKEN: &[u8] = b"taken\n";
/// As long as the other answer.
const GOES: &[u8] = b"leave\n";

pub enum Claim {
    First(Instance),
    /// The program that holds the profile came to the front instead.
    HandedOver,
}

/// The profile is ours while this lives; dropping it is the proper end.
pub struct Instance {
    place: PathBuf,
    ended_badly: bool,
    leaving: Leaving,
    /// Released by the system too, however the process ends.
    _lock: File,
}

/// From [`Leaving::begin`] on nobody is handed over to this program any more.
#[derive(Clone, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Serialize, Deserialize)]
struct Place {
    port: u16,
    token: String,
}

#[derive(Serialize, Deserialize)]
struct Call {
    token: String,
    link: Option<Link>,
}

/// Waits up to `patience` for a program that is about to end, or has not come so far as to listen. `Err` is a sentence for the user.
pub fn claim(folder: &Path, link: Option<Link>, patience: Duration) -> Result<Claim, String> {
    let begun = Instant::now();
    let path = folder.join(LOCK);
    let unusable = |error: io::Error| format!("the profile folder {} cannot be used: {error}", folder.display());
    let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unusable)?;
    let place = folder.join(PLACE);
    loop {
        match lock.try_lock() {
            Ok(()) => {
                let ended_badly = place.exists();
                return Ok(Claim::First(Instance { place, ended_badly, leaving: Leaving::default(), _lock: lock }));
            }
            Err(TryLockError::WouldBlock) => match hand_over(&place, link) {
                Ok(()) => return Ok(Claim::HandedOver),
                Err(_) if begun.elapsed() < patience => std::thread::sleep(ASKED_EVERY),
                Err(error) => {
                    return Err(format!(
                        "another Visavis uses this profile and does not answer ({error}): close it, or start with another --profile NAME"
                    ));
                }
            },
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
}

impl Instance {
    /// The program before this one was killed or crashed, or the machine went down under it.
    pub fn ended_badly(&self) -> bool {
        self.ended_badly
    }

    pub fn leaving(&self) -> Leaving {
        self.leaving.clone()
    }

    /// Calls `raise` in a thread of its own for every later start.
    pub fn listen(&self, raise: impl Fn(Option<Link>) + Send + 'static) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut secret = [0_u8; 16];
        OsRng.try_fill_bytes(&mut secret).map_err(io::Error::other)?;
        let token: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        write_private(&self.place, &serde_json::to_vec(&Place { port: listener.local_addr()?.port(), token: token.clone() })?)?;
        let leaving = self.leaving();
        std::thread::Builder::new().name("instance".into()).spawn(move || {
            for stream in listener.incoming().flatten() {
                // One at a time, and each for a moment only.
                match answer(&stream, &token, &leaving) {
                    Ok(Some(call)) => raise(call.link),
                    Ok(None) => tracing::debug!("another start was not heard"),
                    Err(error) => tracing::debug!(%error, "another start broke off"),
                }
            }
        })?;
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.place)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the next start will think that this one ended badly");
        }
    }
}

/// `None`: the token is wrong, or this program leaves.
fn answer(mut stream: &TcpStream, token: &str, leaving: &Leaving) -> io::Result<Option<Call>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(b'\n', &mut line)?;
    let call: Call = serde_json::from_slice(&line)?;
    if call.token != token {
        tracing::warn!("a program without the profile's token asked for the window");
        return Ok(None);
    }
    if leaving.has_begun() {
        stream.write_all(GOES)?;
        return Ok(None);
    }
    stream.write_all(TAKEN)?;
    Ok(Some(call))
}

fn hand_over(place: &Path, link: Option<Link>) -> io::Result<()> {
    let mut text = String::new();
    File::open(place)?.take(LONGEST).read_to_string(&mut text)?;
    let Place { port, token } = serde_json::from_str(&text)?;
    let mut stream = TcpStream::connect_timeout(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, port).into(), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_vec(&Call { token, link })?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = [0; TAKEN.len()];
    stream.read_exact(&mut answer)?;
    match &answer[..] {
        TAKEN => Ok(()),
        GOES => Err(io::Error::other("it is about to end")),
        _ => Err(io::Error::other("it answered something else")),
    }
}

/// Appears whole or not at all, and only its owner can read it (on Windows the profile's folder sees to that).
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&unfinished)?.write_all(bytes)?;
    std::fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn first(folder: &Path) -> Instance {
        match claim(folder, None, Duration::ZERO).unwrap() {
            Claim::First(instance) => instance,
            Claim::HandedOver => panic!("nobody else is there"),
        }
    }

    #[test]
    fn a_second_start_hands_its_link_to_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let instance = first(folder.path());
        let (sender, raised) = mpsc::channel();
        instance.listen(move |link| sender.send(link).unwrap()).unwrap();
        assert!(matches!(claim(folder.path(), Some(Link::Friends), Duration::ZERO).unwrap(), Claim::HandedOver));
        assert_eq!(raised.recv_timeout(PATIENCE).unwrap(), Some(Link::Friends));
        assert!(matches!(claim(folder.path(), None, Duration::ZERO).unwrap(), Claim::HandedOver));
        assert_eq!(raised.recv_timeout(PATIENCE).unwrap(), None);
    }

    #[test]
    fn a_program_that_leaves_takes_no_link_and_the_next_one_waits_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let instance = first(folder.path());
        let (sender, raised) = mpsc::channel();
        instance.listen(move |link| sender.send(link).unwrap()).unwrap();
        instance.leaving().begin();
        let Err(why) = claim(folder.path(), None, Duration::ZERO) else { panic!("it is still there") };
        assert!(why.contains("about to end"), "{why}");
        let path = folder.path().to_owned();
        let next =
            std::thread::spawn(move || matches!(claim(&path, None, LEAVING), Ok(Claim::First(next)) if !next.ended_badly()));
        std::thread::sleep(2 * ASKED_EVERY);
        drop(instance);
        assert!(next.join().unwrap());
        assert!(raised.try_recv().is_err(), "nobody is handed over to a program that ends");
    }

    #[test]
    fn profiles_do_not_know_each_other() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let _instance = first(one.path());
        let _another = first(other.path());
    }

    #[test]
    fn a_first_program_that_does_not_answer_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let _silent = first(folder.path());
        let Err(why) = claim(folder.path(), None, Duration::ZERO) else { panic!("nobody listens") };
        assert!(why.contains("--profile NAME"), "{why}");
    }

    #[test]
    fn only_whoever_knows_the_token_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let instance = first(folder.path());
        let (sender, raised) = mpsc::channel();
        instance.listen(move |link| sender.send(link).unwrap()).unwrap();
        let place: Place = serde_json::from_slice(&std::fs::read(folder.path().join(PLACE)).unwrap()).unwrap();
        for line in [r#"{"token":"guess","link":null}"#, "nonsense", "{\"token\":"] {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, place.port)).unwrap();
            stream.write_all(line.as_bytes()).unwrap();
            stream.write_all(b"\n").unwrap();
            let mut said = Vec::new();
            // Closed without a word, or reset.
            let _ = stream.read_to_end(&mut said);
            assert!(said.is_empty());
        }
        assert!(raised.try_recv().is_err());
        assert!(matches!(claim(folder.path(), None, Duration::ZERO).unwrap(), Claim::HandedOver));
    }

    #[test]
    fn a_program_that_was_killed_is_noticed_by_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let instance = first(folder.path());
        assert!(!instance.ended_badly());
        instance.listen(|_| {}).unwrap();
        drop(instance);
        let instance = first(folder.path());
        assert!(!instance.ended_badly(), "it was closed properly");
        instance.listen(|_| {}).unwrap();
        let left = std::fs::read(folder.path().join(PLACE)).unwrap();
        drop(instance);
        // As the system leaves it when the process is killed: the lock is free, the file is there.
        std::fs::write(folder.path().join(PLACE), left).unwrap();
        assert!(first(folder.path()).ended_badly());
    }
}
