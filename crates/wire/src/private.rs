//! The wrapper that keeps names, addresses and tokens out of logs and reports.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value that prints as `[private]` through `Debug` and has no `Display`. It is serialised as it is: wrap what may be
/// sent but never logged.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(transparent)]
#[ts(as = "T")]
pub struct Private<T: ts_rs::TS>(T);

impl<T: ts_rs::TS> Private<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: ts_rs::TS> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

impl<T: ts_rs::TS> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_prints_the_value() {
        let name = Private::new(String::from("Ada"));
        assert_eq!(format!("{name:?} {:?}", Some(&name)), "[private] Some([private])");
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"Ada\"");
    }
}
