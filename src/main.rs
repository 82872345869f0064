//! The program `clarion`: arguments, logging, exit code.

use clap::Parser as _;
use clarion::cli::{Arguments, Outcome};
use std::io::{IsTerminal as _, stderr};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// A fifth of a first scan goes into allocating, on all processors at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    let environment: Vec<(String, String)> = std::env::vars().filter(|(name, _)| name.starts_with("CLARION_")).collect();
    let arguments = Arguments::parse();
    log(environment.iter().find(|(name, _)| name == "CLARION_LOG").map(|(_, filter)| filter.as_str()));
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("clarion: the operating system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(clarion::cli::run(arguments, environment)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::ProblemFound) => ExitCode::FAILURE,
        Ok(Outcome::TryLater) => ExitCode::from(75),
        Err(error) => {
            eprintln!("clarion: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to standard error: standard output belongs to answers. Our own words from `info` on,
/// those of libraries from `warn` on.
fn log(filter: Option<&str>) {
    let filter = filter.and_then(|filter| EnvFilter::try_new(filter).ok()).unwrap_or_else(|| EnvFilter::new("warn,clarion=info"));
    // At TRACE it would write down every mail, and the password of the mailbox.
    #[expect(clippy::expect_used, reason = "the words are ours")]
    let filter = filter.add_directive("async_imap=off".parse().expect("a directive"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal());
    // Told on standard error, that it cannot be written to ends the program, as on a full disk.
    log.with_target(false).log_internal_errors(false).init();
}
