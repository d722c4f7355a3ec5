//! Alpaca's official Python client, unmodified but for the addresses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use agenttrader_venue::{Plan, VenueConfig};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use support::{config, get, request, start};
use tokio::time::Instant;

/// Runs the script against the venue and gives what each check found.
async fn run(venue: &agenttrader_venue::Venue, script: &str) -> Option<BTreeMap<String, Value>> {
    let python = agenttrader_outside::python("alpaca")?;
    let script = format!("{}/tests/{script}", env!("CARGO_MANIFEST_DIR"));
    let address = venue.address().to_string();
    let run = move || Command::new(python).args([&script, &address]).stdin(Stdio::null()).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let (told, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{complained}");
    let mut found = BTreeMap::new();
    for line in told.lines() {
        let mut said: Value = serde_json::from_str(line).unwrap();
        let check = said.as_object_mut().unwrap().remove("check").unwrap();
        found.insert(check.as_str().unwrap().to_owned(), said);
    }
    Some(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_reads_and_streams_everything() {
    let venue = start(VenueConfig { rest_limit: 1_000, ..config(10.0, Plan::Paid) }).await;
    // The whole chain has its quotes within three seconds of venue time.
    let until = Instant::now() + support::BOUND;
    let path = "/v1beta1/options/snapshots/SPY?expiration_date=2026-11-24&limit=1000";
    loop {
        let chain = get(&venue, path).await.json();
        if chain["snapshots"].as_object().unwrap().values().all(|one| one["latestQuote"].is_object()) {
            break;
        }
        assert!(Instant::now() < until);
    }
    let Some(found) = run(&venue, "python_client.py").await else { return };
    let wanted = json!({
        "clock": {"is_open": true, "date": "2026-11-24"},
        "account": {"cash": "100000", "status": "ACTIVE"},
        "calendar": {"days": ["2026-11-25", "2026-11-27"]},
        "asset": {"exchange": "ARCA", "all": 6},
        "contracts": {"count": 82, "open_interest": true},
        "positions": {"count": 0},
        "latest quotes": {"symbols": ["NVDA", "SPY"], "sane": true},
        "latest trade": {"size": true},
        "snapshots": {"symbols": ["QQQ", "SPY"], "volume": true},
        "bars": {"counts": {"AAPL": 30, "SPY": 30}},
        "chain": {"count": 82, "with_greeks": true},
        "option quote": {"sane": true},
        "option snapshot": {"volatility": true},
        "option bars": {"count": 2},
        "refusals": {"wrong_secret": [401, 40_110_000], "no_asset": [404, 40_410_000], "no_position": [404, 40_410_000]},
        "stock stream": {"quote": "SPY", "trade": true, "bar": true},
        "option stream": {"quote": true, "trade": true},
    });
    assert_eq!(serde_json::to_value(found).unwrap(), wanted);
    // What the client read, anybody reads.
    assert_eq!(request(&venue, "GET", "/livez", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_meets_the_free_plan() {
    let venue = start(config(1.0, Plan::Basic)).await;
    let Some(found) = run(&venue, "python_client_basic.py").await else { return };
    assert_eq!(found["sip"], json!({"status": 403, "code": 42_210_000}));
    assert_eq!(found["stream"], json!({"stopped": true, "said": true}));
}
