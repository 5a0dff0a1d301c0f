//! What one server with its default database bears: memory of idle sockets, time from joining to a match, sessions a second.
//!
//! The server is a process of its own, on this machine, without TLS; everybody signs in at `/dev/sign-in` before the measurement.
//! Clients share the processor with the server, so figures of a small machine are lower bounds. Linux alone: memory is read from
//! `/proc`. Flags: `--only idle,join,sessions`, `--idle N`, `--joining N`, `--over-s N`, `--meeting N`, `--seconds N`, `--json FILE`.

mod client;
mod flags;
mod server;

use client::{Everybody, Person};
use flags::Flags;
use serde_json::{Value, json};
use server::{Files, Process};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use visavis_wire::socket::{ClientMessage, Question, ServerMessage};

const GB: f64 = 1e9;

fn main() -> std::process::ExitCode {
    let mut flags = match Flags::parse(std::env::args().skip(1)) {
        Ok(flags) => flags,
        Err(why) => {
            eprintln!("load: {why}");
            return std::process::ExitCode::from(2);
        }
    };
    match server::with_enough_files(flags.sockets()) {
        Files::Enough => {}
        Files::Ran(code) => return code,
        Files::AtMost(sockets) => {
            println!("only {sockets} sockets can be open at once here, of {} that were asked for", flags.sockets());
            flags.hold_to(sockets);
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let mut figures = serde_json::Map::new();
    for (name, wanted) in [("idle", flags.idle), ("join", flags.joining), ("sessions", flags.meeting)] {
        if !flags.only.iter().any(|only| only == name) {
            continue;
        }
        let figure = runtime.block_on(async {
            match name {
                "idle" => idle(wanted).await,
                "join" => join(wanted, flags.over).await,
                _ => sessions(wanted, flags.seconds).await,
            }
        });
        println!("{name}: {figure}");
        figures.insert(name.to_owned(), figure);
    }
    if let Some(file) = &flags.json
        && let Err(error) = std::fs::write(file, format!("{:#}\n", Value::Object(figures)))
    {
        eprintln!("load: {} cannot be written: {error}", file.display());
        return std::process::ExitCode::FAILURE;
    }
    std::process::ExitCode::SUCCESS
}

/// Memory of the server that sockets of people who do nothing take.
async fn idle(count: usize) -> Value {
    let server = Process::start();
    let everybody = Everybody::sign_in(server.address, count).await;
    let before = server.memory();
    for number in 0..count {
        everybody.connect(number).await.stay();
    }
    // Beyond the first sign of life, which every socket gets.
    tokio::time::sleep(Duration::from_secs(20)).await;
    let after = server.memory();
    let alive = server.sockets_open();
    let each = after.saturating_sub(before) as f64 / count as f64;
    json!({ "sockets": count, "open_at_the_end": alive, "bytes_each": each.round(), "sockets_per_gb": (GB / each).round() })
}

/// Everybody joins, evenly over the time.
async fn join(count: usize, over: Duration) -> Value {
    let server = Process::start();
    let everybody = Everybody::sign_in(server.address, count).await;
    let mut people = Vec::with_capacity(count);
    for number in 0..count {
        people.push(everybody.connect(number).await);
    }
    let began = Instant::now() + Duration::from_secs(1);
    let joining = people.into_iter().enumerate().map(|(number, mut person)| {
        let at = began + over.mul_f64(number as f64 / count as f64);
        tokio::spawn(async move {
            // A little before, what came meanwhile is answered.
            tokio::time::sleep_until(at.into()).await;
            let asked = Instant::now();
            person.say(ClientMessage::Join).await?;
            let offered = async {
                loop {
                    if let ServerMessage::MatchOffered { match_id, .. } = person.hear().await? {
                        return Some(match_id);
                    }
                }
            };
            let match_id = tokio::time::timeout(Duration::from_secs(60), offered).await.ok()??;
            let waited = asked.elapsed();
            // Nobody goes back to waiting.
            person.say(ClientMessage::MatchAnswer { match_id, meet: true }).await?;
            person.stay();
            Some(waited)
        })
    });
    let joining: Vec<_> = joining.collect();
    let mut waits = Vec::new();
    for person in joining {
        waits.extend(person.await.ok().flatten());
    }
    waits.sort_unstable();
    let at = |share: f64| waits.get(((waits.len() as f64 * share) as usize).min(waits.len().saturating_sub(1)));
    let ms = |wait: Option<&Duration>| wait.map(|wait| wait.as_secs_f64() * 1000.0);
    json!({
        "clients": count, "over_s": over.as_secs_f64(), "matched": waits.len(), "p50_ms": ms(at(0.5)), "p95_ms": ms(at(0.95)),
        "server_cpu_s": server.cpu(),
    })
}

/// Everybody joins, meets, leaves, answers the last question and joins again, as fast as the server lets them.
async fn sessions(count: usize, seconds: Duration) -> Value {
    let server = Process::start();
    let everybody = Everybody::sign_in(server.address, count).await;
    let (ended, refused, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    for number in 0..count {
        let mut person = everybody.connect(number).await;
        let (ended, refused, over) = (Arc::clone(&ended), Arc::clone(&refused), Arc::clone(&over));
        tokio::spawn(async move { evening(&mut person, number, &ended, &refused, &over).await });
    }
    let (began, cpu) = (Instant::now(), server.cpu());
    ended.store(0, Ordering::Relaxed);
    tokio::time::sleep(seconds).await;
    let (halves, took, cpu) = (ended.load(Ordering::Relaxed), began.elapsed().as_secs_f64(), server.cpu() - cpu);
    over.store(true, Ordering::Relaxed);
    // Each of the two hears the end.
    let completed = halves as f64 / 2.0;
    json!({
        "clients": count, "seconds": took, "completed": completed, "per_s": completed / took, "server_cpu_s": cpu,
        "refused": refused.load(Ordering::Relaxed),
    })
}

async fn evening(person: &mut Person, number: usize, ended: &AtomicU64, refused: &AtomicU64, over: &AtomicBool) -> Option<()> {
    person.say(ClientMessage::Join).await?;
    while !over.load(Ordering::Relaxed) {
        match person.hear().await? {
            ServerMessage::MatchOffered { match_id, .. } => {
                person.say(ClientMessage::MatchAnswer { match_id, meet: true }).await?;
            }
            ServerMessage::MatchBegins { match_id, .. } => person.say(ClientMessage::Leave { match_id }).await?,
            ServerMessage::MatchEnded { match_id, .. } => {
                ended.fetch_add(1, Ordering::Relaxed);
                let yes = number.is_multiple_of(3);
                person.say(ClientMessage::Answer { match_id, question: Question::Follow, yes }).await?;
                person.say(ClientMessage::Join).await?;
            }
            ServerMessage::Refused { .. } => {
                refused.fetch_add(1, Ordering::Relaxed);
            }
            _ => {}
        }
    }
    Some(())
}
