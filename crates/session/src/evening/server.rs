//! The page on which the server's address is entered: the only way in where none is known, and open to whoever is not signed in.

use super::{Effect, Evening, Stage};
use crate::Command;
use crate::server::{Server, ServerProblem, ServerView, normalised};
use crate::view::Page;

/// The one in use, and where it came from.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    address: Option<String>,
    fixed: bool,
    built_in: Option<String>,
}

/// What stands on the page.
#[derive(Debug, Default)]
pub(super) struct Asked {
    tried: String,
    checking: bool,
    problem: Option<ServerProblem>,
}

impl Servers {
    /// With the address to begin with.
    pub fn of(server: Server, remembered: Option<String>) -> (Self, Option<String>) {
        let servers = match server {
            Server::Given(address) => Self { address: Some(address), fixed: true, built_in: None },
            Server::Chosen { built_in } => {
                // A file that somebody has edited is no better than what is typed.
                let remembered = remembered.and_then(|address| normalised(&address).ok());
                Self { address: remembered.or_else(|| built_in.clone()), fixed: false, built_in }
            }
        };
        let address = servers.address.clone();
        (servers, address)
    }

    pub(super) fn view(&self) -> ServerView {
        ServerView { address: self.address.clone(), fixed: self.fixed }
    }
}

impl Asked {
    pub(super) fn page(&self, servers: &Servers) -> Page {
        Page::Server {
            tried: self.tried.clone(),
            checking: self.checking,
            problem: self.problem.clone(),
            suggested: servers.built_in.clone().filter(|_| servers.built_in != servers.address),
            can_close: servers.address.is_some(),
        }
    }
}

impl Evening {
    /// `effects` are those of the beginning; without a server there is nothing to look for.
    pub fn with_server(mut self, servers: Servers, effects: Vec<Effect>) -> (Self, Vec<Effect>) {
        self.servers = servers;
        if self.servers.address.is_some() {
            return (self, effects);
        }
        self.stage = Stage::Server(Asked::default());
        (self, Vec::new())
    }

    pub(super) fn server_command(&mut self, command: Command, out: &mut Vec<Effect>) {
        match (command, &mut self.stage) {
            (Command::OpenServer, Stage::Starting { .. } | Stage::Welcome) if !self.servers.fixed => {
                self.notice = None;
                let tried = self.servers.address.clone().unwrap_or_default();
                self.stage = Stage::Server(Asked { tried, ..Asked::default() });
            }
            (Command::CloseServer, Stage::Server(_)) if self.servers.address.is_some() => self.begin_anew(out),
            (Command::UseServer { address }, Stage::Server(asked)) if !asked.checking => {
                // What cannot be an address needs no network to say so.
                let problem = normalised(&address).err();
                let checking = problem.is_none();
                *asked = Asked { tried: address.clone(), checking, problem };
                if checking {
                    out.push(Effect::CheckServer(address));
                }
            }
            _ => {}
        }
    }

    pub(super) fn server_checked(&mut self, typed: &str, found: Result<String, ServerProblem>, out: &mut Vec<Effect>) {
        // Whoever went back meanwhile does not want it any more.
        let Stage::Server(asked) = &mut self.stage else { return };
        if !asked.checking || asked.tried != typed {
            return;
        }
        asked.checking = false;
        match found {
            Err(problem) => asked.problem = Some(problem),
            Ok(address) => {
                if self.servers.address.as_ref() != Some(&address) {
                    self.servers.address = Some(address.clone());
                    out.push(Effect::UseServer(address));
                }
                self.begin_anew(out);
            }
        }
    }

