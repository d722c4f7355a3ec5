//! What a summary shows, and what it must not.

use super::*;
use serde_json::json;

#[test]
fn amounts_are_grouped_and_signed() {
    assert_eq!(cents("1000000"), "1,000,000.00");
    assert_eq!(cents("-1234.5678"), "-1,234.56");
    assert_eq!(signed("12.3"), "▲ +12.30");
    assert_eq!(signed("-0.01"), "▼ -0.01");
    assert_eq!((signed("0"), signed("-0.001")), ("0.00".to_owned(), "0.00".to_owned()));
    assert_eq!(
        (at_least_cents("1.4"), at_least_cents("1.405"), at_least_cents("7")),
        ("1.40".into(), "1.405".into(), "7.00".into())
    );
}

#[test]
fn wrapped_lines_fit_and_lose_nothing() {
    for width in 0..60 {
        for line in ["one two  three", "a/path/that/is/much/longer/than/the/width/of/any/terminal.rec and more", ""] {
            let pieces = wrapped(line, width, 10);
            assert!(pieces.iter().all(|piece| columns(piece) <= width.max(WIDTH_LEAST)), "{width}: {pieces:?}");
            let letters = |text: &str| text.chars().filter(|letter| *letter != ' ').collect::<String>();
            assert_eq!(letters(&pieces.concat()), letters(line));
        }
    }
    assert_eq!(columns(&Style::Ansi.bold("HALTED")), 6);
}

#[test]
fn times_are_those_of_new_york() {
    assert_eq!(time_of_day("2026-11-24T15:00:05.5Z"), "10:00:05");
    assert_eq!(time_of_day("2026-07-01T13:30:00Z"), "09:30:00");
    assert_eq!(time_of_day("2026-03-08T07:30:00Z"), "03:30:00");
    assert_eq!(time_of_day("soon"), "--:--:--");
}

#[test]
fn nobodys_words_draw_on_the_terminal() {
    let safety = json!({"kill_switch": {"halted": true, "source": "file \u{1b}[2J"}});
    let summary = Summary { safety, decisions: None, proposals: None, pnl: None, agents: None };
    assert!(!summary.render(&Layout::PLAIN).contains('\u{1b}'));
}

#[test]
fn what_is_wrong_with_a_log_is_told_beside_the_posture() {
    let found = json!([{"agent_name": "gamma-strategy", "code": "AUDIT_FORK", "words": "9 entries have another root"}]);
    let safety = json!({"kill_switch": {"halted": true}, "audit": found});
    let summary = Summary { safety, decisions: None, proposals: None, pnl: None, agents: None };
    let shown = summary.render(&Layout::PLAIN);
    assert!(shown.contains("AUDIT     AUDIT_FORK gamma-strategy: 9 entries have another root"), "{shown}");
}

#[test]
fn a_disk_that_takes_nothing_is_told_with_its_words_once_for_all_it_stops() {
    let full = json!([{"what": "LOG", "why": "No space left on device (os error 28)"}]);
    let recording = json!([{"what": "RECORDING", "why": "Input/output error (os error 5)"}]);
    let agents = json!([{"agent_name": "gamma-strategy", "unwritable": full}, {"agent_name": "whale-strategy", "unwritable": full},
                        {"agent_name": "shadow-gate", "unwritable": recording}, {"agent_name": "old"}]);
    let summary =
        Summary { safety: json!({"agents": agents}), decisions: None, proposals: None, pnl: None, agents: None };
    let shown = summary.render(&Layout::PLAIN);
    let line = shown.lines().find(|line| line.starts_with("DISK")).unwrap();
    assert_eq!(
        line,
        "DISK      log of gamma-strategy, whale-strategy cannot be written: No space left on device (os error 28) · \
         recording of shadow-gate cannot be written: Input/output error (os error 5)"
    );
}

