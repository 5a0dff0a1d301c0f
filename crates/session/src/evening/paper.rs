//! The paper of a call: own marks become operations and go out, the peer's come in within bounds, and both sides keep telling
//! each other what they hold, so that whatever was lost comes again.
//!
//! Merging is the business of `canvas`; ink that is not committed yet that of `ink.rs`.

use super::Effect;
use super::ink::{self, OwnInk, PeerInk};
use crate::drawing::Drawing;
use crate::{Command, Event};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::time::Duration;
use visavis_call as call;
use visavis_canvas::raster::Picture;
use visavis_canvas::{Change, Fault, History, Mark, batches};
use visavis_wire::channel::{Control, Here, Ink, Live, Operations};
use visavis_wire::paper::{Author, Op, OpId, OpKind, Place};

/// Between two accounts of what is here, while it changes or is not known to be what the peer has.
const ACCOUNT_EVERY: Duration = Duration::from_secs(2);
/// Between two answers to "what do you have", so that asking is no lever for a flood. It doubles while the same is asked.
const RESEND_EVERY: Duration = Duration::from_millis(500);
const RESEND_MOST: Duration = Duration::from_secs(8);
/// Marks drawn into the ground at one tick: some milliseconds, and more a second than the peer may send.
const FROZEN_AT_ONCE: usize = 8;

/// How much of the peer's operations is taken: what is over it is asked for later. Far above what a hand can do, below what
/// could keep a page busy; the burst is what a reconnection brings. Points stand for work: covering the sheet once is as much
/// of it as some hundred points.
struct Allowance {
    operations: f32,
    points: f32,
    filled: Duration,
}

impl Allowance {
    const OPERATIONS: (f32, f32) = (60.0, 1500.0);
    const POINTS: (f32, f32) = (20_000.0, 300_000.0);
    /// Points that a sheet's area of ink stands for.
    const SHEET: f32 = 1000.0;

    fn new(now: Duration) -> Self {
        Self { operations: Self::OPERATIONS.1, points: Self::POINTS.1, filled: now }
    }

    fn fill(&mut self, now: Duration) {
        let seconds = now.saturating_sub(self.filled).as_secs_f32();
        self.operations = (self.operations + seconds * Self::OPERATIONS.0).min(Self::OPERATIONS.1);
        self.points = (self.points + seconds * Self::POINTS.0).min(Self::POINTS.1);
        self.filled = now;
    }

    fn takes(&mut self, op: &Op) -> bool {
        let (points, sheets) = match &op.kind {
            OpKind::Stroke(stroke) => (stroke.points.len(), ink::sheets(&stroke.points, stroke.size)),
            // A page that draws cells goes over all between the outermost.
            OpKind::Fill(fill) => (fill.runs.len(), 1.0),
            OpKind::Shape(_) | OpKind::Undo { .. } | OpKind::Clear => (1, 0.0),
        };
        // Whatever it is, it is taken some time, or nothing after it would be.
        let points = (points as f32 + sheets * Self::SHEET).min(Self::POINTS.1);
        if self.operations < 1.0 || self.points < points {
            return false;
        }
        self.operations -= 1.0;
        self.points -= points;
        true
    }
}

pub(super) struct Paper {
    pub history: History,
    own: Author,
    /// What can change no more; nothing until there is any.
    ground: Option<Picture>,
    own_ink: OwnInk,
    peer_ink: PeerInk,
    allowance: Allowance,
    /// The account that the peer was given last.
    told: Option<Here>,
    told_at: Option<Duration>,
    /// An account was asked for too soon after the last one; it is given when its time has come.
    owed: bool,
    /// The last account of the peer.
    heard: Option<Here>,
    /// The last answer with operations: when, from which own one on, and how long until the same is answered again.
    resent: Option<(Duration, Here, Duration)>,
    /// Operations of the peer that were over the allowance.
    dropped: u64,
    /// Marks of the peer that a game did not allow.
    out_of_turn: BTreeSet<OpId>,
}

