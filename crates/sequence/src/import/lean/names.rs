//! Which files of a LEAN data folder are of one symbol and day, and what their names and their members' names say.
//!
//! Folders: `CLASS/usa/RESOLUTION/symbol/`, or without the resolution. Files: `YYYYMMDD_KIND[_STYLE].zip`, in any case, with the
//! resolution or the symbol among the words, and with `.zip` more than once. A file of that day and symbol that fits none of this is an
//! error, never passed over.

use super::archive::Archive;
use super::{ImportError, ImportRequest};
use agenttrader_core::instrument::{OptionContract, Right};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::Span;
use jiff::civil::Date;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// How fine data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Each quote and print.
    Tick,
    /// Bars of a second.
    Second,
    /// Bars of a minute.
    Minute,
}

impl Resolution {
    /// Every resolution, the finest first.
    pub const ALL: [Self; 3] = [Self::Tick, Self::Second, Self::Minute];

    /// Its name, as folders and `--resolution` spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tick => "tick",
            Self::Second => "second",
            Self::Minute => "minute",
        }
    }

    /// Reads a name, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// The length of a bar; `None` for ticks.
    pub(super) const fn interval(self) -> Option<Span> {
        match self {
            Self::Tick => None,
            Self::Second => Some(Span::from_seconds(1)),
            Self::Minute => Some(Span::from_minutes(1)),
        }
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// The kinds of securities that are read, in the order in which events of one instant stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Equity,
    Index,
    Option,
    IndexOption,
}

impl Class {
    const ALL: [Self; 4] = [Self::Equity, Self::Index, Self::Option, Self::IndexOption];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Equity => "equity",
            Self::Index => "index",
            Self::Option => "option",
            Self::IndexOption => "indexoption",
        }
    }

    pub(super) const fn is_option(self) -> bool {
        matches!(self, Self::Option | Self::IndexOption)
    }
}

/// The kinds of data that are read, in the order in which events of one instant stand: what is known before the session, then the quotes
/// by which a print is judged, then prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    OpenInterest,
    Quote,
    Trade,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::OpenInterest => "openinterest",
            Self::Quote => "quote",
            Self::Trade => "trade",
        }
    }
}

/// Exercise style of the contracts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Style {
    American,
    European,
}

/// One file of that symbol and day.
#[derive(Clone, Debug)]
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    pub(super) class: Class,
    pub(super) kind: Kind,
    pub(super) resolution: Resolution,
    style: Option<Style>,
}

impl DataFile {
    /// What it is, in words that do not depend on where it is.
    pub(super) fn what(&self) -> String {
        let style = match self.style {
            None => "",
            Some(Style::American) => " american",
            Some(Style::European) => " european",
        };
        format!("{} {} {}{style}", self.class.as_str(), self.resolution, self.kind.as_str())
    }
}

/// A file of that symbol and day that is not read, and why that is right.
#[derive(Clone, Debug)]
pub(super) struct Skipped {
    pub(super) path: PathBuf,
    pub(super) why: String,
}

/// Everything of that symbol and day below the data folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    files: Vec<DataFile>,
    skipped: Vec<Skipped>,
}

/// Folders beside the resolutions that hold no market events: end-of-day chains, and what spans several days.
const NO_EVENTS: [&str; 3] = ["universes", "hour", "daily"];

/// Finds everything of the request's symbol and day.
pub(super) fn find(request: &ImportRequest) -> Result<Found, ImportError> {
    let mut found = Found::default();
    // Said before anything else: a folder that cannot be read at all is not an empty one.
    folders(&request.src, None)?;
    for class in Class::ALL {
        for market in named(&request.src, class.as_str())? {
            for country in named(&market, "usa")? {
                for below in folders(&country, None)? {
                    let name = file_name(&below).to_ascii_lowercase();
                    let is_symbols = name == request.symbol.as_str().to_ascii_lowercase();
                    if is_symbols {
                        files_in(&below, class, None, request, &mut found)?;
                    }
                    for folder in named(&below, request.symbol.as_str())? {
                        match Resolution::parse(&name) {
                            Some(resolution) => files_in(&folder, class, Some(resolution), request, &mut found)?,
                            None => other_folder(&folder, &name, request, &mut found)?,
                        }
                    }
                }
            }
        }
    }
    found.files.sort_by(|one, other| {
        let key = |file: &DataFile| (file.class, file.kind, file.resolution, file.style);
        key(one).cmp(&key(other)).then_with(|| one.path.cmp(&other.path))
    });
    Ok(found)
}

