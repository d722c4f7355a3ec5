//! A log's journal and head against its tree: what no checkpoint covers yet, and whether the rest is the same.

use super::entry::{self, Agent};
use super::finding::{Finding, Spot};
use super::payloads::Payloads;
use super::report::LogReport;
use super::signature;
use super::snapshot::Snapshot;
use crate::disk::{self, Found, Kind, Places, SystemDisk};

use crate::frame::{self, CHAIN_START, Frame};
use crate::head::{HEAD_BYTES_MOST, Head};
use crate::journal::{Frames, Next, segment_first, segment_name};
use crate::merkle::{Hash, leaf_hash};
use crate::replay::rest_of;
use crate::source::{Directory, LogFiles};
use crate::tile::{self, Level, TILE_WIDTH, Tile};
use agenttrader_core::error_chain::chain;
use std::io::{self, ErrorKind};

/// Whether the journal holds records that a checkpoint of `size` entries does not cover: its agent was ended in the middle of its work.
pub(super) fn holds_more(places: &Places, size: u64) -> bool {
    let Ok(Some(names)) = disk::list_plain(&places.journal) else { return false };
    let last = names.iter().filter_map(|name| name.name.as_deref().and_then(segment_first)).max();
    let Some(mut next) = last else { return false };
    let Ok(mut frames) = Frames::open(&SystemDisk, &places.journal.join(segment_name(next)), 0) else { return false };
    while let Ok(Next::Frame(_)) = frames.next(&SystemDisk) {
        next = next.saturating_add(1);
    }
    next > size
}

/// A log whose journal is held against its tree.
pub(super) struct Journal<'log> {
    pub(super) places: &'log Places,
    pub(super) files: &'log dyn LogFiles,
    /// None where there is no checkpoint yet.
    pub(super) snapshot: Option<&'log Snapshot>,
    pub(super) agent_name: &'log str,
    /// Whose records they must be; without a checkpoint the head says it, if there is one.
    pub(super) agent: Option<Agent>,
    pub(super) payloads: &'log Payloads<'log>,
    pub(super) live: bool,
}

/// How far the reading has come.
struct At {
    next: u64,
    /// Not known where a live log removed what came before.
    chain: Option<Hash>,
}

