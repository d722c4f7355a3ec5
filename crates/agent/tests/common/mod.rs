//! A snapshot with nothing wrong, and a client that says what it wants to.

#![allow(dead_code, reason = "each test file uses its part")]

use agenttrader_agent::snapshot::{Market, Snapshot};
use agenttrader_agent::start::Identity;
use agenttrader_agent::status::{Audit, KillSwitch, Safety};
use agenttrader_audit::merkle::{Frontier, leaf_hash};
use agenttrader_audit::tile::{self, Level, Tile, tiles_of};
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::{Span, UnixNanos};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub fn snapshot(name: &str, role: AgentRole) -> Snapshot {
    let build = Build { git_sha: "0123456789abcdef0123456789abcdef01234567".into(), build_id: "unknown".into() };
    let now = UnixNanos::parse("2026-01-05T15:00:00Z").unwrap();
    Snapshot {
        identity: Identity {
            repo_id: REPO_ID.into(),
            agent: AgentIdentity { agent_name: name.into(), agent_role: role, agent_mode: AgentMode::Observe },
            build: build.clone(),
            build_shown: build,
            mode_problem: None,
        },
        published: now,
        heartbeat_ttl_seconds: 5,
        speed: 1.0,
        market: Market {
            is_open: true,
            last_tick: Some(now.minus(Span::from_millis(1_250))),
            last_bar: Some(UnixNanos::parse("2026-01-05T14:59:00Z").unwrap()),
            age: Some(Span::from_millis(1_250)),
            max_age_seconds: 30,
            forced_stale: false,
        },
        safety: Safety {
            kill_switch: KillSwitch {
                halted: true,
                source: Some("file".into()),
                since_utc: UnixNanos::parse("2026-01-05T14:00:00Z").ok(),
            },
            safe_to_run_strategies: true,
            safe_to_execute_orders: false,
            gating_reasons: vec!["EXECUTION_DISABLED".into(), "AGENT_MODE_NOT_EXECUTE".into(), "KILL_SWITCH".into()],
        },
        audit: Audit {
            origin: format!("agenttrader/{REPO_ID}/{name}"),
            tree_size: 42,
            root_hash: Some("o15GqQWzxogs8Zo5iJJ/0GcoapuLZGHFQJEmfP6fJr4=".into()),
            checkpoint_utc: UnixNanos::parse("2026-01-05T14:59:59Z").ok(),
        },
        unwritable: Vec::new(),
        execution_enabled: false,
        not_ready: Vec::new(),
    }
}

fn entry(index: u64) -> Vec<u8> {
    format!("entry-{index}\n").into_bytes()
}

/// The bytes of a tile or bundle of a log whose entries are `entry-0`, `entry-1`, ….
pub fn tile_bytes(tile: Tile) -> Vec<u8> {
    let first = tile.index * 256;
    match tile.level {
        Level::Entries => {
            let entries: Vec<Vec<u8>> = (first..first + u64::from(tile.width)).map(entry).collect();
            tile::bundle(entries.iter().map(Vec::as_slice)).unwrap()
        }
        Level::Hashes(level) => (first..first + u64::from(tile.width))
            .flat_map(|index| {
                let leaves = 1 << (8 * u32::from(level));
                let mut subtree = Frontier::default();
                (index * leaves..(index + 1) * leaves).for_each(|leaf| subtree.push(leaf_hash(&entry(leaf))));
                *subtree.root().as_bytes()
            })
            .collect(),
    }
}

/// Grows the log in a folder to that size: writes the tiles it then has, and removes the partial ones it had.
pub fn grow(folder: &std::path::Path, old: u64, size: u64) {
    for tile in tile::new_tiles(old, size) {
        let path = folder.join(tile.to_string());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, tile_bytes(tile)).unwrap();
    }
    std::fs::write(folder.join("checkpoint"), format!("a checkpoint of {size}\n")).unwrap();
    for tile in tile::outgrown(old, size) {
        let _ = std::fs::remove_file(folder.join(tile.to_string()));
    }
    assert!(tiles_of(size).all(|tile| folder.join(tile.to_string()).is_file()));
}

/// Sends these bytes and reads the answer to its end: status, head, body.
pub fn ask(address: SocketAddr, request: &str) -> (u16, String, String) {
    let (status, head, body) = ask_bytes(address, request);
    (status, head, String::from_utf8(body).unwrap())
}

/// The same, for a body that is no text.
pub fn ask_bytes(address: SocketAddr, request: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // A server that refuses early may reset the connection after its answer.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_lowercase(), bytes.get(end + 4..).unwrap_or_default().to_vec())
}

/// A GET request with these further header lines, each with its line end.
pub fn get(path: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n")
}

/// Compares with a file a person has read; `UPDATE_GOLDEN=1` writes it.
pub fn golden(name: &str, value: &impl serde::Serialize) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(&path).unwrap_or_default(), "{}", path.display());
}
