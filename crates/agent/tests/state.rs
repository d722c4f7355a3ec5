//! Every combination of what can be observed, against a table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_agent::service_kind::ServiceKind;
use agenttrader_agent::state::{Answer, MarketdataSeen, Observed, State, state};

/// First match wins. `*` is anything, `|` is or, `+` in the reasons separates them; `MD` is the reason that market data gives.
/// Columns: kind, answer, execution enabled, replicas, switch, market data, market open, heartbeat current, log writable.
const TABLE: &str = "
    *                     unfit    *   *   *   *             *   *   *   UNKNOWN        STATUS_UNFIT
    execution             *        no  *   *   *             *   *   *   OFFLINE        EXECUTION_DISABLED
    execution             *        *   no  *   *             *   *   *   OFFLINE        EXECUTION_DISABLED
    *                     none     *   *   *   *             *   *   *   OFFLINE        UNREACHABLE
    execution             *        *   *   yes *             *   *   *   HALTED         KILL_SWITCH
    strategy              *        *   *   *   stale         yes *   *   HALTED         MARKETDATA_STALE
    strategy              *        *   *   *   missing       yes *   *   HALTED         MARKETDATA_MISSING
    marketdata|ingest     *        *   *   *   stale|missing yes no  no  DEGRADED       MD+HEARTBEAT_STALE+AUDIT_UNAVAILABLE
    marketdata|ingest     *        *   *   *   stale|missing yes no  yes DEGRADED       MD+HEARTBEAT_STALE
    marketdata|ingest     *        *   *   *   stale|missing yes yes no  DEGRADED       MD+AUDIT_UNAVAILABLE
    marketdata|ingest     *        *   *   *   stale|missing yes yes yes DEGRADED       MD
    *                     *        *   *   *   *             *   no  no  DEGRADED       HEARTBEAT_STALE+AUDIT_UNAVAILABLE
    *                     *        *   *   *   *             *   no  yes DEGRADED       HEARTBEAT_STALE
    *                     *        *   *   *   *             *   yes no  DEGRADED       AUDIT_UNAVAILABLE
    *                     *        *   *   *   *             no  yes yes MARKET_CLOSED  MARKET_CLOSED
    *                     *        *   *   *   *             yes yes yes OK             -
";

const BOTH: [bool; 2] = [false, true];

fn every_observation() -> Vec<Observed> {
    let mut all = vec![Observed {
        kind: ServiceKind::Ops,
        answer: Answer::Complete,
        execution_enabled: false,
        has_replicas: false,
        kill_switch_halted: false,
        marketdata: MarketdataSeen::Fresh,
        market_open: false,
        heartbeat_current: false,
        log_writable: false,
    }];
    fn spread<T: Copy>(all: &mut Vec<Observed>, values: &[T], set: impl Fn(&mut Observed, T)) {
        *all = all
            .iter()
            .flat_map(|observed| values.iter().map(|value| (*observed, *value)))
            .map(|(mut observed, value)| {
                set(&mut observed, value);
                observed
            })
            .collect();
    }
    spread(&mut all, &ServiceKind::ALL, |observed, kind| observed.kind = kind);
    spread(&mut all, &[Answer::None, Answer::Unfit, Answer::Complete], |observed, answer| observed.answer = answer);
    spread(&mut all, &BOTH, |observed, yes| observed.execution_enabled = yes);
    spread(&mut all, &BOTH, |observed, yes| observed.has_replicas = yes);
    spread(&mut all, &BOTH, |observed, yes| observed.kill_switch_halted = yes);
    let seen = [MarketdataSeen::Fresh, MarketdataSeen::Stale, MarketdataSeen::Missing];
    spread(&mut all, &seen, |observed, seen| observed.marketdata = seen);
    spread(&mut all, &BOTH, |observed, yes| observed.market_open = yes);
    spread(&mut all, &BOTH, |observed, yes| observed.heartbeat_current = yes);
    spread(&mut all, &BOTH, |observed, yes| observed.log_writable = yes);
    all
}

fn columns(observed: &Observed) -> [String; 9] {
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let name = |debug: String| debug.to_lowercase();
    [
        name(format!("{:?}", observed.kind)),
        name(format!("{:?}", observed.answer)),
        yes(observed.execution_enabled),
        yes(observed.has_replicas),
        yes(observed.kill_switch_halted),
        name(format!("{:?}", observed.marketdata)),
        yes(observed.market_open),
        yes(observed.heartbeat_current),
        yes(observed.log_writable),
    ]
}

#[test]
fn every_observation_has_the_state_of_the_first_row_that_matches() {
    let rows: Vec<Vec<&str>> =
        TABLE.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|row| !row.is_empty()).collect();
    let mut used = vec![0; rows.len()];
    let all = every_observation();
    assert_eq!(all.len(), 5 * 3 * 8 * 3 * 8);
    for observed in all {
        let columns = columns(&observed);
        let matches = |row: &Vec<&str>| {
            row.iter().zip(&columns).all(|(want, is)| *want == "*" || want.split('|').any(|want| want == is))
        };
        let index = rows.iter().position(matches).unwrap_or_else(|| panic!("no row for {observed:?}"));
        used[index] += 1;
        let row = &rows[index];
        let marketdata =
            if observed.marketdata == MarketdataSeen::Stale { "MARKETDATA_STALE" } else { "MARKETDATA_MISSING" };
        let reasons: Vec<&str> = row[10]
            .split('+')
            .filter(|reason| *reason != "-")
            .map(|reason| if reason == "MD" { marketdata } else { reason })
            .collect();
        let (found, found_reasons) = state(&observed);
        assert_eq!(
            (found.as_str(), found_reasons),
            (row[9], reasons.iter().map(|reason| (*reason).to_owned()).collect()),
            "{observed:?}"
        );
    }
    assert!(used.iter().all(|count| *count > 0), "a row that nothing matches: {used:?}");
}

#[test]
fn only_ok_and_market_closed_are_healthy_and_names_are_those_on_the_wire() {
    for state in State::ALL {
        assert_eq!(state.is_healthy(), matches!(state.as_str(), "OK" | "MARKET_CLOSED"));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}
