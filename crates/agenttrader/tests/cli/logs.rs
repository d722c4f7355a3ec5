//! Logs to look into: written by the real log, with keys and times that are always the same.

use crate::screen::Home;
use agenttrader_agent::keys::Keys;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::log::{Log, origin};
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::UnixNanos;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// The agents that have logs, with the byte of their keys' seeds.
pub const AGENTS: [(&str, AgentRole, u8); 2] =
    [("gamma-strategy", AgentRole::StrategyEval, 1), ("shadow-gate", AgentRole::Ops, 2)];

/// The witness, whose key's seed is of one byte too.
pub fn witness() -> NoteSigner {
    NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[9; 32]))
}

fn at(second: i64) -> UnixNanos {
    UnixNanos::from_seconds(1_767_625_200 + second)
}

/// An agent's log in that data directory, opened.
pub fn open(data_dir: &Path, agent: &str) -> (Log, Keys) {
    let (name, role, seed) = AGENTS.into_iter().find(|(name, ..)| *name == agent).unwrap();
    let folder = data_dir.join("keys");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (kind, byte) in [("log", seed), ("sign", seed + 100)] {
        let file = folder.join(format!("{name}.{kind}"));
        std::fs::write(&file, format!("{}\n", STANDARD.encode([byte; 32]))).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let keys = Keys::open(data_dir, name).unwrap();
    let identity = AgentIdentity { agent_name: name.to_owned(), agent_role: role, agent_mode: AgentMode::Observe };
    let build = Build { git_sha: "unknown".to_owned(), build_id: "test".to_owned() };
    let signer = keys.log.note_signer(&origin(REPO_ID, name));
    (Log::open(data_dir, identity, REPO_ID, build, signer).unwrap(), keys)
}

/// Appends and waits.
pub fn append(log: &Log, second: i64, kind: IntentType, outcome: Outcome, summary: &str, payload: Value) {
    log.append(Entry::new(at(second), kind, outcome, summary, payload)).durable().unwrap();
}

/// A data directory with two agents' logs: five records of one, one of them with a large payload, and three of the other, all covered by
/// checkpoints; the first one's is cosigned.
pub fn given(home: &Home) {
    use IntentType::{AgentStart, AgentStop, ExecutionDecision, OrderProposal, Signal};
    use Outcome::{Failure, Refused, Started, Success};
    let data_dir = home.path(".agenttrader");
    let (gamma, keys) = open(&data_dir, "gamma-strategy");
    append(&gamma, 0, AgentStart, Started, "agent starts", json!({"public_keys": keys.public()}));
    append(&gamma, 2, Signal, Success, "SPY: dealers SHORT_GAMMA", json!({"symbol": "SPY"}));
    append(&gamma, 3, OrderProposal, Success, "gamma OPEN BUY 3 SPY", json!({"proposal": {"quantity": 3}}));
    let large = json!({"chain": "strike ".repeat(12_000)});
    append(&gamma, 5, Signal, Failure, "a chain that is too long to print", large);
    append(&gamma, 9, AgentStop, Success, "agent stops", json!({"reason": "SIGTERM"}));
    gamma.close().unwrap();
    let (gate, keys) = open(&data_dir, "shadow-gate");
    append(&gate, 1, AgentStart, Started, "agent starts", json!({"public_keys": keys.public()}));
    append(&gate, 4, ExecutionDecision, Refused, "refused: KILL_SWITCH", json!({"decision": "REFUSE"}));
    append(&gate, 10, AgentStop, Success, "agent stops", json!({"reason": "SIGTERM"}));
    gate.close().unwrap();
    let checkpoint = std::fs::read(data_dir.join("audit/gamma-strategy/checkpoint")).unwrap();
    let signed = SignedCheckpoint::parse(&checkpoint).unwrap();
    let line = witness().sign(&signed.checkpoint.to_string(), 1_767_625_212);
    home.write(".agenttrader/audit-state/mission-control/cosigned/gamma-strategy", &signed.with(line).to_string());
}

/// Changes one bit of the byte at that offset.
pub fn damage(home: &Home, path: &str, offset: usize) {
    let path = home.path(path);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[offset] ^= 1;
    std::fs::write(&path, bytes).unwrap();
}

/// Serves the folder of a log, as an agent does, until the test ends. Gives the address.
pub fn serve(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let _ = reader.read_line(&mut line);
            let path =
                line.split(' ').nth(1).and_then(|path| path.strip_prefix("/audit/")).unwrap_or("none").to_owned();
            while !line.trim().is_empty() {
                line.clear();
                let _ = reader.read_line(&mut line);
            }
            let (status, body) = match std::fs::read(folder.join(path)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    address
}
