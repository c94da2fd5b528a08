//! The program: arguments → settings → telemetry → shell.

use lanka::shell::command;
use std::process::ExitCode;

/// Batches wander between threads. The system's allocator keeps what each of them freed; this one gives
/// it back, and holds half the memory over a backlog.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    command::main(std::env::args_os())
}
