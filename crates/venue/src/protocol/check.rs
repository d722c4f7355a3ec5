//! What stands before every REST route: credentials, the key's limit, the plan's feeds.

use crate::plan::Plan;
use crate::protocol::keys::Key;
use crate::protocol::limits::{Service, Standing};
use crate::protocol::reply::{ApiError, Params};
use crate::protocol::shared::Shared;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// Stands before every REST route: credentials, the key's limit, the plan's feeds.
pub(crate) async fn check(
    State((shared, service)): State<(Arc<Shared>, Service)>,
    params: Result<Params, ApiError>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(Ok(key)) = Key::presented(request.headers()) else { return ApiError::unauthorized().into_response() };
    let standing = shared.limits.count(service, key.as_str());
    let mut response = if standing.remaining.is_none() {
        let message = if service == Service::Data { "too many requests." } else { "rate limit exceeded" };
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, 42_910_000, message).into_response()
    } else if shared.plan == Plan::Basic
        && params.is_ok_and(|params| matches!(params.text("feed"), Some("sip" | "opra")))
    {
        let message = "subscription does not permit querying recent SIP data";
        ApiError::new(StatusCode::FORBIDDEN, 42_210_000, message).into_response()
    } else {
        request.extensions_mut().insert(key);
        next.run(request).await
    };
    say(&standing, response.headers_mut());
    response
}

fn say(standing: &Standing, headers: &mut HeaderMap) {
    let mut set = |name: &'static str, value: i64| headers.insert(name, HeaderValue::from(value));
    set("x-ratelimit-limit", standing.limit.into());
    set("x-ratelimit-remaining", standing.remaining.unwrap_or(0).into());
    set("x-ratelimit-reset", standing.reset);
}
