//! The wrapper that keeps names, addresses and tokens out of logs and reports.

use serde::{Deserialize, Serialize};
use std::fmt;
use ts_rs::TS;

/// A value that prints as `[private]` through `Debug` and has no `Display`. It is serialised as it is: wrap what may be
/// sent but never logged.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Private<T>(T);

impl<T> Private<T> {
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

impl<T> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[private]")
    }
}

impl<T> From<T> for Private<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// In TypeScript a private value is the value: what reaches the page is meant to be shown.
impl<T: TS> TS for Private<T> {
    type WithoutGenerics = Self;
    type OptionInnerType = Self;

    fn name(config: &ts_rs::Config) -> String {
        T::name(config)
    }

    fn inline(config: &ts_rs::Config) -> String {
        T::inline(config)
    }

    fn visit_dependencies(visitor: &mut impl ts_rs::TypeVisitor)
    where
        Self: 'static,
    {
        T::visit_dependencies(visitor);
    }

    fn visit_generics(visitor: &mut impl ts_rs::TypeVisitor)
    where
        Self: 'static,
    {
        T::visit_generics(visitor);
        visitor.visit::<T>();
    }

    fn decl(config: &ts_rs::Config) -> String {
        T::decl(config)
    }

    fn decl_concrete(config: &ts_rs::Config) -> String {
        T::decl_concrete(config)
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
