//! The process is killed at any call of a run. What it leaves is no difference to who verifies it, before the next start sets anything
//! right.

use super::power::{Chance, Power};
use super::recorder::Recorder;
use super::told::{folder, open};
use super::{AGENT, entry, key};
use crate::disk::make_base;
use crate::verify::{DataDirReport, KnownKeys, Verdict, verify_data_dir};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

fn verify(dir: &Path) -> DataDirReport {
    let keys = KnownKeys::none().with(key().verifier());
    verify_data_dir(dir, Some(&keys), &[], &|_| {})
}

/// Runs a log that is killed after so many changes, tiles filling up in between; gives how many there were until it was closed.
fn run(dir: &Path, killed_after: Option<usize>) -> usize {
    let disk = Arc::new(Recorder::over(dir));
    disk.kill_after(killed_after);
    if let Ok(log) = open(Arc::clone(&disk) as _, dir) {
        let mut next = 0;
        for count in [2, 253, 3, 1] {
            let tickets: Vec<_> = (next..next + count)
                .map(|number| log.append(entry(number, if number == 1 { 70_000 } else { 0 })))
                .collect();
            next += count;
            for ticket in tickets {
                let _ = ticket.durable();
            }
            let _ = log.checkpoint_now();
        }
        let _ = log.close();
    }
    disk.changes()
}

#[test]
fn a_kill_at_any_call_leaves_no_difference_and_what_it_left_is_told() {
    let whole = folder();
    let all = run(whole.path(), None);
    assert_eq!(verify(whole.path()).verdict(), Verdict::Good);
    let mut told = BTreeSet::new();
    for after in 0..all {
        let dir = folder();
        run(dir.path(), Some(after));
        if !dir.path().join("audit").join(AGENT).exists() {
            continue;
        }
        let report = verify(dir.path());
        assert!(report.verdict() <= Verdict::NoKey, "after {after} of {all} changes\n{report}");
        told.extend(
            report.logs[0].ended.as_deref().and_then(|ended| ended.split_whitespace().next()).map(str::to_owned),
        );
        drop(open(Arc::new(Recorder::over(dir.path())) as _, dir.path()).unwrap());
    }
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_eq!(told, ["after", "between", "while"], "each of the three windows was met");
}

#[test]
fn the_data_directory_s_name_is_durable_after_a_start_even_if_one_that_was_killed_made_it() {
    for after in 0..7 {
        let dir = folder();
        let data_dir = dir.path().join("made/by/it");
        let disk = Recorder::over(dir.path());
        disk.kill_after(Some(after));
        let whole = make_base(&disk, &data_dir).is_ok();
        assert_eq!(whole, after >= 6, "{after}");
        disk.kill_after(None);
        make_base(&disk, &data_dir).unwrap();
        let (start, calls) = disk.into_parts();
        for seed in 0..20 {
            let mut power = Power::on(start.clone());
            calls.iter().for_each(|call| power.step(call));
            let left = folder();
            power.lost(&mut Chance(seed)).write(left.path());
            assert!(left.path().join("made/by/it").is_dir(), "killed after {after} calls, seed {seed}");
        }
    }
}
