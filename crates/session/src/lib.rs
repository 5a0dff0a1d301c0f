//! One person's evening: signed in -> mirror -> waiting -> matched -> call -> parting -> friends; consents; the client of the
//! server. The shell and the headless peer drive it alike: [`Command`] in, [`Event`] out, a whole [`view::View`] after each
//! change.

pub mod command;
pub mod view;

pub use command::{Command, Event};
