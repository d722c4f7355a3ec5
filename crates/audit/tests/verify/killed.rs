//! A log whose agent was killed between two of its steps is no difference, and verify says which; what somebody changed there is one.

use crate::built::{self, AGENT};
use crate::data_dir::{append, closed, copy, open, spots, verify};
use agenttrader_audit::read::log_dir;
use agenttrader_audit::verify::{KnownKeys, Spot, Verdict, verify_data_dir};
use std::fs;
use std::path::{Path, PathBuf};

fn head(data_dir: &Path) -> PathBuf {
    data_dir.join(format!("audit-state/{AGENT}/head"))
}

#[test]
fn a_head_without_the_first_checkpoint_is_a_kill_only_where_the_checkpoint_s_place_was_taken() {
    let dir = closed(300);
    let root = log_dir(dir.path(), AGENT);
    fs::remove_file(root.join("checkpoint")).unwrap();
    assert_eq!(spots(&verify(dir.path())).first(), Some(&Spot::Checkpoint), "a checkpoint that is gone");
    // What the kill leaves.
    fs::write(dir.path().join(format!("audit-state/{AGENT}/checkpoint.new")), "").unwrap();
    let report = verify(dir.path());
    assert_eq!(report.verdict(), Verdict::NoKey, "{report}");
    assert!(report.to_string().contains("between its first head and the first checkpoint"), "{report}");
    assert_eq!((report.logs[0].begun, report.logs[0].uncovered), (true, Some(300)));
    let different = |what: &str, wanted: Spot| {
        let report = verify(dir.path());
        assert_eq!(spots(&report).first(), Some(&wanted), "{what}: {report}");
    };
    for path in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"] {
        let bytes = fs::read(root.join(path)).unwrap();
        let mut other = bytes.clone();
        other[8] ^= 1;
        fs::write(root.join(path), other).unwrap();
        different("altered", Spot::File(path.into()));
        // Tiles are durable before the head is written.
        fs::remove_file(root.join(path)).unwrap();
        different("removed", Spot::File(path.into()));
        fs::write(root.join(path), bytes).unwrap();
    }
    let whole = fs::read_to_string(head(dir.path())).unwrap();
    let other = closed(299);
    let other = fs::read_to_string(head(other.path())).unwrap();
    let of = |text: &str, name: &str| text.split(name).nth(1).unwrap().split('"').nth(2).unwrap().to_owned();
    for changed in [
        whole.replace(&of(&whole, "root"), &of(&other, "root")),
        whole.replace(&of(&whole, "chain"), &of(&other, "chain")),
        whole.replace(AGENT, "whale-strategy"),
        whole.replace(r#""size":300"#, r#""size":18446744073709551615"#),
        "{}".to_owned(),
    ] {
        assert_ne!(changed, whole);
        fs::write(head(dir.path()), &changed).unwrap();
        let report = verify(dir.path());
        assert_eq!(report.verdict(), Verdict::Different, "{changed}\n{report}");
    }
    fs::write(head(dir.path()), whole).unwrap();
    assert_eq!(verify(dir.path()).verdict(), Verdict::NoKey);
    // The next start goes on from there.
    let log = open(dir.path());
    append(&log, 300, 1);
    log.close().unwrap();
    drop(log);
    assert_eq!(verify(dir.path()).verdict(), Verdict::Good);
}

#[test]
fn files_that_a_checkpoint_has_outgrown_are_a_kill_if_they_begin_what_took_their_place() {
    let dir = closed(250);
    let older = tempfile::tempdir().unwrap();
    copy(&log_dir(dir.path(), AGENT), older.path());
    let log = open(dir.path());
    append(&log, 250, 50);
    log.close().unwrap();
    drop(log);
    let root = log_dir(dir.path(), AGENT);
    let mut left = Vec::new();
    for path in ["tile/0/000.p/250", "tile/entries/000.p/250"] {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::copy(older.path().join(path), root.join(path)).unwrap();
        left.push(root.join(path));
    }
    let report = verify(dir.path());
    assert_eq!((report.verdict(), report.logs[0].counts.outgrown), (Verdict::Good, 2), "{report}");
    assert!(report.to_string().contains("before it removed 2 files that this one has outgrown"), "{report}");
    for path in left {
        let bytes = fs::read(&path).unwrap();
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut other = bytes.clone();
            other[at] ^= 1;
            fs::write(&path, other).unwrap();
            assert_eq!(verify(dir.path()).verdict(), Verdict::Different, "byte {at} of {}", path.display());
        }
        fs::write(&path, [bytes.as_slice(), b"x"].concat()).unwrap();
        assert_eq!(verify(dir.path()).verdict(), Verdict::Different, "{}", path.display());
        fs::remove_file(&path).unwrap();
        // Its folder goes after it, and a kill may come between.
        let report = verify(dir.path());
        assert_eq!(report.verdict(), Verdict::Good, "{report}");
        fs::write(&path, bytes).unwrap();
    }
    // A copy that no agent writes to has nothing of the kind.
    let copied = tempfile::tempdir().unwrap();
    copy(&root, &copied.path().join(AGENT));
    let files = agenttrader_audit::source::Directory::new(copied.path().join(AGENT));
    let report = agenttrader_audit::verify::verify_log(&files, &agenttrader_audit::verify::Against::nothing());
    assert_eq!(report.findings.total(), 2, "{report}");
}

#[test]
fn files_ahead_of_a_live_log_s_checkpoint_are_held_against_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    append(&log, 0, 300);
    log.checkpoint_now().unwrap();
    let given = KnownKeys::none().with(built::signer().verifier());
    let verify = || verify_data_dir(dir.path(), Some(&given), &[], &|_| {});
    let root = log_dir(dir.path(), AGENT);
    let leaves = fs::read(root.join("tile/0/001.p/44")).unwrap();
    let planted = root.join("tile/0/001.p/45");
    // It goes with the tree that is signed, and with no record.
    fs::write(&planted, [leaves.as_slice(), &[7; 32]].concat()).unwrap();
    let report = verify();
    assert!(report.logs[0].live);
    assert_eq!(spots(&report), [Spot::File("tile/0/001.p/45".into())], "{report}");
    fs::remove_file(&planted).unwrap();
    assert_eq!(verify().verdict(), Verdict::Good);
    log.close().unwrap();
}

#[test]
fn a_damaged_list_of_witnesses_is_a_difference_that_names_the_file() {
    let dir = closed(3);
    let state = dir.path().join("audit-state/mission-control");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("witnesses"), "no key\n").unwrap();
    let report = verify(dir.path());
    assert_eq!(spots(&report), [Spot::File("audit-state/mission-control/witnesses".into())], "{report}");
    assert!(report.to_string().contains("line 1"), "{report}");
}
