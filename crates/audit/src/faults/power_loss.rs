//! Power is lost at every call of a run, and any part of what was not synced is there afterwards. The log opens on all of it: every
//! acknowledged record stands with its payload, the next checkpoint extends all that were seen, and a stranger finds nothing wrong.

use super::power::{Call, Chance, Drive, Fact, Power};
use super::recorder::Recorder;
use super::told::{Told, base, check, folder, open};
use super::{AGENT, entry, key};
use crate::log::Log;
use crate::verify::{KnownKeys, Verdict, verify_data_dir};
use std::path::Path;
use std::sync::Arc;

/// A log on a disk that is written down.
struct Run {
    disk: Arc<Recorder>,
    log: Log,
}

impl Run {
    fn open(disk: &Arc<Recorder>, dir: &Path) -> Option<Self> {
        let log = open(Arc::clone(disk) as _, dir).ok()?;
        Some(Self { disk: Arc::clone(disk), log })
    }

    /// Appends records of those paddings, together.
    fn batch(&self, first: i64, paddings: &[usize]) {
        let tickets: Vec<_> = (first..)
            .zip(paddings)
            .map(|(number, padding)| (number, self.log.append(entry(number, *padding))))
            .collect();
        for (number, ticket) in tickets.into_iter().rev() {
            if let Ok(receipt) = ticket.durable() {
                self.disk.told(Fact::Acknowledged(number, receipt.index()));
            }
        }
        self.see();
    }

    fn checkpoint(&self) {
        let _ = self.log.checkpoint_now();
        self.see();
    }

    fn see(&self) {
        if let Some(signed) = self.log.checkpoint() {
            self.disk.told(Fact::Seen(signed.checkpoint.clone()));
        }
    }

    /// Batches over the edge of a tile, of a segment and of a record's length, with checkpoints between.
    fn work(&self, first: i64) {
        self.batch(first, &[0, 70_000, 900]);
        self.checkpoint();
        self.batch(first + 3, &[3_000, 66_000, 0]);
        self.batch(first + 6, &[0]);
        self.checkpoint();
        self.batch(first + 7, &[300, 0, 700, 61_000]);
    }

    fn close(self) {
        let _ = self.log.close();
        self.see();
    }
}

/// Takes the disk back once the log is gone.
fn parts(disk: Arc<Recorder>) -> (Drive, Vec<Call>) {
    Arc::into_inner(disk).unwrap().into_parts()
}

/// Loses power before each of those calls for which `at` says how often, and after the last. Tells how many disks were looked at.
fn lose(start: &Drive, calls: &[Call], seed: u64, at: impl Fn(usize) -> usize + Sync) -> usize {
    let every = |turn: usize| {
        let (mut power, mut chance, mut disks) = (Power::on(start.clone()), Chance(seed + turn as u64), 0);
        let mut last = None;
        for number in 0..=calls.len() {
            let call = calls.get(number);
            if number % 2 == turn && !matches!(call, Some(Call::Told(_))) {
                for _ in 0..at(number) {
                    let left = (power.told.len(), power.lost(&mut chance));
                    if last.as_ref() != Some(&left) {
                        disks += 1;
                        let what = format!("seed {seed}, before call {number} of {}, which follows\n", calls.len());
                        after_loss(&left.1, &power.told, &(what + &tail(&calls[..number])));
                        last = Some(left);
                    }
                }
            }
            call.into_iter().for_each(|call| power.step(call));
        }
        disks
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| every(1));
        every(0) + other.join().unwrap()
    })
}

/// The last calls, for who has to find out what went wrong.
fn tail(calls: &[Call]) -> String {
    let shown = |call: &Call| match call {
        Call::Write { file, at, bytes } => format!("Write {{ {} bytes at {at} of {file} }}\n", bytes.len()),
        call => format!("{call:?}\n"),
    };
    calls[calls.len().saturating_sub(25)..].iter().map(shown).collect()
}

