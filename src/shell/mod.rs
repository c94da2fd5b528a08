//! The imperative shell: the only folder that touches the world.

pub mod alerts;
pub mod carriers;
pub mod cluster;
pub mod content;
pub mod ingest;
pub mod intake;
pub mod store;
pub mod telemetry;
