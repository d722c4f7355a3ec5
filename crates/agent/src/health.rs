//! The endpoints of every agent, all read-only, and the board they read from.

use crate::clock;
use crate::guard::{Hosts, Problem, read_only};
use crate::metrics::{self, Metrics};
use crate::served_log::{ServeError, ServedLog};
use crate::service_kind::ServiceKind;
use crate::snapshot::Snapshot;
use crate::status::HeartbeatAnswer;
use crate::tasks::Stop;
use agenttrader_audit::tile::Tile;
use agenttrader_core::error_chain::chain;
use agenttrader_core::time::Span;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde::{Deserialize, Serialize};
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use utoipa::ToSchema;

/// How long requests that are being answered may take once the end was asked for.
const GRACE: Duration = Duration::from_millis(500);

/// Connections that are answered at once; the next waits in the listener's backlog. Mission control and a scraper hold one each.
pub const CONNECTIONS_MOST: usize = 256;

/// How long a request's head may take to come, and a connection stay idle: longer than the slowest poll, so that it can be used again.
pub const HEAD_TIME: Duration = Duration::from_secs(30);

/// Bytes of a request's head that are read at all. The guard refuses less, and says why.
pub const HEAD_BYTES_MOST: usize = 64 * 1024;

/// How long a full tile may be kept by whoever asked: it never changes.
const KEPT: &str = "public, max-age=31536000, immutable";

/// How long to wait when the system has no file handles left.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// What an agent last said about itself. Written by whoever runs the agent, read by its endpoints.
#[derive(Debug)]
pub struct StatusBoard {
    service_name: String,
    /// Nothing until the agent has looked for the first time.
    last: RwLock<Option<(Arc<Snapshot>, Instant)>>,
    log: Option<ServedLog>,
    /// The agent's metrics.
    pub metrics: Metrics,
}

/// Whether an agent can do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Readiness {
    /// Whether it can.
    pub ready: bool,
    /// Why not.
    pub reason_codes: Vec<String>,
}

impl StatusBoard {
    /// An empty board of the agent with this name: not ready, no status.
    pub fn new(service_name: impl Into<String>) -> Self {
        Self { service_name: service_name.into(), last: RwLock::new(None), log: None, metrics: Metrics::new() }
    }

    /// The same, whose endpoints serve the agent's log too.
    #[must_use]
    pub fn with_log(self, log: ServedLog) -> Self {
        Self { log: Some(log), ..self }
    }

    /// The agent's log, as its endpoints serve it.
    pub const fn log(&self) -> Option<&ServedLog> {
        self.log.as_ref()
    }

    /// Puts up what the agent says about itself now.
    pub fn publish(&self, snapshot: Snapshot) {
        let now = (Arc::new(snapshot), clock::monotonic());
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// What the agent said last, and how long ago.
    pub fn last(&self) -> Option<(Arc<Snapshot>, Span)> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|(snapshot, published)| (Arc::clone(snapshot), clock::elapsed(*published)))
    }
}

/// An agent's endpoints behind the guard.
pub fn router(board: Arc<StatusBoard>, hosts: Hosts) -> Router {
    read_only(routes(board), hosts)
}

/// An agent's endpoints without the guard, for a listener that has more of them and guards all.
pub fn routes(board: Arc<StatusBoard>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/healthz", get(healthz))
        .route("/heartbeat", get(heartbeat))
        .route("/ops/status", get(ops_status))
        .route("/metrics", get(metrics_text))
        .route("/audit/checkpoint", get(audit_checkpoint))
        .route("/audit/tile/{*path}", get(audit_tile))
        .fallback(no_such)
        .with_state(board)
}

