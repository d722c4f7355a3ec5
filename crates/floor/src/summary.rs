//! The floor in a few lines for a person: posture, agents, last decisions, shadow profit. Read from mission control's API, so that
//! a terminal beside the floor and `agenttrader status` elsewhere show the same.

use agenttrader_agent::marketdata_health::{FetchError, fetch, http_client};
use serde_json::Value;
use std::fmt::Write as _;
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
    /// The one at this base URL.
    ///
    /// # Errors
    /// [`SummaryError::Client`].
    pub fn at(base: impl Into<String>) -> Result<Self, SummaryError> {
        let client = http_client().map_err(|error| SummaryError::Client { why: error.to_string() })?;
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
        let detail = text(&body, "/detail").to_owned();
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
        Ok(Summary { safety, decisions, proposals, pnl })
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
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(|list| list.get("items")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `HH:MM:SS` of an RFC 3339 time.
fn time_of_day(stamp: &str) -> &str {
    stamp.get(11..19).unwrap_or("--:--:--")
}

/// The time between two RFC 3339 times, as a person says it.
fn between(from: &str, to: &str) -> Option<String> {
    let at = |stamp: &str| agenttrader_core::time::UnixNanos::parse(stamp).ok();
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
    fn bold(self, text: &str) -> String {
        if self == Self::Ansi { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn dim(self, text: &str) -> String {
        if self == Self::Ansi { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A label in front of a line.
fn line(out: &mut String, style: Style, label: &str, content: &str) {
    let _ = writeln!(out, "{} {content}", style.dim(&format!("{label:<9}")));
}

impl Summary {
    /// The lines of the summary.
    pub fn render(&self, style: Style) -> String {
        let mut out = String::new();
        self.posture(&mut out, style);
        self.agents(&mut out, style);
        self.shadow(&mut out, style);
        self.decided(&mut out, style);
        out
    }

    fn posture(&self, out: &mut String, style: Style) {
        let safety = &self.safety;
        let halted = safety.pointer("/kill_switch/halted").and_then(Value::as_bool).unwrap_or(true);
        let source = text(safety, "/kill_switch/source");
        let since = text(safety, "/kill_switch/since_utc");
        let word = if halted { "HALTED" } else { "NOT HALTED" };
        let lasted =
            between(since, text(safety, "/server_utc")).map(|span| format!(" · for {span}")).unwrap_or_default();
        line(out, style, "POSTURE", &format!("{} · {source}{lasted}", style.bold(word)));
        let executes = safety.get("safe_to_execute_orders").and_then(Value::as_bool) == Some(true);
        let runs = safety.get("safe_to_run_strategies").and_then(Value::as_bool) == Some(true);
        let gates: Vec<&str> = safety
            .get("gating_reasons")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let strategies = if runs { "strategies run" } else { "strategies do not run" };
        let orders = if executes { "orders could leave" } else { "no order can leave" };
        line(out, style, "SAFE", &format!("{strategies} · {orders}: {}", gates.join(", ")));
        let now = text(safety, "/as_of");
        let market = match safety.pointer("/market/is_open").and_then(Value::as_bool) {
            Some(true) => {
                format!("OPEN · closes in {}", between(now, text(safety, "/market/closes_utc")).unwrap_or_default())
            }
            Some(false) => {
                format!("CLOSED · opens in {}", between(now, text(safety, "/market/opens_utc")).unwrap_or_default())
            }
            None => "UNKNOWN".to_owned(),
        };
        let freshness = safety.get("freshness").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        let not_fresh = freshness.iter().filter(|one| text(one, "/state") != "FRESH").map(|one| {
            let age = one
                .get("age_ms")
                .and_then(Value::as_u64)
                .map(|age| format!(" {:.0} s", age as f64 / 1000.0))
                .unwrap_or_default();
            format!("{} {}{age}", text(one, "/of"), text(one, "/state"))
        });
        let stale: Vec<String> = not_fresh.collect();
        let data = if freshness.is_empty() {
            "no data".to_owned()
        } else if stale.is_empty() {
            format!("data fresh, {} underlyings", freshness.len().saturating_sub(1))
        } else {
            format!("data {}", stale.join(", "))
        };
        line(
            out,
            style,
            "MARKET",
            &format!("{market} · {data} · {} venue time", if now.is_empty() { "no" } else { now }),
        );
    }

    fn agents(&self, out: &mut String, style: Style) {
        let rows = self.safety.get("agents").and_then(Value::as_array).into_iter().flatten();
        let shown: Vec<String> = rows
            .map(|row| {
                let codes: Vec<&str> = row
                    .get("reason_codes")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let why = if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) };
                format!("{} {}{why}", text(row, "/agent_name"), text(row, "/state"))
            })
            .collect();
        line(out, style, "AGENTS", &shown.join(" · "));
    }

    fn shadow(&self, out: &mut String, style: Style) {
        let Some(pnl) = &self.pnl else {
            line(out, style, "SHADOW", "no reading yet");
            return;
        };
        let total = |name: &str| text(pnl, &format!("/total/{name}")).to_owned();
        let strategies: Vec<String> = pnl
            .get("strategies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|one| format!("{} {}", text(one, "/strategy_name"), signed(text(one, "/net_usd"))))
            .collect();
        let day = signed(&total("day_usd"));
        let content = format!(
            "{} USD today · equity {} · {} (hypothetical: no order was sent)",
            style.bold(&day),
            cents(&total("equity_usd")),
            strategies.join(" · ")
        );
        line(out, style, text(pnl, "/account"), &content);
    }

    fn decided(&self, out: &mut String, style: Style) {
        let decisions = items(self.decisions.as_ref());
        if decisions.is_empty() {
            line(out, style, "DECIDED", "nothing proposed yet");
            return;
        }
        for (place, decision) in decisions.iter().enumerate() {
            let id = text(decision, "/proposal_id");
            let proposal = items(self.proposals.as_ref()).iter().find(|proposal| text(proposal, "/proposal_id") == id);
            let what = proposal.map_or_else(|| id.to_owned(), describe);
            let codes: Vec<&str> = decision
                .get("reason_codes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let state = proposal.map_or("", |proposal| text(proposal, "/state"));
            let label = if place == 0 { "DECIDED" } else { "" };
            let when = time_of_day(text(decision, "/decided_at_utc"));
            line(out, style, label, &format!("{when}  {what}  {} {state}", text(decision, "/decision")));
            line(out, style, "", &style.dim(&format!("          {}", codes.join(", "))));
        }
    }
}

/// A proposal in a phrase: `gamma OPEN BUY 2 SPY straddle at 3.45`.
pub fn describe(proposal: &Value) -> String {
    let kind = match text(proposal, "/asset_type") {
        "EQUITY" => "shares".to_owned(),
        "OPTION" => text(proposal, "/option/contract_symbol").to_owned(),
        _ => "legs".to_owned(),
    };
    let price =
        proposal.get("limit_price").and_then(Value::as_str).map(|price| format!(" at {price}")).unwrap_or_default();
    let quantity = proposal.get("quantity").map(ToString::to_string).unwrap_or_default();
    format!(
        "{} {} {} {quantity} {} {kind}{price}",
        text(proposal, "/strategy_name"),
        text(proposal, "/intent"),
        text(proposal, "/side"),
        text(proposal, "/symbol"),
    )
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

/// [`cents`] with its sign always.
fn signed(amount: &str) -> String {
    if amount.starts_with('-') { format!("▼ {}", cents(amount)) } else { format!("▲ +{}", cents(amount)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_grouped_and_signed() {
        assert_eq!(cents("1000000"), "1,000,000.00");
        assert_eq!(cents("-1234.5678"), "-1,234.56");
        assert_eq!(signed("12.3"), "▲ +12.30");
        assert_eq!(signed("-0.01"), "▼ -0.01");
    }

    #[test]
    fn a_missing_posture_reads_as_halted() {
        let summary = Summary { safety: json!({}), decisions: None, proposals: None, pnl: None };
        let shown = summary.render(Style::Plain);
        assert!(
            shown.contains("HALTED") && shown.contains("no order can leave") && shown.contains("UNKNOWN"),
            "{shown}"
        );
    }

    #[test]
    fn the_summary_shows_posture_agents_profit_and_reasons() {
        let summary = Summary {
            safety: json!({
                "as_of": "2026-11-24T15:00:05Z", "server_utc": "2026-11-24T20:00:05Z",
                "kill_switch": {"halted": true, "source": "file EXECUTION_HALTED: contains \"1\"", "since_utc": "2026-11-24T19:58:05Z"},
                "market": {"is_open": true, "closes_utc": "2026-11-24T21:00:00Z"},
                "freshness": [{"of": "feed", "state": "FRESH", "age_ms": 10}, {"of": "QQQ", "state": "STALE", "age_ms": 41000}],
                "agents": [{"agent_name": "gamma-strategy", "state": "OK", "reason_codes": []},
                           {"agent_name": "execution-agent", "state": "OFFLINE", "reason_codes": ["EXECUTION_DISABLED"]}],
                "safe_to_run_strategies": true, "safe_to_execute_orders": false, "gating_reasons": ["EXECUTION_DISABLED", "KILL_SWITCH"]
            }),
            decisions: Some(
                json!({"items": [{"proposal_id": "p", "decision": "REFUSE", "decided_at_utc": "2026-11-24T15:00:03Z",
                                              "reason_codes": ["EXECUTION_DISABLED"]}]}),
            ),
            proposals: Some(
                json!({"items": [{"proposal_id": "p", "strategy_name": "gamma", "intent": "OPEN", "side": "BUY", "quantity": 2,
                                              "symbol": "SPY", "asset_type": "MLEG", "limit_price": "3.45", "state": "SHADOWED"}]}),
            ),
            pnl: Some(json!({"account": "SHADOW", "strategies": [{"strategy_name": "gamma", "net_usd": "-3.5"}],
                             "total": {"day_usd": "-3.5", "equity_usd": "999996.5"}})),
        };
        let expected = "\
POSTURE   HALTED · file EXECUTION_HALTED: contains \"1\" · for 2 min
SAFE      strategies run · no order can leave: EXECUTION_DISABLED, KILL_SWITCH
MARKET    OPEN · closes in 5 h 59 min · data QQQ STALE 41 s · 2026-11-24T15:00:05Z venue time
AGENTS    gamma-strategy OK · execution-agent OFFLINE (EXECUTION_DISABLED)
SHADOW    ▼ -3.50 USD today · equity 999,996.50 · gamma ▼ -3.50 (hypothetical: no order was sent)
DECIDED   15:00:03  gamma OPEN BUY 2 SPY legs at 3.45  REFUSE SHADOWED
                    EXECUTION_DISABLED
";
        assert_eq!(summary.render(Style::Plain), expected);
    }
}
