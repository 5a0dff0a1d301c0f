//! One game between two sides: the common log, what of it was lost, the clock, and what follows from it here. The offerer orders the
//! moves of both; both fold the same log.
//!
//! Moves of the answerer wait until they are seen in the log, and are sent again until then; the log is sent again from where
//! the other side says that it has it. Time is the offerer's, and stands still while one of the two has to pause.

use crate::action::{Action, Effect, Input, Pause};
use crate::rules::{Answer, Judged, Mine, Rules, begin};
use crate::turns::Turns;
use crate::view::{GameView, Permit, Phase, Unfair};
use crate::watch::{Debt, Pauses, Watch};
use std::collections::BTreeSet;
use std::time::Duration;
use visavis_wire::games::{Entry, GameMessage, Move, Play};
use visavis_wire::limits;
use visavis_wire::paper::{Author, Op};

/// Between two tries of something that is not confirmed.
const AGAIN: Duration = Duration::from_secs(1);
/// Between two accounts of what is here.
const HERE_EVERY: Duration = Duration::from_secs(2);
/// Entries of one game; an honest one has some hundreds.
const MOST_ENTRIES: usize = 3000;
/// Own moves that are not confirmed.
const MOST_PENDING: usize = 32;
/// Of the time between two inputs, what counts as time in which both were there: a machine that slept heard nothing.
const LONGEST_STEP: Duration = Duration::from_secs(1);

pub struct Engine {
    play: Play,
    rules: Box<dyn Rules>,
    mine: Mine,
    log: Vec<Entry>,
    /// Over the first so many entries.
    hashes: Vec<u64>,
    /// Of the answerer, not in the log yet.
    pending: Vec<Move>,
    /// Entries that the answerer is known to have.
    confirmed: usize,
    sent_at: Option<Duration>,
    here_at: Option<Duration>,
    clock: Duration,
    clock_at: Duration,
    paused: [bool; 2],
    own_pause: Pause,
    pauses: Pauses,
    /// Of the answerer.
    watch: Watch,
    /// Moves that the other's program owes.
    moves_owed: Debt,
    /// Own moves of which the offerer does not say what became.
    answers_owed: Debt,
    turns: [Turns; 2],
    /// Moves of each side that were fine, without those that only tell the time.
    fine: [u32; 2],
    noticed: BTreeSet<Unfair>,
    ignored: u64,
}

impl Engine {
    /// `number` is the server's, `seed` this side's own chance, `me` 0 for the offerer, `seq` what this side has drawn so far.
    pub fn new(play: Play, number: u64, me: Author, seed: [u8; 32], languages: Vec<String>, now: Duration) -> Self {
        let me = Author(me.0.min(1));
        let languages = languages.into_iter().filter(|tag| tag.len() <= 35).take(limits::GAME_LANGUAGES).collect();
        Self {
            play,
            rules: begin(play, number),
            mine: Mine { me, number, seed, secret: None, seq: 0, cleared: 0, seal: [0; 32], languages },
            log: Vec::new(),
            hashes: vec![0xcbf2_9ce4_8422_2325],
            pending: Vec::new(),
            confirmed: 0,
            sent_at: None,
            here_at: None,
            clock: Duration::ZERO,
            clock_at: now,
            paused: [false; 2],
            own_pause: Pause::No,
            pauses: Pauses::default(),
            watch: Watch::default(),
            moves_owed: Debt::default(),
            answers_owed: Debt::default(),
            fine: [0; 2],
            turns: [Turns::default(), Turns::default()],
            noticed: BTreeSet::new(),
            ignored: 0,
        }
    }

    pub fn number(&self) -> u64 {
        self.mine.number
    }

    pub fn play(&self) -> Play {
        self.play
    }

    /// What the peer sent and no honest program sends.
    pub fn ignored(&self) -> u64 {
        self.ignored
    }

    /// Equal on both sides when both hold the same log.
    pub fn hash(&self) -> (usize, u64) {
        (self.log.len(), self.hashes.last().copied().unwrap_or_default())
    }

    /// Nothing more comes of it, by one's wish or at its end.
    pub fn is_over(&self) -> bool {
        self.rules.frame().over
    }

    /// `seq`: how many operations this side has made on the paper.
    pub fn input(&mut self, input: Input, seq: u32, now: Duration) -> Vec<Effect> {
        let mut out = Vec::new();
        self.mine.seq = seq;
        self.run_clock(now, &mut out);
        match input {
            Input::User(action) => self.user(&action, now, &mut out),
            Input::Peer(message) => self.peer(message, now, &mut out),
            Input::PeerDrew(ops) => self.drew(1 - self.me(), ops, now),
            Input::Drew(op) => self.drew(self.me(), vec![op], now),
            Input::Pause(pause) => {
                self.own_pause = pause;
                let pauses = pause != Pause::No;
                if std::mem::replace(&mut self.paused[0], pauses) != pauses {
                    self.watch.begin_again(now);
                    self.here(now, &mut out);
                }
            }
            Input::Flowing => {
                (self.sent_at, self.here_at) = (None, None);
                self.resend(now, &mut out);
                self.here(now, &mut out);
            }
            Input::Tick => self.tick(now, &mut out),
        }
        self.follow(now, &mut out);
        out
    }

