//! `audit trace` and `audit pack`: the story of a proposal, and what an auditor can do with a pack without any program of ours.

use crate::logs::{given, open};
use crate::screen::{Home, Ran, golden};
use agenttrader_audit::log::Log;
use agenttrader_audit::proof::TlogProof;
use agenttrader_audit::read;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::digest::Digest;
use agenttrader_core::event::{MarketEvent, Quote, Trade};
use agenttrader_core::instrument::{Instrument, InstrumentId};
use agenttrader_core::price::Price;
use agenttrader_core::proposal::Proposal;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use agenttrader_floor::records::signed;
use agenttrader_outside::{command, go, python, tools};
use agenttrader_sequence::head::{Head, Source, SourceKind};
use agenttrader_sequence::input::{Fact, Input};
use agenttrader_sequence::record::Recorder;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};
use uuid::{Uuid, uuid};

const RECORDING: Uuid = uuid!("11111111-1111-4111-8111-111111111111");
/// Two proposals whose ids begin alike: the first is signed well, the second is not.
const GOOD: Uuid = uuid!("0f8e1c52-0000-8000-8000-000000000001");
const FORGED: Uuid = uuid!("0f8e1c52-0000-8000-8000-000000000002");
const GOOD_STORY: Uuid = uuid!("aaaaaaaa-0000-8000-8000-000000000001");
const FORGED_STORY: Uuid = uuid!("aaaaaaaa-0000-8000-8000-000000000002");

fn at(millis: i64) -> UnixNanos {
    UnixNanos::from_seconds(1_767_625_300).plus(Span::from_millis(millis))
}

/// Records a quote, a print and a second of SPY; gives the last input's number and the digest up to it. More follows.
fn recording(folder: &Path) -> (u64, Digest) {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("20260105T150000Z-{RECORDING}.rec"));
    let source = Source { kind: SourceKind::Venue, name: "http://127.0.0.1:9005".to_owned() };
    let head = Head::flat(RECORDING, at(0), jiff::civil::date(2026, 1, 5), source);
    let mut recorder = Recorder::create(&path, &head).unwrap();
    let spy = Symbol::parse("SPY").unwrap();
    let id = InstrumentId(0);
    let price = |text: &str| Price::parse(text).unwrap();
    let quote = |millis: i64, bid: &str, ask: &str| {
        Input::Market(MarketEvent::Quote(Quote {
            instrument: id,
            exchange_time: at(millis),
            bid: price(bid),
            ask: price(ask),
            bid_size: 300,
            ask_size: 500,
            bid_exchange: b'V',
            ask_exchange: b'V',
            condition: b'R',
        }))
    };
    let trade = Input::Market(MarketEvent::Trade(Trade {
        instrument: id,
        exchange_time: at(400),
        price: price("412.11"),
        size: 100,
        exchange: b'V',
        conditions: *b"@   ",
        trade_id: 7,
    }));
    for (millis, input) in [
        (100, Input::Instrument { id, instrument: Instrument::Equity { symbol: spy } }),
        (200, quote(200, "412.08", "412.1")),
        (300, quote(300, "412.1", "412.12")),
        (400, trade),
        (1_000, Input::Fact(Fact::Timer { wall: at(1_000) })),
    ] {
        recorder.record(at(millis), &input).unwrap();
    }
    let caused = (recorder.inputs() - 1, recorder.digest_so_far());
    recorder.record(at(1_200), &quote(1_200, "412.11", "412.13")).unwrap();
    recorder.finish().unwrap();
    caused
}

fn body(proposal_id: Uuid, correlation_id: Uuid, (number, digest): (u64, Digest)) -> String {
    let body = json!({
        "proposal_id": proposal_id, "created_at_utc": at(1_000), "repo_id": "agent-trader-v2", "agent_name": "gamma-strategy",
        "strategy_name": "gamma", "strategy_version": "1", "correlation_id": correlation_id,
        "causation": {"recording_id": RECORDING, "input_number": number, "recording_sha256": digest},
        "intent": "OPEN", "symbol": "SPY", "asset_type": "EQUITY", "side": "BUY", "quantity": 3, "order_type": "LIMIT",
        "limit_price": "412.12", "time_in_force": "DAY",
        "rationale": {"short_reason": "dealers are short gamma below 412", "indicators": {}},
        "risk": {}, "constraints": {"valid_until_utc": at(61_000), "requires_human_approval": true},
    });
    Proposal::parse(body.to_string().as_bytes()).unwrap().body().unwrap()
}

