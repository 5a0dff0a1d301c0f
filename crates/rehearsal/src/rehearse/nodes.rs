//! Servers as processes of their own: one with its own database and relay, or several over PostgreSQL and NATS with coturn beside
//! them, as an operator runs them. Each can be killed and started again on its own port and data.

use super::evening::Failure;
use super::part::Target;
use super::plan::Plan;
use super::shim::FRONT;
use crate::processes;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use visavis_engines::{Coturn, End, EngineError, Kept, Nats, Postgres, free_port};

const DATABASE: &str = "visavis";
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// One server.
struct Node {
    http: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
    /// The program and its arguments.
    words: Vec<String>,
    kept: Option<Kept>,
}

impl Node {
    /// Ready when its first line says so.
    async fn start(&mut self) -> Result<(), Failure> {
        let log = self.folder.join("log");
        let before = said_ready(&log);
        self.kept = Some(Kept::start(&self.words, &self.folder, End::Kill)?);
        let begun = Instant::now();
        while said_ready(&log) == before {
            if begun.elapsed() > STARTS_WITHIN {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(format!("a node did not start: {said}").into());
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(())
    }

    fn kill(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.kill();
        }
    }

    fn token(&self) -> std::io::Result<String> {
        std::fs::read_to_string(self.folder.join("data/admin.token"))
    }
}

fn said_ready(log: &Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().matches("\"ready\":true").count()
}

/// What several nodes share.
struct Engines {
    postgres: Postgres,
    nats: Nats,
    relay: Coturn,
}

pub struct Nodes {
    nodes: Vec<Node>,
    engines: Option<Box<Engines>>,
}

impl Nodes {
    /// `relay`: where the shim expects it.
    pub async fn start(count: usize, plan: &Plan, folder: &Path, relay: SocketAddr) -> Result<Self, Failure> {
        let program = processes::beside("visavis-server").ok_or("the plan has nodes, and visavis-server is not built")?;
        let turn_secret = random();
        let engines = if count > 1 { Some(Box::new(blocking(|| engines(relay.port(), &turn_secret))?)) } else { None };
        let database = match &engines {
            Some(engines) => Some(blocking(|| engines.postgres.database(DATABASE))?),
            None => None,
        };
        let secret: Vec<u8> = (0..2).flat_map(|_| uuid::Uuid::new_v4().into_bytes()).collect();
        let mut nodes = Vec::new();
        for number in 1..=count {
            let name = format!("node-{number}");
            let folder = folder.join(&name);
            std::fs::create_dir_all(folder.join("data"))?;
            // All nodes of a cluster share it.
            std::fs::write(folder.join("data/secret.key"), &secret)?;
            let (http, admin) =
                (SocketAddr::from(([127, 0, 0, 1], free_port()?)), SocketAddr::from(([127, 0, 0, 1], free_port()?)));
            let text = |path: &Path| path.to_string_lossy().into_owned();
            let mut words: Vec<String> = ["env", "-i"].map(String::from).into();
            words.push(format!("VISAVIS_TURN_SECRET={turn_secret}"));
            // Everybody comes from one address, and whoever was killed signs in again.
            words.extend(["REQUESTS", "SIGN_INS"].map(|limit| format!("VISAVIS__LIMITS__{limit}_PER_MINUTE=100000")));
            words.extend([text(&program), String::from("--dev"), String::from("--data"), text(&folder.join("data"))]);
            words.extend([String::from("--recent-partners"), plan.recent_partners.to_string()]);
            words.extend([String::from("--listen"), http.to_string(), String::from("--admin-listen"), admin.to_string()]);
            if let (Some(engines), Some(database)) = (&engines, &database) {
                let ways = ["udp", "tcp"].map(|way| format!("turn:{FRONT}:{}?transport={way}", relay.port()));
                words.extend(["--node", &name, "--database", database, "--nats", &engines.nats.url()].map(String::from));
                words.extend([String::from("--turn-urls"), ways.join(",")]);
            } else {
                words.extend([String::from("--relay-listen"), relay.to_string()]);
                words.extend([String::from("--relay-public-ip"), FRONT.to_string()]);
            }
            let mut node = Node { http, admin, folder, words, kept: None };
            node.start().await?;
            nodes.push(node);
        }
        Ok(Self { nodes, engines })
    }

    pub fn http(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.http).collect()
    }

    /// Where figures are to be had, and with which token, of those that run.
    pub fn admins(&self) -> std::io::Result<Vec<(SocketAddr, String)>> {
        self.nodes.iter().filter(|node| node.kept.is_some()).map(|node| Ok((node.admin, node.token()?))).collect()
    }

    pub fn stop(&mut self, target: Target) {
        match (target, &mut self.engines) {
            (Target::Node(number), _) => self.nodes.iter_mut().skip(number).take(1).for_each(Node::kill),
            (Target::Postgres, Some(engines)) => blocking(|| engines.postgres.kill()),
            (Target::Nats, Some(engines)) => blocking(|| engines.nats.kill()),
            (Target::Relay, Some(engines)) => blocking(|| engines.relay.kill()),
            _ => {}
        }
    }

    /// On the same ports, with the same data.
    pub async fn start_again(&mut self, target: Target) -> Result<(), Failure> {
        match (target, &mut self.engines) {
            (Target::Node(number), _) => {
                if let Some(node) = self.nodes.get_mut(number) {
                    node.start().await?;
                }
            }
            (Target::Postgres, Some(engines)) => blocking(|| engines.postgres.start_again())?,
            (Target::Nats, Some(engines)) => blocking(|| engines.nats.start_again())?,
            (Target::Relay, Some(engines)) => blocking(|| engines.relay.start_again())?,
            _ => {}
        }
        Ok(())
    }

    /// Matches that the database holds to be running, where it can be asked.
    pub fn running_matches(&self) -> Result<Option<u64>, Failure> {
        let Some(engines) = &self.engines else { return Ok(None) };
        let statement = "SELECT COUNT(DISTINCT match_id) FROM engaged WHERE running = 1";
        let said = blocking(|| engines.postgres.ask(DATABASE, statement))?;
        Ok(Some(said.parse().map_err(|_| format!("psql said {said:?}"))?))
    }
}

fn engines(relay_port: u16, turn_secret: &str) -> Result<Engines, EngineError> {
    Ok(Engines { postgres: Postgres::start()?, nats: Nats::start()?, relay: Coturn::start(relay_port, turn_secret, None)? })
}

/// Starting and ending programs takes its time.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

fn random() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
