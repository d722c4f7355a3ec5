//! The floor in a few lines for a person: posture, agents, last decisions, shadow profit. Read from mission control's API, so that
//! a terminal beside the floor and `agenttrader status` elsewhere show the same.

use crate::plain::plain;
use agenttrader_agent::marketdata_health::{FetchError, fetch, http_client_with};
use agenttrader_core::calendar::{new_york, new_york_date};
use agenttrader_core::secret::Secret;
use agenttrader_core::time::UnixNanos;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Longest answer read.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Longest wait for an answer.
const WITHIN: Duration = Duration::from_secs(2);

/// Decisions shown.
const DECISIONS: usize = 6;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// Mission control does not answer.
    #[error("mission control at {url} does not answer")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// It refuses.
    #[error("mission control at {url} answers {status}: {detail}")]
    Refused {
        /// Where.
        url: String,
        /// Its status.
        status: u16,
        /// What it says.
        detail: String,
    },
    /// What answers there is no mission control.
    #[error("what answers at {url} is no mission control")]
    NotMissionControl {
        /// Where.
        url: String,
    },
    /// No HTTP client.
    #[error("cannot set up the client: {why}")]
    Client {
        /// Why.
        why: String,
    },
}

/// Mission control, as a client sees it.
#[derive(Clone, Debug)]
pub struct MissionControl {
    client: reqwest::Client,
    base: String,
}

impl MissionControl {
    /// The one at this base URL, and the token that it asks for.
    ///
    /// # Errors
    /// [`SummaryError::Client`].
    pub fn at(base: impl Into<String>, token: Option<&Secret>) -> Result<Self, SummaryError> {
        let mut headers = HeaderMap::new();
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
                SummaryError::Client { why: "AGENTTRADER_API_TOKEN holds characters that no token has".to_owned() }
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = http_client_with(headers).map_err(|error| SummaryError::Client { why: error.to_string() })?;
        Ok(Self { client, base: base.into() })
    }

    /// The JSON of a route.
    ///
    /// # Errors
    /// [`SummaryError`], naming the URL.
    pub async fn get(&self, path: &str) -> Result<Value, SummaryError> {
        let url = format!("{}{path}", self.base);
        let fetched = match fetch(&self.client, &url, WITHIN, ANSWER_BYTES_MAX).await {
            Ok(fetched) => fetched,
            Err(source) => return Err(SummaryError::Unreachable { url, source }),
        };
        let Ok(body) = serde_json::from_slice::<Value>(&fetched.body) else {
            return Err(SummaryError::NotMissionControl { url });
        };
        if fetched.status == 200 {
            return Ok(body);
        }
        let detail = text(&body, "/detail");
        Err(SummaryError::Refused { url, status: fetched.status, detail })
    }

    /// What a summary shows.
    ///
    /// # Errors
    /// [`SummaryError`] when the posture cannot be had; the rest may be missing.
    pub async fn summary(&self) -> Result<Summary, SummaryError> {
        let safety = self.get("/api/v1/safety").await?;
        let decisions = self.get(&format!("/api/v1/decisions?limit={DECISIONS}")).await.ok();
        let proposals = self.get("/api/v1/proposals?limit=50").await.ok();
        let pnl = self.get("/api/v1/pnl").await.ok();
        let agents = self.get("/api/v1/agents").await.ok();
        Ok(Summary { safety, decisions, proposals, pnl, agents })
    }
}

/// Answers of mission control, as they came.
#[derive(Clone, Debug)]
pub struct Summary {
    /// `/api/v1/safety`.
    pub safety: Value,
    /// `/api/v1/decisions`.
    pub decisions: Option<Value>,
    /// `/api/v1/proposals`.
    pub proposals: Option<Value>,
    /// `/api/v1/pnl`.
    pub pnl: Option<Value>,
    /// `/api/v1/agents`.
    pub agents: Option<Value>,
}

