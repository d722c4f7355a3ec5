//! Secrets go in wherever one can, into a real floor at a venue that repeats them, and come out nowhere.

mod forms;
mod hostile;

use crate::screen::{Home, Ran, Running, WITHIN};
use forms::{Needle, files, found, needles};
use hostile::{HostileVenue, hostile_health};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const KEY_ID: &str = "PKHOSTILE0KEY1ID";
const API_SECRET: &str = r#"s3cr+t/"key"\w~th=odd"#;
const API_TOKEN: &str = "t0ken-0123456789abcdef-0123456789";
const PASSWORD: &str = "p4ss/w@rd 1 & more";
const PASSWORD_IN_URL: &str = "p4ss%2Fw%40rd%201%20&%20more";
const HEALTH_TOKEN: &str = "he4lth-7f3a9c2e51";
const FILE_SECRET: &str = "f1le-secret-5b1d77";
const WRONG_TOKEN: &str = "wr0ng-token-91ae3c5d7f";
const COOKIE: &str = "c00kie-value-62bd81";
const QUERY_TOKEN: &str = "qu3ry-token-aa17c9";
const CLAIM_PASSWORD: &str = "cl41m-password-0d2e";

/// The stream of events, which has no end.
const STREAM: &str = "/api/v1/events/stream";

/// Sends a request with these headers; the whole answer, headers too.
fn ask(address: &str, path: &str, headers: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(WITHIN)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}Connection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut part) {
        answer.extend_from_slice(&part[..read]);
        // What the stream holds of the past stands before its first heartbeat.
        if path == STREAM && answer.windows(9).any(|window| window == b"heartbeat") {
            break;
        }
    }
    assert!(answer.starts_with(b"HTTP/1.1 "), "{path}: {}", String::from_utf8_lossy(&answer));
    answer
}

/// What was printed and answered, by where it was.
#[derive(Default)]
struct Outside(Vec<(String, Vec<u8>)>);

impl Outside {
    fn ran(&mut self, ran: &Ran) {
        self.0.push((ran.screen(), [ran.stdout(), ran.stderr()].concat().into_bytes()));
    }

    fn running(&mut self, name: &str, running: &Running) {
        self.0.push((format!("output of {name}"), [running.out(), running.err()].concat().into_bytes()));
    }

    /// Asks for every kind of path with every kind of credential.
    fn asked(&mut self, address: &str) {
        let right = format!("Authorization: Bearer {API_TOKEN}\r\nLast-Event-ID: marketdata-mcp-server:0\r\n");
        let wrong =
            format!("Authorization: Bearer {WRONG_TOKEN}\r\nCookie: session={COOKIE}\r\nX-Api-Key: {WRONG_TOKEN}\r\n");
        let basic = "Authorization: Basic d3IwbmctdG9rZW4tOTFhZTNjNWQ3Zjp4\r\n".to_owned();
        for path in [
            "/api/v1/agents",
            "/api/v1/agents/marketdata-mcp-server",
            "/api/v1/safety",
            "/api/v1/proposals",
            "/api/v1/decisions",
            "/api/v1/events/recent?limit=500",
            STREAM,
            "/api/v1/market/SPY",
            "/api/v1/audit",
            "/api/v1/openapi.json",
            "/ops/status",
            "/readyz",
            "/healthz",
            "/heartbeat",
            "/metrics",
            "/audit/checkpoint",
        ] {
            for headers in [&right, &wrong, &basic] {
                self.0.push((format!("{path} of {address}"), ask(address, path, headers)));
            }
        }
        for path in ["/api/v1/safety", "/api/v1/proposals", "/ops/status", "/nowhere", "/audit/tile/0/000"] {
            for query in
                [format!("token={QUERY_TOKEN}"), format!("limit={QUERY_TOKEN}"), format!("before={QUERY_TOKEN}")]
            {
                self.0.push((format!("{path}?{query}"), ask(address, &format!("{path}?{query}"), &right)));
            }
        }
    }
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < WITHIN, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The private keys of a data directory, as their seeds and as PKCS #8 (RFC 8410) holds them.
fn private_keys(data_dir: &Path) -> Vec<Needle> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(data_dir.join("keys")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !(name.ends_with(".log") || name.ends_with(".sign") || name == "witness") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let seed = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text.trim()).unwrap();
        assert_eq!(seed.len(), 32);
        all.extend(needles(&path.display().to_string(), &seed));
    }
    all
}

