//! An agent's log over its endpoints: the checkpoint, tiles and bundles as they stand, older partial ones cut, and nothing else of the disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use agenttrader_agent::guard::Hosts;
use agenttrader_agent::health::{StatusBoard, router, serve};
use agenttrader_agent::served_log::ServedLog;
use agenttrader_agent::tasks::Tasks;
use agenttrader_audit::tile::{Level, Tile, tiles_of};
use common::{ask_bytes, get, grow, tile_bytes};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Runtime;

struct Agent {
    _runtime: Runtime,
    _tasks: Tasks,
    address: SocketAddr,
}

fn agent(log: ServedLog) -> Agent {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let tasks = Tasks::new();
    let board = Arc::new(StatusBoard::new("gamma-strategy").with_log(log));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let (router, stop) = (router(board, Hosts::new([])), tasks.stop());
    runtime.block_on(async { tasks.spawn("endpoints", async { serve(listener, router, stop).await.unwrap() }) });
    Agent { _runtime: runtime, _tasks: tasks, address }
}

impl Agent {
    fn get(&self, path: &str) -> (u16, String, Vec<u8>) {
        ask_bytes(self.address, &get(path, ""))
    }
}

#[test]
fn every_file_of_a_log_is_served_and_only_full_ones_may_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(ServedLog::of_folder(folder.path().to_owned()));
    assert_eq!(agent.get("/audit/checkpoint").0, 404, "before the first record");
    grow(folder.path(), 0, 600);
    let (status, head, body) = agent.get("/audit/checkpoint");
    assert_eq!((status, body), (200, b"a checkpoint of 600\n".to_vec()));
    assert!(
        head.contains("content-type: text/plain; charset=utf-8") && head.contains("cache-control: no-store"),
        "{head}"
    );
    for tile in tiles_of(600) {
        let (status, head, body) = agent.get(&format!("/audit/{tile}"));
        assert_eq!((status, body), (200, tile_bytes(tile)), "{tile}");
        assert!(head.contains("content-type: application/octet-stream"), "{head}");
        assert_eq!(head.contains("immutable"), tile.is_full(), "{tile}: {head}");
        assert_eq!(head.contains("cache-control: no-store"), !tile.is_full(), "{tile}: {head}");
    }
}

#[test]
fn a_partial_one_that_was_outgrown_is_cut_from_what_took_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let agent = agent(ServedLog::of_folder(folder.path().to_owned()));
    let (mut size, mut asked) = (0, Vec::new());
    // Within a tile, over its end, and far beyond: what every size before had is still answered.
    for next in [3, 44, 256, 300, 511, 512, 700] {
        grow(folder.path(), size, next);
        size = next;
        asked.extend(tiles_of(size));
        for tile in &asked {
            let (status, _, body) = agent.get(&format!("/audit/{tile}"));
            assert_eq!((status, body), (200, tile_bytes(*tile)), "{tile} of a log of {size}");
        }
    }
    for tile in [
        Tile { level: Level::Hashes(0), index: 2, width: 189 },
        Tile { level: Level::Hashes(0), index: 3, width: 1 },
        Tile { level: Level::Hashes(0), index: 2, width: 256 },
        Tile { level: Level::Hashes(1), index: 0, width: 3 },
        Tile { level: Level::Hashes(2), index: 0, width: 1 },
        Tile { level: Level::Entries, index: 2, width: 189 },
    ] {
        assert_eq!(agent.get(&format!("/audit/{tile}")).0, 404, "{tile}");
    }
}

#[test]
fn no_other_spelling_leads_anywhere_and_nothing_leads_out_of_the_log() {
    let data_dir = tempfile::tempdir().unwrap();
    let log = data_dir.path().join("audit").join("gamma-strategy");
    std::fs::create_dir_all(&log).unwrap();
    grow(&log, 0, 300);
    std::fs::write(data_dir.path().join("secret"), "seed").unwrap();
    std::fs::write(log.join("tile").join("secret"), "seed").unwrap();
    let agent = agent(ServedLog::of_agent(data_dir.path(), "gamma-strategy"));
    assert_eq!(agent.get("/audit/tile/0/000").0, 200);
    for path in [
        "/audit/tile/0/0",
        "/audit/tile/0/000/",
        "/audit/tile/0//000",
        "/audit/tile/00/000",
        "/audit/tile/0/x000/000",
        "/audit/tile/0/%30%30%30",
        "/audit/tile/0/001.p/044",
        "/audit/tile/0/001.p/0",
        "/audit/tile/0/001.p/256",
        "/audit/tile/0/001.p",
        "/audit/tile/8/000",
        "/audit/tile/64/000",
        "/audit/tile/entries",
        "/audit/tile/secret",
        "/audit/tile/../checkpoint",
        "/audit/tile/../../../secret",
        "/audit/tile/%2e%2e/%2e%2e/%2e%2e/secret",
        "/audit/tile/0/..%2f..%2f..%2f..%2fsecret",
        "/audit/head",
        "/audit/checkpoint/",
        "/audit/tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        let (status, _, body) = agent.get(path);
        assert_eq!(status, 404, "{path}: {}", String::from_utf8_lossy(&body));
    }
}

#[test]
fn a_damaged_file_is_refused_in_words_where_it_cannot_be_cut() {
    let folder = tempfile::tempdir().unwrap();
    grow(folder.path(), 0, 300);
    std::fs::write(folder.path().join("tile/entries/001.p/44"), [0, 200, 1]).unwrap();
    std::fs::write(folder.path().join("checkpoint"), vec![b'x'; 70_000]).unwrap();
    let agent = agent(ServedLog::of_folder(folder.path().to_owned()));
    for (path, words) in [("tile/entries/001.p/43", "tile/entries/001.p/44"), ("checkpoint", "checkpoint")] {
        let (status, _, body) = agent.get(&format!("/audit/{path}"));
        let body = String::from_utf8(body).unwrap();
        assert!(status == 503 && body.contains(words), "{status} {body}");
    }
}

#[test]
fn the_log_is_asked_for_a_fresh_checkpoint_and_one_that_hangs_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (path, asked) = (folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let fresh = ServedLog::of_folder(path.clone()).refreshed_by(move || {
        let before = count.fetch_add(1, Ordering::SeqCst) as u64;
        grow(&path, before, before + 1);
    });
    let agent_of_fresh = agent(fresh);
    for size in 1..=3 {
        assert_eq!(agent_of_fresh.get("/audit/checkpoint").2, format!("a checkpoint of {size}\n").into_bytes());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 3);

    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let hanging = ServedLog::of_folder(folder.path().to_owned()).refreshed_by(move || {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = held.lock().unwrap().recv();
    });
    let agent_of_hanging = agent(hanging);
    for _ in 0..3 {
        let (status, _, body) = agent_of_hanging.get("/audit/checkpoint");
        assert_eq!((status, body), (200, b"a checkpoint of 3\n".to_vec()));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 1, "one thread waits for the log, not one a request");
    drop(let_go);
}
