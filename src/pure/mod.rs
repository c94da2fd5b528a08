//! The functional core: values in, values out.
//!
//! Nothing below this module touches the world: no input or output, no clock, no randomness, no
//! async. Time arrives as an argument, ids come from an [`domain::id::IdMint`] that the shell seeds.
//!
//! **Invariant:** `pure` never names `shell`, and a test (`tests/it/architecture.rs`) reads the
//! sources to hold that.

pub mod channels;
pub mod decide;
pub mod domain;
pub mod mirrors;
pub mod wire;
