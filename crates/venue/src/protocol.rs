//! Alpaca's protocols, the server's end: every route and what stands before it.

pub mod bars;
mod check;
pub mod endpoint;
pub mod keys;
pub mod limits;
pub mod option_data;
pub mod reply;
pub(crate) mod shared;
pub mod slots;
pub mod stock_data;
pub mod stream;
pub mod subscriptions;
pub mod trading;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use limits::Service;
use reply::ApiError;
use shared::Shared;
use std::sync::Arc;

/// Longest path and query that is read.
const URL_MAX: usize = 16_384;

/// Largest body that is let in; nothing here reads one yet.
const BODY_MAX: u64 = 1 << 20;

/// Every route.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let checked = |routes: Router<Arc<Shared>>, service: Service| {
        routes.layer(from_fn_with_state((Arc::clone(&shared), service), check::check))
    };
    let streams = Router::new()
        .route("/v2/iex", get(stream::iex))
        .route("/v2/sip", get(stream::sip))
        .route("/v1beta1/indicative", get(stream::indicative))
        .route("/v1beta1/opra", get(stream::opra));
    Router::new()
        .merge(checked(stock_data::routes(), Service::Data))
        .merge(checked(option_data::routes(), Service::Data))
        .merge(checked(trading::routes(), Service::Trading))
        .merge(streams)
        .route("/livez", get(|| async { "ok\n" }))
        .fallback(|| async { ApiError::not_found("endpoint not found") })
        .method_not_allowed_fallback(|| async {
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, 40_510_000, "method not allowed")
        })
        .layer(from_fn(bounded))
        .with_state(shared)
}

/// Refuses what is larger than anything a client has reason to send.
async fn bounded(request: Request, next: Next) -> Response {
    let url = request.uri().path_and_query().map_or(0, |all| all.as_str().len());
    if url > URL_MAX {
        let message = format!("request address has {url} bytes, over {URL_MAX}");
        return ApiError::new(StatusCode::URI_TOO_LONG, 41_410_000, message).into_response();
    }
    let body = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(body) = body.filter(|body| *body > BODY_MAX) {
        let message = format!("request body has {body} bytes, over {BODY_MAX}");
        return ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, 41_310_000, message).into_response();
    }
    next.run(request).await
}
