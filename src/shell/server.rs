//! The HTTP server: connections, and the routes that every daemon has.
//!
//! | route | answers |
//! |---|---|
//! | `GET /healthz` | 200 while the process can answer at all |
//! | `GET /readyz` | 200 while it can store: the database answers, has the schema and may be written to, the content store too, and no stop has begun; else 503 |
//! | `GET /metrics` | the metrics in the text form of Prometheus |
//!
//! HTTP/1.1 only, behind a proxy that speaks TLS: one protocol, whose every wait has a limit.
//!
//! **Invariant:** a handler that panics costs its own request (500), never the server. After the stop
//! a request that was accepted is answered, within [`ServerLimits::stop_max`].

use crate::shell::telemetry::Metrics;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::future::BoxFuture;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower_http::catch_panic::CatchPanicLayer;

/// Longest time that `/readyz` waits for the database. Load balancers ask every few seconds.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Pause after a connection could not be accepted: out of file descriptors, mostly.
const ACCEPT_WAIT: Duration = Duration::from_millis(200);

/// Most bytes of a request's head. Vendors send below 4 KiB; a cookie-laden browser below 16.
const HEAD_BYTES_MAX: usize = 32 * 1024;

/// At the stop, so many looks without a request under way, at this interval, mean that the last
/// answer is out.
const QUIET_LOOKS: u32 = 5;
const QUIET_INTERVAL: Duration = Duration::from_millis(50);

/// Limits of the connections.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Open at once; further ones wait in the kernel. Each holds a file descriptor and some KiB.
    pub connections_max: usize,
    /// Longest time for a request's head, and for an idle connection between two.
    pub head_timeout: Duration,
    /// Longest time that accepted requests have after the stop.
    pub stop_max: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self { connections_max: 1024, head_timeout: Duration::from_secs(20), stop_max: Duration::from_secs(20) }
    }
}

/// Whether the daemon can store, or a word why not. It is shown to whoever asks.
pub type Ready = Arc<dyn Fn() -> BoxFuture<'static, Result<(), &'static str>> + Send + Sync>;

#[derive(Clone)]
struct Standing {
    ready: Ready,
    stop: watch::Receiver<bool>,
}

/// The routes that every daemon has; `/metrics` only with metrics.
pub fn standing_routes(ready: Ready, metrics: Option<Metrics>, stop: watch::Receiver<bool>) -> Router {
    let routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .with_state(Standing { ready, stop });
    match metrics {
        Some(metrics) => routes.merge(Router::new().route("/metrics", get(render_metrics)).with_state(metrics)),
        None => routes,
    }
}

async fn readyz(State(standing): State<Standing>) -> Response {
    if *standing.stop.borrow() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match tokio::time::timeout(READY_TIMEOUT, (standing.ready)()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(why)) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

async fn render_metrics(State(metrics): State<Metrics>) -> Response {
    let text_form = [(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"))];
    (text_form, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], metrics.render()).into_response()
}

/// Serves until `stop` turns true, then takes no more connections and lets accepted requests finish.
/// Gives the number of requests that had to be cut.
pub async fn serve(listener: TcpListener, app: Router, limits: ServerLimits, stop: watch::Receiver<bool>) -> usize {
    let under_way = UnderWay::default();
    let app = app.layer(CatchPanicLayer::custom(answer_to_panic));
    let app = app.layer(axum::middleware::from_fn_with_state(under_way.clone(), count));
    let free = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stopping = stop;
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            _ = stopping.wait_for(|stop| *stop) => break,
        };
        while connections.try_join_next().is_some() {}
        let (socket, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_WAIT).await;
                continue;
            }
        };
        let connection = graceful.watch(connection(socket, app.clone(), &limits));
        connections.spawn(async move {
            // An error is a client that hung up or spoke no HTTP: its own affair.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = under_way.over() => {}
        () = tokio::time::sleep(limits.stop_max) => {}
    }
    let cut = under_way.count();
    if cut > 0 {
        tracing::info!(cut, "requests were cut at the stop; their senders will repeat them");
    }
    // Waits for the tasks to be gone, and with them whatever the handlers hold.
    connections.shutdown().await;
    cut
}

/// One connection, with the limits on its heads.
fn connection(
    socket: TcpStream,
    app: Router,
    limits: &ServerLimits,
) -> impl GracefulConnection<Error = Box<dyn std::error::Error + Send + Sync>> + Send + use<> {
    // An answer is one small packet; waiting to fill it would cost 40 ms.
    let _ = socket.set_nodelay(true);
    // The protocol is fixed beforehand, since telling it by the first bytes would wait for them without limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head_timeout).max_buf_size(HEAD_BYTES_MAX);
    builder.serve_connection(TokioIo::new(socket), TowerToHyperService::new(app)).into_owned()
}

fn answer_to_panic(_: Box<dyn std::any::Any + Send>) -> Response {
    // What it says may hold a customer's data; the place is in the panic's own log line.
    tracing::error!(code = "handler_panicked", "a request's handler failed: please report it");
    (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").into_response()
}

/// Counts requests from their head to their answer. A connection without a request, which clients
/// keep for the next one or open in advance, must not hold up the stop.
#[derive(Clone, Default)]
struct UnderWay {
    requests: Arc<AtomicUsize>,
}

/// One request; counted until it is dropped, however it ends.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn count(State(under_way): State<UnderWay>, request: Request, next: Next) -> Response {
    under_way.requests.fetch_add(1, Ordering::Relaxed);
    let _counted = Counted(under_way.requests);
    next.run(request).await
}

impl UnderWay {
    fn count(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Waits until there have been no requests for a moment, in which the last answer goes out.
    async fn over(&self) {
        let mut quiet = 0;
        while quiet < QUIET_LOOKS {
            tokio::time::sleep(QUIET_INTERVAL).await;
            quiet = if self.count() == 0 { quiet + 1 } else { 0 };
        }
    }
}

async fn accept(listener: &TcpListener, free: &Arc<Semaphore>) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(free).acquire_owned().await.map_err(std::io::Error::other)?;
    let (socket, _) = listener.accept().await?;
    Ok((socket, permit))
}
