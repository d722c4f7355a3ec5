//! `/api/v1/events/recent` and `/api/v1/events/stream`: every record, as a list and as it comes.

use super::ask::{Asked, EventsPart, Nothing, bad};
use super::records::list;
use super::{List, Refused};
use crate::hub::{Hub, STREAMS_MOST, Subscription};
use crate::item::{self, Event as Item};
use crate::view::{Kept, Kind, RecordId};
use agenttrader_agent::clock;
use agenttrader_agent::guard::Problem;
use agenttrader_agent::tasks::Stop;
use agenttrader_core::time::UnixNanos;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use futures_util::stream::{Stream, unfold};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};
use utoipa::ToSchema;

/// Between two heartbeats of a stream. A page says that it is not live after three missed ones.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// A heartbeat of the stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Beat {
    /// Wall time of the server.
    #[schema(value_type = String, format = DateTime)]
    pub server_utc: UnixNanos,
    /// The latest venue time known.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub venue_utc: Option<UnixNanos>,
}

/// Every record, newest first, whichever agent wrote it.
#[utoipa::path(
    get,
    path = "/api/v1/events/recent",
    params(EventsPart),
    responses(
        (status = 200, description = "Records", body = List<Item>),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn recent(
    State(hub): State<Arc<Hub>>,
    Asked(part): Asked<EventsPart>,
) -> Result<Json<List<Item>>, Refused> {
    list(&hub, Kind::Events, &part.wanted()?, |_, kept| item::event(kept), |one| one.id.clone())
}

/// Every record as it comes. Three kinds of events: `record`, with an id and an `Event` as its data; `heartbeat` each second, with a `Beat`;
/// `gap` where records were left out, which `/api/v1/events/recent` may still have. `Last-Event-ID` resumes after that record.
#[utoipa::path(
    get,
    path = "/api/v1/events/stream",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last record that came")),
    responses(
        (status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "Bad input", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many readers", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn stream(
    State(hub): State<Arc<Hub>>,
    _: Asked<Nothing>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refused> {
    let last = last_event_id(&headers)?;
    let subscription = hub.subscribe(last.as_ref()).ok_or_else(|| {
        let detail = format!("all {STREAMS_MOST} places at the stream are taken; /api/v1/events/recent answers");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let mut beats = tokio::time::interval(HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = Reader { stop: hub.stop(), hub, subscription, beats };
    Ok(Sse::new(unfold(reader, |mut reader| async { reader.next().await.map(|event| (Ok(event), reader)) })))
}

/// One reader of the stream.
struct Reader {
    hub: Arc<Hub>,
    subscription: Subscription,
    beats: Interval,
    stop: Stop,
}

impl Reader {
    /// The next event; nothing once the process ends.
    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.subscription.has_gap) {
            return Some(gap("the record named by Last-Event-ID is not held any more"));
        }
        if let Some(kept) = self.subscription.backlog.pop_front() {
            return Some(record(&kept));
        }
        tokio::select! {
            biased;
            () = self.stop.wait() => None,
            // Before records, so that a flood of them cannot make the page look dead.
            _ = self.beats.tick() => Some(self.beat()),
            next = self.subscription.events.recv() => match next {
                Ok(kept) => Some(record(&kept)),
                Err(RecvError::Lagged(missed)) => Some(gap(&format!("{missed} records came faster than they were read"))),
                Err(RecvError::Closed) => None,
            },
        }
    }

    fn beat(&self) -> Event {
        let beat = Beat { server_utc: clock::wall(), venue_utc: self.hub.view().venue_time() };
        Event::default().event("heartbeat").data(serde_json::to_string(&beat).unwrap_or_default())
    }
}

fn record(kept: &Kept) -> Event {
    Event::default().event("record").id(kept.id().to_string()).data(kept.json())
}

fn gap(why: &str) -> Event {
    Event::default().event("gap").data(serde_json::json!({ "why": why }).to_string())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<RecordId>, Refused> {
    let mut given = headers.get_all("last-event-id").iter();
    match (given.next().map(|value| value.to_str()), given.next()) {
        (None, _) => Ok(None),
        // A browser that never got an id sends an empty one.
        (Some(Ok("")), None) => Ok(None),
        (Some(Ok(text)), None) => {
            text.parse().map(Some).map_err(|_| bad("Last-Event-ID is not a record's id such as gamma-strategy:17"))
        }
        _ => Err(bad("one Last-Event-ID of printable characters is read")),
    }
}