/// A text of an answer, safe to print; empty where there is none.
fn text(value: &Value, pointer: &str) -> String {
    plain(value.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn items(value: Option<&Value>) -> &[Value] {
    value.map_or(&[], |value| list(value, "/items"))
}

/// Codes of a list, after one another.
fn codes(value: &Value, pointer: &str) -> String {
    plain(&list(value, pointer).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
}

/// Date and `HH:MM:SS` of an RFC 3339 time, as clocks in New York show it.
fn in_new_york(stamp: &str) -> Option<(jiff::civil::Date, String)> {
    let at = UnixNanos::parse(stamp).ok()?;
    let date = new_york_date(at);
    // The last full hour that has begun: right on the days, too, on which an hour is skipped or comes twice.
    let hour = (0..24).rev().find(|hour| new_york(date, *hour, 0) <= at)?;
    let seconds = at.since(new_york(date, hour, 0)).seconds();
    Some((date, format!("{hour:02}:{:02}:{:02}", seconds / 60 % 60, seconds % 60)))
}

/// What cannot be written, each cause once with all agents that name it: one disk is usually behind them all.
fn unwritable(agents: &[Value]) -> Vec<String> {
    let mut causes: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for agent in agents {
        for one in list(agent, "/unwritable") {
            let cause = (text(one, "/what").to_lowercase(), text(one, "/why"));
            causes.entry(cause).or_default().push(text(agent, "/agent_name"));
        }
    }
    let told = |((what, why), names): ((String, String), Vec<String>)| {
        format!("{what} of {} cannot be written: {why}", names.join(", "))
    };
    causes.into_iter().map(told).collect()
}

/// `HH:MM:SS` in New York of an RFC 3339 time.
pub fn time_of_day(stamp: &str) -> String {
    in_new_york(stamp).map_or_else(|| "--:--:--".to_owned(), |(_, time)| time)
}

/// The time between two RFC 3339 times, as a person says it.
fn between(from: &str, to: &str) -> Option<String> {
    let at = |stamp: &str| UnixNanos::parse(stamp).ok();
    let seconds = at(to)?.since(at(from)?).seconds().max(0);
    Some(match (seconds / 3600, seconds % 3600 / 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    })
}

/// Emphasis, where a terminal shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// Bold and dim by ANSI codes.
    Ansi,
}

impl Style {
    /// Emphasised.
    pub fn bold(self, text: &str) -> String {
        if self == Self::Ansi { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Less than the rest.
    pub fn dim(self, text: &str) -> String {
        if self == Self::Ansi { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// How a summary is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Emphasis.
    pub style: Style,
    /// Columns, to which lines are wrapped; none: as long as they are.
    pub width: Option<usize>,
    /// Rows there are; older decisions that do not fit are left out. None: all that are known.
    pub rows: Option<usize>,
}

impl Layout {
    /// Plain text, as long as it is.
    pub const PLAIN: Self = Self { style: Style::Plain, width: None, rows: None };
}

/// Columns of a label and the blank after it.
const LABEL: usize = 10;

/// Fewest columns a line is wrapped to: below that a terminal breaks it where it likes.
const WIDTH_LEAST: usize = 24;

/// Columns that a text takes: control sequences take none.
fn columns(text: &str) -> usize {
    let mut in_sequence = false;
    text.chars()
        .filter(|letter| {
            let counts = !in_sequence && *letter != '\u{1b}';
            in_sequence = if in_sequence { *letter != 'm' } else { *letter == '\u{1b}' };
            counts
        })
        .count()
}

/// A line in pieces of at most `width` columns, broken between words where that can be; all but the first are indented.
pub fn wrapped(line: &str, width: usize, indent: usize) -> Vec<String> {
    let width = width.max(WIDTH_LEAST);
    let room = width.saturating_sub(indent);
    let mut lines = Vec::new();
    let mut current = String::new();
    for (place, word) in line.split(' ').enumerate() {
        let blank = usize::from(place > 0);
        if place > 0 && columns(&current) + blank + columns(word) > width && !current.trim().is_empty() {
            lines.push(std::mem::take(&mut current).trim_end().to_owned());
            current.push_str(&" ".repeat(indent));
        } else if place > 0 {
            current.push(' ');
        }
        // A word longer than a line, such as a path, is cut; one with emphasis in it is short.
        let mut word = word;
        while columns(&current) + columns(word) > width && !word.contains('\u{1b}') {
            let fits = width.saturating_sub(columns(&current)).clamp(1, room);
            let at = word.char_indices().nth(fits).map_or(word.len(), |(at, _)| at);
            let (now, later) = word.split_at(at);
            current.push_str(now);
            lines.push(std::mem::take(&mut current));
            current.push_str(&" ".repeat(indent));
            word = later;
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

/// Lines under way: each wrapped below its label.
struct Page<'a> {
    layout: &'a Layout,
    lines: Vec<String>,
}

impl Page<'_> {
    fn line(&mut self, label: &str, content: &str) {
        let line = format!("{} {content}", self.layout.style.dim(&format!("{label:<9}")));
        match self.layout.width {
            Some(width) => self.lines.extend(wrapped(&line, width, LABEL)),
            None => self.lines.push(line),
        }
    }
}

impl Summary {
    /// The lines of the summary.
    pub fn render(&self, layout: &Layout) -> String {
        let mut page = Page { layout, lines: Vec::new() };
        self.posture(&mut page);
        self.market(&mut page);
        self.agents(&mut page);
        self.shadow(&mut page);
        let rows = layout.rows.unwrap_or(usize::MAX).saturating_sub(page.lines.len());
        // As many decisions as have room, the newest first.
        let decided = (1..=DECISIONS)
            .rev()
            .map(|most| self.decided(layout, most))
            .find(|lines| lines.len() <= rows)
            .unwrap_or_else(|| self.decided(layout, 1).into_iter().take(rows).collect());
        page.lines.extend(decided);
        page.lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn posture(&self, page: &mut Page<'_>) {
        let safety = &self.safety;
        let halted = safety.pointer("/kill_switch/halted").and_then(Value::as_bool).unwrap_or(true);
        let source = text(safety, "/kill_switch/source");
        let since = text(safety, "/kill_switch/since_utc");
        let word = page.layout.style.bold(if halted { "HALTED" } else { "NOT HALTED" });
        let lasted =
            between(&since, &text(safety, "/server_utc")).map(|span| format!(" · for {span}")).unwrap_or_default();
        let source = if source.is_empty() { "the switch is not read yet".to_owned() } else { source };
        page.line("POSTURE", &format!("{word} · {source}{lasted}"));
        let executes = safety.get("safe_to_execute_orders").and_then(Value::as_bool) == Some(true);
        let runs = safety.get("safe_to_run_strategies").and_then(Value::as_bool) == Some(true);
        let off = self.strategies_off();
        let strategies = match (runs, off.is_empty()) {
            (true, true) => "strategies run".to_owned(),
            (true, false) => format!("strategies run, but {}", off.join(", ")),
            (false, true) => "strategies do not run".to_owned(),
            (false, false) => format!("strategies do not run: {}", off.join(", ")),
        };
        let orders = if executes { "orders could leave" } else { "no order can leave" };
        page.line("SAFE", &format!("{strategies} · {orders}: {}", codes(safety, "/gating_reasons")));
        // What is wrong with a log is no reason of the gate's: it stands in a line of its own.
        let of = |found: &Value| {
            format!("{} {}: {}", text(found, "/code"), text(found, "/agent_name"), text(found, "/words"))
        };
        let found: Vec<String> = list(safety, "/audit").iter().map(of).collect();
        if !found.is_empty() {
            page.line("AUDIT", &format!("{} · remedies: /api/v1/audit", found.join(" · ")));
        }
        let unwritable = unwritable(list(safety, "/agents"));
        if !unwritable.is_empty() {
            page.line("DISK", &unwritable.join(" · "));
        }
    }

    /// Agents of strategies whose mode is OFF: they evaluate nothing.
    fn strategies_off(&self) -> Vec<String> {
        let identity = |row: &Value, of: &str| text(row, &format!("/status/agent_identity/{of}"));
        items(self.agents.as_ref())
            .iter()
            .filter(|row| identity(row, "agent_role") == "strategy_eval" && identity(row, "agent_mode") == "OFF")
            .map(|row| format!("{} is OFF", text(row, "/agent_name")))
            .collect()
    }

    fn market(&self, page: &mut Page<'_>) {
        let safety = &self.safety;
        let now = text(safety, "/as_of");
        let until = |pointer: &str| between(&now, &text(safety, pointer));
        let market = match safety.pointer("/market/is_open").and_then(Value::as_bool) {
            Some(true) => {
                let closes = until("/market/closes_utc").map(|span| format!(" · closes in {span}")).unwrap_or_default();
                format!("{}{closes}", page.layout.style.bold("OPEN"))
            }
            Some(false) => {
                let opens = until("/market/opens_utc").map(|span| format!(" · opens in {span}")).unwrap_or_default();
                format!("{}{opens}", page.layout.style.bold("CLOSED"))
            }
            None => "UNKNOWN".to_owned(),
        };
        let speed = safety.pointer("/market/speed").and_then(Value::as_f64).filter(|speed| *speed != 1.0);
        let speed = speed.map(|speed| format!(" at {speed}×")).unwrap_or_default();
        let clock = in_new_york(&now)
            .map_or_else(|| "no venue time yet".to_owned(), |(date, time)| format!("{time} New York, {date}"));
        page.line("MARKET", &format!("{market} · {} · {clock}{speed}", self.freshness()));
    }

    fn freshness(&self) -> String {
        let freshness = list(&self.safety, "/freshness");
        let not_fresh = freshness.iter().filter(|one| text(one, "/state") != "FRESH").map(|one| {
            let seconds = |pointer: &str| one.pointer(pointer).and_then(Value::as_f64).map(|millis| millis / 1000.0);
            let age = match (seconds("/age_ms"), seconds("/max_age_ms")) {
                (Some(age), Some(limit)) => format!(" {age:.0} s > {limit:.0} s"),
                (Some(age), None) => format!(" {age:.0} s"),
                (None, _) => String::new(),
            };
            format!("{} {}{age}", text(one, "/of"), text(one, "/state"))
        });
        let stale: Vec<String> = not_fresh.collect();
        if freshness.is_empty() {
            "no data".to_owned()
        } else if stale.is_empty() {
            format!("data fresh, {} underlyings", freshness.len().saturating_sub(1))
        } else {
            format!("data {}", stale.join(", "))
        }
    }

    fn agents(&self, page: &mut Page<'_>) {
        let rows = list(&self.safety, "/agents").iter().map(|row| {
            let why = codes(row, "/reason_codes");
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            format!("{} {}{why}", text(row, "/agent_name"), text(row, "/state"))
        });
        page.line("AGENTS", &rows.collect::<Vec<_>>().join(" · "));
    }

    fn shadow(&self, page: &mut Page<'_>) {
        let Some(pnl) = &self.pnl else {
            page.line("SHADOW", "no reading yet");
            return;
        };
        let strategies = list(pnl, "/strategies")
            .iter()
            .map(|one| format!("{} {} · ", text(one, "/strategy_name"), signed(&text(one, "/net_usd"))));
        let content = format!(
            "{} USD today · {}equity {} (hypothetical: no order was sent)",
            page.layout.style.bold(&signed(&text(pnl, "/total/day_usd"))),
            strategies.collect::<String>(),
            cents(&text(pnl, "/total/equity_usd")),
        );
        page.line(&text(pnl, "/account"), &content);
    }

    /// The newest decisions, `most` of them, with their reasons; those with the same reasons share one line of them.
    fn decided(&self, layout: &Layout, most: usize) -> Vec<String> {
        let mut page = Page { layout, lines: Vec::new() };
        let decisions: Vec<&Value> = items(self.decisions.as_ref()).iter().take(most).collect();
        if decisions.is_empty() {
            page.line("DECIDED", "nothing proposed yet");
        }
        for (place, decision) in decisions.iter().enumerate() {
            let id = text(decision, "/proposal_id");
            let proposal = items(self.proposals.as_ref()).iter().find(|proposal| text(proposal, "/proposal_id") == id);
            let what = proposal.map_or(id, describe);
            let state = proposal.map(|proposal| format!(", {}", text(proposal, "/state"))).unwrap_or_default();
            let label = if place == 0 { "DECIDED" } else { "" };
            let when = time_of_day(&text(decision, "/decided_at_utc"));
            page.line(label, &format!("{when}  {what} → {}{state}", text(decision, "/decision")));
            let reasons = codes(decision, "/reason_codes");
            let next = decisions.get(place.saturating_add(1)).map(|next| codes(next, "/reason_codes"));
            if next.as_ref() != Some(&reasons) {
                page.line("", &layout.style.dim(&reasons));
            }
        }
        page.lines
    }
}

/// A proposal in a phrase: `gamma OPEN BUY 2 SPY (2 legs) at 3.45`.
pub fn describe(proposal: &Value) -> String {
    let symbol = text(proposal, "/symbol");
    let what = match text(proposal, "/asset_type").as_str() {
        "EQUITY" => format!("{symbol} shares"),
        "OPTION" => text(proposal, "/option/contract_symbol"),
        _ => format!("{symbol} ({} legs)", list(proposal, "/legs").len()),
    };
    let price = Some(text(proposal, "/limit_price"))
        .filter(|price| !price.is_empty())
        .map(|price| format!(" at {}", at_least_cents(&price)))
        .unwrap_or_default();
    let quantity = proposal.get("quantity").map(ToString::to_string).unwrap_or_default();
    format!(
        "{} {} {} {quantity} {what}{price}",
        text(proposal, "/strategy_name"),
        text(proposal, "/intent"),
        text(proposal, "/side"),
    )
}

/// A price with two places at least, and more where it has more.
fn at_least_cents(price: &str) -> String {
    match price.split_once('.') {
        None => format!("{price}.00"),
        Some((whole, fraction)) => format!("{whole}.{fraction:0<2}"),
    }
}

/// An amount to the cent, with thousands separated.
fn cents(amount: &str) -> String {
    let (sign, digits) = amount.strip_prefix('-').map_or(("", amount), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction: String = fraction.chars().chain("00".chars()).take(2).collect();
    format!("{sign}{grouped}.{fraction}")
}

/// [`cents`] with its sign always, and a shape beside it; nothing gained is nothing.
fn signed(amount: &str) -> String {
    match cents(amount).as_str() {
        nothing @ ("0.00" | "-0.00") => nothing.trim_start_matches('-').to_owned(),
        loss if loss.starts_with('-') => format!("▼ {loss}"),
        gain => format!("▲ +{gain}"),
    }
}

#[cfg(test)]
mod tests;
