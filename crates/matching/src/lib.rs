//! Who meets whom.
//!
//! A pure computation over the people who wait: [`Pool`] chooses, by the rules that nothing can bend ([`may_meet`]) and by what the
//! service learnt of who likes whom ([`Model`]); [`reasons`] explains a choice with facts that both made public. Who is admitted,
//! what is offered and what is answered is the business of the server's meeting room.
//!
//! Times are milliseconds on any clock of the caller that does not run backwards.

mod cells;
mod chance;
mod hopes;
mod interests;
mod model;
mod names;
mod person;
mod pool;
mod reason;
mod rules;
#[cfg(test)]
mod testkit;
mod waits;

pub use hopes::Widening;
pub use model::{Common, Model, Outcome};
pub use person::{Fact, Log, PersonId, Waiter, Widened};
pub use pool::{Pair, Pool, Settings};
pub use reason::{CLOSE_IN_AGE_YEARS, Reason, reasons};
pub use rules::{NotTogether, may_meet};

/// Most points that conduct takes off.
pub const MOST_CONDUCT: u32 = 10;