    fn me(&self) -> usize {
        usize::from(self.mine.me.0)
    }

    fn offers(&self) -> bool {
        self.mine.me == Author(0)
    }

    fn run_clock(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let passed = now.saturating_sub(self.clock_at);
        let runs = self.paused == [false; 2];
        if runs {
            self.clock += passed;
        }
        self.clock_at = now;
        let passed = passed.min(LONGEST_STEP);
        self.look_at_pauses(passed, out);
        let step = if runs { passed } else { Duration::ZERO };
        let told = self.watch.look(runs && !self.is_over(), now);
        let (moves, answers) = (self.moves_owed(), self.answers_owed());
        let kept = self.moves_owed.waits(moves, step);
        self.late(Unfair::KeptBack, kept, out);
        if !self.offers() {
            let silent = self.answers_owed.waits(answers, step) || !told;
            self.late(Unfair::Silent, silent, out);
        }
    }

    /// Only a game that is played can be held up: to be ready, and to end it, nothing has to go on.
    fn look_at_pauses(&mut self, passed: Duration, out: &mut Vec<Effect>) {
        if !self.rules.frame().playing {
            self.pauses = Pauses::default();
        }
        let held_up = self.rules.frame().playing && self.pauses.hold_up(self.paused[1], self.own_pause, passed);
        self.late(Unfair::HeldUp, held_up, out);
    }

    fn late(&mut self, unfair: Unfair, is_late: bool, out: &mut Vec<Effect>) {
        if is_late && !self.noticed.contains(&unfair) {
            self.notice(unfair, out);
        } else if !is_late && self.noticed.remove(&unfair) {
            out.push(Effect::Settled(unfair));
        }
    }

    /// What there is of it so far, while the other's program has to go on by itself, or has not sent all of a drawing that is opened.
    fn moves_owed(&self) -> Option<u32> {
        let peer = 1 - self.me();
        let awaited = self.turns[peer].awaits().filter(|_| !self.peer_permit().hidden);
        let owes = self.rules.owed().is_some_and(|author| author != self.mine.me);
        owes.then_some(self.fine[peer]).or(awaited)
    }

    /// Own moves that are in the log, while some are not.
    fn answers_owed(&self) -> Option<u32> {
        (!self.pending.is_empty()).then(|| self.made(self.mine.me))
    }

    fn at_ms(&self) -> u32 {
        let at = u32::try_from(self.clock.as_millis()).unwrap_or(u32::MAX);
        at.max(self.log.last().map_or(0, |entry| entry.at_ms))
    }

    fn drew(&mut self, side: usize, ops: Vec<Op>, now: Duration) {
        let strips = self.rules.strips();
        for op in ops {
            self.turns[side].drew(op, &strips, now);
        }
    }

    fn user(&mut self, action: &Action, now: Duration, out: &mut Vec<Effect>) {
        let frame = self.rules.frame();
        // A pause holds play up; being ready for what comes after it, or ending it, is no play.
        let held_up = self.paused != [false; 2] && !matches!(action, Action::Ready | Action::Stop);
        if frame.over || held_up {
            return;
        }
        let kept = self.mine.secret.clone();
        let wanted = match action {
            Action::Ready if !frame.playing && !frame.is_ready(self.mine.me) => {
                Some(Move::Ready { languages: self.mine.languages.clone() })
            }
            Action::Ready => None,
            Action::Stop => Some(Move::Stop),
            action => {
                self.mine.seal = self.turns[self.me()].seal();
                self.rules.act(action, &mut self.mine)
            }
        };
        // A second choice, before the first is confirmed, must not take the place of what was committed to.
        if !wanted.is_some_and(|wanted| self.make(wanted, now, out)) {
            self.mine.secret = kept;
        }
    }

    /// An own move, if it is one that the rules take now.
    fn make(&mut self, action: Move, now: Duration, out: &mut Vec<Effect>) -> bool {
        let mut trial = self.rules.copy();
        let at = self.at_ms();
        let before = self.pending.iter().all(|earlier| trial.apply(self.mine.me, at, earlier) == Judged::Fine);
        if !before || trial.apply(self.mine.me, at, &action) != Judged::Fine || self.pending.len() >= MOST_PENDING {
            return false;
        }
        if self.offers() {
            self.append(self.mine.me, action, now, out);
        } else {
            let from = self.made(self.mine.me) + self.pending.len() as u32;
            self.pending.push(action.clone());
            self.sent_at = Some(now);
            out.push(Effect::Send(GameMessage::Moves { game: self.mine.number, from, moves: vec![action] }));
        }
        true
    }

