//! `record import`, `record info`, `replay` and a floor over a recording.

use crate::screen::{Home, golden};
use serde_json::Value;
use std::io::Write as _;

/// A folder in LEAN's format: SPY on Monday 2013-10-07, trades by the minute for an hour.
fn lean(home: &Home) {
    home.write("data/equity/usa/minute/spy/about", "");
    let mut csv = String::new();
    for minute in 0..60_i64 {
        let millis = 34_200_000 + minute * 60_000;
        // Rising, so that a strategy that follows the trend has something to follow.
        let price = 1_680_000 + minute * 500;
        csv.push_str(&format!("{millis},{price},{},{},{},{}\n", price + 300, price - 300, price + 200, 1_000 + minute));
    }
    let file = std::fs::File::create(home.path("data/equity/usa/minute/spy/20131007_trade.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    zip.start_file("20131007_spy_minute_trade.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(csv.as_bytes()).unwrap();
    zip.finish().unwrap();
    std::fs::remove_file(home.path("data/equity/usa/minute/spy/about")).unwrap();
}

const IMPORT: [&str; 11] =
    ["record", "import", "data", "--format", "lean", "--symbol", "SPY", "--date", "2013-10-07", "--out", "spy.rec"];

#[test]
fn a_vendors_day_is_imported_looked_at_replayed_and_compared() {
    let home = Home::new();
    lean(&home);
    let strategies = ["--strategies", "gamma,whale,naive_flow_trend"];
    let mut screens = vec![
        home.run(&IMPORT).exits(0).screen(),
        home.run(&["record", "info", "spy.rec"]).exits(0).screen(),
        home.run(&[&["replay", "spy.rec", "--out", "bodies"][..], &strategies].concat()).exits(0).screen(),
    ];
    let info: Value =
        serde_json::from_str(&home.run(&["record", "info", "spy.rec", "--json"]).exits(0).stdout()).unwrap();
    assert_eq!(info["symbols"], serde_json::json!(["SPY"]));
    let verify = [&["replay", "spy.rec", "--verify", "bodies/bodies.txt"][..], &strategies].concat();
    screens.push(home.run(&verify).exits(0).screen());
    let json: Value = serde_json::from_str(&home.run(&[&verify[..], &["--json"]].concat()).exits(0).stdout()).unwrap();
    assert_eq!(json["verify"]["identical"], true);
    assert!(json["replay"]["bodies_sha256"].is_string());

    // One number of one body changed: found, with both sides.
    let bodies = std::fs::read_to_string(home.path("bodies/bodies.txt")).unwrap();
    assert!(bodies.contains("\"quantity\":"), "naive_flow_trend proposes: {bodies}");
    home.write("changed.txt", &bodies.replacen("\"quantity\":", "\"quantity\":9", 1));
    let differs =
        home.run(&[&["replay", "spy.rec", "--verify", "changed.txt"][..], &strategies].concat()).exits(1).stdout();
    for said in ["DIFFERENT", "/quantity", "replayed   ", "recorded   "] {
        assert!(differs.contains(said), "{said}: {differs}");
    }
    // One body fewer on either side: said in words, with what it is that one side lacks.
    let (shorter, _) = bodies.trim_end().rsplit_once('\n').unwrap();
    home.write("shorter.txt", &format!("{shorter}\n"));
    home.write("longer.txt", &format!("{bodies}fill {{}}\n"));
    for (file, said) in
        [("shorter.txt", "stands nowhere in the record"), ("longer.txt", "was recorded and the replay made none")]
    {
        let differs = home.run(&[&["replay", "spy.rec", "--verify", file][..], &strategies].concat()).exits(1).stdout();
        assert!(differs.contains(said) && !differs.contains("``"), "{file}: {differs}");
    }
    home.write("garbage.txt", &format!("{bodies}fill no JSON\n"));
    home.run(&[&["replay", "spy.rec", "--verify", "garbage.txt"][..], &strategies].concat()).exits(2);
    golden("recordings", &screens);
}

#[test]
fn a_floor_plays_a_recording_and_says_when_it_is_over() {
    let home = Home::new();
    lean(&home);
    home.run(&IMPORT).exits(0);
    let mut floor = home.start(&[
        "floor",
        "--recording",
        "spy.rec",
        "--speed",
        "400",
        "--port-base",
        "0",
        "--strategies",
        "gamma,whale,naive_flow_trend",
    ]);
    floor.wait_for("its market", |_, err| err.contains("recording spy.rec").then_some(()));
    floor.wait_for("the end of the recording", |_, err| err.contains("the recording is over").then_some(()));
    assert_eq!(floor.end("INT").0, Some(0), "{}", floor.err());
    let recording = std::fs::read_dir(home.path(".agenttrader/recordings")).unwrap().next().unwrap().unwrap().path();
    let proof = home.run(&["replay", recording.to_str().unwrap(), "--verify", ".agenttrader"]).exits(0);
    assert!(proof.stdout().contains("IDENTICAL"), "{}", proof.screen());
    crate::stories::is_told(&home, "gamma-strategy");
}

#[test]
fn what_cannot_be_imported_or_read_is_named() {
    let home = Home::new();
    lean(&home);
    home.run(&IMPORT).exits(0);
    let recording = std::fs::read(home.path("spy.rec")).unwrap();
    home.write("text.rec", "no recording at all\n");
    std::fs::write(home.path("cut.rec"), &recording[..10]).unwrap();
    let mut broken = recording.clone();
    let middle = broken.len() / 2;
    broken[middle..middle + 8].fill(0xff);
    std::fs::write(home.path("broken.rec"), &broken).unwrap();
    let import = |symbol, date, src, out| {
        home.run(&["record", "import", src, "--format", "lean", "--symbol", symbol, "--date", date, "--out", out])
            .exits(2)
    };
    let screens = [
        import("SPY", "2013-10-07", "data", "spy.rec"),
        import("QQQ", "2013-10-07", "data", "new.rec"),
        import("SPY", "2013-10-08", "data", "new.rec"),
        import("SPY", "2013-12-25", "data", "new.rec"),
        import("SPY", "2013-10-07", "nowhere", "new.rec"),
        import("spy!", "2013-10-07", "data", "new.rec"),
        import("SPY", "2013-13-07", "data", "new.rec"),
        home.run(&["record", "info", "missing.rec"]).exits(2),
        home.run(&["record", "info", "text.rec"]).exits(2),
        home.run(&["record", "info", "cut.rec"]).exits(2),
        home.run(&["record", "info", "broken.rec"]).exits(2),
        home.run(&["replay", "text.rec"]).exits(2),
        home.run(&["replay", "broken.rec"]).exits(2),
        home.run(&["replay", "spy.rec", "--verify", "missing.txt"]).exits(2),
        home.run(&["replay", "spy.rec", "--strategies", "gama"]).exits(78),
        home.run(&["floor", "--recording", "missing.rec", "--port-base", "0"]).exits(2),
    ];
    golden("recordings_refused", &screens.map(|ran| ran.screen()));
    assert!(!home.path("new.rec").exists(), "an import that fails leaves no recording");
}
