//! A peer of the rig that measures calls (see `visavis_rehearsal::rig`): `rig-peer serve` in the server's namespace,
//! `rig-peer call` in those of the two sides.

use clap::{Parser, Subcommand, ValueEnum};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use visavis_call::{Codecs, Policy};
use visavis_rehearsal::rig::{peer, signalling};
use visavis_wire::socket::Role;

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

#[derive(Parser)]
#[command(about = "One program of a measured call; started by the rig", version)]
struct Flags {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Signalling and relay for one call; ends when both sides have gone.
    Serve {
        #[arg(long, env = "RIG_SELF_IP")]
        address: IpAddr,
    },
    /// One side of a call.
    Call(Side),
}

#[derive(clap::Args)]
struct Side {
    /// A y4m file with frame numbers burnt in.
    #[arg(long)]
    camera: PathBuf,
    #[arg(long, default_value_t = 1280)]
    width: usize,
    #[arg(long, default_value_t = 720)]
    height: usize,
    #[arg(long, value_enum, default_value_t = Codec::Auto)]
    codec: Codec,
    /// Through the server's relay alone, as strangers are connected; otherwise directly.
    #[arg(long)]
    relay: bool,
    #[arg(long, env = "RIG_ROLE")]
    role: RigRole,
    #[arg(long, env = "RIG_SERVER_IP")]
    server: IpAddr,
    /// Length of the call, from its start.
    #[arg(long, env = "RIG_SECONDS")]
    seconds: f64,
    #[arg(long, env = "RIG_OUT")]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Codec {
    Auto,
    Vp8,
    Vp9,
}

#[derive(Clone, Copy, ValueEnum)]
enum RigRole {
    Caller,
    Callee,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("VISAVIS_LOG").unwrap_or_else(|_| "error".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let outcome = match Flags::parse().task {
        Task::Serve { address } => serve(address).await,
        Task::Call(side) => call(side).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rig-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The relay is that of the product's server, whose other parts nobody asks.
async fn serve(address: IpAddr) -> Outcome {
    visavis_rehearsal::browser::install_tls();
    let folder = tempfile::Builder::new().prefix("rig-server").tempdir()?;
    let dev = visavis_server::Config::dev(folder.path());
    let relay = visavis_server::RelayConfig { listen: SocketAddr::new(address, 0), public: None };
    let server = visavis_server::Server::start(visavis_server::Config { relay: Some(relay), ..dev }).await?;
    signalling::serve(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), signalling::PORT), || server.relay_credentials()).await?;
    server.shutdown().await;
    Ok(())
}

async fn call(side: Side) -> Outcome {
    let options = peer::Options {
        role: match side.role {
            RigRole::Caller => Role::Offerer,
            RigRole::Callee => Role::Answerer,
        },
        camera: side.camera,
        size: (side.width, side.height),
        codecs: match side.codec {
            Codec::Auto => Codecs::Auto,
            Codec::Vp8 => Codecs::Only(visavis_media::codec::Codec::Vp8),
            Codec::Vp9 => Codecs::Only(visavis_media::codec::Codec::Vp9),
        },
        policy: if side.relay { Policy::RelayOnly } else { Policy::Any },
        server: side.server,
        length: Duration::try_from_secs_f64(side.seconds)?,
        out: side.out,
    };
    peer::run(options).await.map_err(Into::into)
}