fn say(log: &Log, story: Option<Uuid>, kind: IntentType, outcome: Outcome, summary: &str, payload: Value) {
    let mut entry = Entry::new(at(1_500), kind, outcome, summary, payload);
    entry.correlation_id = story;
    log.append(entry).durable().unwrap();
}

/// A data directory whose logs tell two stories.
fn floor(home: &Home) {
    use IntentType::{ExecutionDecision, Fill, OrderProposal, OrderUpdate, Signal};
    use Outcome::{Refused, Success};
    given(home);
    let data_dir = home.path(".agenttrader");
    let caused = recording(&data_dir.join("recordings"));
    let cause =
        |number: u64, millis: i64| json!({"recording_id": RECORDING, "input_number": number, "at_utc": at(millis)});
    let why = cause(caused.0, 1_000);
    let (gamma, keys) = open(&data_dir, "gamma-strategy");
    let seen = json!({"cause": why, "strategy_name": "gamma", "symbol": "SPY", "indicators": {}});
    say(&gamma, None, Signal, Success, "SPY: dealers SHORT_GAMMA below 412", seen.clone());
    let another = json!({"cause": cause(2, 300), "strategy_name": "gamma", "symbol": "SPY", "indicators": {}});
    say(&gamma, None, Signal, Success, "an earlier signal, of another input", another);
    let good = body(GOOD, GOOD_STORY, caused);
    let signature = STANDARD.encode(keys.sign.sign(&Proposal::signed_bytes(&good)).to_bytes());
    for (id, story) in [(GOOD, GOOD_STORY), (FORGED, FORGED_STORY)] {
        let proposal: Value = serde_json::from_str(&body(id, story, caused)).unwrap();
        let payload = signed(json!({"cause": why, "proposal": proposal}), keys.sign.key_id(), &signature);
        say(&gamma, Some(story), OrderProposal, Success, "gamma OPEN BUY 3 SPY", payload);
    }
    gamma.close().unwrap();
    let (gate, _) = open(&data_dir, "shadow-gate");
    let measure =
        json!({"name": "ORDER_QTY", "bound": "300", "measured": "3", "unit": "shares", "holds": true, "refuses": true});
    let broken = json!({"name": "ORDER_RATE", "bound": "5", "measured": null, "unit": "per second", "holds": false, "refuses": true});
    for (id, story, codes, limits) in [
        (GOOD, GOOD_STORY, json!(["EXECUTION_DISABLED", "KILL_SWITCH", "APPROVAL_MISSING"]), json!([measure])),
        (FORGED, FORGED_STORY, json!(["KILL_SWITCH", "SIGNATURE_INVALID", "ORDER_RATE"]), json!([measure, broken])),
    ] {
        let digest = Proposal::digest_of_body(&body(id, story, caused));
        let names: Vec<&str> = codes.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let summary = format!("refused: {}", names.join(", "));
        let decision = json!({
            "proposal_id": id, "correlation_id": story, "decision": "REFUSE", "reason_codes": codes, "proposal_digest": digest,
            "limits": limits, "decided_at_utc": at(1_000),
        });
        say(&gate, Some(story), ExecutionDecision, Refused, &summary, json!({"cause": why, "decision": decision}));
    }
    let order = json!({"proposal_id": GOOD, "status": "SHADOWED"});
    say(
        &gate,
        Some(GOOD_STORY),
        OrderUpdate,
        Success,
        "SHADOW order: gamma OPEN 3 SPY",
        json!({"cause": why, "order": order}),
    );
    let fill = json!({"proposal_id": GOOD, "account": "SHADOW", "realised_usd": "0", "fees_usd": "0.03"});
    let later = cause(caused.0 + 1, 1_200);
    say(
        &gate,
        Some(GOOD_STORY),
        Fill,
        Success,
        "SHADOW fill: gamma 3 SPY at 412.12",
        json!({"cause": later, "fill": fill}),
    );
    gate.close().unwrap();
}

