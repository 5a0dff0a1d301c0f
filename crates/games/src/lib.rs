//! The games of two people: what each of them does, a seed and the time become effects. Two copies of a game, one on each side,
//! end in the same state whatever is lost or comes twice on the way. Sending, drawing and showing are left to `session` and the
//! page.
//!
//! | file | holds |
//! |---|---|
//! | `view`, `action` | what a page shows; the closed enums in and out |
//! | `words`, `normalise` | what is drawn, and when a guess is right |

mod action;
pub mod normalise;
mod view;
pub mod words;

pub use action::{Action, Effect, Input};
pub use view::*;
