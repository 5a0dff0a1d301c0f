//! Where the evening takes place: the server in this process, or servers as processes of their own ([`super::nodes`]).

use super::evening::Failure;
use super::nodes::Nodes;
use super::part::Target;
use super::plan::Plan;
use super::shim::{FRONT, free_relay_port};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;
use visavis_server::{AdminConfig, Config, RelayConfig, Running, Server};

/// Until the server has noticed that everybody is gone: whoever ended without a word is waited for so long.
const NOTICED_WITHIN: Duration = Duration::from_secs(35);
/// What nobody may be counted as then. Figures without a person, such as those of time, stay.
const LEFT_OVER: [&str; 3] = ["visavis_sockets", "visavis_people{kind=\"waiting\"}", "visavis_people{kind=\"matched\"}"];

pub struct Place {
    servers: Servers,
    /// Behind the shim.
    pub relay: SocketAddr,
}

enum Servers {
    Here(Box<Here>),
    Nodes(Nodes),
}

struct Here {
    folder: PathBuf,
    /// Fixed once it has been opened.
    http: SocketAddr,
    relay: SocketAddr,
    recent_partners: u32,
    running: Option<Running>,
}

impl Here {
    async fn open(&mut self) -> Result<(), Failure> {
        let config = Config {
            listen: self.http,
            relay: Some(RelayConfig { listen: self.relay, public: Some(FRONT) }),
            admin: Some(AdminConfig { listen: SocketAddr::from(([127, 0, 0, 1], 0)), token_file: None }),
            recent_partners: self.recent_partners,
            ..Config::dev(&self.folder)
        };
        let server = Server::start(config).await?;
        self.http = server.http;
        self.running = Some(server);
        Ok(())
    }

    async fn close(&mut self) {
        if let Some(server) = self.running.take() {
            server.shutdown().await;
        }
    }

    fn admins(&self) -> std::io::Result<Vec<(SocketAddr, String)>> {
        let Some(admin) = self.running.as_ref().and_then(|server| server.admin) else { return Ok(Vec::new()) };
        Ok(vec![(admin, std::fs::read_to_string(self.folder.join("admin.token"))?)])
    }
}

impl Place {
    pub async fn open(plan: &Plan, folder: &Path) -> Result<Self, Failure> {
        let relay = SocketAddr::from(([127, 0, 0, 1], free_relay_port()?));
        let servers = match plan.nodes {
            Some(count) => Servers::Nodes(Nodes::start(count, plan, folder, relay).await?),
            None => {
                let http = SocketAddr::from(([127, 0, 0, 1], 0));
                let folder = folder.join("server");
                let mut here = Box::new(Here { folder, http, relay, recent_partners: plan.recent_partners, running: None });
                here.open().await?;
                Servers::Here(here)
            }
        };
        Ok(Self { servers, relay })
    }

    /// Whether they run or not.
    pub fn http(&self) -> Vec<SocketAddr> {
        match &self.servers {
            Servers::Here(here) => vec![here.http],
            Servers::Nodes(nodes) => nodes.http(),
        }
    }

    pub async fn stop(&mut self, target: Target) {
        match &mut self.servers {
            Servers::Here(here) if target == Target::Server => here.close().await,
            Servers::Here(_) => {}
            Servers::Nodes(nodes) => nodes.stop(target),
        }
    }

    pub async fn start(&mut self, target: Target) -> Result<(), Failure> {
        match &mut self.servers {
            Servers::Here(here) if target == Target::Server => here.open().await,
            Servers::Here(_) => Ok(()),
            Servers::Nodes(nodes) => nodes.start_again(target).await,
        }
    }

    /// Of those who have all gone, what the servers and the database hold after a while all the same.
    pub async fn left_over(&self) -> Result<Vec<String>, Failure> {
        let admins = match &self.servers {
            Servers::Here(here) => here.admins()?,
            Servers::Nodes(nodes) => nodes.admins()?,
        };
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let begun = Instant::now();
        loop {
            let mut left = Vec::new();
            for (number, (admin, token)) in admins.iter().enumerate() {
                let request = client.get(format!("http://{admin}/metrics")).bearer_auth(token.trim());
                let text = request.send().await?.error_for_status()?.text().await?;
                left.extend(counted(&text).into_iter().map(|words| format!("server {}: {words}", number + 1)));
            }
            if let Servers::Nodes(nodes) = &self.servers
                && let Some(matches @ 1..) = nodes.running_matches()?
            {
                left.push(format!("the database: {matches} running matches"));
            }
            if left.is_empty() || begun.elapsed() > NOTICED_WITHIN {
                return Ok(left);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    pub async fn close(self) {
        match self.servers {
            Servers::Here(mut here) => here.close().await,
            // Ended with their keepers.
            Servers::Nodes(nodes) => tokio::task::block_in_place(|| drop(nodes)),
        }
    }
}

/// Figures that are not zero of those that should be.
fn counted(text: &str) -> Vec<&str> {
    let figure = |line: &&str| {
        LEFT_OVER
            .iter()
            .any(|name| line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')).is_some_and(|value| value != "0"))
    };
    text.lines().filter(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_off_the_figures() {
        let text = "# TYPE visavis_sockets gauge\nvisavis_sockets 2\nvisavis_people{kind=\"idle\"} 1\nvisavis_people{kind=\"waiting\"} 0\n\
                    visavis_people{kind=\"matched\"} 2\nvisavis_matches_begun_total 7\n# EOF\n";
        assert_eq!(counted(text), ["visavis_sockets 2", "visavis_people{kind=\"matched\"} 2"]);
    }
}
