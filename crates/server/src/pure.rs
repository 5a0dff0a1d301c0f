//! The server's state machines without sockets, store and clock, for rehearsals in virtual time. Nothing of the product uses this
//! door, and nothing behind it is a promise to anybody.

pub use crate::node::leads::{node_lease, pool_lease, pool_of_lease};
pub use crate::node::packet::{Pool, decode, encode};
pub use crate::node::{Input, Me, Node, Output, Taken};
pub use crate::picture::remade as remade_picture;
pub use crate::room::{Experience, Input as RoomInput, Output as RoomOutput, Rules, SocketId, Sources, TICK_MS, card_of};
pub use crate::sdp::without_direct_addresses;
pub use crate::store::{AccountId, Entrant, LeaseRow, RunningMatch};

use crate::settings::{Settings, SettingsError, Sources as SettingsSources};
use std::path::PathBuf;

/// What a configuration file of this text means; secrets that it names are not read.
pub fn settings(text: &str) -> Result<Settings, SettingsError> {
    SettingsSources::of(Some((PathBuf::from("visavis.toml"), text.to_owned())), std::iter::empty())
        .map(|sources| sources.settings)
}
