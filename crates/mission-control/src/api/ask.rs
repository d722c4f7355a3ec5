//! What a request may ask: queries and path parameters, each refused with problem details when it does not fit.

use crate::view::Wanted;
use agenttrader_agent::guard::Problem;
use agenttrader_core::identity::is_agent_name;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use uuid::Uuid;

/// Items of a list unless `limit` says otherwise.
pub(crate) const LIMIT: u16 = 100;

/// Most items of a list.
pub(crate) const LIMIT_MOST: u16 = 500;

/// A query, every parameter of it known.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

/// A path's one parameter.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) String);

/// No parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// At most so many items, newest first.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
    /// Only what is older than the item of this id: `next` of the part before.
    before: Option<String>,
    /// Only what belongs to this story.
    #[param(value_type = Option<String>, format = "uuid")]
    correlation_id: Option<String>,
}

/// Which part of the events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsPart {
    /// At most so many items, newest first.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u16>,
    /// Only what is older than the record of this id: `next` of the part before.
    #[param(example = "gamma-strategy:17")]
    before: Option<String>,
    /// Only what belongs to this story.
    #[param(value_type = Option<String>, format = "uuid")]
    correlation_id: Option<String>,
    /// Only records of this agent.
    agent_name: Option<String>,
}

impl Part {
    pub(crate) fn wanted(self) -> Result<Wanted, Problem> {
        let Self { limit, before, correlation_id } = self;
        Ok(Wanted { before, limit: items(limit)?, correlation_id: story(correlation_id)?, agent_name: None })
    }
}

impl EventsPart {
    pub(crate) fn wanted(self) -> Result<Wanted, Problem> {
        let Self { limit, before, correlation_id, agent_name } = self;
        if agent_name.as_ref().is_some_and(|name| !is_agent_name(name)) {
            return Err(bad("agent_name is not the name of an agent"));
        }
        Ok(Wanted { before, limit: items(limit)?, correlation_id: story(correlation_id)?, agent_name })
    }
}

fn items(limit: Option<u16>) -> Result<usize, Problem> {
    match limit.unwrap_or(LIMIT) {
        limit @ 1..=LIMIT_MOST => Ok(limit.into()),
        limit => Err(bad(format!("limit is {limit}, it must be 1 to {LIMIT_MOST}"))),
    }
}

fn story(correlation_id: Option<String>) -> Result<Option<Uuid>, Problem> {
    correlation_id.map(|text| uuid(&text, "correlation_id")).transpose()
}

/// An id in its usual form, 36 characters with hyphens.
pub(crate) fn uuid(text: &str, what: &str) -> Result<Uuid, Problem> {
    let usual = if text.len() == 36 { Uuid::parse_str(text).ok() } else { None };
    usual.ok_or_else(|| bad(format!("{what} is not a UUID such as 01234567-89ab-8cde-8f01-23456789abcd")))
}

/// Bad input.
pub(crate) fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(asked)| Self(asked)).map_err(|rejection| bad(shown(&rejection.body_text())))
    }
}

impl<S: Sync + Send> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        read.map(|Path(name)| Self(name)).map_err(|rejection| bad(shown(&rejection.body_text())))
    }
}

/// A reader's own words in an answer: short, in one line.
fn shown(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { ' ' } else { one }).take(200).collect()
}