/// A screen with what depends on the build taken out: a pack's bytes and its name.
fn steady(ran: &Ran) -> String {
    let mut screen = String::new();
    for line in ran.screen().lines() {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for at in 1..words.len() {
            if words[at].starts_with("bytes") {
                words[at - 1] = "N".to_owned();
            }
        }
        screen.push_str(&words.join(" "));
        screen.push('\n');
    }
    screen
}

#[test]
fn the_story_of_a_proposal_is_told_with_its_proofs() {
    let home = Home::new();
    floor(&home);
    home.run(&["audit", "pack", "--out", "floor.tar.zst"]).exits(0);
    let (good, forged, story) = (GOOD.to_string(), FORGED.to_string(), GOOD_STORY.to_string());
    let mut screens = Vec::new();
    for (line, code) in [
        (vec!["audit", "trace", &good], 0),
        (vec!["audit", "trace", &forged], 1),
        (vec!["audit", "trace", &story, "floor.tar.zst"], 0),
        (vec!["audit", "trace", "0f8e1c52"], 2),
        (vec!["audit", "trace", "ffffffff"], 2),
        (vec!["audit", "trace", "gamma-strategy"], 2),
        (vec!["audit", "trace"], 2),
        (vec!["audit", "trace", &good, "nowhere"], 2),
    ] {
        screens.push(home.run(&line).exits(code).screen());
    }
    golden("audit_trace", &screens);
}

#[test]
fn a_story_as_json_holds_a_receipt_for_each_step() {
    let home = Home::new();
    floor(&home);
    let good = GOOD.to_string();
    let told: Value = serde_json::from_str(&home.run(&["audit", "trace", &good, "--json"]).exits(0).stdout()).unwrap();
    assert_eq!(told["outcome"]["state"], "SHADOWED");
    assert_eq!(told["inputs"]["recorded"]["recorded"], "verified");
    let market = told["inputs"]["recorded"]["market"].as_array().unwrap();
    assert_eq!(market[0]["content"]["bid"], "412.1", "the last quote before the input, not a later one");
    let steps = told["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["signal", "proposal", "decision", "order", "fill"]);
    for step in steps {
        let (agent, index) = (step["agent_name"].as_str().unwrap(), step["index"].to_string());
        home.run(&["audit", "prove", agent, &index, "--entry", &format!("{agent}-{index}")]).exits(0);
        let entry = std::fs::read(home.path(&format!("{agent}-{index}"))).unwrap();
        let receipt = TlogProof::parse(step["proof"]["tlog_proof"].as_str().unwrap().as_bytes()).unwrap();
        assert!(receipt.holds(&entry) && step["proof"]["key"].is_string(), "{step}");
    }
}

#[test]
fn what_was_altered_is_told_in_the_story() {
    let home = Home::new();
    floor(&home);
    let good = GOOD.to_string();
    let recording = home.path(&format!(".agenttrader/recordings/20260105T150000Z-{RECORDING}.rec"));
    let mut bytes = std::fs::read(&recording).unwrap();
    // A digit in the head: its checksum finds it.
    let at = bytes.windows(5).position(|five| five == b":9005").unwrap();
    bytes[at + 1] ^= 1;
    std::fs::write(&recording, &bytes).unwrap();
    let said = home.run(&["audit", "trace", &good]).exits(1);
    assert!(said.stdout().contains("was altered") && said.stdout().contains("NOT ALL HOLDS"), "{}", said.screen());
    // A letter of the proposal's words.
    let entries = std::fs::read_dir(home.path(".agenttrader/audit/gamma-strategy/tile/entries/000.p")).unwrap();
    let entries = entries.last().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&entries).unwrap();
    let at = bytes.windows(11).position(|words| words == b"dealers are").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&entries, &bytes).unwrap();
    let said = home.run(&["audit", "trace", &good]).exits(1);
    for told in ["proposal of gamma-strategy entry 7: ", "its signature does not verify", "NOT PROVED"] {
        assert!(said.stdout().contains(told), "{}", said.screen());
    }
    std::fs::remove_dir_all(home.path(".agenttrader/recordings")).unwrap();
    let said = home.run(&["audit", "trace", &good]).exits(1);
    assert!(said.stdout().contains("the recording is not here"), "{}", said.screen());
}