impl Paper {
    pub(super) fn new(author: Author, now: Duration) -> Self {
        Self {
            history: History::new(author),
            own: author,
            ground: None,
            own_ink: OwnInk::default(),
            peer_ink: PeerInk::default(),
            allowance: Allowance::new(now),
            told: None,
            told_at: None,
            owed: false,
            heard: None,
            resent: None,
            dropped: 0,
            out_of_turn: BTreeSet::new(),
        }
    }

    /// The paper, out of a call that is over.
    pub(super) fn take(&mut self, now: Duration) -> Self {
        let ignored = self.ignored();
        if ignored > 0 {
            tracing::info!(ignored, "operations and ink of the peer were not taken");
        }
        std::mem::replace(self, Self::new(Author(0), now))
    }

    /// What both see; `None` when that is nothing.
    pub(super) fn drawing(&self) -> Option<Drawing> {
        let ground = if self.history.hides_frozen() { None } else { self.ground.clone() };
        (!self.history.is_blank()).then(|| Drawing { ground, marks: self.history.visible() })
    }

    /// The whole paper, for a page that begins.
    pub(super) fn show(&self) -> Event {
        let png = self.ground.as_ref().and_then(|ground| ground.png(None).ok());
        let ground = png.map(|png| format!("data:image/png;base64,{}", STANDARD.encode(png)));
        let mut items = self.history.items();
        for item in items.iter_mut().filter(|item| self.out_of_turn.contains(&item.op.id)) {
            item.shown = false;
        }
        Event::Paper { own: self.own, ground, items }
    }

    /// Operations that each side has made.
    pub(super) fn own_count(&self) -> u32 {
        self.count(self.own)
    }

    pub(super) fn peer_count(&self) -> u32 {
        self.count(Author(1 - self.own.0.min(1)))
    }

    fn count(&self, author: Author) -> u32 {
        let here = self.history.here();
        if author == Author(0) { here.offerer } else { here.answerer }
    }

    /// A mark that is not to be seen here, though both papers hold it.
    pub(super) fn hide(&mut self, id: OpId, out: &mut Vec<Effect>) {
        self.out_of_turn.insert(id);
        out.push(Effect::Emit(Event::PaperChange { changes: vec![Change::Show { id, shown: false }] }));
    }

    /// Commands about the paper; others do nothing.
    pub(super) fn command(&mut self, command: Command, now: Duration, out: &mut Vec<Effect>) {
        match command {
            Command::DrawPoints { id, colour, size, fades, points } => {
                for mark in self.own_ink.points(id, Ink { colour, size, fades }, points) {
                    self.commit(mark, id, out);
                }
                self.send_ink(now, out);
            }
            Command::DrawShape { id, shape } => {
                self.own_ink.shape(id, shape);
                self.send_ink(now, out);
            }
            Command::DrawEnd { id } => {
                let mark = self.own_ink.end(id);
                self.send_ink(now, out);
                if let Some(mark) = mark {
                    self.commit(mark, id, out);
                }
            }
            Command::DrawCancel { id } => {
                self.own_ink.cancel(id);
                self.send_ink(now, out);
            }
            Command::DrawFill { fill } => self.commit(Mark::Fill(fill), 0, out),
            Command::MoveCursor { x, y } => {
                self.own_ink.cursor(Place { x, y });
                self.send_ink(now, out);
            }
            Command::Undo => {
                let made = self.history.undo();
                tell(made, out);
            }
            Command::Redo => {
                let made = self.history.redo();
                tell(made, out);
            }
            Command::ClearPaper => {
                let made = self.history.clear();
                tell(made, out);
            }
            _ => {}
        }
    }

    fn commit(&mut self, mark: Mark, live: u32, out: &mut Vec<Effect>) {
        tell(self.history.draw(mark, live).map(Some), out);
    }

    fn send_ink(&mut self, now: Duration, out: &mut Vec<Effect>) {
        out.extend(self.own_ink.due(now).into_iter().map(|live| Effect::Call(call::Command::Live(live))));
    }

    /// What this side holds, so that the peer sends the rest.
    fn account(&mut self, now: Duration, out: &mut Vec<Effect>) {
        self.owed = self.told_at.is_some_and(|at| now < at + RESEND_EVERY);
        if self.owed {
            return;
        }
        let here = self.history.here();
        (self.told, self.told_at) = (Some(here), Some(now));
        out.push(Effect::Call(call::Command::Control(Control::Paper(here))));
    }

