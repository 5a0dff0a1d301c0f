//! The games of two people: what each of them does, a seed and the time become effects. Two copies of a game, one on each side,
//! end in the same state whatever is lost or comes twice on the way. Sending, drawing and showing are left to `session` and the
//! page.
//!
//! | file | holds |
//! |---|---|
//! | `view`, `action` | what a page shows; the closed enums in and out |
//! | `engine` | the common log of the two, the clock, the program's own moves |
//! | `rules` | what a game is, and the table of them |
//! | `watch` | whether the offerer's clock is believed, what the other's program owes, and whether it pauses without cause |
//! | `turns` | which marks belong to a turn, and which to none |
//! | `edge` | what of a folded drawing may be seen before it is opened |
//! | `draw_and_guess`, `same_word`, `finish`, `gomoku`, `two_truths` | the games |
//! | `words`, `normalise` | what is drawn, and when a guess is right |

mod action;
mod draw_and_guess;
mod edge;
mod engine;
mod finish;
mod gomoku;
pub mod normalise;
mod rules;
mod same_word;
mod turns;
mod two_truths;
mod view;
mod watch;
pub mod words;

pub use action::{Action, Effect, Input, Pause};
pub use engine::Engine;
pub use view::*;