/// Of each kind the resolution asked for, or the finest there is; the rest is told as skipped.
pub(super) fn choose(found: Found, request: &ImportRequest) -> Result<(Vec<DataFile>, Vec<Skipped>), ImportError> {
    let Found { files, mut skipped } = found;
    let mut chosen: Vec<DataFile> = Vec::new();
    for file in &files {
        let finest = files.iter().filter(|other| other.class == file.class && other.kind == file.kind);
        let finest = finest.map(|other| other.resolution).min().unwrap_or(file.resolution);
        // Open interest is of the day: it has no resolution that anyone would ask for.
        let wanted = match file.kind {
            Kind::OpenInterest => finest,
            Kind::Quote | Kind::Trade => request.resolution.unwrap_or(finest),
        };
        if file.resolution == wanted {
            chosen.push(file.clone());
        } else {
            skipped.push(Skipped { path: file.path.clone(), why: format!("resolution {wanted} is imported") });
        }
    }
    for pair in chosen.windows(2) {
        if let [first, second] = pair
            && first.what() == second.what()
        {
            return Err(ImportError::SameTwice { first: first.path.clone(), second: second.path.clone() });
        }
    }
    if chosen.is_empty() {
        let ImportRequest { symbol, date, src, resolution, .. } = request.clone();
        return Err(ImportError::Nothing { symbol, date, src, resolution });
    }
    Ok((chosen, skipped))
}

/// The contract of each member of an option archive, none for a member whose terms no symbol can hold; nothing for other archives.
pub(super) fn contracts(
    file: &DataFile,
    archive: &Archive,
    request: &ImportRequest,
) -> Result<Vec<Option<OptionContract>>, ImportError> {
    if !file.class.is_option() {
        return match archive.members() {
            [_] => Ok(vec![None]),
            members => {
                let problem = format!("{} members where one is expected", members.len());
                Err(ImportError::NotAnArchive { path: file.path.clone(), problem })
            }
        };
    }
    let mut contracts: Vec<Option<OptionContract>> = Vec::with_capacity(archive.members().len());
    let mut seen = std::collections::BTreeSet::new();
    for member in archive.members() {
        let terms = terms(member, file, request).map_err(|problem| archive.refuse_member(member, problem))?;
        if !seen.insert((terms.root.clone(), terms.expiration, terms.right, terms.strike)) {
            return Err(archive.refuse_member(member, "the contract stands twice in this archive".to_owned()));
        }
        contracts.push(terms.contract(request.symbol));
    }
    Ok(contracts)
}

/// What a member's name says.
struct Terms {
    root: String,
    european: bool,
    right: Right,
    /// Dollars × 10,000.
    strike: i64,
    expiration: Date,
}

impl Terms {
    /// The contract; `None` if no OCC symbol can hold these terms (a strike of fractions of a thousandth, left by a split).
    fn contract(&self, underlying: Symbol) -> Option<OptionContract> {
        let strike = self.strike.checked_mul(100_000).map(Price::from_nanos)?;
        let contract = OccSymbol::new(&self.root, self.expiration, self.right, strike).ok()?;
        Some(OptionContract { underlying, contract, european: self.european })
    }
}

/// Reads `DATE_UNDERLYING_RES_TYPE_STYLE_RIGHT_STRIKE_EXPIRY.csv`; the words between underlying and strike in any order.
fn terms(member: &str, file: &DataFile, request: &ImportRequest) -> Result<Terms, String> {
    let name = member.to_ascii_lowercase();
    let stem = name.strip_suffix(".csv").ok_or("no .csv file")?;
    let mut words = stem.split('_');
    let date = words.next().and_then(compact_date).ok_or("its name does not begin with a date")?;
    if date != request.date {
        return Err(format!("it is of {date}"));
    }
    let root: String = words.next().unwrap_or_default().chars().filter(|one| *one != '.').collect();
    let mut european = match (file.style, file.class) {
        (Some(style), _) => style == Style::European,
        (None, class) => class == Class::IndexOption,
    };
    let mut right = None;
    let mut numbers = Vec::new();
    for word in words {
        match word {
            "call" | "c" => right = Some(Right::Call),
            "put" | "p" => right = Some(Right::Put),
            "american" => european = false,
            "european" => european = true,
            word if word == file.kind.as_str() || Resolution::parse(word) == Some(file.resolution) => {}
            word if word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 12 => numbers.push(word),
            word => return Err(format!("`{word}` in its name is not understood")),
        }
    }
    let [strike, expiration] = numbers.as_slice() else {
        return Err("its name does not end in strike and expiration".to_owned());
    };
    Ok(Terms {
        root: root.to_ascii_uppercase(),
        european,
        right: right.ok_or("its name says neither call nor put")?,
        strike: strike.parse().map_err(|_| "its strike is no number")?,
        expiration: compact_date(expiration).ok_or("its expiration is no date")?,
    })
}

