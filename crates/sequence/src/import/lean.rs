//! Imports one symbol's day from a LEAN data folder: the underlying and its options, quotes, trades and open interest, merged in event
//! time. What a row of each kind means, and what is dropped, stands in `docs/RECORDING.md`.
//!
//! The same files give the same bytes: ids come from the files' digests, times from the files and the calendar, and the order of events
//! that share an instant from their kind, then their place in the files.

use crate::head::{Head, Source, SourceKind};
use crate::input::{Fact, FeedFact, Input};
use crate::record::{RecordError, Recorder};
use agenttrader_core::calendar::{self, Session};
use agenttrader_core::digest::{Digest, Running};
use agenttrader_core::event::MarketEvent;
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments, OptionContract};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::proposal::derived_id;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

mod archive;
mod csv;
mod merge;
mod names;
mod report;

pub use names::Resolution;
pub use report::{Dropped, FileReport, ImportReport};

use archive::{Archive, Limits};
use csv::{Format, Parser, Window};
use merge::{Chain, Feed, Merge};
use names::{Class, DataFile, Kind};
use report::Tally;

/// What to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRequest {
    /// The data folder: it holds `equity/`, `option/`, `index/` or `indexoption/`.
    pub src: PathBuf,
    /// The underlying, as its folder is named. Index options stand under their root (`SPXW`).
    pub symbol: Symbol,
    /// The day, in New York.
    pub date: Date,
    /// The recording to make. Nothing may be there.
    pub out: PathBuf,
    /// Quotes and trades of this resolution alone; the finest there is of each kind without it.
    pub resolution: Option<Resolution>,
    /// From 04:00 to 20:00 New York instead of the regular session.
    pub extended: bool,
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// How much of it is done.
    pub done: u64,
    /// How much it is in all.
    pub total: u64,
}

/// The steps of an import, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Digests of the files, in files.
    Digests,
    /// Option contracts read, in zip members.
    Contracts,
    /// The recording written, in seconds of the session.
    Writing,
}

/// Why there is no recording. Whatever was begun is removed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The exchange did not trade on that day.
    #[error("{date} is no trading day: {why}")]
    NoSession {
        /// The day.
        date: Date,
        /// Why not.
        why: String,
    },
    /// A folder or file cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is nothing to import.
    #[error(
        "no quotes, trades or open interest of {symbol} on {date}{} below {}",
        resolution.map(|one| format!(" at resolution {one}")).unwrap_or_default(),
        src.display()
    )]
    Nothing {
        /// The symbol.
        symbol: Symbol,
        /// The day.
        date: Date,
        /// The folder.
        src: PathBuf,
        /// The resolution asked for.
        resolution: Option<Resolution>,
    },
    /// A file of that day and symbol whose name says nothing this importer reads.
    #[error("{} is of that day and symbol, but cannot be read: {why}", path.display())]
    UnknownFile {
        /// The file.
        path: PathBuf,
        /// What is unclear.
        why: String,
    },
    /// Two files claim to be the same.
    #[error("{} and {} both hold the same kind of data", first.display(), second.display())]
    SameTwice {
        /// One.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// No zip archive, or a damaged one.
    #[error("{} is not a whole zip archive: {problem}", path.display())]
    NotAnArchive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A member that cannot be what it should.
    #[error("{}, member `{member}`: {problem}", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// The member, its first 128 characters.
        member: String,
        /// What is wrong.
        problem: String,
    },
    /// More than any real file has: the limit keeps a hostile one from filling memory or disk.
    #[error("{} is too large: {problem}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which limit.
        problem: String,
    },
    /// The recording cannot be written.
    #[error("the recording cannot be written")]
    Record(#[from] RecordError),
}

/// Imports one symbol's day into a new recording.
///
/// # Errors
/// [`ImportError`]; then there is no recording.
pub fn import_lean(request: &ImportRequest, progress: &mut dyn FnMut(Progress)) -> Result<ImportReport, ImportError> {
    import_within(request, Limits::DEFAULT, progress)
}

