//! The imperative shell: the only folder that touches the world.

pub mod carriers;
pub mod cluster;
