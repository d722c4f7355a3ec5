//! The tree's thread: reads durable frames back out of the journal and makes a checkpoint of them. Tiles, then the head, then the checkpoint,
//! each durable before the next; then the partial tiles it outgrew go, then the segments it covers. A failure before the checkpoint changes
//! nothing that anybody relies on: what was done is done again.

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::disk::{self, Disk, Places};
use crate::error::LogError;
use crate::frame;
use crate::head::Head;
use crate::health::{Health, Part};
use crate::journal::{Frames, Next, segment_name};
use crate::locked::locked;
use crate::merkle::{self, Hash};
use crate::note::NoteSigner;
use crate::queue::{CheckpointAnswer, Durable, Shared};
use crate::replay::Cursor;
use crate::tile::Tile;
use crate::tile_files::TileFiles;
use crate::tree::Tree;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// How long records may become durable before a checkpoint is made of them. With the making of it they are covered within a second.
const GATHER: Duration = Duration::from_millis(700);

/// How often a disk that failed is tried.
const RETRY_EVERY: Duration = Duration::from_millis(200);

/// Failures in a row after which the log counts as unavailable: about a second.
const FAILURES_MOST: u32 = 5;

/// Tries of the last checkpoint when the log is closed.
const LAST_TRIES: u32 = 2;

/// What the tree has taken in, and where it goes on.
#[derive(Clone, Debug)]
pub(crate) struct Grown {
    pub(crate) tree: Tree,
    /// The journal's chain after the tree's entries.
    pub(crate) chain: Hash,
    /// Where the next frame stands.
    pub(crate) cursor: Cursor,
}

pub(crate) struct Integrator {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) places: Places,
    pub(crate) signer: NoteSigner,
    pub(crate) shared: Arc<Shared>,
    /// The tree that the durable head names.
    pub(crate) grown: Grown,
    /// Records that the durable checkpoint covers; `None` before the first.
    pub(crate) covered: Option<u64>,
    pub(crate) tiles: TileFiles,
}

/// What the thread was woken for.
struct Woken {
    answers: Vec<CheckpointAnswer>,
    closing: bool,
}

impl Integrator {
    /// Until the writer has ended and a checkpoint covers all it made durable.
    pub(crate) fn run(mut self) -> Result<(), LogError> {
        // What the journal held at start waits for nothing.
        let mut due = Some(Instant::now());
        let mut failures = 0_u32;
        loop {
            let Woken { answers, closing } = self.wait(due);
            self.shared.watch.begin(Part::Tree);
            let mut made = self.integrate();
            for _ in 1..LAST_TRIES {
                if closing && made.is_err() {
                    made = self.integrate();
                }
            }
            self.shared.watch.end(Part::Tree);
            failures = if made.is_ok() { 0 } else { failures.saturating_add(1) };
            let failed = made.map_err(|error| LogError::Unavailable { why: error.to_string() });
            match &failed {
                Ok(()) => self.shared.health.set(Part::Tree, Health::Writable),
                Err(LogError::Unavailable { why }) if failures >= FAILURES_MOST || closing => {
                    let why = format!("no checkpoint can be made: {why}");
                    self.shared.health.set(Part::Tree, Health::Unavailable { why });
                }
                Err(_) => {}
            }
            for answer in answers {
                let latest = locked(&self.shared.checkpoint).clone();
                // Who gave up waiting needs no answer.
                let _ = answer.try_send(failed.clone().and_then(|()| latest.ok_or(LogError::Empty)));
            }
            if closing {
                return failed;
            }
            due = failed.err().and_then(|_| Instant::now().checked_add(RETRY_EVERY));
        }
    }