/// Takes in a folder whose files are named by day.
fn files_in(
    folder: &Path,
    class: Class,
    resolution: Option<Resolution>,
    request: &ImportRequest,
    found: &mut Found,
) -> Result<(), ImportError> {
    for path in of_the_day(folder, request)? {
        let unknown = |why: String| ImportError::UnknownFile { path: path.clone(), why };
        let name = file_name(&path).to_ascii_lowercase();
        let mut stem = name.as_str();
        while let Some(shorter) = stem.strip_suffix(".zip") {
            stem = shorter;
        }
        if stem.len() == name.len() {
            return Err(unknown("it is no .zip".to_owned()));
        }
        let day = compact(request.date);
        let (mut kind, mut said, mut style) = (None, None, None);
        for word in stem.split('_') {
            match word {
                "quote" => kind = Some(Kind::Quote),
                "trade" => kind = Some(Kind::Trade),
                "openinterest" => kind = Some(Kind::OpenInterest),
                "american" => style = Some(Style::American),
                "european" => style = Some(Style::European),
                word if word == day || word == request.symbol.as_str().to_ascii_lowercase() => {}
                word => match Resolution::parse(word) {
                    Some(resolution) => said = Some(resolution),
                    None => return Err(unknown(format!("`{word}` in its name is not understood"))),
                },
            }
        }
        let Some(kind) = kind else {
            return Err(unknown("its name says none of quote, trade, openinterest".to_owned()));
        };
        let resolution = match (resolution, said) {
            (Some(folder), Some(said)) if folder != said => {
                return Err(unknown(format!("its folder says {folder}, its name {said}")));
            }
            (Some(resolution), _) | (None, Some(resolution)) => resolution,
            (None, None) => return Err(unknown("neither its folder nor its name says which resolution".to_owned())),
        };
        if kind == Kind::OpenInterest && !class.is_option() {
            return Err(unknown(format!("open interest of {} data", class.as_str())));
        }
        if class == Class::Index && kind == Kind::Quote {
            return Err(unknown("an index has no quotes".to_owned()));
        }
        found.files.push(DataFile { path, class, kind, resolution, style });
    }
    Ok(())
}

/// A folder that is none of the resolutions.
fn other_folder(folder: &Path, name: &str, request: &ImportRequest, found: &mut Found) -> Result<(), ImportError> {
    for path in of_the_day(folder, request)? {
        if !NO_EVENTS.contains(&name) {
            let why = format!("its folder `{name}` is none of tick, second, minute");
            return Err(ImportError::UnknownFile { path, why });
        }
        found.skipped.push(Skipped { path, why: format!("`{name}` holds no events within the day") });
    }
    Ok(())
}

/// The entries of a folder whose names hold the day, in order.
fn of_the_day(folder: &Path, request: &ImportRequest) -> Result<Vec<PathBuf>, ImportError> {
    let day = compact(request.date);
    let entries = entries(folder)?;
    Ok(entries.into_iter().filter(|path| file_name(path).contains(&day)).collect())
}

/// The folders in a folder that have this name in any case.
fn named(folder: &Path, name: &str) -> Result<Vec<PathBuf>, ImportError> {
    folders(folder, Some(name))
}

fn folders(folder: &Path, name: Option<&str>) -> Result<Vec<PathBuf>, ImportError> {
    let wanted = |path: &PathBuf| name.is_none_or(|name| file_name(path).eq_ignore_ascii_case(name)) && path.is_dir();
    Ok(entries(folder)?.into_iter().filter(wanted).collect())
}

/// What stands in a folder, in order of name: the same on every machine.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn compact(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

fn compact_date(word: &str) -> Option<Date> {
    if word.len() != 8 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| word.get(range);
    Date::new(part(0..4)?.parse().ok()?, part(4..6)?.parse().ok()?, part(6..8)?.parse().ok()?).ok()
}