/// After a floor has ended: a proposal of its has a story that holds, in its data directory and in a pack.
pub fn is_told(home: &Home, agent: &str) {
    let records = read::records(&home.path(".agenttrader"), agent).unwrap().map(Result::unwrap);
    let proposal = records.into_iter().find(|record| record.intent_type == IntentType::OrderProposal).unwrap();
    let story = proposal.correlation_id.unwrap().to_string();
    let told = home.run(&["audit", "trace", &story]).exits(0);
    for step in ["1 input", " proposal   ", " decision   ", "before it, input ", "| sha256sum gives the proposal's"] {
        assert!(told.stdout().contains(step), "{step}: {}", told.screen());
    }
    home.run(&["audit", "pack", "--out", "floor.tar.zst"]).exits(0);
    home.run(&["audit", "verify", "floor.tar.zst"]).exits(0);
    let told = home.run(&["audit", "trace", &story, "floor.tar.zst"]).exits(0);
    assert!(told.stdout().contains("the recording is not here"), "{}", told.screen());
}

#[test]
fn a_story_that_goes_on_is_told_as_far_as_it_has_come() {
    let home = Home::new();
    floor(&home);
    let good = GOOD.to_string();
    let (gate, _) = open(&home.path(".agenttrader"), "shadow-gate");
    let update = json!({"order": {"proposal_id": GOOD, "status": "CANCELED"}});
    say(&gate, Some(GOOD_STORY), IntentType::OrderUpdate, Outcome::Success, "written just now", update);
    let told = home.run(&["audit", "trace", &good, "--json"]).exits(0).stdout();
    let told: Value = serde_json::from_str(&told).unwrap();
    let last = told["steps"].as_array().unwrap().iter().find(|step| step["summary"] == "written just now").unwrap();
    // A checkpoint comes within a second or so: before that it is said that there is none.
    let proof = last["proof"]["proof"].as_str().unwrap();
    assert!(["covered", "not_yet"].contains(&proof), "{last}");
    gate.close().unwrap();
}

