//! The detector before cameras that are drawn from seeds: what covers a lens, what only looks like it, and what is no camera's
//! picture at all. Each is shown clear and veiled.

#![expect(clippy::unwrap_used, reason = "a scene whose planes do not fit is a broken test")]

mod lookalikes;
mod not_live;
mod occluders;
mod scenes;
