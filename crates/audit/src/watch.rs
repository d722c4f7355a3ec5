//! Tells that a disk hangs. A call that never returns reports no error, and the thread that made it can say nothing: a thread that touches no
//! disk says it instead.

use crate::health::{Health, HealthBoard, Part};
use crate::locked::locked;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long the disk may take for one piece of work. Time is counted in looks: a process that was stopped, or a machine on which no thread
/// gets its turn, looks once and not often, and blames no disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    pub(crate) look_every: Duration,
    /// Looks at one commit.
    pub(crate) journal: u32,
    /// Looks at one integration since it last wrote a tile: it may have the whole journal to take in.
    pub(crate) tree: u32,
}

impl Default for Patience {
    /// Two seconds for the journal, eight for the tree, whose work nobody's receipt waits for.
    fn default() -> Self {
        Self { look_every: Duration::from_millis(250), journal: 8, tree: 32 }
    }
}

/// What of the log's work is with the disk.
#[derive(Debug)]
pub(crate) struct Watch {
    patience: Patience,
    state: Mutex<State>,
    /// Work began while the watch slept, or the log is closed.
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// How often each part's work was seen with the disk; `None` where none is.
    journal: Option<u32>,
    tree: Option<u32>,
    /// The watch sleeps until work begins.
    asleep: bool,
    closing: bool,
}

impl State {
    const fn part(&mut self, part: Part) -> &mut Option<u32> {
        match part {
            Part::Journal => &mut self.journal,
            Part::Tree => &mut self.tree,
        }
    }
}

impl Watch {
    pub(crate) fn new(patience: Patience) -> Self {
        Self { patience, state: Mutex::default(), wake: Condvar::new() }
    }

    /// That part's work goes to the disk, or has come a step further.
    pub(crate) fn begin(&self, part: Part) {
        let mut state = locked(&self.state);
        *state.part(part) = Some(0);
        // Usually it is awake: then this is no system call.
        if std::mem::take(&mut state.asleep) {
            self.wake.notify_all();
        }
    }

    /// That part's work came back from the disk. Whoever says so sets its health after this: no alarm about that work comes later.
    pub(crate) fn end(&self, part: Part) {
        *locked(&self.state).part(part) = None;
    }

    /// Until the log is closed.
    pub(crate) fn run(&self, health: &HealthBoard) {
        let mut state = locked(&self.state);
        while !state.closing {
            if state.journal.is_none() && state.tree.is_none() {
                state.asleep = true;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (next, waited) =
                self.wake.wait_timeout(state, self.patience.look_every).unwrap_or_else(PoisonError::into_inner);
            state = next;
            if waited.timed_out() {
                self.look(&mut state, health);
            }
        }
    }

    /// Looks once. Work that still is with the disk cannot end before its alarm is given, so the end has the last word.
    fn look(&self, state: &mut State, health: &HealthBoard) {
        for (part, most) in [(Part::Journal, self.patience.journal), (Part::Tree, self.patience.tree)] {
            let Some(looks) = state.part(part) else { continue };
            let before = *looks;
            *looks = before.saturating_add(1);
            // The first look may come right after the beginning: it counts for no time. One alarm is enough.
            if before == most {
                let why = format!("the disk has not answered for {:?}", self.patience.look_every.saturating_mul(most));
                health.set(part, Health::Unavailable { why });
            }
        }
    }

    /// Ends the watch.
    pub(crate) fn close(&self) {
        locked(&self.state).closing = true;
        self.wake.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const QUICK: Patience = Patience { look_every: Duration::from_millis(1), journal: 3, tree: 5 };

    fn board() -> (HealthBoard, mpsc::Receiver<Health>) {
        let (tell, told) = mpsc::channel();
        (HealthBoard::new(Some(Box::new(move |health| tell.send(health).unwrap()))), told)
    }

    fn look(watch: &Watch, health: &HealthBoard) {
        watch.look(&mut watch.state.lock().unwrap(), health);
    }

    #[test]
    fn work_that_stays_with_the_disk_is_told_once_when_its_time_is_over_and_not_before() {
        for (part, most) in [(Part::Journal, QUICK.journal), (Part::Tree, QUICK.tree)] {
            let (health, told) = board();
            let watch = Watch::new(QUICK);
            watch.begin(part);
            for _ in 0..most {
                look(&watch, &health);
            }
            assert_eq!(health.now(), Health::Writable);
            for _ in 0..100 {
                look(&watch, &health);
            }
            let why = format!("the disk has not answered for {most}ms");
            assert_eq!(told.try_iter().collect::<Vec<_>>(), [Health::Unavailable { why }]);
            assert!(health.is_unavailable(part));
        }
    }

    #[test]
    fn work_that_ends_or_goes_on_in_time_is_never_told_however_long_it_all_takes() {
        let (health, told) = board();
        let watch = Watch::new(QUICK);
        for round in 0..1_000 {
            watch.begin(Part::Journal);
            watch.begin(Part::Tree);
            for _ in 0..QUICK.journal {
                look(&watch, &health);
            }
            watch.end(Part::Journal);
            if round % 7 == 0 {
                watch.end(Part::Tree);
            }
        }
        for _ in 0..QUICK.tree - QUICK.journal {
            look(&watch, &health);
        }
        assert_eq!(told.try_iter().count(), 0);
    }

    #[test]
    fn the_end_has_the_last_word_however_late_the_alarm_comes() {
        let (health, _told) = board();
        let watch = Watch::new(Patience { journal: 0, tree: 0, ..QUICK });
        std::thread::scope(|scope| {
            let (watch, health) = (&watch, &health);
            scope.spawn(move || {
                while !watch.state.lock().unwrap().closing {
                    look(watch, health);
                }
            });
            let mut alarms = 0;
            for _ in 0..5_000 {
                watch.begin(Part::Journal);
                alarms += u32::from(health.is_unavailable(Part::Journal));
                watch.end(Part::Journal);
                health.set(Part::Journal, Health::Writable);
                assert_eq!(health.now(), Health::Writable, "after {alarms} alarms");
            }
            watch.close();
        });
    }

    #[test]
    fn a_watch_ends_when_it_is_closed_asleep_or_awake() {
        for works in [false, true] {
            let (health, _told) = board();
            let watch = Watch::new(Patience { look_every: Duration::from_secs(3_600), ..QUICK });
            std::thread::scope(|scope| {
                let running = scope.spawn(|| watch.run(&health));
                while !works && !watch.state.lock().unwrap().asleep {
                    std::thread::yield_now();
                }
                if works {
                    watch.begin(Part::Tree);
                }
                watch.close();
                running.join().unwrap();
            });
        }
    }
}