/// The archive in a pack, which holds its files as they are, with what its frames to skip hold (RFC 8878, section 3.1.2).
fn unpacked(pack: &[u8]) -> Vec<u8> {
    let (mut rest, mut archive) = (pack, Vec::new());
    while let [first, second, third, fourth, ..] = *rest {
        if first & 0xf0 == 0x50 && [second, third, fourth] == [0x2a, 0x4d, 0x18] {
            let length = u32::from_le_bytes(rest[4..8].try_into().unwrap()) as usize;
            archive.extend_from_slice(&rest[8..8 + length]);
            rest = &rest[8 + length..];
        } else {
            ruzstd::decoding::StreamingDecoder::new(&mut rest).unwrap().read_to_end(&mut archive).unwrap();
        }
    }
    archive
}

#[test]
fn no_secret_that_goes_in_comes_out_in_a_file_a_line_or_an_answer() {
    let home = Home::new();
    let mut outside = Outside::default();
    let mut real = home.start(&["venue", "--port-base", "0", "--seed", "7", "--data-dir", "venue"]);
    let real_address = real.address("venue simulator");
    let (venue, venue_address) = HostileVenue::start(&real_address);
    let (health, asked_for_health) = hostile_health();
    let environment: Vec<String> = vec![
        format!("APCA_API_KEY_ID={KEY_ID}"),
        format!("APCA_API_SECRET_KEY={API_SECRET}"),
        format!("AGENTTRADER_API_TOKEN={API_TOKEN}"),
        format!("MARKETDATA_HEALTH_URL=http://health:{PASSWORD_IN_URL}@{health}/healthz?token={HEALTH_TOKEN}"),
        format!("EXECUTION_HALTED={API_SECRET}"),
        "USER=ada".to_owned(),
    ];
    let with = |more: &[&str], line: &[&str]| -> Vec<String> {
        let words = more.iter().chain(line).map(|word| (*word).to_owned());
        environment.iter().cloned().chain(words).collect()
    };
    let run = |more: &[&str], line: &[&str]| home.run(&with(more, line).iter().map(String::as_str).collect::<Vec<_>>());
    let start =
        |more: &[&str], line: &[&str]| home.start(&with(more, line).iter().map(String::as_str).collect::<Vec<_>>());

    // URLs with credentials are refused, and files that hold what they should not; `config show` shows all there is.
    for variable in ["APCA_API_BASE_URL", "APCA_API_DATA_URL"] {
        let url = format!("{variable}=http://me:{PASSWORD_IN_URL}@{venue_address}/?token={HEALTH_TOKEN}");
        let base = format!("APCA_API_BASE_URL=http://{venue_address}");
        outside.ran(&run(&[&base, &url], &["floor", "--port-base", "0"]).exits(78));
        outside.ran(&run(&[&base, &url], &["config", "show"]).exits(0));
        outside.ran(&run(&[&base, &url], &["config", "show", "--json"]).exits(0));
    }
    for (name, text) in [
        ("unknown", format!("api_secret = \"{FILE_SECRET}\"\n")),
        ("torn", format!("port_base = 1\napi_secret_key = \"{FILE_SECRET}\n")),
        ("bad", format!("port_base = \"{API_SECRET}\"\n", API_SECRET = API_TOKEN)),
        ("table", format!("[agents]\npassword = \"{FILE_SECRET}\" x\n")),
    ] {
        home.write(&format!("{name}.toml"), &text);
        outside.ran(&run(&[], &["config", "show", "--config", &format!("{name}.toml")]).exits(78));
    }

    // A floor at the venue that repeats what it is sent, a strategy at a service that does.
    let at = [format!("APCA_API_BASE_URL=http://{venue_address}"), format!("APCA_API_DATA_URL=http://{venue_address}")];
    let at: Vec<&str> = at.iter().map(String::as_str).collect();
    let mut floor = start(&at, &["floor", "--port-base", "0"]);
    let real_at = [
        format!("APCA_API_BASE_URL=http://{real_address}"),
        "APCA_API_SECRET_KEY=local-only".to_owned(),
        "REPO_ID=agent-trader-v2".to_owned(),
        "AGENT_NAME=gamma-strategy".to_owned(),
        "AGENT_ROLE=strategy_eval".to_owned(),
        format!("AGENT_MODE={API_TOKEN}"),
        format!("EXECUTION_HALTED={API_TOKEN}"),
    ];
    let real_at: Vec<&str> = real_at.iter().map(String::as_str).collect();
    let mut strategy = start(&real_at, &["strategy", "--port-base", "0", "--data-dir", "strategy"]);
    until("the venue and the service have said everything", || {
        venue.said_all() && asked_for_health.load(Ordering::SeqCst) > 5
    });
    floor.wait_for("what the venue said on every way", |out, _| {
        let told = |said: &str| out.contains(said);
        let all =
            ["GET /v2/clock: 500", "GET /v2/clock: 302", "server said 406", "4000 ", "refused for good", "rejected"];
        all.into_iter().all(told).then_some(())
    });
    let halted = format!("rotate {API_TOKEN}, Bearer {CLAIM_PASSWORD}, password={CLAIM_PASSWORD}");
    outside.ran(&run(&[], &["halt", "--reason", &halted]).exits(0));
    let addresses: Vec<String> = ["mission control", "market data", "gamma strategy", "shadow gate"]
        .into_iter()
        .map(|label| floor.address(label))
        .chain([strategy.address("gamma-strategy")])
        .collect();
    for address in &addresses {
        outside.asked(address);
    }
    for line in [&["status"][..], &["status", "--json"], &["proposals"], &["proposals", "--json"]] {
        outside.ran(&run(&[], line).exits(0));
    }
    venue.refuse();
    floor.wait_for("the end of the feed", |_, err| err.contains("the feed ended").then_some(()));
    for (name, running) in [("floor", &mut floor), ("strategy", &mut strategy)] {
        assert_eq!(running.end("INT").0, Some(0), "{}", running.err());
        outside.running(name, running);
    }
    assert!(floor.out().contains("[redacted]") && floor.err().contains("[redacted]"), "{}", floor.err());
    assert!(strategy.out().contains("[redacted]"), "{}", strategy.out());

    // Mission control alone demands the token.
    let mut alone = start(&[], &["mission-control", "--port-base", "0", "--data-dir", "alone"]);
    outside.asked(&alone.address("mission control"));
    assert_eq!(alone.end("TERM").0, Some(0));
    outside.running("mission control", &alone);

    let recording = std::fs::read_dir(home.path(".agenttrader/recordings")).unwrap().next().unwrap().unwrap().path();
    let recording = recording.to_str().unwrap();
    for (line, code) in [
        (&["replay", recording, "--verify", ".agenttrader", "--out", "replayed"][..], 0),
        (&["record", "info", recording, "--json"], 0),
        (&["record", "info", recording], 0),
        (&["audit", "tail", "-n", "1000"], 0),
        (&["audit", "tail", "-n", "1000", "--json"], 0),
        (&["audit", "show", "marketdata-mcp-server", "1"], 0),
        (&["audit", "export", "--agent", "marketdata-mcp-server", "--out", "exported.ndjson"], 0),
        (&["audit", "export", "--agent", "marketdata-mcp-server", "--format", "tiles", "--out", "exported"], 0),
        (&["audit", "checkpoint", "--export"], 0),
        (&["audit", "vkey", "gamma-strategy"], 0),
        (&["audit", "pack", "--out", "floor.tar.zst"], 0),
        (&["audit", "verify", "floor.tar.zst"], 0),
        (&["audit", "pack"], 0),
        (&["audit", "verify"], 0),
        (&["status", "--port-base", "1"], 69),
    ] {
        outside.ran(&run(&[], line).exits(code));
    }

    let mut all: Vec<Needle> = Vec::new();
    for (name, secret) in [
        ("key id", KEY_ID),
        ("API secret", API_SECRET),
        ("API token", API_TOKEN),
        ("password", PASSWORD),
        ("password in the URL", PASSWORD_IN_URL),
        ("token in the URL", HEALTH_TOKEN),
        ("secret of a file", FILE_SECRET),
        ("wrong token", WRONG_TOKEN),
        ("cookie", COOKIE),
        ("token in a query", QUERY_TOKEN),
        ("password of a claim", CLAIM_PASSWORD),
        // What a cut leaves of a secret.
        ("beginning of the key id", &KEY_ID[..8]),
        ("beginning of the API secret", &API_SECRET[..8]),
        ("beginning of the API token", &API_TOKEN[..8]),
        ("beginning of the password", &PASSWORD[..8]),
    ] {
        all.extend(needles(name, secret.as_bytes()));
    }
    for data_dir in [".agenttrader", "strategy", "alone"] {
        all.extend(private_keys(&home.path(data_dir)));
    }
    let mut searched = outside.0;
    for folder in [".agenttrader", "strategy", "alone", "replayed", "exported"] {
        searched.extend(files(&home.path(folder)));
    }
    searched.push(("exported.ndjson".to_owned(), std::fs::read(home.path("exported.ndjson")).unwrap()));
    searched.push(("floor.tar.zst".to_owned(), std::fs::read(home.path("floor.tar.zst")).unwrap()));
    let packs: Vec<_> = searched.iter().filter(|(place, _)| place.ends_with(".tar.zst")).cloned().collect();
    assert_eq!(packs.len(), 2);
    for (place, bytes) in packs {
        let unpacked = unpacked(&bytes);
        assert!(unpacked.windows(8).any(|window| window == b"checkpoi"), "{place}");
        searched.push((format!("inside {place}"), unpacked));
    }
    let leaks: Vec<String> = searched
        .iter()
        .filter_map(|(place, bytes)| {
            let found = found(&all, bytes);
            (!found.is_empty()).then(|| format!("{place}: {found:?}"))
        })
        .collect();
    assert!(leaks.is_empty(), "of {} places: {leaks:#?}", searched.len());
}

/// The names of all properties in a document of JSON Schema.
fn properties(of: &serde_json::Value, into: &mut Vec<String>) {
    if let Some(members) = of.as_object() {
        into.extend(
            members
                .get("properties")
                .and_then(|named| named.as_object())
                .into_iter()
                .flat_map(|named| named.keys().cloned()),
        );
    }
    let inner: Vec<&serde_json::Value> = match of {
        serde_json::Value::Object(members) => members.values().collect(),
        serde_json::Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().for_each(|value| properties(value, into));
}

#[test]
fn no_field_of_an_answer_is_named_like_a_secret() {
    let document: serde_json::Value = serde_json::from_str(&agenttrader_mission_control::api::openapi()).unwrap();
    let mut names = Vec::new();
    properties(&document, &mut names);
    assert!(names.len() > 100, "{names:?}");
    let taken_for_secrets: Vec<_> =
        names.iter().filter(|name| agenttrader_audit::redact::names_a_secret(name)).collect();
    assert!(taken_for_secrets.is_empty(), "{taken_for_secrets:?}");
}
