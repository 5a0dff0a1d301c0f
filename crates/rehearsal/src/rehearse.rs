//! Whole evenings by a plan: the real server in this process, people without windows ([`crate::bot`]), a bad network between
//! them and the relay, faults at fixed times; then what happened, as figures, as a page with plots, and as rules that were kept
//! or broken.
//!
//! | module | does |
//! |---|---|
//! | [`plan`] | a scenario file, and the scenarios that come with the program |
//! | [`part`], [`agenda`] | what can be stopped, and what is due when: changes, and faults by a seed |
//! | [`place`], [`nodes`] | the server in this process, or servers as processes over real engines |
//! | [`people`], [`apart`] | those who come: in this process, in one of their own, or with a window |
//! | [`shim`] | the bad network: every packet to and from the relay goes through it |
//! | [`tap`] | what goes between an app and the server, looked at |
//! | [`windows`] | people with real windows |
//! | [`flat`] | whether memory, threads, descriptors and latency stay as they are |
//! | [`evening`] | runs a plan |
//! | [`record`] | what the people report, put together to calls |
//! | [`rules`] | what must hold whatever happens |
//! | [`page`] | the report to read |

pub mod agenda;
pub mod apart;
pub mod evening;
pub mod flat;
pub mod nodes;
pub mod page;
pub mod part;
pub mod people;
pub mod place;
pub mod plan;
pub mod record;
pub mod rules;
pub mod shim;
pub mod tap;
pub mod windows;
