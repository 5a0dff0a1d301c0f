//! The order of events of one evening: whoever has something to do later puts it here, and time goes from one to the next.
//! `faults` goes wrong with the servers, `talk` is what passes between two apps.

mod faults;
mod talk;

use super::calls::{Arrives, Calls, description};
use super::cluster::{BEAT_MS, Cluster, Job, Told};
use super::dice::Dice;
use super::judge::Judge;
use super::person::Person;
use super::{Failed, Sabotage, Size, Tally};
use faults::Fault;
use std::collections::BTreeMap;
use std::time::Duration;
use visavis_server::pure::{AccountId, SocketId, TICK_MS};
use visavis_session::Command;
use visavis_session::pure::{Account, Effect, Input, Socket};
use visavis_wire::Private;
use visavis_wire::friends::FollowId;
use visavis_wire::http::Follow;
use visavis_wire::socket::{ClientMessage, MatchId, Question, ServerMessage, Signal};

/// Pictures and the app's own clock.
const LOOK_MS: u64 = 250;
/// Offers, grace times and the last question are over by then.
const GOING_HOME_MS: u64 = 110_000;
const BEGINS_MS: u64 = 1_000_000;

#[expect(clippy::large_enum_variant, reason = "most of what is due is for the servers")]
enum Due {
    Servers(Job),
    Tick,
    Beat(usize),
    Look(usize),
    Up { who: usize, socket: SocketId, message: Box<ClientMessage> },
    Down { who: usize, socket: SocketId, told: Told },
    Reconnect { who: usize, life: u64 },
    Account { who: usize, life: u64, account: Box<Account> },
    Start(usize),
    Call { call: usize, what: Arrives },
    Fault(Fault),
}

pub struct World {
    seed: u64,
    size: Size,
    sabotage: Option<Sabotage>,
    now: u64,
    due: BTreeMap<(u64, u64), Due>,
    count: u64,
    dice: Dice,
    cluster: Cluster,
    calls: Calls,
    people: Vec<Person>,
    judge: Judge,
    tally: Tally,
}

impl World {
    pub fn new(seed: u64, size: Size, sabotage: Option<Sabotage>) -> Self {
        let mut world = Self {
            seed,
            size,
            sabotage,
            now: BEGINS_MS,
            due: BTreeMap::new(),
            count: 0,
            dice: Dice::new(seed),
            cluster: Cluster::new(seed, size.nodes, sabotage),
            calls: Calls::default(),
            people: Vec::new(),
            judge: Judge::default(),
            tally: Tally::default(),
        };
        world.after(0, Due::Tick);
        for node in 0..size.nodes {
            world.after(70 * node as u64, Due::Beat(node));
        }
        for who in 0..size.people {
            let (person, effects) = Person::new(who);
            world.people.push(person);
            world.perform(who, effects);
            let begins = 100 + 13 * who as u64;
            world.after(begins, Due::Look(who));
        }
        world.plan_faults();
        world
    }

    fn after(&mut self, ms: u64, due: Due) {
        self.count += 1;
        self.due.insert((self.now + ms, self.count), due);
    }

    fn at(&mut self, at: u64, due: Due) {
        self.after(at.saturating_sub(self.now), due);
    }