    fn begin_anew(&mut self, out: &mut Vec<Effect>) {
        self.notice = None;
        self.stage = Stage::Starting { retry_at: None };
        out.push(Effect::Restore);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evening::Input;
    use std::time::Duration;

    const HOME: &str = "https://visavis.example";

    fn evening(server: Server, remembered: Option<&str>) -> (Evening, Vec<Effect>) {
        let (evening, effects) = Evening::new(false);
        let (servers, _) = Servers::of(server, remembered.map(str::to_owned));
        evening.with_server(servers, effects)
    }

    fn none_known() -> Server {
        Server::Chosen { built_in: None }
    }

    fn built_in() -> Server {
        Server::Chosen { built_in: Some(HOME.into()) }
    }

    fn user(evening: &mut Evening, command: Command) -> Vec<Effect> {
        evening.input(Input::User(command), Duration::ZERO)
    }

    fn typed(evening: &mut Evening, address: &str) -> Vec<Effect> {
        user(evening, Command::UseServer { address: address.into() })
    }

    fn checked(evening: &mut Evening, typed: &str, found: Result<String, ServerProblem>) -> Vec<Effect> {
        evening.input(Input::ServerChecked { typed: typed.into(), found }, Duration::ZERO)
    }

    fn page(evening: &Evening) -> (bool, Option<ServerProblem>, Option<String>, bool) {
        match evening.view(Duration::ZERO).page {
            Page::Server { checking, problem, suggested, can_close, .. } => (checking, problem, suggested, can_close),
            other => panic!("not the page of the server: {other:?}"),
        }
    }

    #[test]
    fn without_a_server_the_first_page_asks_for_one_and_begins_when_it_is_good() {
        let (mut evening, effects) = evening(none_known(), None);
        assert!(effects.is_empty(), "there is nobody to ask");
        assert_eq!(page(&evening), (false, None, None, false));
        assert!(user(&mut evening, Command::CloseServer).is_empty(), "there is nothing to go back to");
        assert!(typed(&mut evening, "http://visavis.example").is_empty());
        assert_eq!(page(&evening).1, Some(ServerProblem::NotSafe));
        assert!(
            matches!(&typed(&mut evening, "visavis.example")[..], [Effect::CheckServer(address)] if address == "visavis.example")
        );
        assert_eq!(page(&evening), (true, None, None, false));
        assert!(typed(&mut evening, "other.example").is_empty(), "one at a time");
        let gone = ServerProblem::Unreachable { host: "visavis.example".into() };
        assert!(checked(&mut evening, "visavis.example", Err(gone.clone())).is_empty());
        assert_eq!(page(&evening), (false, Some(gone), None, false));
        typed(&mut evening, "visavis.example");
        let effects = checked(&mut evening, "visavis.example", Ok(HOME.into()));
        assert!(matches!(&effects[..], [Effect::UseServer(address), Effect::Restore] if address == HOME));
        assert_eq!(evening.view(Duration::ZERO).page, Page::Starting);
        assert_eq!(evening.view(Duration::ZERO).server, ServerView { address: Some(HOME.into()), fixed: false });
    }

    #[test]
    fn the_builds_server_is_used_until_another_was_chosen_and_offered_again_then() {
        let (mut at_home, effects) = evening(built_in(), None);
        assert!(matches!(effects[..], [Effect::Restore]));
        user(&mut at_home, Command::OpenServer);
        assert_eq!(page(&at_home), (false, None, None, true));
        let (mut evening, _) = evening(built_in(), Some("https://other.example"));
        assert_eq!(evening.view(Duration::ZERO).server.address.as_deref(), Some("https://other.example"));
        user(&mut evening, Command::OpenServer);
        assert_eq!(page(&evening), (false, None, Some(HOME.into()), true));
        assert!(matches!(user(&mut evening, Command::CloseServer)[..], [Effect::Restore]));
        assert_eq!(evening.view(Duration::ZERO).page, Page::Starting);
    }

    #[test]
    fn a_server_given_at_the_start_stays_and_a_broken_memory_is_none() {
        let (mut given, _) = evening(Server::Given(HOME.into()), Some("https://other.example"));
        assert_eq!(given.view(Duration::ZERO).server, ServerView { address: Some(HOME.into()), fixed: true });
        user(&mut given, Command::OpenServer);
        assert_eq!(given.view(Duration::ZERO).page, Page::Starting);
        let (broken, _) = evening(none_known(), Some("ftp://nonsense"));
        assert_eq!(page(&broken), (false, None, None, false));
    }

    #[test]
    fn an_answer_that_comes_after_going_back_changes_nothing() {
        let (mut evening, _) = evening(built_in(), None);
        user(&mut evening, Command::OpenServer);
        typed(&mut evening, "other.example");
        user(&mut evening, Command::CloseServer);
        assert!(checked(&mut evening, "other.example", Ok("https://other.example".into())).is_empty());
        assert_eq!(evening.view(Duration::ZERO).server.address.as_deref(), Some(HOME));
        user(&mut evening, Command::OpenServer);
        typed(&mut evening, "third.example");
        assert!(checked(&mut evening, "other.example", Ok("https://other.example".into())).is_empty());
        assert_eq!(evening.view(Duration::ZERO).server.address.as_deref(), Some(HOME));
    }
}
