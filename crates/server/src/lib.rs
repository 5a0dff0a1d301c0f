//! The Visavis server: identity, profile, waiting and matching, signalling, blind questions, follows, and an embedded relay.
//!
//! | module | owns |
//! |---|---|
//! | `identity`, `adult` | the sign-in at the issuer; the decision whether somebody is an adult |
//! | `dev_issuer` | the issuer for rehearsals, on loopback only |
//! | `http`, `socket` | what comes in over the network |
//! | `doors` | hours, admission, sessions a day |
//! | `room`, `room_task`, `blind`, `sdp` | who meets whom, and what passes between the two |
//! | `listener`, `admin`, `metrics`, `settings` | TLS, the operator's port, figures, configuration |
//! | `moderation` | what moderators do, by command line and page |
//! | `store` | what lasts |
//! | `relay` | STUN and TURN |
//!
//! Names, addresses and tokens are never logged.

mod admin;
mod adult;
mod backup;
mod blind;
mod bus;
mod conduct;
mod config;
mod dev_issuer;
mod doors;
mod http;
mod identity;
mod issuer_http;
mod listener;
mod metrics;
mod moderation;
mod node;
mod openapi;
mod picture;
#[doc(hidden)]
pub mod pure;
mod random;
mod refusal;
mod relay;
mod room;
mod room_task;
mod sdp;
mod server;
mod settings;
mod socket;
mod store;
#[cfg(test)]
mod testnet;
mod tokens;

pub use backup::{BackupError, backup, restore};
pub use config::{
    AdminConfig, Config, ConfigError, Limits, ModerationRules, OtherRelay, RECENT_PARTNERS, RelayConfig, RelayTls, RetentionDays,
    TlsFiles,
};
pub use doors::{DoorsError, DoorsSection, RegionSection};
pub use identity::IssuerConfig;
pub use moderation::command::{Moderate, ModerateError, moderate};
pub use room::Rules;
pub use server::{Running, Server, StartError};
pub use settings::{LogFormat, Settings, SettingsError, Sources};