    /// Moves of that side in the log.
    fn made(&self, by: Author) -> u32 {
        self.log.iter().filter(|entry| entry.by == by).count() as u32
    }

    /// The offerer puts a move into the log.
    fn append(&mut self, by: Author, action: Move, now: Duration, out: &mut Vec<Effect>) {
        if self.log.len() >= MOST_ENTRIES {
            self.ignored += 1;
            return;
        }
        let (entry, from) = (Entry { by, at_ms: self.at_ms(), action }, self.log.len() as u32);
        self.sent_at = Some(now);
        out.push(Effect::Send(GameMessage::Log { game: self.mine.number, from, entries: vec![entry.clone()] }));
        self.take(entry, out);
    }

    /// Folds an entry.
    fn take(&mut self, entry: Entry, out: &mut Vec<Effect>) {
        let side = usize::from(entry.by.0.min(1));
        let judged = self.rules.apply(entry.by, entry.at_ms, &entry.action);
        if judged == Judged::Fine && entry.action != Move::Time {
            self.fine[side] += 1;
        }
        match (&entry.action, judged) {
            (Move::Begin { seq }, Judged::Fine) => {
                let permit = self.rules.permit(entry.by);
                self.turns[side].begin(*seq, permit);
            }
            (Move::End { seq, seal }, Judged::Fine) => self.turns[side].end(*seq, *seal),
            (Move::Edge { marks }, Judged::Fine) => self.turns[side].edge_told(marks.clone()),
            (_, Judged::Unfair(unfair)) if entry.by != self.mine.me => self.notice(unfair, out),
            _ => {}
        }
        let hash = digest(self.hashes.last().copied().unwrap_or_default(), &entry);
        self.hashes.push(hash);
        self.log.push(entry);
    }

    fn notice(&mut self, unfair: Unfair, out: &mut Vec<Effect>) {
        self.ignored += 1;
        if self.noticed.insert(unfair) {
            out.push(Effect::Noticed(unfair));
        }
    }

    fn peer(&mut self, message: GameMessage, now: Duration, out: &mut Vec<Effect>) {
        if message.game() != self.mine.number {
            self.ignored += 1;
            return;
        }
        match message {
            GameMessage::Moves { from, moves, .. } if self.offers() => {
                let by = Author(1);
                for (number, action) in (from..).zip(moves) {
                    if number == self.made(by) {
                        // Only the offerer says how late it is.
                        let action = if action == Move::Time { Move::Guess { text: String::new() } } else { action };
                        self.append(by, action, now, out);
                    }
                }
            }
            GameMessage::Log { from, entries, .. } if !self.offers() => self.hear(from as usize, entries, now, out),
            GameMessage::Here { entries, hash, paused, at_ms, .. } => {
                if std::mem::replace(&mut self.paused[1], paused) != paused {
                    self.watch.begin_again(now);
                }
                let theirs = entries as usize;
                let same = self.hashes.get(theirs).is_none_or(|own| *own == hash);
                if !same {
                    self.notice(Unfair::OtherCourse, out);
                }
                if self.offers() {
                    self.confirmed = theirs.min(self.log.len());
                } else {
                    // It stands still while one of the two pauses.
                    if self.paused == [false; 2] && !self.watch.hear(at_ms, now) {
                        self.notice(Unfair::WrongClock, out);
                    }
                    self.clock = Duration::from_millis(u64::from(at_ms))
                        .max(Duration::from_millis(u64::from(self.at_ms())).min(self.clock));
                }
            }
            _ => self.ignored += 1,
        }
    }

    /// The log, as the offerer tells it.
    fn hear(&mut self, from: usize, entries: Vec<Entry>, now: Duration, out: &mut Vec<Effect>) {
        for (index, entry) in (from..).zip(entries) {
            if index != self.log.len() {
                // Told again, it has to be what it was.
                if self.log.get(index).is_some_and(|known| *known != entry) {
                    self.notice(Unfair::OtherCourse, out);
                }
                continue;
            }
            let back = self.log.last().is_some_and(|last| entry.at_ms < last.at_ms);
            if back {
                self.notice(Unfair::WrongClock, out);
                return;
            }
            if self.log.len() >= MOST_ENTRIES || entry.by.0 > 1 {
                self.notice(Unfair::ImpossibleMove, out);
                return;
            }
            if entry.by == self.mine.me {
                if self.pending.first() != Some(&entry.action) {
                    self.notice(Unfair::OtherCourse, out);
                    return;
                }
                self.pending.remove(0);
            }
            self.clock = self.clock.max(Duration::from_millis(u64::from(entry.at_ms)));
            self.take(entry, out);
        }
        self.here(now, out);
    }

