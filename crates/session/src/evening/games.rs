//! The game of a call: what is wished for, the game itself, and what it allows on the paper. The rules are the business of `games`; that a
//! game begins only when both wish for it that of the server.

use super::in_call::{InCall, Link};
use super::{Effect, games_paper};
use crate::Command;
use sha2::{Digest, Sha256};
use std::time::Duration;
use visavis_call as call;
use visavis_games::{self as games, Engine, GameView, Pause, Permit, Unfair};
use visavis_wire::channel::{Control, Live, Shows};
use visavis_wire::games::{GameMessage, Play};
use visavis_wire::paper::{Author, Op};
use visavis_wire::socket::{ClientMessage, Question};

/// What there is of games in a call.
pub(super) struct Games {
    me: Author,
    /// Own wish that has not been answered.
    pub wish: Option<Play>,
    engine: Option<Engine>,
    /// The user has had enough of it: once it is over its place is the paper's again. It is kept for the other side, which may not
    /// have heard of its end.
    put_away: bool,
    /// Own chance of this call: words and nonces are drawn from it.
    seed: [u8; 32],
    languages: Vec<String>,
    /// Messages about a game that is not known here, or not any more.
    ignored: u64,
    /// What the other side's program did last in this game that no honest one does.
    pub unfair: Option<Unfair>,
}

impl Games {
    pub(super) fn new(me: Author, seed: [u8; 32], languages: Vec<String>) -> Self {
        Self { me, wish: None, engine: None, put_away: false, seed, languages, ignored: 0, unfair: None }
    }

    pub(super) fn view(&self) -> Option<GameView> {
        self.engine.as_ref().filter(|engine| !(self.put_away && engine.is_over())).map(Engine::view)
    }

    /// What this side may do on the paper.
    pub(super) fn permit(&self) -> Permit {
        self.engine.as_ref().map_or(Permit::FREE, Engine::permit)
    }
}

impl InCall {
    /// The user wishes for a game, or takes the wish back. The server tells nobody.
    fn wish_game(&mut self, play: Option<Play>, out: &mut Vec<Effect>) {
        if let Some(before) = self.games.wish.take().filter(|before| Some(*before) != play) {
            out.push(self.game_answer(before, false));
        }
        self.games.wish = play;
        out.extend(play.map(|play| self.game_answer(play, true)));
    }

    fn game_answer(&self, play: Play, yes: bool) -> Effect {
        Effect::Send(ClientMessage::Answer { match_id: self.match_id.clone(), question: Question::Play(play), yes })
    }

    /// Wished for again, of a server that has forgotten what was said.
    pub(super) fn wish_again(&self, out: &mut Vec<Effect>) {
        out.extend(self.games.wish.map(|play| self.game_answer(play, true)));
    }

    /// Both wish for it, says the server; without one's own wish it is not believed.
    pub(super) fn game_opened(&mut self, play: Play, number: u64, now: Duration, out: &mut Vec<Effect>) {
        let known = self.games.engine.as_ref().is_some_and(|engine| engine.number() == number);
        if known || self.games.wish != Some(play) {
            return;
        }
        (self.games.wish, self.games.unfair, self.games.put_away) = (None, None, false);
        let seed = Sha256::new().chain_update(self.games.seed).chain_update(number.to_le_bytes()).finalize().into();
        let languages = self.games.languages.clone();
        let hidden = self.games.permit().hidden;
        self.games.engine = Some(Engine::new(play, number, self.games.me, seed, languages, now));
        if hidden {
            self.paper.flowing(now, out);
        }
        self.game_input(games::Input::Pause(self.pauses()), now, out);
    }

    /// Somebody is not connected, or veiled although both said yes. A peer that says it is veiled and is clearly seen is taken at its
    /// word, for a while.
    fn pauses(&self) -> Pause {
        let agreed = self.agreed && self.opened;
        match self.peer.shows() {
            _ if self.link != Link::Connected || agreed && self.shows == Shows::Veiled => Pause::Seen,
            Shows::Veiled if agreed && self.peer.is_clearly_seen() => Pause::Told,
            Shows::Veiled if agreed => Pause::Seen,
            _ => Pause::No,
        }
    }

    pub(super) fn game_message(&mut self, message: GameMessage, now: Duration, out: &mut Vec<Effect>) {
        match &self.games.engine {
            Some(engine) if engine.number() == message.game() => self.game_input(games::Input::Peer(message), now, out),
            // Of a game that has not been opened here yet, or of the one before.
            _ => self.games.ignored += 1,
        }
    }