    /// Until somebody asks for a checkpoint, what became durable was gathered for long enough, or it is time to try again.
    fn wait(&self, mut due: Option<Instant>) -> Woken {
        let mut asked = locked(&self.shared.asked);
        loop {
            if asked.closing || !asked.now.is_empty() {
                break;
            }
            if asked.grown && due.is_none() {
                due = Instant::now().checked_add(GATHER);
            }
            asked = match due.map(|due| due.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => break,
                Some(left) => self.shared.wake.wait_timeout(asked, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.shared.wake.wait(asked).unwrap_or_else(PoisonError::into_inner),
            };
        }
        asked.grown = false;
        Woken { answers: std::mem::take(&mut asked.now), closing: asked.closing }
    }

    /// Makes a checkpoint of all that is durable, if there is none yet, and removes what it makes needless.
    fn integrate(&mut self) -> io::Result<()> {
        let durable = locked(&self.shared.durable).clone();
        if durable.size > 0 && self.covered != Some(durable.size) {
            self.advance(&durable)?;
        }
        let Some(covered) = self.covered else { return Ok(()) };
        self.tiles.remove_outgrown(&*self.disk, &self.places, covered)?;
        self.drop_covered(covered)
    }

    /// The order of durability: tiles, head, checkpoint.
    fn advance(&mut self, durable: &Durable) -> io::Result<()> {
        let before = self.grown.tree.size();
        let mut grown = self.grown.clone();
        self.tiles.begin();
        self.take_in(&mut grown, durable)?;
        for made in grown.tree.edge() {
            // One that stood at the same width before is the same.
            if Tile::of_tree(made.tile.level, made.tile.index, before) != Some(made.tile) {
                self.tiles.put(&*self.disk, &self.places, &made)?;
            }
        }
        self.tiles.finish(&*self.disk, &self.places)?;

        let head = Head {
            origin: self.signer.name().to_owned(),
            size: durable.size,
            root: grown.tree.root(),
            chain: grown.chain,
            last_time: durable.last_time,
        };
        let bytes = head.to_bytes().map_err(io::Error::other)?;
        if self.covered.is_none() {
            self.disk.create(&self.places.next_checkpoint())?;
        }
        disk::replace(&*self.disk, &self.places.state.join("head.new"), &self.places.head(), &bytes)?;

        let signed = Checkpoint { origin: head.origin, size: head.size, root: head.root }.signed(&self.signer);
        let bytes = signed.to_string().into_bytes();
        disk::replace(&*self.disk, &self.places.next_checkpoint(), &self.places.checkpoint(), &bytes)?;
        self.grown = grown;
        self.covered = Some(durable.size);
        *locked(&self.shared.checkpoint_time) = durable.last_time;
        self.publish(signed);
        Ok(())
    }

    fn publish(&self, signed: SignedCheckpoint) {
        *locked(&self.shared.checkpoint) = Some(Arc::new(signed));
    }

    /// Reads the frames that the tree does not hold yet.
    fn take_in(&mut self, grown: &mut Grown, durable: &Durable) -> io::Result<()> {
        let mut frames: Option<Frames> = None;
        while grown.tree.size() < durable.size {
            let size = grown.tree.size();
            if durable.segments.contains(&size) && grown.cursor.segment != size {
                grown.cursor = Cursor { segment: size, offset: 0 };
                frames = None;
            }
            let path = self.places.journal.join(segment_name(grown.cursor.segment));
            let reading = match &mut frames {
                Some(reading) => reading,
                none => none.insert(Frames::open(&*self.disk, &path, grown.cursor.offset)?),
            };
            let bad = |why: &str| io::Error::other(format!("{}, record {size}: {why}", path.display()));
            let made = match reading.next(&*self.disk)? {
                Next::Frame(frame) if frame.before == grown.chain => {
                    let leaf = merkle::leaf_hash(frame.record);
                    grown.chain = frame::chain_after(&grown.chain, &leaf);
                    grown.tree.push(frame.record, leaf)
                }
                Next::Frame(_) => return Err(bad("the frame does not follow the one before it")),
                Next::End => return Err(bad("the segment ends")),
                Next::Bad(why) => return Err(bad(why)),
            };
            grown.cursor.offset = reading.offset();
            for made in made {
                self.tiles.put(&*self.disk, &self.places, &made)?;
                // However much there is to take in: a disk that takes tiles answers.
                self.shared.watch.begin(Part::Tree);
            }
        }
        Ok(())
    }

    /// Removes segments that the checkpoint covers wholly, oldest first; never the last one.
    fn drop_covered(&self, covered: u64) -> io::Result<()> {
        loop {
            let oldest = match locked(&self.shared.durable).segments.as_slice() {
                [oldest, next, ..] if *next <= covered => *oldest,
                _ => return Ok(()),
            };
            disk::remove_if_there(&*self.disk, &self.places.journal.join(segment_name(oldest)))?;
            // One after the other, so that no crash leaves a gap among them.
            self.disk.sync_dir(&self.places.journal)?;
            locked(&self.shared.durable).segments.retain(|first| *first != oldest);
        }
    }
}