fn import_within(
    request: &ImportRequest,
    limits: Limits,
    progress: &mut dyn FnMut(Progress),
) -> Result<ImportReport, ImportError> {
    let date = request.date;
    let session = Session::on(date).ok_or_else(|| ImportError::NoSession {
        date,
        why: calendar::closed_because(date).unwrap_or("the calendar does not know it").to_owned(),
    })?;
    let window = Window::of(&session, request.extended);
    let (files, skipped) = names::choose(names::find(request)?, request)?;

    let mut digests = Vec::with_capacity(files.len());
    for (done, file) in (0..).zip(&files) {
        progress(Progress { step: Step::Digests, done, total: files.len() as u64 });
        digests.push(digest_of(&file.path)?);
    }
    let mut archives = Vec::with_capacity(files.len());
    for file in &files {
        archives.push(Archive::open(&file.path, limits)?);
    }

    let listing = Listing::of(request, &files, &archives)?;
    let mut head = Head::flat(recording_id(request, &files, &digests), session.open, date, source(request));
    head.cadence = cadence(&files);
    head.symbols = vec![request.symbol];
    head.instruments = listing.instruments.iter().map(|(_, instrument)| *instrument).collect();

    let mut recorder = Recorder::create(&request.out, &head)?;
    let made = fill(&mut recorder, &head, &window, &files, &mut archives, &listing, progress);
    let made = made.and_then(|made| Ok((made, recorder.finish()?)));
    match made {
        Ok((tallies, finished)) => {
            Ok(ImportReport::of(&head, finished, &request.src, &files, &digests, tallies, skipped))
        }
        Err(error) => {
            // It was made above, so it is ours to remove; the error that is told is the first one.
            let _ = std::fs::remove_file(&request.out);
            Err(error)
        }
    }
}

/// Every instrument of the import, and which members of the archives bear which contract.
struct Listing {
    instruments: Instruments,
    /// The underlying's number, if anything of it is read.
    underlying: Option<InstrumentId>,
    /// Per file, per member: the contract's number. `None` where no symbol can hold the contract's terms.
    members: Vec<Vec<Option<InstrumentId>>>,
}

impl Listing {
    fn of(request: &ImportRequest, files: &[DataFile], archives: &[Archive]) -> Result<Self, ImportError> {
        let mut contracts: BTreeMap<OccSymbol, bool> = BTreeMap::new();
        let mut named = Vec::with_capacity(files.len());
        for (file, archive) in files.iter().zip(archives) {
            let of_file = names::contracts(file, archive, request)?;
            for (contract, member) in of_file.iter().zip(archive.members()) {
                let Some(contract) = contract else { continue };
                if *contracts.entry(contract.contract).or_insert(contract.european) != contract.european {
                    let problem = "the contract stands in both styles, american and european".to_owned();
                    return Err(archive.refuse_member(member, problem));
                }
            }
            named.push(of_file);
        }

        let mut instruments = Instruments::default();
        let symbol = request.symbol;
        let underlying = files.iter().find_map(|file| match file.class {
            Class::Equity => Some(Instrument::Equity { symbol }),
            Class::Index => Some(Instrument::Index { symbol }),
            Class::Option | Class::IndexOption => None,
        });
        let underlying = underlying.and_then(|instrument| instruments.define(instrument));
        for (contract, european) in contracts {
            let option = OptionContract { underlying: symbol, contract, european };
            if instruments.define(Instrument::Option(option)).is_none() {
                let problem = format!("more than {} contracts", Instruments::MAX);
                return Err(ImportError::TooLarge { path: request.src.clone(), problem });
            }
        }
        let number = |contract: Option<OptionContract>| contract.and_then(|one| instruments.by_contract(&one.contract));
        let members = named.into_iter().map(|of_file| of_file.into_iter().map(number).collect()).collect();
        Ok(Self { instruments, underlying, members })
    }
}