/// Answers on a listener until the end is asked for, and then for half a second more what was begun.
///
/// Bounds: [`CONNECTIONS_MOST`] at once, [`HEAD_TIME`] for a request's head to come, [`HEAD_BYTES_MOST`] for all of it.
///
/// # Errors
/// When the listener is of no use any more.
pub async fn serve(listener: TcpListener, router: Router, mut stop: Stop) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(HEAD_BYTES_MOST);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(CONNECTIONS_MOST));
    let mut connections = JoinSet::new();
    loop {
        // Those that ended are of no further interest.
        while connections.try_join_next().is_some() {}
        let accept = async { (Arc::clone(&room).acquire_owned().await, listener.accept().await) };
        let (place, accepted) = tokio::select! {
            () = stop.wait() => break,
            both = accept => both,
        };
        let (stream, peer) = match accepted {
            Ok(connection) => connection,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) if is_shortage(&error) => {
                // Out of file handles: some come back as connections end.
                tokio::time::sleep(SHORTAGE_PAUSE).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        // For routes that let in only whom a known proxy forwards.
        let service = TowerToHyperService::new(router.clone().layer(Extension(ConnectInfo(peer))));
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        connections.spawn(async move {
            let _place = place;
            // What goes wrong with one connection is its client's concern.
            let _ = connection.await;
        });
    }
    drop(listener);
    // A stream that never ends by itself must not hold the process: it is dropped with the set.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    Ok(())
}

/// Whether an error of `accept` tells only of the connection it was to give.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Whether an error of `accept` is `EMFILE` or `ENFILE`: no more file handles for now.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24))
}

type Board = State<Arc<StatusBoard>>;

async fn livez() -> &'static str {
    "ok\n"
}

async fn readyz(State(board): Board) -> Response {
    let reason_codes = board.last().map_or_else(starting, |(snapshot, elapsed)| snapshot.not_ready(elapsed));
    let ready = reason_codes.is_empty();
    (ok_if(ready), Json(Readiness { ready, reason_codes })).into_response()
}

async fn healthz(State(board): Board) -> Response {
    let Some((snapshot, elapsed)) = board.last() else { return not_yet() };
    if ServiceKind::of_role(snapshot.identity.agent.agent_role).brings_marketdata() {
        let health = snapshot.marketdata_health(elapsed);
        return (ok_if(health.ok), Json(health)).into_response();
    }
    let report = snapshot.status(elapsed).status;
    (ok_if(report.state.is_healthy()), Json(report)).into_response()
}

async fn heartbeat(State(board): Board) -> Json<HeartbeatAnswer> {
    Json(board.last().map_or_else(
        || HeartbeatAnswer {
            service_name: board.service_name.clone(),
            last_tick_utc: None,
            age_seconds: None,
            is_fresh: false,
        },
        |(snapshot, elapsed)| snapshot.heartbeat(elapsed),
    ))
}

async fn ops_status(State(board): Board) -> Response {
    board.last().map_or_else(not_yet, |(snapshot, elapsed)| Json(snapshot.status(elapsed)).into_response())
}

async fn metrics_text(State(board): Board) -> Response {
    ([("content-type", metrics::CONTENT_TYPE)], board.metrics.text()).into_response()
}

async fn audit_checkpoint(State(board): Board) -> Response {
    let Some(log) = board.log() else { return no_log().into_response() };
    match log.checkpoint().await {
        Ok(Some(note)) => ([(CONTENT_TYPE, "text/plain; charset=utf-8")], note).into_response(),
        Ok(None) => Problem::new(StatusCode::NOT_FOUND, "this log has no checkpoint yet").into_response(),
        Err(error) => unreadable(&error),
    }
}

async fn audit_tile(State(board): Board, uri: Uri) -> Response {
    let Some(log) = board.log() else { return no_log().into_response() };
    // As it was sent: an escaped spelling of a path is another path.
    let Some(tile) = uri.path().strip_prefix("/audit/").and_then(Tile::parse) else {
        return Problem::new(StatusCode::NOT_FOUND, "no tile or bundle has that path").into_response();
    };
    match log.tile(tile).await {
        Ok(Some(bytes)) => {
            let kept = if tile.is_full() { KEPT } else { "no-store" };
            ([(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, kept)], bytes).into_response()
        }
        Ok(None) => Problem::new(StatusCode::NOT_FOUND, "this log has not grown to that tile").into_response(),
        Err(error) => unreadable(&error),
    }
}

fn no_log() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no log is served here")
}

fn unreadable(error: &ServeError) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, chain(error)).into_response()
}

async fn no_such() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no such endpoint; /ops/status lists them")
}

fn starting() -> Vec<String> {
    vec!["STARTING".to_owned()]
}

fn not_yet() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(Readiness { ready: false, reason_codes: starting() })).into_response()
}

const fn ok_if(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
