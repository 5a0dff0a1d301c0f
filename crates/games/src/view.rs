//! What a page shows of a game, the same frame for every game and one [`Scene`] for what is its own. The page decides nothing: what
//! may be done now is said here.

use crate::words::{Difficulty, Language};
use serde::Serialize;
use ts_rs::TS;
use visavis_wire::games::{Game, Twist, Verdict};
use visavis_wire::paper::{OpKind, PAPER_HEIGHT, PAPER_WIDTH};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct GameView {
    pub game: Game,
    pub twist: Option<Twist>,
    /// Of the words, once both have said which languages they speak.
    pub language: Option<Language>,
    pub phase: Phase,
    /// Counted from 1; 0 before the first.
    pub round: u8,
    pub rounds: u8,
    /// Somebody is veiled although both said yes, or not connected: time stands still and nobody can move.
    pub paused: bool,
    /// Of the phase; `None` where there is no hurry. Round up for display.
    pub left_ms: Option<u32>,
    /// Whether something is awaited from this side.
    pub your_turn: bool,
    pub permit: Permit,
    pub scene: Scene,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "phase", rename_all = "snake_case")]
#[ts(export)]
pub enum Phase {
    /// The rules, or the outcome of a round that is followed by another, until both are ready.
    Ready {
        you: bool,
        they: bool,
        /// There is an outcome to show.
        after_round: bool,
    },
    Playing,
    /// The last round has its outcome. The same game again is a blind question like any other.
    Over,
}

/// Tenths of a paper unit; `right` and `bottom` belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Area {
    pub left: u16,
    pub top: u16,
    pub right: u16,
    pub bottom: u16,
}

impl Area {
    pub const PAPER: Self = Self { left: 0, top: 0, right: PAPER_WIDTH, bottom: PAPER_HEIGHT };

    pub fn holds(&self, x: u16, y: u16) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// What one side may do on the paper now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Permit {
    /// Whether anything may be drawn, rubbed out or cleared.
    pub draw: bool,
    /// Where.
    pub area: Area,
    /// One stroke, and it is the first: after it `draw` is false.
    pub one_stroke: bool,
    /// Everything in the colour of the first mark.
    pub one_colour: bool,
    /// Own marks of this turn are not shown to their author while they draw.
    pub blind: bool,
    /// Marks stay on this machine until both are done.
    pub hidden: bool,
}

impl Permit {
    pub const FREE: Self =
        Self { draw: true, area: Area::PAPER, one_stroke: false, one_colour: false, blind: false, hidden: false };
    pub const NOTHING: Self = Self { draw: false, ..Self::FREE };
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "scene", rename_all = "snake_case")]
#[ts(export)]
pub enum Scene {
    DrawAndGuess(DrawAndGuess),
    SameWord {
        /// Both draw it.
        word: Option<String>,
        you_done: bool,
        they_done: bool,
        /// Both drawings are on the paper: of the offerer on the left, of the answerer on the right.
        revealed: bool,
        /// Own half.
        you_left: bool,
    },
    FinishMyDrawing {
        /// Which band is drawn, counted from 1, from the top.
        part: u8,
        parts: u8,
        you_draw: bool,
        /// Not to be shown to this side yet: the page draws folded paper over it.
        folded: Vec<Area>,
        /// What is seen of the other's bands, once they are sealed.
        edges: Vec<Edge>,
    },
    Gomoku {
        /// 225 cells row after row: `.` free, `b` black (who begins), `w` white.
        board: String,
        you_black: bool,
        /// Last stone.
        last: Option<u8>,
        /// Cells of the five, once there is one.
        line: Vec<u8>,
        /// `None` while it goes on, and for a full board.
        you_won: Option<bool>,
    },
    TwoTruths {
        you_tell: bool,
        /// Empty until they are told.
        statements: Vec<String>,
        picked: Option<u8>,
        /// For the teller at once, for the other after the pick.
        lie: Option<u8>,
    },
}

/// The edge of a folded drawing: marks to be drawn within the area alone. They come of the other's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Edge {
    pub area: Area,
    pub marks: Vec<OpKind>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct DrawAndGuess {
    pub you_draw: bool,
    /// The drawer's three words to choose from.
    pub offers: Vec<Offer>,
    /// For the drawer once chosen, for both once the round has its outcome.
    pub word: Option<String>,
    /// A string for each part of the word, `_` for a letter that is not known; empty until a word is chosen.
    pub pattern: Vec<String>,
    /// Oldest first.
    pub guesses: Vec<Guess>,
    /// The drawer may still give the one hint of their own.
    pub hint_left: bool,
    pub outcome: Option<Outcome>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Offer {
    pub word: String,
    pub difficulty: Difficulty,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Guess {
    pub text: String,
    /// `None` until the drawer's program has answered. A close guess is close for the guesser alone; the drawer sees it as wrong.
    pub verdict: Option<Verdict>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Outcome {
    Guessed,
    SaidAloud,
    TimeUp,
}

/// What the other side's program did that no honest one does. Told kindly; the game goes on where it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(export)]
pub enum Unfair {
    /// The secret is not the one that was committed to, or is no word of the list.
    ChangedSecret,
    /// A guess was judged, or a letter shown, otherwise than the word has it.
    WrongVerdict,
    ImpossibleMove,
    /// Drew while, where or how it may not; it is hidden here.
    DrewOutOfTurn,
    /// What was revealed is not what was sealed.
    ChangedDrawing,
    /// Told what has happened otherwise than before, or otherwise than it is here.
    OtherCourse,
    /// Counts the time of the game otherwise than it passes here.
    WrongClock,
    /// Has not opened what it sealed, or not gone on where the program alone has to, long after its time.
    KeptBack,
    /// Says so little that neither its clock nor what becomes of own moves is known.
    Silent,
    /// Holds the game up by saying that somebody is veiled or away, long while nothing of that is seen here.
    HeldUp,
}