    pub fn run(mut self) -> Result<Tally, Failed> {
        let end = BEGINS_MS + self.size.seconds * 1000 + GOING_HOME_MS;
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= end) {
            let ((at, _), due) = entry.remove_entry();
            self.now = at;
            self.handle(due);
            self.settle();
            self.fail()?;
        }
        self.look_for_orphans();
        self.fail()?;
        self.tally.matches = self.cluster.store.begun.len();
        Ok(self.tally)
    }

    fn fail(&self) -> Result<(), Failed> {
        let failed = |broken| Failed { seed: self.seed, at_s: (self.now - BEGINS_MS) as f64 / 1000.0, broken };
        self.judge.broken.clone().map_or(Ok(()), |broken| Err(failed(broken)))
    }

    fn is_over(&self) -> bool {
        self.now >= BEGINS_MS + self.size.seconds * 1000
    }

    /// What the servers want done and said.
    fn settle(&mut self) {
        for (at, job) in std::mem::take(&mut self.cluster.due) {
            self.at(at, Due::Servers(job));
        }
        for (node, socket, told) in std::mem::take(&mut self.cluster.told) {
            let Some(who) = self.people.iter().position(|person| person.socket == Some((node, socket))) else { continue };
            let late = self.now + self.dice.between(5, 50);
            let person = &mut self.people[who];
            person.down_ms = person.down_ms.max(late);
            let at = person.down_ms;
            self.at(at, Due::Down { who, socket, told });
        }
        for begun in std::mem::take(&mut self.cluster.store.began) {
            self.judge.pair(self.now, number_of(begun.a), number_of(begun.b), &begun.id.0);
        }
        for (id, a, b) in std::mem::take(&mut self.cluster.store.followed) {
            self.tally.follows += 1;
            self.judge.follows(&id.0, [a, b].map(number_of));
        }
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::Servers(job) => self.cluster.job(self.now, job),
            Due::Tick => {
                self.cluster.tick(self.now);
                self.after(TICK_MS, Due::Tick);
            }
            Due::Beat(node) => {
                self.cluster.beat(self.now, node);
                self.after(BEAT_MS, Due::Beat(node));
            }
            Due::Look(who) => {
                self.look(who);
                self.after(LOOK_MS, Due::Look(who));
            }
            Due::Up { who, socket, message } => {
                let person = &self.people[who];
                if let Some((node, _)) = person.socket.filter(|(_, now)| *now == socket) {
                    self.cluster.said(self.now, node, person.account, socket, *message);
                }
            }
            Due::Down { who, socket, told } => {
                if self.people[who].socket.is_some_and(|(_, now)| now == socket) {
                    self.hear(who, told);
                }
            }
            Due::Reconnect { who, life } => self.reconnect(who, life),
            Due::Account { who, life, account } => {
                if self.people[who].life == life {
                    self.feed(who, Input::Account(*account));
                }
            }
            Due::Start(who) => {
                let effects = self.people[who].start_again();
                self.perform(who, effects);
            }
            Due::Call { call, what } => self.arrives(call, what),
            Due::Fault(fault) => self.fault(fault),
        }
    }

    fn lost_socket(&mut self, who: usize) {
        self.people[who].socket = None;
        self.feed(who, Input::Socket(Socket::Down));
        let (life, again) = (self.people[who].life, self.dice.between(50, 600));
        self.after(again, Due::Reconnect { who, life });
    }

    fn reconnect(&mut self, who: usize, life: u64) {
        let person = &self.people[who];
        if person.life != life || person.socket.is_some() || !person.wants_socket {
            return;
        }
        let Some(node) = self.cluster.alive() else {
            self.after(300, Due::Reconnect { who, life });
            return;
        };
        self.count += 1;
        let socket = SocketId(self.count);
        let account = self.people[who].account;
        self.people[who].socket = Some((node, socket));
        self.cluster.plugged(self.now, node, account, socket);
    }

    fn hang_up_socket(&mut self, who: usize) {
        let person = &mut self.people[who];
        if let Some((node, socket)) = person.socket.take() {
            self.cluster.gone(self.now, node, person.account, socket);
        }
    }

    fn hear(&mut self, who: usize, told: Told) {
        let Told::Message(message) = told else { return self.lost_socket(who) };
        // What is sent is what arrives.
        let json = message.to_json();
        self.tally.messages += 1;
        self.judge.sent(who, json.as_bytes());
        match &*message {
            ServerMessage::MatchBegins { match_id, .. } => {
                self.judge.begins(who, &match_id.0);
                self.people[who].match_id = Some(match_id.clone());
                if self.sabotage == Some(Sabotage::ThirdPerson) && self.tally.matches == 0 {
                    let third = (who + 7) % self.people.len();
                    self.judge.begins(third, &match_id.0);
                }
            }
            ServerMessage::MatchEnded { .. } => self.judge.left(who),
            _ => {}
        }
        let read = ServerMessage::from_json(&json).map_or(Socket::Malformed, |message| Socket::Message(Box::new(message)));
        self.feed(who, Input::Socket(read));
    }

    fn feed(&mut self, who: usize, input: Input) {
        let effects = self.people[who].evening.input(input, Duration::from_millis(self.now));
        self.perform(who, effects);
    }

    /// The app's clock, its pictures, and twice a second whoever sits before it.
    fn look(&mut self, who: usize) {
        if self.people[who].page == "crashed" {
            return;
        }
        if self.people[who].crashes(self.now) {
            return self.crash(who);
        }
        self.feed(who, Input::Tick);
        let (picture, inputs) = self.people[who].look(self.now, self.sabotage == Some(Sabotage::OpenGate));
        for input in inputs {
            self.feed(who, input);
        }
        if let (Some(picture), Some(call)) = (picture, self.people[who].call)
            && self.calls.side(call).connected
            && let (Some(other), Some(at)) = (self.calls.other(call), self.calls.may_arrive(call, self.now, &mut self.dice))
        {
            let what = Arrives::Picture { captured: self.now, picture: Box::new(picture) };
            self.at(at, Due::Call { call: other, what });
        }
        if (self.now / LOOK_MS + who as u64).is_multiple_of(2) {
            let view = self.people[who].evening.view(Duration::from_millis(self.now));
            let home = self.is_over();
            let before = self.people[who].page;
            let commands = self.people[who].decide(&view, self.now, home, &mut self.dice);
            if before == "call" && self.people[who].page != "call" {
                self.judge.left(who);
            }
            for command in commands {
                self.command(who, command);
            }
            if std::mem::take(&mut self.people[who].mutual)
                && let Some(id) = self.people[who].match_id.clone()
                && let Some(other) = self.judge.other_of(&id.0, who)
            {
                self.judge.follows(&id.0, [who, other]);
            }
            self.misbehave(who);
        }
    }

    fn crash(&mut self, who: usize) {
        self.tally.crashes += 1;
        self.judge.left(who);
        if let Some(call) = self.people[who].call.take() {
            self.calls.end(call);
        }
        self.hang_up_socket(who);
        let person = &mut self.people[who];
        // Nothing reaches an app that is not there.
        (person.life, person.wants_socket, person.page, person.gate) = (person.life + 1, false, "crashed", None);
        let again = self.dice.between(2_000, 9_000);
        self.after(again, Due::Start(who));
    }

    fn command(&mut self, who: usize, command: Command) {
        let id = self.people[who].match_id.clone().unwrap_or(MatchId(String::new()));
        match &command {
            Command::Reveal { yes } => self.judge.says_reveal(self.now, &id.0, who, *yes),
            Command::AnswerFollow { yes } => self.judge.says_follow(&id.0, who, *yes),
            Command::Leave | Command::BlockPeer => self.compare_papers(who, &id),
            _ => {}
        }
        self.feed(who, Input::User(command));
    }

    /// Modified apps send the server what no app sends.
    fn misbehave(&mut self, who: usize) {
        if !who.is_multiple_of(23) || !self.dice.percent(10) {
            return;
        }
        let match_id = MatchId(format!("m{}", self.dice.below(self.cluster.store.begun.len() as u64 + 2)));
        let message = match self.dice.below(6) {
            0 => ClientMessage::MatchAnswer { match_id, meet: true },
            1 => ClientMessage::Leave { match_id },
            2 => ClientMessage::Answer { match_id, question: Question::Reveal, yes: true },
            3 => ClientMessage::Answer { match_id, question: Question::Follow, yes: true },
            4 => ClientMessage::SawCovered { match_id, saw_s: u16::MAX, told_s: 1 },
            _ => {
                let sdp = Private::new(description(0, &self.people[who].address()));
                ClientMessage::Signal { match_id, signal: Signal::Offer { sdp } }
            }
        };
        // What it says in its own match is one's own business. It may be one that has just ended, or of which it has not heard yet:
        // there too a yes is a yes, however it was sent.
        if self.people[who].match_id.as_ref() != Some(match_of(&message)) {
            match &message {
                ClientMessage::Answer { match_id, question: Question::Follow, yes } => {
                    self.judge.says_follow(&match_id.0, who, *yes)
                }
                ClientMessage::Answer { match_id, question: Question::Reveal, yes } => {
                    self.judge.says_reveal(self.now, &match_id.0, who, *yes);
                }
                _ => {}
            }
            self.send(who, message);
        }
    }

    fn send(&mut self, who: usize, message: ClientMessage) {
        let late = self.now + self.dice.between(5, 50);
        let person = &mut self.people[who];
        let Some((_, socket)) = person.socket else { return };
        person.up_ms = person.up_ms.max(late);
        let at = person.up_ms;
        match &message {
            ClientMessage::Leave { match_id } if person.match_id.as_ref() == Some(match_id) => self.judge.left(who),
            ClientMessage::Signal { match_id, signal } if self.sabotage == Some(Sabotage::Unfiltered) => {
                if let Some(other) = self.judge.other_of(&match_id.0, who)
                    && let Some((_, socket)) = self.people[other].socket
                {
                    let message = Box::new(ServerMessage::Signal { match_id: match_id.clone(), signal: signal.clone() });
                    self.at(at, Due::Down { who: other, socket, told: Told::Message(message) });
                }
            }
            _ => {}
        }
        let read = ClientMessage::from_json(&message.to_json());
        if let Ok(message) = read {
            self.at(at, Due::Up { who, socket, message: Box::new(message) });
        }
    }

    fn perform(&mut self, who: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(message) => self.send(who, message),
                Effect::OpenSocket | Effect::RenewSocket => {
                    if matches!(effect, Effect::RenewSocket) {
                        self.hang_up_socket(who);
                    }
                    self.people[who].wants_socket = true;
                    let (life, soon) = (self.people[who].life, self.dice.between(20, 200));
                    self.after(soon, Due::Reconnect { who, life });
                }
                Effect::CloseSocket => {
                    self.people[who].wants_socket = false;
                    self.hang_up_socket(who);
                }
                Effect::StartCall { number, role, .. } => self.start_call(who, number, role),
                Effect::Call(command) => self.call_command(who, command),
                Effect::ShowToPeer => self.people[who].show_to_peer(self.now),
                Effect::EndCall => self.end_call(who),
                Effect::Gate(input) => {
                    if let Some(gate) = &mut self.people[who].gate {
                        gate.input(input, Duration::from_millis(self.now));
                    }
                }
                Effect::PeerReport { camera_on, .. } => self.people[who].eye.switched_off = !camera_on,
                Effect::Restore | Effect::SignIn | Effect::FetchFollows | Effect::FetchHistory | Effect::BlockSession(_) => {
                    self.request(who, effect);
                }
                Effect::Emit(_)
                | Effect::CancelSignIn
                | Effect::SignOut
                | Effect::SaveProfile(_)
                | Effect::FetchCard
                | Effect::FetchPicture(_)
                | Effect::SetPicture(_)
                | Effect::RemovePicture
                | Effect::Care(_)
                | Effect::FetchTexts(_)
                | Effect::Write { .. }
                | Effect::Unfollow(_)
                | Effect::BlockFollow(_)
                | Effect::RehearseCamera { .. }
                | Effect::TestSpeaker
                | Effect::CheckServer(_)
                | Effect::UseServer(_)
                | Effect::SaveDrawing(_)
                | Effect::SaveDiagnostics(_)
                | Effect::RememberDevices
                | Effect::LookForDevices => {}
            }
        }
    }

    /// Over HTTP.
    fn request(&mut self, who: usize, effect: Effect) {
        let person = &self.people[who];
        let (account, life) = (person.account, person.life);
        let answer = match effect {
            Effect::Restore | Effect::SignIn => Account::SignedIn(Box::new(person.me())),
            Effect::FetchFollows => Account::Follows(self.follows_of(account)),
            Effect::BlockSession(match_id) => {
                self.block(who, &match_id);
                Account::Blocked
            }
            _ => Account::History(Vec::new()),
        };
        let late = self.dice.between(10, 80);
        self.after(late, Due::Account { who, life, account: Box::new(answer) });
    }

    fn block(&mut self, who: usize, match_id: &MatchId) {
        let Some(pair) = self.cluster.store.begun.get(match_id).cloned() else { return };
        let me = self.people[who].account;
        let other = if pair.a == me { pair.b } else { pair.a };
        self.tally.blocks += 1;
        self.cluster.store.block(me, other);
        self.judge.blocks(self.now, who, number_of(other));
        if let Some(node) = self.cluster.alive() {
            self.cluster.blocked(self.now, node, me, other);
        }
    }

    fn follows_of(&self, account: AccountId) -> Vec<Follow> {
        let mine = self.cluster.store.follows.iter().filter(|pair| pair.0 == account);
        let follow = |other: AccountId| Follow {
            id: FollowId(format!("f{}", number_of(other))),
            username: Private::new(Person::name(number_of(other))),
            since: 1,
            online: true,
            unread: 0,
        };
        mine.map(|pair| follow(pair.1)).collect()
    }

    fn look_for_orphans(&mut self) {
        let engaged = self.cluster.store.engaged.len();
        if engaged > 0 {
            self.judge.orphan(format!("{engaged} people are still in a match by what the store holds"));
        }
        let believed = self.cluster.in_match();
        if believed > 0 {
            self.judge.orphan(format!("{believed} people are still in a match by what the nodes believe"));
        }
        for person in &self.people {
            if ["call", "match", "parting", "waiting"].contains(&person.page) || person.call.is_some() {
                self.judge.orphan(format!("the app of {} is on the page {:?}", person.number, person.page));
                return;
            }
        }
    }
}

fn number_of(account: AccountId) -> usize {
    account.0.as_u128() as usize - 1
}

fn match_of(message: &ClientMessage) -> &MatchId {
    static NONE: MatchId = MatchId(String::new());
    match message {
        ClientMessage::MatchAnswer { match_id, .. }
        | ClientMessage::Leave { match_id }
        | ClientMessage::Answer { match_id, .. }
        | ClientMessage::SawCovered { match_id, .. }
        | ClientMessage::AllowDirect { match_id }
        | ClientMessage::Signal { match_id, .. } => match_id,
        ClientMessage::Hello { .. }
        | ClientMessage::Ring { .. }
        | ClientMessage::Join
        | ClientMessage::CancelWaiting
        | ClientMessage::Widen { .. } => &NONE,
    }
}