    pub(super) fn tick_game(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if self.games.engine.is_some() {
            self.game_input(games::Input::Pause(self.pauses()), now, out);
            if self.link == Link::Connected {
                self.game_input(games::Input::Tick, now, out);
            }
        }
    }

    pub(super) fn game_flows(&mut self, now: Duration, out: &mut Vec<Effect>) {
        self.game_input(games::Input::Flowing, now, out);
    }

    /// Gives the game an input and does what it says. What was hidden is told once it is no longer.
    fn game_input(&mut self, input: games::Input, now: Duration, out: &mut Vec<Effect>) {
        let Some(engine) = &mut self.games.engine else { return };
        let hidden = engine.permit().hidden;
        let mut clear = false;
        for effect in engine.input(input, self.paper.own_count(), now) {
            match effect {
                games::Effect::Send(message) => out.push(Effect::Call(call::Command::Control(Control::Game(message)))),
                games::Effect::Hide(id) => self.paper.hide(id, out),
                games::Effect::Noticed(unfair) => self.games.unfair = Some(unfair),
                games::Effect::Settled(unfair) => self.games.unfair = self.games.unfair.filter(|noticed| *noticed != unfair),
                games::Effect::ClearPaper => clear = true,
            }
        }
        if hidden && !engine.permit().hidden {
            self.paper.flowing(now, out);
        }
        if clear {
            self.paper_command(Command::ClearPaper, now, out);
        }
    }

    /// A command about the paper, as far as the game allows it; the game hears of what became of it.
    pub(super) fn draw(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        let (permit, colour) = (self.games.permit(), self.games.engine.as_ref().and_then(Engine::colour));
        if let Some(command) = games_paper::allowed(command, permit, colour) {
            self.paper_command(command, now, out);
        }
    }

    fn paper_command(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        // That the paper is empty before a hidden drawing begins is no secret, and both begin on the same one.
        let empties = matches!(command, Command::ClearPaper);
        let before = out.len();
        self.paper.command(command, now, out);
        let mut drawn = Vec::new();
        for effect in &out[before..] {
            if let Effect::Call(call::Command::Operations(operations)) = effect {
                drawn.extend(operations.0.clone());
            }
        }
        let hidden = self.games.permit().hidden && !empties;
        for op in drawn {
            self.game_input(games::Input::Drew(op), now, out);
        }
        if hidden {
            games_paper::withhold(out, before);
        }
    }
}

impl InCall {
    /// Commands about games.
    pub(super) fn game_command(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        match command {
            Command::Wish { play } => self.wish_game(play, out),
            Command::Play { action } => {
                self.games.put_away |= action == games::Action::Stop;
                self.game_input(games::Input::User(action), now, out);
            }
            _ => {}
        }
    }

    /// Operations of the peer: the paper takes them, the game says which of them may be seen.
    pub(super) fn peer_draws(&mut self, ops: Vec<Op>, now: Duration, out: &mut Vec<Effect>) {
        if self.games.engine.is_none() {
            self.paper.operations(ops, now, out);
            return;
        }
        let (before, copy) = (self.paper.peer_count(), ops.clone());
        let from = out.len();
        self.paper.operations(ops, now, out);
        if self.games.permit().hidden {
            games_paper::withhold(out, from);
        }
        let taken = before + 1..=self.paper.peer_count();
        let new = copy.into_iter().filter(|op| taken.contains(&op.id.seq)).collect();
        self.game_input(games::Input::PeerDrew(new), now, out);
    }

    /// Ink of the peer, which is not shown while it may draw none.
    pub(super) fn peer_inks(&mut self, live: Live, now: Duration, out: &mut Vec<Effect>) {
        let silent = self.games.engine.as_ref().is_some_and(|engine| {
            let permit = engine.peer_permit();
            !permit.draw || permit.hidden
        });
        match live {
            Live::Ink { ink, .. } if silent && !ink.fades => {}
            Live::Shape { .. } if silent => {}
            live => self.paper.live(live, now, out),
        }
    }

    /// The paper's own messages, but for those that would tell what is hidden.
    pub(super) fn paper_tells(&mut self, out: &mut Vec<Effect>, what: impl FnOnce(&mut Self, &mut Vec<Effect>)) {
        let from = out.len();
        what(self, out);
        if self.games.permit().hidden {
            games_paper::withhold(out, from);
        }
    }
}