    /// What is here.
    fn here(&mut self, now: Duration, out: &mut Vec<Effect>) {
        self.here_at = Some(now);
        let (entries, hash) = self.hash();
        let (game, paused, at_ms) = (self.mine.number, self.paused[0], self.at_ms());
        out.push(Effect::Send(GameMessage::Here { game, entries: entries as u32, hash, paused, at_ms }));
    }

    fn resend(&mut self, now: Duration, out: &mut Vec<Effect>) {
        let game = self.mine.number;
        if self.offers() && self.confirmed < self.log.len() {
            self.sent_at = Some(now);
            let entries = self.log[self.confirmed..].iter().take(16).cloned().collect();
            out.push(Effect::Send(GameMessage::Log { game, from: self.confirmed as u32, entries }));
        } else if !self.offers() && !self.pending.is_empty() {
            self.sent_at = Some(now);
            let moves = self.pending.iter().take(16).cloned().collect();
            out.push(Effect::Send(GameMessage::Moves { game, from: self.made(self.mine.me), moves }));
        }
    }

    fn tick(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if self.sent_at.is_none_or(|at| now >= at + AGAIN) {
            self.resend(now, out);
        }
        if self.here_at.is_none_or(|at| now >= at + HERE_EVERY) {
            self.here(now, out);
        }
    }

    /// What follows from the state: the program's own moves, time that is up, marks that are out of turn.
    fn follow(&mut self, now: Duration, out: &mut Vec<Effect>) {
        if self.offers() && self.rules.deadline().is_some_and(|deadline| self.at_ms() >= deadline) {
            self.append(self.mine.me, Move::Time, now, out);
        }
        for _ in 0..8 {
            if !self.pending.is_empty() {
                break;
            }
            self.mine.seal = self.turns[self.me()].seal();
            let at = self.at_ms();
            let answer = match self.rules.answer(&mut self.mine, at) {
                Answer::Edge => Answer::Move(Move::Edge { marks: self.turns[self.me()].edge() }),
                answer => answer,
            };
            match answer {
                Answer::Nothing | Answer::Edge => break,
                Answer::Clear => {
                    self.mine.cleared = self.rules.frame().round;
                    out.push(Effect::ClearPaper);
                    break;
                }
                Answer::Move(action) => {
                    if !self.make(action, now, out) {
                        break;
                    }
                }
            }
        }
        let free = !self.rules.has_turns() || self.rules.permit(self.mine.me) == Permit::FREE && !self.rules.frame().playing;
        let peer = 1 - self.me();
        self.turns[self.me()].judge(free, now);
        let (hide, broken) = self.turns[peer].judge(free, now);
        if !hide.is_empty() {
            self.notice(Unfair::DrewOutOfTurn, out);
        }
        out.extend(hide.into_iter().map(Effect::Hide));
        if let Some(broken) = broken {
            self.notice(broken, out);
        }
    }

    /// What this side may draw now.
    pub fn permit(&self) -> Permit {
        let permit = self.rules.permit(self.mine.me);
        let paused = self.rules.frame().playing && self.paused != [false; 2];
        // What ends a turn counts from when it is said, not from when it is confirmed.
        let ends = self.pending.iter().any(|action| matches!(action, Move::End { .. }));
        let spent = permit.one_stroke && self.turns[self.me()].used_up();
        Permit { draw: permit.draw && !paused && !ends && !spent, ..permit }
    }

    /// With one colour: the one that was taken.
    pub fn colour(&self) -> Option<u32> {
        self.turns[self.me()].colour()
    }

    /// Whether the peer may draw now, as far as is known here.
    pub fn peer_permit(&self) -> Permit {
        self.rules.permit(Author(1 - self.mine.me.0))
    }

    pub fn view(&self) -> GameView {
        let (frame, shown) = (self.rules.frame(), self.rules.show(&self.mine));
        let phase = frame.phase(self.mine.me);
        let waits = matches!(phase, Phase::Ready { you: false, .. });
        GameView {
            game: self.play.game,
            twist: self.play.twist,
            language: frame.language,
            phase,
            round: frame.round,
            rounds: frame.rounds,
            paused: self.paused != [false; 2],
            left_ms: shown.deadline.map(|deadline| deadline.saturating_sub(self.at_ms()).div_ceil(1000) * 1000),
            your_turn: shown.your_turn || waits,
            permit: self.permit(),
            scene: shown.scene,
        }
    }
}

/// FNV-1a over the entry's own text, after what came before.
fn digest(before: u64, entry: &Entry) -> u64 {
    format!("{entry:?}").bytes().fold(before, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
