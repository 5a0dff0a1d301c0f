//! `visavis-server`: the configuration put together, the line that says it is ready, signals.

mod arguments;

use arguments::{Arguments, Instead};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use visavis_server::{Config, LogFormat, Server, backup, moderate, restore};

/// Wrong use and everything that keeps a server from starting.
const CANNOT_START: u8 = 2;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if let Some(instead) = arguments.instead.take() {
        return done_instead(instead, arguments);
    }
    let (config, log) = match arguments.config() {
        Ok(config) => config,
        Err(error) => return cannot_start(&error),
    };
    let filter = match std::env::var("VISAVIS_LOG").ok().unwrap_or(log.filter).parse::<EnvFilter>() {
        Ok(filter) => filter,
        Err(error) => return cannot_start(&format!("the log filter cannot be used: {error}")),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        // They would be told to the very place that cannot be written to, which ends the task that logs.
        .log_internal_errors(false);
    match log.format {
        LogFormat::Text => subscriber.finish().with(filter_fn(tells_nothing)).init(),
        LogFormat::Json => subscriber.json().flatten_event(true).finish().with(filter_fn(tells_nothing)).init(),
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(&error),
    };
    runtime.block_on(run(config))
}

/// Below `debug` some libraries write out what passes through them: whole messages, addresses, headers. No setting brings that into
/// a log.
fn tells_nothing(event: &tracing::Metadata<'_>) -> bool {
    event.target().starts_with("visavis") || *event.level() <= tracing::Level::DEBUG
}

fn done_instead(instead: Instead, arguments: Arguments) -> ExitCode {
    let config = match arguments.unchecked() {
        Ok(config) => config,
        Err(error) => return cannot_start(&error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(&error),
    };
    let done = runtime.block_on(async {
        match instead {
            Instead::Moderate { what } => moderate(&config, what).await.map_err(|error| error.to_string()),
            Instead::Backup { into } => {
                backup(&config.data, &into).await.map(|()| String::new()).map_err(|error| error.to_string())
            }
            Instead::Restore { from, replace } => {
                restore(&from, &config.data, replace).await.map(|()| String::new()).map_err(|error| error.to_string())
            }
        }
    });
    match done {
        Ok(text) => {
            // Nobody may be reading.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> ExitCode {
    let stop = stop_signal();
    let running = match Server::start(config).await {
        Ok(running) => running,
        Err(error) => return cannot_start(&error),
    };
    let relay = running.relay.map(|address| address.to_string());
    let admin = running.admin.map(|address| format!("http://{address}"));
    let ready = serde_json::json!({
        "ready": true, "http": running.url(), "relay": relay, "issuer": running.issuer_url, "admin": admin,
    });
    let mut stdout = std::io::stdout();
    // Nobody may be reading; the server is of use all the same.
    let _ = writeln!(stdout, "{ready}").and_then(|()| stdout.flush());
    tokio::select! {
        () = stop => {}
        () = reload_on_hangup(&running) => {}
    }
    tokio::select! {
        () = running.drain() => {}
        () = stop_signal() => tracing::info!("told to stop again"),
    }
    running.shutdown().await;
    ExitCode::SUCCESS
}

fn cannot_start(why: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("visavis-server cannot start: {why}");
    ExitCode::from(CANNOT_START)
}

/// Never ends.
#[cfg(unix)]
async fn reload_on_hangup(running: &visavis_server::Running) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    loop {
        if hangup.recv().await.is_none() {
            return std::future::pending().await;
        }
        match running.reload_certificate() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
        // Hours, admission and sessions a day are read again; the rest of the configuration is for the start.
        match Arguments::parse().config() {
            Ok((config, _)) => match running.set_doors(&config.doors) {
                Ok(()) => tracing::info!("the doors were read again"),
                Err(error) => tracing::error!(%error, "the doors stay as they were"),
            },
            Err(error) => tracing::error!(%error, "the doors stay as they were"),
        }
    }
}

#[cfg(not(unix))]
async fn reload_on_hangup(_running: &visavis_server::Running) {
    std::future::pending().await
}

/// Listens from the moment of the call, so that a signal during the start is not lost.
#[cfg(unix)]
fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = signal(SignalKind::interrupt()).and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    async move {
        match signals {
            Ok((mut interrupt, mut terminate)) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(error) => {
                tracing::warn!(%error, "signals cannot be listened for");
                std::future::pending().await
            }
        }
    }
}

#[cfg(not(unix))]
async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
