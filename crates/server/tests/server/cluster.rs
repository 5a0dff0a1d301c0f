//! Three nodes as processes over a real PostgreSQL and a real NATS, and two thousand people with light sockets: what is killed
//! takes nobody with it and pairs nobody twice.

use futures_util::{SinkExt, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use visavis_engines::{Nats, Postgres, or_leave_out};
use visavis_wire::http::Tokens;
use visavis_wire::socket::{ClientMessage, MatchId, ServerMessage};

const PEOPLE: usize = 2000;
/// After whatever was killed, somebody is matched again within this time.
const AGAIN: Duration = Duration::from_secs(5);
/// For the last two to be together, on a machine that does other things too.
const ALL: Duration = Duration::from_secs(60);

struct Node {
    child: Child,
    http: String,
    _folder: TempDir,
}

impl Node {
    fn start(name: &str, postgres: &str, nats: &str, log: &std::path::Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // All nodes of a cluster share the secret.
        std::fs::write(folder.path().join("secret.key"), [7; 32]).unwrap();
        let log = std::fs::File::options().create(true).append(true).open(log.join(format!("{name}.log"))).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_visavis-server"));
        command.args(["--dev", "--node", name, "--database", postgres, "--nats", nats]).arg("--data").arg(folder.path());
        command.env_clear().stdout(Stdio::piped()).stderr(log);
        for (limit, value) in [("REQUESTS_PER_MINUTE", "1000000"), ("SIGN_INS_PER_MINUTE", "1000000")] {
            command.env(format!("VISAVIS__LIMITS__{limit}"), value);
        }
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).expect("a line that says that it is ready");
        Self { child, http: ready["http"].as_str().unwrap().to_owned(), _folder: folder }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Already gone where the test killed it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    Waiting,
    Offered(MatchId),
    Together(MatchId),
}

struct Shared {
    /// Where the nodes are that one may go to.
    nodes: Mutex<Vec<String>>,
    people: Mutex<Vec<State>>,
    /// When each match began for somebody first.
    begun: Mutex<BTreeMap<MatchId, Instant>>,
    /// What must not be.
    wrong: Mutex<Vec<String>>,
    http: reqwest::Client,
}

impl Shared {
    fn together(&self) -> usize {
        self.people.lock().unwrap().iter().filter(|state| matches!(state, State::Together(_))).count()
    }

    fn set(&self, number: usize, state: State) {
        self.people.lock().unwrap()[number] = state;
    }

    fn state(&self, number: usize) -> State {
        self.people.lock().unwrap()[number].clone()
    }

    fn begun_since(&self, since: Instant) -> Option<Duration> {
        self.begun.lock().unwrap().values().filter_map(|at| at.checked_duration_since(since)).min()
    }
}

/// One person: comes, waits, says "meet", stays; comes back at another node when the socket breaks.
async fn person(shared: Arc<Shared>, number: usize) {
    loop {
        let node = {
            let nodes = shared.nodes.lock().unwrap();
            nodes[number % nodes.len()].clone()
        };
        let _ = evening(&shared, number, &node).await;
        tokio::time::sleep(Duration::from_millis(100 + (number as u64 * 37) % 400)).await;
        // As the app does: an offer goes with the socket.
        if let State::Offered(_) = shared.state(number) {
            shared.set(number, State::Waiting);
        }
    }
}

async fn evening(shared: &Shared, number: usize, node: &str) -> Option<()> {
    let body =
        serde_json::json!({ "name": format!("bot-{number}"), "languages": ["en"], "interests": [format!("i{}", number % 40)] });
    let answer = shared.http.post(format!("{node}/dev/sign-in")).json(&body).send().await.ok()?;
    let tokens: Tokens = answer.json().await.ok()?;
    let mut request = format!("{}/v1/socket", node.replace("http", "ws")).into_client_request().ok()?;
    let bearer = format!("Bearer {}", tokens.access_token.reveal());
    request.headers_mut().insert("authorization", bearer.parse().ok()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.ok()?;
    socket.send(Message::text(ClientMessage::Hello { protocol: 1 }.to_json())).await.ok()?;
    loop {
        // News of waiting come every two seconds, a ping every fifteen.
        let frame = tokio::time::timeout(Duration::from_secs(60), socket.next()).await.ok()??.ok()?;
        let Message::Text(text) = frame else { continue };
        let state = shared.state(number);
        let reply = match (ServerMessage::from_json(text.as_str()).ok()?, state) {
            (ServerMessage::Welcome { .. }, State::Waiting | State::Offered(_)) => Some(ClientMessage::Join),
            (ServerMessage::MatchOffered { match_id, .. }, state) => {
                if let State::Together(other) = state {
                    shared.wrong.lock().unwrap().push(format!("{number} is offered {match_id:?} in {other:?}"));
                }
                shared.set(number, State::Offered(match_id.clone()));
                Some(ClientMessage::MatchAnswer { match_id, meet: true })
            }
            (ServerMessage::MatchWithdrawn { match_id }, State::Offered(id)) if id == match_id => {
                shared.set(number, State::Waiting);
                None
            }
            (ServerMessage::MatchBegins { match_id, .. }, state) => {
                if let State::Together(other) = state
                    && other != match_id
                {
                    shared.wrong.lock().unwrap().push(format!("{number} is in {match_id:?} and in {other:?}"));
                }
                shared.begun.lock().unwrap().entry(match_id.clone()).or_insert_with(Instant::now);
                shared.set(number, State::Together(match_id));
                None
            }
            (ServerMessage::MatchEnded { match_id, .. }, State::Together(id)) if id == match_id => {
                shared.wrong.lock().unwrap().push(format!("{match_id:?} of {number} ended"));
                shared.set(number, State::Waiting);
                Some(ClientMessage::Join)
            }
            (ServerMessage::Refused { refusal }, _) => {
                shared.wrong.lock().unwrap().push(format!("{number} is refused: {:?}", refusal.code));
                None
            }
            _ => None,
        };
        if let Some(reply) = reply {
            socket.send(Message::text(reply.to_json())).await.ok()?;
        }
    }
}

struct Cluster {
    postgres: Postgres,
    nats: Nats,
    url: String,
    nodes: BTreeMap<String, Node>,
    shared: Arc<Shared>,
    people: Vec<tokio::task::JoinHandle<()>>,
    log: TempDir,
    began: Instant,
}

impl Cluster {
    /// `None`, said aloud, where PostgreSQL or NATS are not installed.
    async fn start() -> Option<Self> {
        let (postgres, nats) = (or_leave_out(Postgres::start())?, or_leave_out(Nats::start())?);
        // Of the HTTP client; a server in this process may have been faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = postgres.database("cluster").unwrap();
        let log = tempfile::tempdir().unwrap();
        let mut nodes = BTreeMap::new();
        for name in ["one", "two", "three"] {
            nodes.insert(name.to_owned(), Node::start(name, &url, &nats.url(), log.path()));
        }
        let shared = Arc::new(Shared {
            nodes: Mutex::new(nodes.values().map(|node| node.http.clone()).collect()),
            people: Mutex::new(vec![State::Waiting; PEOPLE]),
            begun: Mutex::default(),
            wrong: Mutex::default(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        });
        Some(Self { postgres, nats, url, nodes, shared, people: vec![], log, began: Instant::now() })
    }

    async fn query(&self, statement: &'static str) -> Vec<(String, i64)> {
        use sqlx::{Connection, Row};
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        let rows = sqlx::query(statement).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// The people come within some seconds, and somewhat less than half of them are together.
    async fn until_the_middle_of_it(&mut self) {
        for number in 0..PEOPLE {
            self.people.push(tokio::spawn(person(Arc::clone(&self.shared), number)));
            if number % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if self.shared.together() > PEOPLE / 4 && number > PEOPLE / 2 {
                // The rest comes while things are broken.
                for number in number + 1..PEOPLE {
                    self.people.push(tokio::spawn(person(Arc::clone(&self.shared), number)));
                }
                break;
            }
        }
        let since = Instant::now();
        while self.shared.together() < PEOPLE / 4 {
            assert!(since.elapsed() < ALL, "{}", self.complaints());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn matching_again(&self, since: Instant) {
        while self.shared.begun_since(since).is_none() {
            assert!(since.elapsed() < AGAIN, "no match for {AGAIN:?}: {}", self.complaints());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("matching again after {:?}", self.shared.begun_since(since));
    }

    async fn everybody_is_together(&self) {
        let since = Instant::now();
        while self.shared.together() < PEOPLE {
            assert!(since.elapsed() < ALL, "{} of {PEOPLE}: {}", self.shared.together(), self.complaints());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // What comes late would come now.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let wrong = self.shared.wrong.lock().unwrap().clone();
        assert!(wrong.is_empty(), "{} things: {:?}", wrong.len(), &wrong[..wrong.len().min(10)]);
        let mut pairs: BTreeMap<MatchId, Vec<usize>> = BTreeMap::new();
        for (number, state) in self.shared.people.lock().unwrap().iter().enumerate() {
            let State::Together(id) = state else { panic!("{number} {state:?}") };
            pairs.entry(id.clone()).or_default().push(number);
        }
        assert!(pairs.values().all(|two| two.len() == 2), "{:?}", pairs.iter().find(|(_, two)| two.len() != 2));
        // The store's word: everybody in one running match, the one that they think they are in.
        let engaged = self.query("SELECT match_id, COUNT(*) FROM engaged WHERE running = 1 GROUP BY match_id").await;
        assert_eq!(engaged.len(), PEOPLE / 2);
        let known: BTreeSet<MatchId> = engaged
            .into_iter()
            .map(|(id, two)| {
                assert_eq!(two, 2);
                MatchId(id)
            })
            .collect();
        assert!(pairs.keys().eq(known.iter()));
        println!("everybody together {:?} after the start", self.began.elapsed());
    }

    /// One node lags by an hour, one is an hour ahead, and one is right.
    async fn clocks_apart(&self) {
        for (node, ahead_s) in self.nodes.values().zip([-3600, 0, 3600]) {
            let clock = serde_json::json!({ "ahead_s": ahead_s });
            let set = self.shared.http.post(format!("{}/dev/clock", node.http)).json(&clock).send().await.unwrap();
            assert_eq!(set.status(), 204);
        }
    }

    async fn leader(&self) -> String {
        self.query("SELECT holder, fence FROM leases WHERE name = 'pool/all'").await.remove(0).0
    }

    fn complaints(&self) -> String {
        let mut said = format!("{:?} ", self.shared.wrong.lock().unwrap().iter().take(5).collect::<Vec<_>>());
        for name in self.nodes.keys() {
            let log = std::fs::read_to_string(self.log.path().join(format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            said += &format!("\n--- {name}\n{}", lines[lines.len().saturating_sub(15)..].join("\n"));
        }
        said
    }

    async fn end(self) {
        for person in &self.people {
            person.abort();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_loses_nobody_and_pairs_nobody_twice_though_clocks_jump() {
    let Some(mut cluster) = Cluster::start().await else { return };
    cluster.until_the_middle_of_it().await;
    // Set in the middle of it, so that whoever leads, and whoever follows, has one that jumped.
    cluster.clocks_apart().await;
    let leader = cluster.leader().await;
    let node = cluster.nodes.remove(&leader).unwrap();
    cluster.shared.nodes.lock().unwrap().retain(|http| *http != node.http);
    let killed = Instant::now();
    println!("killed with {} of {PEOPLE} together", cluster.shared.together());
    node.kill();
    // What was begun before and is heard of late does not count as matching again.
    cluster.matching_again(killed + Duration::from_millis(500)).await;
    assert_ne!(cluster.leader().await, leader);
    cluster.everybody_is_together().await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_nats_loses_nobody_and_pairs_nobody_twice() {
    let Some(mut cluster) = Cluster::start().await else { return };
    cluster.until_the_middle_of_it().await;
    println!("killed with {} of {PEOPLE} together", cluster.shared.together());
    cluster.nats.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.nats.start_again().unwrap();
    cluster.matching_again(Instant::now()).await;
    cluster.everybody_is_together().await;
    cluster.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_postgresql_loses_nobody_and_pairs_nobody_twice() {
    let Some(mut cluster) = Cluster::start().await else { return };
    cluster.until_the_middle_of_it().await;
    println!("killed with {} of {PEOPLE} together", cluster.shared.together());
    cluster.postgres.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.postgres.start_again().unwrap();
    cluster.matching_again(Instant::now()).await;
    cluster.everybody_is_together().await;
    cluster.end().await;
}
