//! The games of two people: inputs, a seed and time become effects. Sending, drawing and showing are left to `session` and the page.

pub mod normalise;
pub mod words;
