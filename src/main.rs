//! The program: arguments → settings → telemetry → shell.

use clap::Parser;
use lanka::shell::command::{self, Cli};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    command::run(Cli::parse_from(command::arguments(std::env::args_os()))).await
}
