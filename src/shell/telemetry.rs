//! What the daemon says of itself: logs, metrics, and its state to systemd.
//!
//! Logs carry lanka's own ids and the names of channels and mirrors. Libraries are kept quiet by
//! default, and not only for the noise: at DEBUG `sqlx` logs statements and `hyper` headers. A filter of one's own may open them; then the log is the
//! operator's responsibility.
//!
//! **Invariant:** telling never stops the daemon. No journal falls back to text, no systemd is no
//! error.

use crate::config::{Environment, LogFormat};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sd_notify::NotifyState;
use std::io::IsTerminal;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// The most that libraries may say, unless the filter names them.
const LIBRARY_CAPS: [(&str, LevelFilter); 10] = [
    ("h2", LevelFilter::INFO),
    ("hyper", LevelFilter::INFO),
    ("hyper_util", LevelFilter::INFO),
    ("imap_proto", LevelFilter::INFO),
    ("reqwest", LevelFilter::INFO),
    ("rustls", LevelFilter::WARN),
    ("sqlx", LevelFilter::WARN),
    // A connection that broke is left and made anew; where that fails, lanka says so.
    ("sqlx_core::pool::connection", LevelFilter::ERROR),
    // The mode of a ~/.pgpass that the private Postgres has no use for; where it matters, the failed login says so.
    ("sqlx_postgres::options", LevelFilter::ERROR),
    ("tower_http", LevelFilter::INFO),
];

/// Upper bounds of the histograms, in seconds: from a fast insert to a slow tool's timeout.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Upper bounds of the histograms that count rows.
const ROWS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// How often the recorder folds its samples. Without it they pile up until the next scrape.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not parse.
    #[error("the log filter is malformed: {0}; write for example `info,lanka=debug`")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something else logs already.
    #[error("logging is already set up")]
    LogsTwice,
}

/// Sends the log of the whole process to standard error, or the journal. Once a process. `level` is
/// a level, or levels by module: `info,lanka::shell::deliver=debug`.
///
/// # Errors
/// [`TelemetryError`]; nothing is logged then.
pub fn start_logs(format: LogFormat, level: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(capped(level))?;
    let (layer, fell_back) = log_layer(format);
    filtered(layer, filter).try_init().map_err(|_| TelemetryError::LogsTwice)?;
    if fell_back {
        tracing::warn!("there is no journal here; logging as text");
    }
    Ok(())
}

/// What `layer` writes of that which `filter` lets through.
///
/// The filter is the whole subscriber's, not the layer's own (`with_filter`): that kind remembers its last no by
/// thread, and a library that only asks whether it may speak (sqlx, of each notice) took with it the next line that
/// somebody said there.
fn filtered(layer: Box<dyn Layer<Registry> + Send + Sync>, filter: EnvFilter) -> impl tracing::Subscriber {
    tracing_subscriber::registry().with(layer).with(filter)
}

/// A filter under which libraries say no more than their caps, nor more than everything else does.
/// What the filter itself says of a library comes later, and wins.
fn capped(level: &str) -> String {
    let general = level.split(',').find_map(|part| part.trim().parse::<LevelFilter>().ok());
    let cap =
        |(library, cap): (&str, LevelFilter)| format!("{library}={}", general.map_or(cap, |level| level.min(cap)));
    LIBRARY_CAPS.into_iter().map(cap).chain([level.to_owned()]).collect::<Vec<_>>().join(",")
}

/// The layer that writes, and whether it is another than the one asked for. Standard output belongs
/// to what commands print.
fn log_layer(format: LogFormat) -> (Box<dyn Layer<Registry> + Send + Sync>, bool) {
    let text = || {
        let colours = wants_colours(&std::io::stderr());
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours).boxed()
    };
    match format {
        LogFormat::Text => (text(), false),
        LogFormat::Json => {
            (tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(), false)
        }
        LogFormat::Journald => match tracing_journald::layer() {
            Ok(journal) => (journal.with_syslog_identifier("lanka".to_owned()).boxed(), false),
            Err(_) => (text(), true),
        },
    }
}

/// Whether colours are for whoever is at the other end: a terminal, and no `NO_COLOR` (<https://no-color.org>).
pub(crate) fn wants_colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !Environment::of_process().is_without_colours()
}

/// The process's metrics, rendered for `GET /metrics`.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Starts counting for the whole process, once: several daemons in one process (tests) share their
    /// metrics.
    pub fn start() -> Self {
        static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = HANDLE.get_or_init(|| {
            let builder = PrometheusBuilder::new();
            let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS);
            let builder = builder.and_then(|b| b.set_buckets_for_metric(Matcher::Suffix("_rows".to_owned()), ROWS));
            // The only error is an empty list of bounds.
            let recorder = builder.unwrap_or_default().build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!(
                    code = "metrics_empty",
                    "something else in this process counts already; /metrics stays empty"
                );
            }
            describe();
            handle
        });
        Self { handle: handle.clone() }
    }

    /// The text form of Prometheus (version 0.0.4).
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds samples until `stop` turns true; without it memory grows between scrapes.
    pub async fn keep_up(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(UPKEEP_INTERVAL) => self.handle.run_upkeep(),
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}

