//! The machine-readable frame number burnt into synthetic pictures.
