//! For tests in virtual time: a link that delays, loses and queues by a seed, and a call over it made of the product's own state
//! machines and interceptors.

mod call;
mod link;

pub(crate) use call::Simulation;
pub(crate) use link::{Jitter, Link, LinkSettings, Loss, Random};