/// What the metrics of the shell's HTTP and delivery parts mean.
fn describe() {
    metrics::describe_counter!("lanka_webhook_deliveries_total", "Deliveries by channel and status answered");
    metrics::describe_histogram!("lanka_webhook_seconds", "From a delivery's headers to its answer");
    metrics::describe_histogram!("lanka_webhook_group_rows", "Deliveries committed together");
    metrics::describe_counter!("lanka_api_requests_total", "Requests to the API by route and status answered");
    metrics::describe_histogram!("lanka_api_seconds", "From a request's headers to its answer, by route");
    metrics::describe_counter!("lanka_api_refused_total", "Tokens that the API refused, by what was wrong with them");
    metrics::describe_gauge!("lanka_channel_last_success_seconds", "Unix time at which a channel last worked");
    metrics::describe_gauge!("lanka_ingest_pending", "Stored deliveries that wait to be decided");
    metrics::describe_counter!("lanka_items_decided_total", "Messages and updates decided, by channel");
    metrics::describe_counter!("lanka_routed_total", "Tickets that were opened, by the queue they were led to");
    metrics::describe_counter!("lanka_unrouted_total", "Tickets that were opened, and that no rule was for");
    metrics::describe_histogram!("lanka_ingest_wait_seconds", "From a delivery's arrival to its decision, by channel");
    metrics::describe_histogram!("lanka_ingest_batch_seconds", "Deciding and writing one batch");
    metrics::describe_gauge!("lanka_outbox_pending", "Changes that wait for a mirror");
    metrics::describe_counter!("lanka_outbox_settled_total", "Attempts at outbox rows by mirror and outcome");
    metrics::describe_histogram!("lanka_outbox_attempt_seconds", "Length of an attempt at an outbox row");
    metrics::describe_gauge!("lanka_mirror_last_success_seconds", "Unix time at which a mirror last took a change");
    metrics::describe_gauge!("lanka_alert", "1 while an operational alert stands");
    metrics::describe_counter!("lanka_alerts_dropped_total", "Alerts that a mirror never got");
    metrics::describe_gauge!("lanka_dust", "What nobody looks at, by firm and kind");
    metrics::describe_gauge!("lanka_health", "Readings that alerts are raised from");
}

/// Tells systemd that the daemon works (`READY=1`), with a line for `systemctl status`.
pub fn notify_ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells systemd that the configuration is being read again; [`notify_ready`] must follow.
pub fn notify_reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Tells systemd that the daemon is on its way out, and why it may take a while.
pub fn notify_stopping(status: &str) {
    notify(&[NotifyState::Stopping, NotifyState::Status(status)]);
}

/// Asks systemd for more time to start or stop: a migration, a crash recovery of Postgres.
pub fn notify_extend(time: Duration) {
    let microseconds = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    notify(&[NotifyState::ExtendTimeoutUsec(microseconds)]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// Pats systemd's watchdog at half its interval while `alive` says so, until `stop` turns true.
/// Returns at once where there is no watchdog. `alive` should be a look at what must move (a loop's
/// heartbeat), for the runtime itself is proven by this task running.
pub async fn pat_watchdog(alive: Arc<dyn Fn() -> bool + Send + Sync>, mut stop: watch::Receiver<bool>) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    loop {
        if alive() {
            notify(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("a part of the daemon does not move; systemd will restart it");
        }
        tokio::select! {
            () = tokio::time::sleep(interval / 2) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_kept_quiet_unless_they_are_named() {
        for (level, expected) in [
            ("info", ["sqlx=warn", "imap_proto=info", "info"]),
            ("trace", ["sqlx=warn", "imap_proto=info", "trace"]),
            ("error", ["sqlx=error", "imap_proto=error", "error"]),
            ("warn,sqlx=debug", ["sqlx=debug", "imap_proto=warn", "warn"]),
            ("lanka=debug", ["sqlx=warn", "imap_proto=info", "lanka=debug"]),
        ] {
            let filter = EnvFilter::builder().parse(capped(level)).unwrap().to_string();
            let directives: Vec<&str> = filter.split(',').collect();
            for directive in expected {
                assert!(directives.contains(&directive), "{level}: {directive} in {filter}");
            }
        }
        assert!(EnvFilter::builder().parse(capped("lanka=loud")).is_err());
    }

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Page(Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_library_that_is_kept_quiet_takes_no_other_line_with_it() {
        let page = Page::default();
        let written = page.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || written.clone()).boxed();
        let filter = EnvFilter::builder().parse(capped("info")).unwrap();
        tracing::subscriber::with_default(filtered(layer, filter), || {
            for _ in 0..2 {
                // As sqlx does with each notice of the database.
                assert!(!tracing::enabled!(target: "sqlx::postgres::notice", tracing::Level::INFO));
                tracing::info!("the first line after it");
                tracing::info!(target: "sqlx::query", "a statement");
                tracing::info!("the second");
            }
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        let count = |what: &str| text.matches(what).count();
        assert_eq!((count("the first line"), count("the second"), count("statement")), (2, 2, 0), "{text}");
    }

    #[test]
    fn every_format_has_a_layer() {
        for format in [LogFormat::Text, LogFormat::Json, LogFormat::Journald] {
            let (_, fell_back) = log_layer(format);
            assert!(!fell_back || format == LogFormat::Journald);
        }
    }
}
