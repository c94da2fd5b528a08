//! The program: arguments → settings → telemetry → shell.

use clap::Parser;
use lanka::shell::command::{self, Cli};
use std::process::ExitCode;

/// Batches wander between threads. The system's allocator keeps what each of them freed; this one gives
/// it back, and holds half the memory over a backlog.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    command::run(Cli::parse_from(command::arguments(std::env::args_os()))).await
}