    /// Operations of the peer.
    pub(super) fn operations(&mut self, ops: Vec<Op>, now: Duration, out: &mut Vec<Effect>) {
        self.allowance.fill(now);
        let came = ops.len();
        let taken: Vec<Op> = ops.into_iter().take_while(|op| self.allowance.takes(op)).collect();
        self.dropped += (came - taken.len()) as u64;
        let over = taken.len() < came;
        let merged = self.history.merge(taken);
        for change in &merged.changes {
            if let Change::Insert { op, .. } = change
                && op.live != 0
            {
                self.peer_ink.committed(op.live);
            }
        }
        if !merged.changes.is_empty() {
            out.push(Effect::Emit(Event::PaperChange { changes: merged.changes }));
        }
        if merged.refused > 0 && self.history.refused() == u64::from(merged.refused) {
            tracing::warn!("the peer sends operations that no honest program makes; they are ignored");
        }
        if merged.gap || over {
            self.account(now, out);
        }
    }

    /// What the peer holds.
    pub(super) fn meet(&mut self, theirs: Here, now: Duration, out: &mut Vec<Effect>) {
        let met = self.history.meet(theirs);
        if met.repaired {
            tracing::warn!("the papers of the two sides differed; what came of the peer is fetched again");
            out.push(Effect::Emit(self.show()));
        }
        // Who says the same again has not heard what is here.
        let again = self.heard.replace(theirs) == Some(theirs) && self.told_at.is_none_or(|at| now >= at + ACCOUNT_EVERY);
        if met.answer || again {
            self.account(now, out);
        }
        if met.missing.is_empty() {
            return;
        }
        let pause = match self.resent {
            Some((at, _, pause)) if now < at + pause => return,
            Some((_, asked, pause)) if asked == theirs => (pause * 2).min(RESEND_MOST),
            _ => RESEND_EVERY,
        };
        self.resent = Some((now, theirs, pause));
        out.extend(batches(met.missing).into_iter().map(|ops| Effect::Call(call::Command::Operations(ops))));
    }

    pub(super) fn live(&mut self, live: Live, now: Duration, out: &mut Vec<Effect>) {
        out.extend(self.peer_ink.admit(live, now).map(Effect::Emit));
    }

    /// The channels are open, for the first time or again.
    pub(super) fn flowing(&mut self, now: Duration, out: &mut Vec<Effect>) {
        (self.told_at, self.resent, self.heard) = (None, None, None);
        self.account(now, out);
    }

    pub(super) fn tick(&mut self, connected: bool, now: Duration, out: &mut Vec<Effect>) {
        self.send_ink(now, out);
        let unsure = self.told != Some(self.history.here()) || !self.history.is_agreed();
        let due = self.owed || unsure && self.told_at.is_none_or(|at| now >= at + ACCOUNT_EVERY);
        if connected && due {
            self.account(now, out);
        }
        self.freeze(out);
    }

    fn freeze(&mut self, out: &mut Vec<Effect>) {
        if !self.history.can_freeze() {
            return;
        }
        if self.ground.is_none() {
            self.ground = Picture::blank();
        }
        // Without memory for a picture the list grows on to its limit.
        let Some(ground) = &mut self.ground else { return };
        let (count, shown) = self.history.freeze(FROZEN_AT_ONCE);
        for op in &shown {
            ground.draw(op);
        }
        if count > 0 {
            out.push(Effect::Emit(Event::PaperChange { changes: vec![Change::Freeze { count }] }));
        }
    }

    /// Operations and ink of the peer that were not taken.
    pub(super) fn ignored(&self) -> u64 {
        self.dropped + self.history.refused() + self.peer_ink.refused
    }
}

/// Tells page and peer of an own operation.
fn tell(made: Result<Option<(Op, Vec<Change>)>, Fault>, out: &mut Vec<Effect>) {
    match made {
        Ok(Some((op, changes))) => {
            out.push(Effect::Emit(Event::PaperChange { changes }));
            out.push(Effect::Call(call::Command::Operations(Operations(vec![op]))));
        }
        Ok(None) => {}
        Err(fault) => tracing::warn!(%fault, "an own operation was not taken"),
    }
}
