//! What every listener checks before anything else: method, `Host`, where a browser's request comes from, and sizes.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, HOST, ORIGIN, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::net::IpAddr;
use std::sync::Arc;

/// Bytes of all header names and values of a request.
const HEADER_BYTES_MOST: usize = 16 * 1024;

/// Bytes of a request's path and query.
const URI_BYTES_MOST: usize = 4 * 1024;

/// The names under which a listener answers. Loopback names always do.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    configured: Arc<Vec<String>>,
}

/// An error as problem details (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// What kind of problem; `about:blank` means that the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to which thing, and what to do.
    pub detail: String,
}

impl Hosts {
    /// Loopback names and these, without ports.
    pub fn new(configured: impl IntoIterator<Item = String>) -> Self {
        Self { configured: Arc::new(configured.into_iter().map(|name| name.to_ascii_lowercase()).collect()) }
    }

    /// Whether a `Host` header's value, with or without port, names this listener.
    pub fn allow(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else { return false };
        let bare = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(name);
        let is_loopback =
            bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        is_loopback || self.configured.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The name in a `Host` header's value; nothing when it is not one.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(_) => {
            let (name, after) = host.split_at_checked(host.find(']')?.checked_add(1)?)?;
            (name, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit()));
    (is_port && !name.is_empty()).then_some(name)
}

impl Problem {
    /// A problem that its status names.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { kind: "about:blank".to_owned(), title, status: status.as_u16(), detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (status, [("content-type", "application/problem+json")], body).into_response()
    }
}

/// Puts the guard around a router of `GET` routes: for anything it does not route as well.
pub fn read_only(router: Router, hosts: Hosts) -> Router {
    router.layer(from_fn_with_state(hosts, pass))
}

async fn pass(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let refused = refuse(&hosts, request.method(), request.uri(), request.headers());
    let mut response = match refused {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    };
    let is_method = response.status() == StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if is_method {
        headers.insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

/// Why a request is refused before it is routed, if it is.
fn refuse(hosts: &Hosts, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Problem> {
    let say = |status, detail: &str| Some(Problem::new(status, detail));
    let header_bytes = headers
        .iter()
        .fold(0_usize, |sum, (name, value)| sum.saturating_add(name.as_str().len()).saturating_add(value.len()));
    if header_bytes > HEADER_BYTES_MOST {
        return say(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers of at most 16 KiB are read");
    }
    if uri.path_and_query().is_some_and(|target| target.as_str().len() > URI_BYTES_MOST) {
        return say(StatusCode::URI_TOO_LONG, "a target of at most 4 KiB is read");
    }
    let mut names = headers.get_all(HOST).iter();
    let host = match (names.next().map(HeaderValue::to_str), names.next()) {
        (Some(Ok(host)), None) => host,
        _ => return say(StatusCode::BAD_REQUEST, "exactly one Host header is needed"),
    };
    if !hosts.allow(host) {
        return say(
            StatusCode::MISDIRECTED_REQUEST,
            "this listener does not answer under that Host; configure the name or use a loopback one",
        );
    }
    if !is_same_site(host, headers) {
        return say(StatusCode::FORBIDDEN, "requests that another site's page makes are refused");
    }
    if *method != Method::GET {
        return say(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered: nothing can be changed here");
    }
    let has_body =
        headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    if has_body {
        return say(StatusCode::PAYLOAD_TOO_LARGE, "a GET request has no body");
    }
    None
}

/// Whether a browser says that the request comes from this very site; also true where no browser speaks.
fn is_same_site(host: &str, headers: &HeaderMap) -> bool {
    let fetched = headers.get_all("sec-fetch-site").iter().all(|site| site == "same-origin" || site == "none");
    let came = headers.get_all(ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let from = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        from.is_some_and(|from| from.eq_ignore_ascii_case(host))
    });
    fetched && came
}