impl Journal<'_> {
    fn size(&self) -> u64 {
        self.snapshot.map_or(0, Snapshot::size)
    }

    fn spot(name: &str) -> Spot {
        Spot::State(name.to_owned())
    }

    /// Checks head and journal, and counts what the checkpoint does not cover. Gives the head, if the journal reaches it.
    pub(super) fn check(mut self, report: &mut LogReport) -> Option<Head> {
        let head = self.head(report);
        let of_head = || head.as_ref().and_then(|head| signature::parse_origin(&head.origin));
        self.agent = self.agent.take().or_else(|| of_head().map(|(repo_id, name)| Agent::new(repo_id, name)));
        self.records(head.as_ref(), report)?;
        head.filter(|head| report.uncovered.is_some_and(|more| head.size <= self.size().saturating_add(more)))
    }

    fn records(&self, head: Option<&Head>, report: &mut LogReport) -> Option<()> {
        let names = match disk::list_plain(&self.places.journal) {
            Ok(Some(names)) => names,
            Ok(None) => {
                report.not_shown.push("entries after this checkpoint: the journal is not here".to_owned());
                return None;
            }
            Err(error) => {
                report.findings.push(unread("journal", &error));
                return None;
            }
        };
        let mut segments = Vec::new();
        for name in names {
            match name.name.as_deref().and_then(segment_first) {
                Some(first) if name.kind == Kind::File => segments.push(first),
                _ => {
                    let shown = format!("journal/{}", name.name.unwrap_or_default());
                    report.findings.push(Finding::differs(Self::spot(&shown), "it is no segment of a journal"));
                }
            }
        }
        let Some(first) = segments.first().copied() else {
            let why = "the journal holds no segment, and a log's always has its last one";
            // A log that is opened for the first time makes its folder first.
            if !(self.live || self.size() == 0) {
                report.findings.push(Finding::differs(Self::spot("journal"), why));
            }
            return None;
        };
        if first > self.size() && !self.live {
            let why = format!("it begins at record {first}, and the checkpoint covers {}", self.size());
            report.findings.push(Finding::differs(Self::spot("journal"), why));
        }
        let mut at = At { next: first, chain: self.chain_at(first, report) };
        let last = segments.last().copied();
        for segment in segments {
            if let Err(finding) = self.segment(segment, last == Some(segment), head, &mut at, report) {
                report.findings.push(finding);
                return None;
            }
        }
        if let Some(head) = head
            && head.size > at.next
            && !self.live
        {
            let why = format!("the journal ends at record {}, and the head covers {}", at.next, head.size);
            report.findings.push(Finding::differs(Self::spot("journal"), why));
        }
        report.uncovered = Some(at.next.saturating_sub(self.size()));
        Some(())
    }

    /// The chain over the tree's first entries, out of the hashes of its leaves.
    fn chain_at(&self, index: u64, report: &mut LogReport) -> Option<Hash> {
        let Some(snapshot) = self.snapshot else { return (index == 0).then_some(CHAIN_START) };
        if index > snapshot.size() {
            return None;
        }
        let mut chain = CHAIN_START;
        for place in 0..index.div_ceil(u64::from(TILE_WIDTH)) {
            let hashes = match self.leaves(snapshot, place) {
                Ok(hashes) => hashes,
                Err(finding) => {
                    report.findings.push(finding);
                    return None;
                }
            };
            let left = index.saturating_sub(place.saturating_mul(u64::from(TILE_WIDTH)));
            let left = usize::try_from(left).unwrap_or(usize::MAX);
            chain = hashes.iter().take(left).fold(chain, |chain, leaf| frame::chain_after(&chain, leaf));
        }
        Some(chain)
    }

    fn leaves(&self, snapshot: &Snapshot, place: u64) -> Result<Vec<Hash>, Finding> {
        let spot = || Finding::differs(Self::spot("journal"), "the tree has no such leaves");
        let tile = Tile::of_tree(Level::Hashes(0), place, snapshot.size()).ok_or_else(spot)?;
        let bytes = snapshot.read(self.files, tile)?;
        tile::hashes(&bytes, tile.width).ok_or_else(spot)
    }

    /// Reads the head and holds it against the checkpoint.
    fn head(&self, report: &mut LogReport) -> Option<Head> {
        let size = self.size();
        let mut differs = |why: String| report.findings.push(Finding::differs(Self::spot("head"), why));
        let bytes = match disk::read_plain(&self.places.head(), HEAD_BYTES_MOST) {
            Ok(Found::Bytes(bytes)) => bytes,
            Ok(Found::None) => {
                if self.snapshot.is_some() && self.places.state.is_dir() {
                    differs("it is missing".to_owned());
                }
                return None;
            }
            Ok(Found::NotAFile | Found::TooLong) => {
                differs("it is no head".to_owned());
                return None;
            }
            Err(error) => {
                report.findings.push(unread("head", &error));
                return None;
            }
        };
        let head = match Head::parse(&bytes) {
            Ok(head) => head,
            Err(why) => {
                differs(why);
                return None;
            }
        };
        let signed = self.snapshot.map(|snapshot| &snapshot.signed().checkpoint);
        match signed {
            None if signature::parse_origin(&head.origin).is_none_or(|(_, name)| name != self.agent_name) => {
                differs(format!("it is of `{}`", head.origin));
            }
            Some(signed) if head.origin != signed.origin => differs(format!("it is of `{}`", head.origin)),
            Some(_) if head.size < size => {
                differs(format!("it covers {} records, and the checkpoint {size}: it was rolled back", head.size));
            }
            Some(signed) if head.size == size && head.root != signed.root => {
                differs(format!("its root {} is not the checkpoint's", head.root));
            }
            Some(_) if head.size == size && self.chain_at(size, report).is_some_and(|chain| chain != head.chain) => {
                let why = "its chain is not the one over the log's entries";
                report.findings.push(Finding::differs(Self::spot("head"), why));
            }
            _ => {}
        }
        Some(head)
    }

    fn segment(
        &self,
        first: u64,
        is_last: bool,
        head: Option<&Head>,
        at: &mut At,
        report: &mut LogReport,
    ) -> Result<(), Finding> {
        let name = format!("journal/{}", segment_name(first));
        let differs = |why: String| Finding::differs(Self::spot(&name), why);
        let failed = |error: io::Error| unread(&name, &error);
        let mut frames = match Frames::open(&SystemDisk, &self.places.journal.join(segment_name(first)), 0) {
            Ok(frames) => frames,
            // Removed since it was listed: a newer checkpoint covers it.
            Err(error) if error.kind() == ErrorKind::NotFound && self.live => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        if first != at.next {
            if !self.live {
                return Err(differs(format!("the segment before it ends at record {}", at.next)));
            }
            *at = At { next: first, chain: None };
        }
        let mut leaves: Option<(u64, Vec<Hash>)> = None;
        loop {
            let offset = frames.offset();
            if let Some(head) = head.filter(|head| head.size == at.next)
                && at.chain.is_some_and(|chain| chain != head.chain)
            {
                return Err(differs(format!("the records before {} are not those that the head covers", at.next)));
            }
            let why = match frames.next(&SystemDisk).map_err(failed)? {
                Next::Frame(frame) => {
                    let chain = at.chain.unwrap_or(frame.before);
                    let leaf = leaf_hash(frame.record);
                    self.frame(&frame, (at.next, &chain, &leaf), &mut leaves, report).map_err(differs)?;
                    *at = At { next: at.next.saturating_add(1), chain: Some(frame::chain_after(&chain, &leaf)) };
                    continue;
                }
                Next::End => return Ok(()),
                Next::Bad(why) => why,
            };
            if at.next < self.size() {
                return Err(differs(format!("record {}: {why}, and the checkpoint covers it", at.next)));
            }
            if !is_last {
                return Err(differs(format!("record {}: {why}, and another segment follows", at.next)));
            }
            // It is being written now.
            if self.live {
                return Ok(());
            }
            let rest = rest_of(&SystemDisk, frames.file(), offset).map_err(failed)?;
            if frame::of_later_batch(&rest, at.next).is_some() {
                return Err(differs(format!("record {}: {why}, and good frames of a later batch follow it", at.next)));
            }
            report.torn = Some(rest.len() as u64);
            return Ok(());
        }
    }

    /// Checks a frame that was written whole.
    fn frame(
        &self,
        frame: &Frame<'_>,
        (index, chain, leaf): (u64, &Hash, &Hash),
        leaves: &mut Option<(u64, Vec<Hash>)>,
        report: &mut LogReport,
    ) -> Result<(), String> {
        if frame.before != *chain {
            return Err(format!("the frame of record {index} does not follow those before it"));
        }
        if frame.batch > index {
            return Err(format!("the frame of record {index} is of a batch that begins at record {}", frame.batch));
        }
        if let Some(snapshot) = self.snapshot.filter(|snapshot| index < snapshot.size()) {
            let place = index >> 8;
            if leaves.as_ref().is_none_or(|(of, _)| *of != place) {
                *leaves = Some((place, self.leaves(snapshot, place).map_err(|finding| finding.to_string())?));
            }
            let within = usize::try_from(index & 0xff).unwrap_or(usize::MAX);
            let known = leaves.as_ref().and_then(|(_, hashes)| hashes.get(within));
            return if known == Some(leaf) {
                Ok(())
            } else {
                Err(format!("record {index} is not the log's entry {index}"))
            };
        }
        let told =
            entry::check(frame.record, index, self.agent.as_ref()).map_err(|why| format!("record {index}: {why}"))?;
        if let Some(stored) = told.stored {
            let pending = Directory::new(&self.places.pending);
            self.payloads.check_durable(stored, &pending).map_err(|why| format!("record {index}: {}", why.why))?;
            report.payloads.insert(stored.sha256);
        }
        Ok(())
    }
}

fn unread(name: &str, error: &io::Error) -> Finding {
    let mut finding = Finding::differs(Spot::State(name.to_owned()), format!("cannot read it: {}", chain(error)));
    finding.unread = true;
    finding
}
