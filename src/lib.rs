//! lanka: the daemon that puts every contact a customer makes on one thread.

pub mod config;
pub mod pure;
pub mod shell;