#[test]
fn a_missing_posture_reads_as_halted() {
    let summary = Summary { safety: json!({}), decisions: None, proposals: None, pnl: None, agents: None };
    let shown = summary.render(&Layout::PLAIN);
    assert!(shown.contains("HALTED") && shown.contains("no order can leave") && shown.contains("UNKNOWN"), "{shown}");
}

#[test]
fn the_summary_shows_posture_agents_profit_and_reasons() {
    let summary = Summary {
        safety: json!({
            "as_of": "2026-11-24T15:00:05Z", "server_utc": "2026-11-24T20:00:05Z",
            "kill_switch": {"halted": true, "source": "file EXECUTION_HALTED: contains \"1\"", "since_utc": "2026-11-24T19:58:05Z"},
            "market": {"is_open": true, "closes_utc": "2026-11-24T21:00:00Z"},
            "freshness": [{"of": "feed", "state": "FRESH", "age_ms": 10}, {"of": "QQQ", "state": "STALE", "age_ms": 41000, "max_age_ms": 30000}],
            "agents": [{"agent_name": "gamma-strategy", "state": "OK", "reason_codes": []},
                       {"agent_name": "execution-agent", "state": "OFFLINE", "reason_codes": ["EXECUTION_DISABLED"]}],
            "safe_to_run_strategies": true, "safe_to_execute_orders": false, "gating_reasons": ["EXECUTION_DISABLED", "KILL_SWITCH"]
        }),
        decisions: Some(json!({"items": [
            {"proposal_id": "p", "decision": "REFUSE", "decided_at_utc": "2026-11-24T15:00:03Z",
             "reason_codes": ["EXECUTION_DISABLED"]},
            {"proposal_id": "q", "decision": "REFUSE", "decided_at_utc": "2026-11-24T15:00:02Z",
             "reason_codes": ["EXECUTION_DISABLED"]},
        ]})),
        proposals: Some(
            json!({"items": [{"proposal_id": "p", "strategy_name": "gamma", "intent": "OPEN", "side": "BUY", "quantity": 2,
                                          "symbol": "SPY", "asset_type": "MLEG", "legs": [{}, {}], "limit_price": "3.45", "state": "SHADOWED"}]}),
        ),
        pnl: Some(json!({"account": "SHADOW", "strategies": [{"strategy_name": "gamma", "net_usd": "-3.5"}],
                         "total": {"day_usd": "-3.5", "equity_usd": "999996.5"}})),
        agents: Some(json!({"items": [{"agent_name": "whale-strategy",
            "status": {"agent_identity": {"agent_role": "strategy_eval", "agent_mode": "OFF"}}}]})),
    };
    let expected = "\
POSTURE   HALTED · file EXECUTION_HALTED: contains \"1\" · for 2 min
SAFE      strategies run, but whale-strategy is OFF · no order can leave: EXECUTION_DISABLED, KILL_SWITCH
MARKET    OPEN · closes in 5 h 59 min · data QQQ STALE 41 s > 30 s · 10:00:05 New York, 2026-11-24
AGENTS    gamma-strategy OK · execution-agent OFFLINE (EXECUTION_DISABLED)
SHADOW    ▼ -3.50 USD today · gamma ▼ -3.50 · equity 999,996.50 (hypothetical: no order was sent)
DECIDED   10:00:03  gamma OPEN BUY 2 SPY (2 legs) at 3.45 → REFUSE, SHADOWED
          10:00:02  q → REFUSE
          EXECUTION_DISABLED
";
    assert_eq!(summary.render(&Layout::PLAIN), expected);
    let narrow = Layout { width: Some(60), rows: Some(13), ..Layout::PLAIN };
    let shown = summary.render(&narrow);
    assert!(shown.lines().count() <= 13 && shown.lines().all(|line| columns(line) <= 60), "{shown}");
    assert!(shown.contains("SPY (2 legs)") && shown.contains("DECIDED"), "{shown}");
}
