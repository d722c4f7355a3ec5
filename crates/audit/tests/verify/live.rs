//! A log that is being written raises no alarm, however often it is verified; what somebody puts into it meanwhile does.

use crate::built;
use crate::data_dir::{append, open, open_with};
use agenttrader_audit::Options;
use agenttrader_audit::read::log_dir;
use agenttrader_audit::source::Directory;
use agenttrader_audit::verify::{Against, Spot, Verdict, verify_data_dir, verify_log};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

#[test]
fn no_false_alarm_on_a_busy_log() {
    let dir = tempfile::tempdir().unwrap();
    // Small segments, so that they vanish under the reader's hands.
    let log = open_with(dir.path(), Options { segment_bytes: 8 << 10, ..Options::default() });
    append(&log, 0, 3);
    log.checkpoint_now().unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let mut next = 3;
            while !done.load(Ordering::Relaxed) && next < 60_000 {
                append(&log, next, 37);
                next += 37;
                // Each checkpoint replaces the partial files.
                log.checkpoint_now().unwrap();
            }
            next
        });
        let mut live = 0;
        for round in 0..60 {
            let report = verify_data_dir(dir.path(), None, &[], &|_| {});
            let ended = busy.is_finished();
            if report.verdict() != Verdict::Good {
                done.store(true, Ordering::Relaxed);
                panic!("round {round}:\n{report}");
            }
            live += u32::from(report.logs[0].live);
            let files = Directory::of_log(&log_dir(dir.path(), built::AGENT));
            let report = verify_log(&files, &Against { agent_name: Some(built::AGENT), ..Against::nothing() });
            if report.verdict() != Verdict::Good {
                done.store(true, Ordering::Relaxed);
                panic!("round {round}:\n{report}");
            }
            if ended {
                break;
            }
        }
        done.store(true, Ordering::Relaxed);
        let appended = busy.join().unwrap();
        assert!(live > 0);
        assert_eq!(log.size(), appended);
    });
    log.close().unwrap();
    drop(log);
    let report = verify_data_dir(dir.path(), None, &[], &|_| {});
    assert_eq!(report.verdict(), Verdict::Good, "{report}");
    assert_eq!((report.logs[0].live, report.logs[0].uncovered), (false, Some(0)));
}

#[test]
fn a_live_log_may_have_files_of_its_next_tree_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append(&log, 0, 300);
    log.checkpoint_now().unwrap();
    let root = log_dir(dir.path(), built::AGENT);
    let verify = || {
        let report = verify_log(&Directory::of_log(&root), &Against::nothing());
        assert!(report.live);
        (report.verdict(), report.findings.first().first().map(|finding| finding.at.clone()), report.counts.in_flight)
    };
    assert_eq!(verify(), (Verdict::Good, None, 0));
    let leaves = fs::read(root.join("tile/0/001.p/44")).unwrap();
    let put = |path: &str, bytes: &[u8]| {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), bytes).unwrap();
    };
    // Wider, narrower, the next one: as they come and go.
    put("tile/0/001.p/45", &[leaves.as_slice(), &[7; 32]].concat());
    put("tile/0/001.p/43", &leaves[..43 * 32]);
    put("tile/0/000.p/9", &fs::read(root.join("tile/0/000")).unwrap()[..9 * 32]);
    assert_eq!(verify(), (Verdict::Good, None, 3));
    let check = |path: &str, bytes: &[u8]| {
        put(path, bytes);
        let (verdict, first, _) = verify();
        assert_eq!((verdict, first), (Verdict::Different, Some(Spot::File(path.to_owned()))));
        fs::remove_file(root.join(path)).unwrap();
    };
    let mut other = leaves.clone();
    other[0] ^= 1;
    check("tile/0/001.p/46", &[other.as_slice(), &[7; 64]].concat());
    check("tile/0/001.p/42", &other[..42 * 32]);
    check("tile/0/001.p/47", &leaves);
    check("tile/0/009", &[0; 8192]);
    check("tile/entries/001.p/45", b"\0\x02{}");
    check("tile/7/000", &[0; 8192]);
    fs::remove_dir(root.join("tile/7")).unwrap();
    check("notes.txt", b"");
    assert_eq!(verify().0, Verdict::Good);
    log.close().unwrap();
}