/// Writes everything behind the head.
fn fill(
    recorder: &mut Recorder,
    head: &Head,
    window: &Window,
    files: &[DataFile],
    archives: &mut [Archive],
    listing: &Listing,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Tally>, ImportError> {
    for (id, instrument) in listing.instruments.iter() {
        recorder.record(window.open, &Input::Instrument { id, instrument: *instrument })?;
    }
    let connected = FeedFact::Connected { stream: head.source.name.clone(), delayed: false };
    recorder.record(window.open, &Input::Fact(Fact::Feed(connected)))?;
    if let Some(every) = head.cadence {
        recorder.record(window.open, &Input::Fact(Fact::Feed(FeedFact::Cadence { every })))?;
    }

    let total: u64 = files
        .iter()
        .zip(&*archives)
        .filter(|(file, _)| file.class.is_option())
        .map(|(_, one)| one.members().len() as u64)
        .sum();
    let mut done: u64 = 0;
    let mut feeds = Vec::with_capacity(files.len());
    for ((file, archive), members) in files.iter().zip(archives).zip(&listing.members) {
        let format = Format::of(file);
        if file.class.is_option() {
            feeds.push(Feed::Loaded(Chain::load(archive, format, window, members, &mut |more| {
                done = done.saturating_add(more);
                progress(Progress { step: Step::Contracts, done, total });
            })?));
        } else if let Some(underlying) = listing.underlying {
            feeds.push(Feed::streamed(archive, Parser::new(format, *window, underlying))?);
        }
    }

    let mut merge = Merge::new(feeds)?;
    let mut timer = Timer { next: window.open, window: *window };
    while let Some((at, event)) = merge.next_event()? {
        timer.until(at, recorder, progress)?;
        recorder.record(at, &Input::Market(event))?;
    }
    timer.until(UnixNanos::MAX, recorder, progress)?;
    Ok(merge.into_tallies())
}

/// One timer input a second from the window's open to its close, both included. Events of the same instant come before it: a strategy
/// that acts on the second sees the bar that ended with it.
struct Timer {
    next: UnixNanos,
    window: Window,
}

impl Timer {
    fn until(
        &mut self,
        at: UnixNanos,
        recorder: &mut Recorder,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), ImportError> {
        while self.next < at && self.next <= self.window.close {
            recorder.record(self.next, &Input::Fact(Fact::Timer { wall: self.next }))?;
            let done = self.next.since(self.window.open).seconds();
            if done.rem_euclid(60) == 0 {
                let total = self.window.close.since(self.window.open).seconds();
                progress(Progress { step: Step::Writing, done: done.unsigned_abs(), total: total.unsigned_abs() });
            }
            self.next = self.next.plus(Span::from_seconds(1));
        }
        Ok(())
    }
}

/// An event with the instant at which it is taken in.
type Timed = (UnixNanos, MarketEvent);

/// The longest span between two values of one instrument among the files read; `None` if all are ticks.
fn cadence(files: &[DataFile]) -> Option<Span> {
    let spans =
        files.iter().filter(|file| file.kind != Kind::OpenInterest).filter_map(|file| file.resolution.interval());
    spans.max()
}

fn source(request: &ImportRequest) -> Source {
    let ImportRequest { symbol, date, .. } = request;
    Source { kind: SourceKind::Import, name: format!("lean {symbol} {date}") }
}

/// The id of what these files give with this request.
fn recording_id(request: &ImportRequest, files: &[DataFile], digests: &[Digest]) -> uuid::Uuid {
    let hours = if request.extended { "extended" } else { "regular" };
    let mut parts = vec![
        "agenttrader/import/lean/v1".to_owned(),
        request.symbol.to_string(),
        request.date.to_string(),
        hours.to_owned(),
    ];
    parts.extend(files.iter().zip(digests).map(|(file, digest)| format!("{} {digest}", file.what())));
    let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    derived_id(&parts)
}

fn digest_of(path: &Path) -> Result<Digest, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut digest = Running::default();
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(digest.so_far()),
            Ok(got) => digest.update(chunk.get(..got).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
}

#[cfg(test)]
mod tests;
