//! What of an evening can be stopped and started again.

use super::plan::{Guest, Plan};
use crate::soak::dice::Dice;
use serde::Deserialize;
use std::fmt;

/// As a plan names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Part {
    /// In this process: it says good-bye, ends, and starts again on the same database and ports.
    Server,
    /// A server as a process of its own, killed: that one, counted from 0, or any.
    Node(Option<usize>),
    Postgres,
    Nats,
    /// coturn.
    Relay,
    /// Nothing gets through to the relay and back.
    Network,
    /// The app of somebody without a window, killed.
    Bot,
    /// Somebody's window, killed.
    Window,
}

impl TryFrom<String> for Part {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let node = |number: &str| number.parse().ok().filter(|number| (1..=9).contains(number)).map(|number: usize| number - 1);
        Ok(match text.as_str() {
            "server" => Self::Server,
            "node" => Self::Node(None),
            "postgres" => Self::Postgres,
            "nats" => Self::Nats,
            "relay" => Self::Relay,
            "network" => Self::Network,
            "bot" => Self::Bot,
            "window" => Self::Window,
            other => match other.strip_prefix("node-").and_then(node) {
                Some(number) => Self::Node(Some(number)),
                None => {
                    return Err(format!(
                        "there is no part {text:?}: server, node, node-N, postgres, nats, relay, network, bot, window"
                    ));
                }
            },
        })
    }
}

impl Part {
    /// Why a plan cannot stop it, where it cannot.
    pub fn check(self, plan: &Plan) -> Result<(), &'static str> {
        let nodes = plan.nodes.unwrap_or(0);
        match self {
            Self::Server if nodes > 0 => Err("with nodes there is no server in this process; name node"),
            Self::Node(_) if nodes == 0 => Err("without nodes there is no node; name server"),
            Self::Node(Some(number)) if number >= nodes => Err("there are not so many nodes"),
            Self::Postgres | Self::Nats | Self::Relay if nodes < 2 => Err("it is there with two nodes or more"),
            Self::Bot if plan.people.iter().all(|people| people.window) => Err("everybody has a window"),
            Self::Window if plan.windows() == 0 => Err("nobody has a window"),
            _ => Ok(()),
        }
    }

    /// Which one it is.
    pub fn choose(self, plan: &Plan, guests: &[Guest], dice: &mut Dice) -> Target {
        let mut any = |window: bool| {
            let those: Vec<usize> = (0..guests.len()).filter(|who| guests[*who].manner.window == window).collect();
            Target::Person(those[dice.below(those.len() as u64) as usize])
        };
        match self {
            Self::Server => Target::Server,
            Self::Node(Some(number)) => Target::Node(number),
            Self::Node(None) => Target::Node(dice.below(plan.nodes.unwrap_or(1) as u64) as usize),
            Self::Postgres => Target::Postgres,
            Self::Nats => Target::Nats,
            Self::Relay => Target::Relay,
            Self::Network => Target::Network,
            Self::Bot => any(false),
            Self::Window => any(true),
        }
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Server,
    Node(usize),
    Postgres,
    Nats,
    Relay,
    Network,
    Person(usize),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("the server"),
            Self::Node(number) => write!(f, "node-{}", number + 1),
            Self::Postgres => f.write_str("PostgreSQL"),
            Self::Nats => f.write_str("NATS"),
            Self::Relay => f.write_str("the relay"),
            Self::Network => f.write_str("the network"),
            Self::Person(who) => write!(f, "the app of person {}", who + 1),
        }
    }
}
