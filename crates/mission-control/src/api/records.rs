//! `/api/v1/proposals`, `/api/v1/decisions`, `/api/v1/orders`: lists over the records that are held.

use super::ask::{Asked, Named, Nothing, Part, bad, uuid};
use super::{List, Refused};
use crate::hub::Hub;
use crate::item::{self, Decision, Order, Proposal, ProposalStory};
use crate::view::{Kept, Kind, View, Wanted};
use agenttrader_agent::guard::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Proposals, newest first, each with where it stands.
#[utoipa::path(
    get,
    path = "/api/v1/proposals",
    params(Part),
    responses(
        (status = 200, description = "Proposals", body = List<Proposal>),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn proposals(
    State(hub): State<Arc<Hub>>,
    Asked(part): Asked<Part>,
) -> Result<Json<List<Proposal>>, Refused> {
    list(&hub, Kind::Proposals, &part.wanted()?, item::proposal, |one| one.body.proposal_id.to_string())
}

/// One proposal with its whole story: decision, order, fills, and every record of it, whichever agent wrote it.
#[utoipa::path(
    get,
    path = "/api/v1/proposals/{id}",
    params(("id" = String, Path, description = "`proposal_id`")),
    responses(
        (status = 200, description = "The proposal", body = ProposalStory),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Not known, or no longer held", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn proposal(
    State(hub): State<Arc<Hub>>,
    Named(id): Named,
    _: Asked<Nothing>,
) -> Result<Json<ProposalStory>, Refused> {
    let id = uuid(&id, "the proposal's id")?;
    let story = item::proposal_story(&hub.view(), id);
    story.map(Json).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "no such proposal, or it is older than what is held; the logs have them all",
        )
    })
}

/// Decisions, newest first, each with its reasons in words and links to its proposal, its causing input and the records of each agent.
#[utoipa::path(
    get,
    path = "/api/v1/decisions",
    params(Part),
    responses(
        (status = 200, description = "Decisions", body = List<Decision>),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn decisions(
    State(hub): State<Arc<Hub>>,
    Asked(part): Asked<Part>,
) -> Result<Json<List<Decision>>, Refused> {
    list(&hub, Kind::Decisions, &part.wanted()?, item::decision, |one| one.body.decision_id.to_string())
}

/// Orders at their last update, the last updated first.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    params(Part),
    responses(
        (status = 200, description = "Orders", body = List<Order>),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn orders(
    State(hub): State<Arc<Hub>>,
    Asked(part): Asked<Part>,
) -> Result<Json<List<Order>>, Refused> {
    list(&hub, Kind::Orders, &part.wanted()?, item::order, |one| one.proposal_id.to_string())
}

/// A part of a list, each item made by `item`.
pub(super) fn list<T>(
    hub: &Hub,
    kind: Kind,
    wanted: &Wanted,
    item: fn(&View, &Kept) -> Option<T>,
    id: fn(&T) -> String,
) -> Result<Json<List<T>>, Refused> {
    let view = hub.view();
    let page = view.page(kind, wanted).map_err(|error| bad(error.to_string()))?;
    let items: Vec<T> = page.items.iter().filter_map(|kept| item(&view, kept)).collect();
    let next = items.last().filter(|_| page.has_more).map(id);
    Ok(Json(List { items, next }))
}