#[test]
fn a_pack_is_written_recorded_and_verified() {
    let home = Home::new();
    let nothing = home.run(&["audit", "pack"]).exits(2).screen();
    floor(&home);
    let packed = home.run(&["audit", "pack", "--out", "floor.tar.zst"]).exits(0);
    let screens = [
        nothing,
        steady(&packed),
        steady(&home.run(&["audit", "verify", "floor.tar.zst"]).exits(0)),
        home.run(&["audit", "pack", "--out", "floor.tar.zst"]).exits(2).screen(),
        home.run(&["audit", "pack", "--out", "floor.tgz"]).exits(2).screen(),
    ];
    golden("audit_pack", &screens);
    let shown = home.run(&["audit", "show", "governance-cli", "1", "--json"]).exits(0).stdout();
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let sha256 = Digest::of(&std::fs::read(home.path("floor.tar.zst")).unwrap());
    assert_eq!(shown["record"]["intent_type"], "report_generated");
    assert_eq!(shown["record"]["intent_payload"]["sha256"], sha256.to_string());
    // By its own name, as JSON: the log of the packs is in it by now.
    let told: Value = serde_json::from_str(&home.run(&["audit", "pack", "--json"]).exits(0).stdout()).unwrap();
    let path = told["path"].as_str().unwrap();
    assert!(path.starts_with(".agenttrader/packs/") && path.ends_with(".tar.zst"), "{path}");
    assert_eq!(told["about"]["logs"].as_array().unwrap().len(), 3);
    home.run(&["audit", "verify", path]).exits(0);
    home.run(&["audit", "verify"]).exits(0);
    // One bit of the first pack.
    let mut bytes = std::fs::read(home.path("floor.tar.zst")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(home.path("floor.tar.zst"), bytes).unwrap();
    home.run(&["audit", "verify", "floor.tar.zst"]).exits(1);
    home.run(&["audit", "trace", &GOOD.to_string(), "floor.tar.zst"]).exits(1);
}

#[test]
fn a_pack_waits_for_nobody_who_holds_its_log() {
    let home = Home::new();
    floor(&home);
    home.run(&["audit", "pack"]).exits(0);
    let lock = std::fs::File::open(home.path(".agenttrader/audit-state/governance-cli/lock")).unwrap();
    lock.lock().unwrap();
    let ran = home.run(&["audit", "pack"]).exits(75);
    assert!(ran.stderr().contains("hint: "), "{}", ran.screen());
    assert_eq!(std::fs::read_dir(home.path(".agenttrader/packs")).unwrap().count(), 1);
}

/// The blocks of shell in a text, as they stand there.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        match (line, &mut block) {
            ("```sh", None) => block = Some(String::new()),
            ("```", Some(_)) => blocks.extend(block.take()),
            (line, Some(block)) => {
                block.push_str(line);
                block.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn every_command_of_a_packs_readme_runs_as_it_is_printed_and_finds_what_was_altered() {
    let needed = ["tar", "zstd", "sha256sum", "go"].map(command);
    let (Some(_), Some(python), false) = (go(), python("aics_tlog.cli"), needed.contains(&None)) else { return };
    let home = Home::new();
    floor(&home);
    let key = crate::logs::witness().verifier();
    home.write(".agenttrader/audit-state/mission-control/witnesses", &format!("{key}\n"));
    home.run(&["audit", "pack", "--out", "floor.tar.zst"]).exits(0);
    let readme =
        Command::new("tar").args(["--zstd", "-xOf"]).arg(home.path("floor.tar.zst")).arg("README.md").output().unwrap();
    let readme = String::from_utf8(readme.stdout).unwrap();
    let blocks = blocks(&readme);
    assert_eq!(blocks.len(), 6, "seal, unpack, payloads, Go, Python, cosigned: {readme}");
    let path = format!("{}:{}", python.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let run = |folder: &str, script: &str| -> Output {
        std::fs::create_dir_all(home.path(folder)).unwrap();
        Command::new("sh")
            .args(["-euc", script])
            .current_dir(home.path(folder))
            .env("PACK", home.path("floor.tar.zst"))
            .env("PATH", &path)
            .env("GOCACHE", tools().join("go/cache"))
            .output()
            .unwrap()
    };
    let all = run("auditor", &blocks.concat());
    let said = format!("{}{}", String::from_utf8_lossy(&all.stdout), String::from_utf8_lossy(&all.stderr));
    assert!(all.status.success(), "{said}");
    assert!(said.contains("logs/gamma-strategy 9 ") && said.contains("logs/shadow-gate 7 "), "{said}");

    let unpacked = |change: &str, block: &str| {
        let folder = format!("auditor-{}", Digest::of(format!("{change}{block}").as_bytes()));
        run(&folder, &[&blocks[1], change, "\n", block].concat()).status.success()
    };
    let index = blocks[1].lines().skip(3).collect::<Vec<_>>().join("\n");
    assert!(unpacked("", &index) && unpacked("", &blocks[3]));
    for (change, found_by) in [
        ("printf x >> logs/shadow-gate/tile/0/000.p/7", &index),
        ("touch logs/other", &index),
        ("ln -s ../vkeys logs/other", &index),
        ("mkfifo logs/other", &index),
        ("mv vkeys .. && ln -s ../vkeys vkeys", &index),
        ("rm vkeys", &index),
        ("for blob in blobs/*; do printf x >> $blob; done", &blocks[2]),
        ("sed -i s/KILL_SWITCH/KILL_SWITCX/ logs/shadow-gate/tile/entries/000.p/7", &blocks[3]),
        ("sed -i s/^7$/6/ logs/shadow-gate/checkpoint", &blocks[3]),
        ("mv logs/shadow-gate logs/other", &blocks[3]),
        ("sed -i s/^9$/8/ logs/gamma-strategy/checkpoint", &blocks[4]),
        ("sed -i s/^5$/4/ cosigned/gamma-strategy", &blocks[5]),
    ] {
        assert!(!unpacked(change, found_by), "{change}");
    }
    let sealed = run("seal", "head -c 100 \"$PACK\" > cut; PACK=cut; ".to_owned().as_str());
    assert!(sealed.status.success());
    assert!(!run("seal", &format!("head -c 1000 \"$PACK\" > cut; PACK=cut; {}", blocks[0])).status.success());
}