/// Looks at one disk as the next start and a stranger do.
fn after_loss(left: &Drive, facts: &[Fact], what: &str) {
    let dir = folder();
    left.write(dir.path());
    let mut told = Told::default();
    for fact in facts {
        match fact {
            Fact::Acknowledged(number, index) => told.acknowledged.push((*number, *index)),
            Fact::Seen(checkpoint) => told.seen.push(checkpoint.clone()),
        }
    }
    let size = check(dir.path(), told, what);
    if size > 0 {
        let keys = KnownKeys::parse(key().verifier().to_string().as_bytes()).unwrap();
        let report = verify_data_dir(dir.path(), Some(&keys), &[], &|_| {});
        assert_eq!(report.verdict(), Verdict::Good, "{what}{report}");
        assert_eq!(report.logs.len(), 1, "{AGENT}");
    }
}

#[test]
fn a_loss_of_power_at_any_call_of_a_new_log_leaves_one_that_opens_with_all_that_was_told() {
    let dir = folder();
    let disk = Arc::new(Recorder::over(dir.path()));
    let run = Run::open(&disk, dir.path()).unwrap();
    run.work(0);
    run.close();
    let (start, calls) = parts(disk);
    let disks = lose(&start, &calls, 1, |_| 2);
    assert!(disks >= calls.len() / 2, "{disks} disks of {} calls", calls.len());
}

#[test]
fn a_loss_of_power_while_tiles_fill_leaves_a_log_that_opens_with_all_that_was_told() {
    let dir = folder();
    base(dir.path());
    let disk = Arc::new(Recorder::over(dir.path()));
    let run = Run::open(&disk, dir.path()).unwrap();
    run.work(254);
    run.close();
    let (start, calls) = parts(disk);
    let disks = lose(&start, &calls, 2, |_| 1);
    assert!(disks >= calls.len() / 2, "{disks} disks of {} calls", calls.len());
}

#[test]
fn power_may_be_lost_again_while_a_log_recovers_from_a_loss() {
    let dir = folder();
    let disk = Arc::new(Recorder::over(dir.path()));
    let run = Run::open(&disk, dir.path()).unwrap();
    run.work(0);
    run.close();
    let (start, calls) = parts(disk);
    let mut chance = Chance(3);
    for round in 0..5 {
        let mut power = Power::on(start.clone());
        let cut = chance.below(calls.len());
        calls[..cut].iter().for_each(|call| power.step(call));
        let again = folder();
        power.lost(&mut chance).write(again.path());
        let disk = Arc::new(Recorder::over(again.path()));
        power.told.iter().for_each(|fact| disk.told(fact.clone()));
        let run = Run::open(&disk, again.path()).unwrap();
        // The first record there is must be an agent's start.
        run.batch(if run.log.size() == 0 { 0 } else { 20 }, &[0, 62_000]);
        run.checkpoint();
        run.close();
        let (start, calls) = parts(disk);
        let often: Vec<usize> = (0..=calls.len()).map(|_| usize::from(chance.below(4) == 0)).collect();
        lose(&start, &calls, 30 + round, |number| often[number]);
    }
}

#[test]
fn power_may_be_lost_after_a_process_was_killed_at_any_call_and_another_went_on_with_what_it_found() {
    /// A log that is killed after so many changes, and how many there are until it is closed.
    fn killed(dir: &Path, after: Option<usize>) -> (Arc<Recorder>, usize) {
        let disk = Arc::new(Recorder::over(dir));
        let run = Run::open(&disk, dir).unwrap();
        run.batch(0, &[0, 0]);
        let begun = disk.changes();
        disk.kill_after(after);
        run.work(2);
        run.close();
        disk.kill_after(None);
        let changes = disk.changes() - begun;
        (disk, changes)
    }
    let (_, all) = killed(folder().path(), None);
    let mut chance = Chance(4);
    for after in 0..all {
        let dir = folder();
        let (disk, _) = killed(dir.path(), Some(after));
        let found = disk.len();
        let run = Run::open(&disk, dir.path()).unwrap();
        // What a checkpoint made durable in passing may be what a receipt leans on, and the other way round.
        let covers_first = chance.below(2) == 0;
        if covers_first {
            run.checkpoint();
        }
        run.batch(20, &[0, 900]);
        run.close();
        let (start, calls) = parts(disk);
        let often: Vec<usize> = (0..=calls.len())
            .map(|number| usize::from(number == calls.len() || (number > found && chance.below(5) == 0)))
            .collect();
        lose(&start, &calls, 40 + after as u64, |number| often[number]);
    }
}
