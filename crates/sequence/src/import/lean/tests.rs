use super::*;
use crate::info::Info;
use crate::input::Numbered;
use crate::read::Recording;
use agenttrader_core::event::{Bar, Quote};
use agenttrader_core::price::Price;
use std::io::Write as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

mod hostile;

/// A half day: 09:30 to 13:00.
const DAY: &str = "20151224";

/// A data folder made for a test.
struct Lean {
    dir: tempfile::TempDir,
}

impl Lean {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("data").join(below)
    }

    /// Writes bytes below the data folder.
    fn raw(&self, below: &str, bytes: &[u8]) -> &Self {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// Writes a zip below the data folder.
    fn zip(&self, below: &str, members: &[(&str, &str)]) -> &Self {
        self.raw(below, &zipped(members))
    }

    fn request(&self, symbol: &str) -> ImportRequest {
        ImportRequest {
            src: self.path(""),
            symbol: Symbol::parse(symbol).unwrap(),
            date: jiff::civil::date(2015, 12, 24),
            out: self.dir.path().join("out.rec"),
            resolution: None,
            extended: false,
        }
    }

    fn import(&self, request: &ImportRequest) -> Result<ImportReport, ImportError> {
        let _ = std::fs::remove_file(&request.out);
        let result = import_lean(request, &mut |_| {});
        if result.is_err() {
            assert!(!request.out.exists(), "what failed leaves no recording");
        }
        result
    }

    fn events(&self, request: &ImportRequest) -> (ImportReport, Vec<Timed>) {
        let report = self.import(request).unwrap();
        let written: u64 = report.written.values().sum();
        let dropped: u64 = report.dropped.values().map(|dropped| dropped.count).sum();
        assert_eq!(report.rows_read, written + dropped, "every row is written or counted");
        let events: Vec<Timed> = inputs(request)
            .into_iter()
            .filter_map(|numbered| match numbered.input {
                Input::Market(event) => Some((numbered.at, event)),
                _ => None,
            })
            .collect();
        assert_eq!(events.len() as u64, written);
        assert!(events.is_sorted_by_key(|(at, _)| *at));
        (report, events)
    }

    fn refused(&self, symbol: &str) -> String {
        self.import(&self.request(symbol)).unwrap_err().to_string()
    }
}

fn zipped(members: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, text) in members {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn inputs(request: &ImportRequest) -> Vec<Numbered> {
    let mut recording = Recording::open(&request.out).unwrap();
    let inputs = recording.by_ref().map(Result::unwrap).collect();
    assert_eq!(recording.torn(), None);
    inputs
}

/// New York time on the day.
fn at(hour: i64, minute: i64, second: i64) -> UnixNanos {
    calendar::new_york(jiff::civil::date(2015, 12, 24), 0, 0)
        .plus(Span::from_seconds((hour * 60 + minute) * 60 + second))
}

fn ms(hour: i64, minute: i64, second: i64) -> i64 {
    ((hour * 60 + minute) * 60 + second) * 1000
}

fn quotes(events: &[Timed]) -> Vec<Quote> {
    let quote = |(_, event): &Timed| match event {
        MarketEvent::Quote(quote) => Some(*quote),
        _ => None,
    };
    events.iter().filter_map(quote).collect()
}

fn dropped(report: &ImportReport, reason: csv::Reason) -> u64 {
    report.dropped.get(reason.as_str()).map_or(0, |dropped| dropped.count)
}

/// A small day of everything: stock quotes and prints, a chain of two contracts.
fn small_day() -> Lean {
    let lean = Lean::new();
    let open = ms(9, 30, 0);
    lean.zip(
        &format!("equity/usa/minute/goog/{DAY}_quote.zip"),
        &[(
            "20151224_goog_minute_quote.csv",
            &format!("{open},1,1,1,7500000,3,2,2,2,7501000,4\n{},1,1,1,7500500,3,2,2,2,7501500,4\n", open + 60_000),
        )],
    )
    .zip(
        &format!("equity/usa/minute/goog/{DAY}_trade.zip"),
        &[("20151224_goog_minute_trade.csv", &format!("{open},7500000,7502000,7499000,7501000,120\n"))],
    )
    .zip(
        &format!("option/usa/minute/goog/{DAY}_quote_american.zip"),
        &[
            (
                "20151224_goog_minute_quote_american_put_7500000_20151231.csv",
                &format!("{open},,,,,0,21500,21500,5000,5000,19\r\n\r\n"),
            ),
            (
                "20151224_goog_minute_quote_american_call_7500000_20151231.csv",
                &format!("{open},1,1,1,40000,7,1,1,1,41000,8"),
            ),
        ],
    )
    .zip(
        &format!("option/usa/minute/goog/{DAY}_openinterest_american.zip"),
        &[("20151224_goog_minute_openinterest_american_call_7500000_20151231.csv", "23460000,321\n")],
    )
    .raw("option/usa/universes/goog/20151224.csv", b"#expiry\n");
    lean
}

#[test]
fn a_bar_is_an_event_at_its_end_and_each_second_has_its_timer_after_the_events_of_that_instant() {
    let lean = small_day();
    let request = lean.request("GOOG");
    let (report, events) = lean.events(&request);
    assert_eq!(
        report.written,
        BTreeMap::from([("bars".to_owned(), 1), ("open_interest".to_owned(), 1), ("quotes".to_owned(), 4)])
    );
    let all = inputs(&request);
    assert_eq!(all.len() as u64, report.inputs);

    // Instruments first, numbered in order: the share, then contracts by expiry, right and strike.
    let first: Vec<&Input> = all.iter().take(5).map(|numbered| &numbered.input).collect();
    let [
        Input::Instrument { .. },
        Input::Instrument { instrument: call, .. },
        Input::Instrument { instrument: put, .. },
        rest @ ..,
    ] = &first[..]
    else {
        panic!("{first:?}");
    };
    assert_eq!(
        (call.to_string(), put.to_string()),
        ("GOOG151231C00750000".to_owned(), "GOOG151231P00750000".to_owned())
    );
    assert!(call.option().is_some_and(|option| !option.european));
    let connected = FeedFact::Connected { stream: "lean GOOG 2015-12-24".to_owned(), delayed: false };
    let cadence = FeedFact::Cadence { every: Span::from_minutes(1) };
    assert_eq!(rest, [&Input::Fact(Fact::Feed(connected)), &Input::Fact(Fact::Feed(cadence))]);

    // Open interest of before the session is known at its open; the first bars end a minute later, quotes before prints, shares before
    // options, and the second's timer after them.
    let kinds: Vec<(UnixNanos, &Input)> = all.iter().skip(5).map(|numbered| (numbered.at, &numbered.input)).collect();
    assert!(
        matches!(kinds[0], (when, Input::Market(MarketEvent::OpenInterest(one))) if when == at(9, 30, 0) && one.contracts == 321)
    );
    assert!(matches!(kinds[1], (when, Input::Fact(Fact::Timer { wall })) if when == at(9, 30, 0) && *wall == when));
    let minute: Vec<_> = kinds.iter().filter(|(when, _)| *when == at(9, 31, 0)).collect();
    let [
        (_, Input::Market(MarketEvent::Quote(share))),
        (_, Input::Market(MarketEvent::Bar(bar))),
        (_, Input::Market(MarketEvent::Quote(_))),
        (_, Input::Market(MarketEvent::Quote(_))),
        (_, Input::Fact(Fact::Timer { .. })),
    ] = &minute[..]
    else {
        panic!("{minute:?}");
    };
    assert_eq!(
        (share.bid.to_string(), share.ask.to_string(), share.bid_size, share.ask_size),
        ("750".to_owned(), "750.1".to_owned(), 3, 4)
    );
    assert_eq!(share.exchange_time, at(9, 31, 0));
    let price = |text: &str| Price::parse(text).unwrap();
    let wanted = Bar {
        instrument: InstrumentId(0),
        start: at(9, 30, 0),
        interval: Span::from_minutes(1),
        open: price("750"),
        high: price("750.2"),
        low: price("749.9"),
        close: price("750.1"),
        volume: 120,
        trade_count: 0,
        backfill: false,
    };
    assert_eq!(*bar, wanted);
    // The put's bid was never stated: it is empty.
    let of_put: Vec<Quote> = quotes(&events).into_iter().filter(|quote| quote.instrument == InstrumentId(2)).collect();
    assert_eq!(of_put.iter().map(|quote| (quote.bid(), quote.ask())).collect::<Vec<_>>(), [(None, Some(price("0.5")))]);

    // One timer a second, the open and the early close included.
    let timers: Vec<UnixNanos> = all
        .iter()
        .filter(|numbered| matches!(numbered.input, Input::Fact(Fact::Timer { .. })))
        .map(|numbered| numbered.at)
        .collect();
    assert_eq!(timers.len(), 3 * 3600 + 30 * 60 + 1);
    assert_eq!((timers.first(), timers.last()), (Some(&at(9, 30, 0)), Some(&at(13, 0, 0))));
    // What is not read is told.
    assert!(
        report.files.iter().any(|file| file.path.ends_with("universes/goog/20151224.csv") && file.not_read.is_some())
    );
}

#[test]
fn the_same_files_give_the_same_bytes_wherever_they_are() {
    let (one, other) = (small_day(), small_day());
    let report = one.import(&one.request("GOOG")).unwrap();
    let again = other.import(&other.request("GOOG")).unwrap();
    assert_eq!(report, again);
    assert_eq!(std::fs::read(one.request("GOOG").out).unwrap(), std::fs::read(other.request("GOOG").out).unwrap());
    let mut request = other.request("GOOG");
    request.extended = true;
    assert_ne!(other.import(&request).unwrap().recording_id, report.recording_id);
    let info = Info::of(&request.out).unwrap();
    assert_eq!(info.digest, other.import(&request).unwrap().digest);
}

#[test]
fn a_recording_that_exists_is_not_overwritten() {
    let lean = small_day();
    let request = lean.request("GOOG");
    std::fs::write(&request.out, b"precious").unwrap();
    let error = import_lean(&request, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ImportError::Record(RecordError::Exists { .. })));
    assert_eq!(std::fs::read(&request.out).unwrap(), b"precious");
}

#[test]
fn a_blank_side_keeps_its_last_value_until_the_other_moves_through_it() {
    let lean = Lean::new();
    let rows: String = [
        // Before the open: no event, but a last value.
        (9, 29, "1,1,1,100000,5,1,1,1,101000,6"),
        (9, 30, ",,,,0,1,1,1,102000,7"),
        (9, 31, "1,1,1,101000,8,,,,,0"),
        (9, 32, ",,,,0,,,,,0"),
        // The ask falls below the bid of 10.10 carried on from before.
        (9, 33, ",,,,0,1,1,1,100500,9"),
        (9, 34, "1,1,1,100400,3,,,,,0"),
        (9, 35, "0,0,0,0,0,1,1,1,100500,9"),
        (9, 36, "1,1,1,100600,1,1,1,1,100500,1"),
        (9, 37, "1,1,1,-100600,1,1,1,1,100500,1"),
    ]
    .iter()
    .map(|(hour, minute, row)| format!("{},{row}\n", ms(*hour, *minute, 0)))
    .collect();
    lean.zip(&format!("equity/usa/minute/goog/{DAY}_quote.zip"), &[("20151224_goog_minute_quote.csv", &rows)]);
    let (report, events) = lean.events(&lean.request("GOOG"));
    let got: Vec<_> = quotes(&events)
        .into_iter()
        .map(|quote| {
            (quote.exchange_time, quote.bid.to_string(), quote.bid_size, quote.ask.to_string(), quote.ask_size)
        })
        .collect();
    let wanted = [
        (31, "10", 5, "10.2", 7),
        (32, "10.1", 8, "10.2", 7),
        (34, "0", 0, "10.05", 9),
        (35, "10.04", 3, "10.05", 9),
        (36, "0", 0, "10.05", 9),
    ]
    .map(|(minute, bid, bid_size, ask, ask_size)| {
        (at(9, minute, 0), bid.to_owned(), bid_size, ask.to_owned(), ask_size)
    });
    assert_eq!(got, wanted);
    assert_eq!(report.adjusted.values().map(|adjusted| adjusted.count).sum::<u64>(), 1);
    use csv::Reason::{Crossed, NegativePrice, NoSide, OutsideWindow};
    for reason in [Crossed, NegativePrice, NoSide, OutsideWindow] {
        assert_eq!(dropped(&report, reason), 1, "{reason:?}");
    }
}

#[test]
fn the_time_of_a_dropped_row_costs_no_later_row() {
    let lean = Lean::new();
    let quoted: String = [
        (10, 0, "1,1,1,100000,5,1,1,1,101000,6"),
        (10, 2, "1,1,1,-100000,5,1,1,1,101000,6"),
        (10, 3, ",,,,0,,,,,0"),
        // After the half day's close: neither its time nor its sides count.
        (13, 30, "1,1,1,90000,5,1,1,1,91000,6"),
        (10, 1, ",,,,0,1,1,1,102000,7"),
        (10, 2, "1,1,1,100100,8,1,1,1,102000,7"),
        // Earlier than a row that was kept.
        (10, 1, "1,1,1,100200,8,1,1,1,102000,7"),
    ]
    .iter()
    .map(|(hour, minute, row)| format!("{},{row}\n", ms(*hour, *minute, 0)))
    .collect();
    let traded: String = [(10, 2, -5), (10, 0, 5), (13, 30, 5), (10, 1, 5), (10, 0, 5)]
        .iter()
        .map(|(hour, minute, price)| format!("{},{price},{price},{price},{price},9\n", ms(*hour, *minute, 0)))
        .collect();
    lean.zip(&format!("equity/usa/minute/goog/{DAY}_quote.zip"), &[("20151224_goog_minute_quote.csv", &quoted)])
        .zip(&format!("equity/usa/minute/goog/{DAY}_trade.zip"), &[("20151224_goog_minute_trade.csv", &traded)]);
    let (report, events) = lean.events(&lean.request("GOOG"));
    let got: Vec<_> = quotes(&events)
        .iter()
        .map(|quote| (quote.exchange_time, quote.bid.to_string(), quote.ask.to_string()))
        .collect();
    let wanted = [(1, "10", "10.1"), (2, "10", "10.2"), (3, "10.01", "10.2")];
    assert_eq!(got, wanted.map(|(minute, bid, ask)| (at(10, minute, 0), bid.to_owned(), ask.to_owned())));
    let bars: Vec<UnixNanos> =
        events.iter().filter(|(_, event)| matches!(event, MarketEvent::Bar(_))).map(|(at, _)| *at).collect();
    assert_eq!(bars, [at(10, 1, 0), at(10, 2, 0)]);
    use csv::Reason::{NegativePrice, NoSide, OutOfOrder, OutsideWindow};
    for (reason, count) in [(NegativePrice, 2), (NoSide, 1), (OutsideWindow, 2), (OutOfOrder, 2)] {
        assert_eq!(dropped(&report, reason), count, "{reason:?}");
    }
}

#[test]
fn nonsense_is_counted_by_reason_with_the_first_of_it() {
    let lean = Lean::new();
    let open = ms(9, 30, 0);
    let rows = [
        format!("{open},7500000,100,P,1,0"),
        format!("{},7500000,100,P,1,0", open - 1),
        format!("{open},7500000,100,P,1,1"),
        "not,a,row".to_owned(),
        format!("{open},-7500000,100,P,1,0"),
        format!("{open},0,100,P,1,0"),
        format!("{open},7500000,0,P,1,0"),
        format!("{open},7500000,99999999999,P,1,0"),
        format!("{},7500000,100,,80000000,0", ms(13, 0, 0) - 1),
        format!("{},7500000,100,P,1,0", ms(13, 0, 0)),
        format!("{open},1,2,3,4,5,6,7,8,9,10,11,12"),
        "\u{e9}\u{e9}".to_owned(),
    ]
    .join("\n");
    lean.zip(&format!("equity/usa/tick/goog/{DAY}_trade.zip"), &[("20151224_goog_Trade_Tick.csv", &rows)]);
    let request = lean.request("GOOG");
    let (report, events) = lean.events(&request);
    assert_eq!(report.rows_read, 12);
    use csv::Reason::{NegativePrice, NotTraded, OutOfOrder, OutsideWindow, Suspicious, Unparsable};
    for (reason, count) in
        [(Unparsable, 4), (OutOfOrder, 1), (Suspicious, 1), (NegativePrice, 1), (NotTraded, 2), (OutsideWindow, 1)]
    {
        assert_eq!(dropped(&report, reason), count, "{reason:?}");
    }
    assert_eq!(report.dropped[Unparsable.as_str()].example, "20151224_goog_Trade_Tick.csv: not,a,row");
    let [(first, MarketEvent::Trade(one)), (_, MarketEvent::Trade(last))] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*first, one.size, one.exchange, one.conditions), (at(9, 30, 0), 100, b'P', *b"@   "));
    assert_eq!((last.exchange, last.conditions), (b' ', *b"I   "));
    // Ticks alone have no cadence.
    assert_eq!(Recording::open(&request.out).unwrap().head().cadence, None);
}

#[test]
fn a_bar_outside_its_own_range_is_dropped() {
    let lean = Lean::new();
    let open = ms(9, 30, 0);
    let rows =
        format!("{open},100,90,80,85,5\n{open},100,110,95,90,5\n{open},100,110,90,95,0\n{open},100,110,90,95,1\n");
    lean.zip(&format!("equity/usa/minute/goog/{DAY}_trade.zip"), &[("x.csv", &rows)]);
    let (report, events) = lean.events(&lean.request("GOOG"));
    assert_eq!(events.len(), 1);
    assert_eq!(dropped(&report, csv::Reason::OwnRange), 2);
    assert_eq!(dropped(&report, csv::Reason::NotTraded), 1);
}

#[test]
fn of_each_kind_the_finest_resolution_is_read_unless_another_is_asked_for() {
    let lean = Lean::new();
    let open = ms(9, 30, 0);
    lean.zip(&format!("equity/usa/tick/goog/{DAY}_trade.zip"), &[("a.csv", &format!("{open},7500000,100,P,1,0\n"))])
        .zip(&format!("equity/usa/second/goog/{DAY}_trade.zip"), &[("a.csv", &format!("{open},5,5,5,5,1\n"))])
        .zip(&format!("equity/usa/second/goog/{DAY}_quote.zip"), &[("a.csv", &format!("{open},1,1,1,4,1,1,1,1,5,1\n"))])
        .zip(
            &format!("equity/usa/minute/goog/{DAY}_quote.zip"),
            &[("a.csv", &format!("{open},1,1,1,6,1,1,1,1,7,1\n"))],
        );
    let mut request = lean.request("GOOG");
    let (report, events) = lean.events(&request);
    assert!(matches!(&events[..], [(_, MarketEvent::Trade(_)), (end, MarketEvent::Quote(_))] if *end == at(9, 30, 1)));
    assert_eq!(report.files.iter().filter(|file| file.not_read.is_some()).count(), 2);
    request.resolution = Some(Resolution::Second);
    let (_, events) = lean.events(&request);
    assert!(matches!(&events[..], [(_, MarketEvent::Quote(_)), (_, MarketEvent::Bar(_))]));
    request.resolution = Some(Resolution::Minute);
    let (_, events) = lean.events(&request);
    assert!(matches!(&events[..], [(end, MarketEvent::Quote(_))] if *end == at(9, 31, 0)));
    request.date = jiff::civil::date(2015, 12, 23);
    let error = lean.import(&request).unwrap_err().to_string();
    assert!(
        error.starts_with("no quotes, trades or open interest of GOOG on 2015-12-23 at resolution minute"),
        "{error}"
    );
}

#[test]
fn option_ticks_are_read_with_and_without_their_last_columns() {
    let lean = Lean::new();
    let open = ms(9, 30, 0);
    let quotes_text =
        format!("{open},20000,5,21000,6,C,0\n{},0,0,22000,7,X,0\n{},19000,1,0,0,B,1\n", open + 1, open + 2);
    let name = |kind: &str| format!("20151224_goog_tick_{kind}_american_call_7500000_20151231.csv");
    lean.zip(&format!("option/usa/tick/goog/{DAY}_quote_american.zip"), &[(&name("quote"), &quotes_text)]).zip(
        &format!("option/usa/tick/goog/{DAY}_trade_american.zip"),
        &[(&name("trade"), &format!("{open},20500,3\n{open},20500,3,X,S,0\n"))],
    );
    let (report, events) = lean.events(&lean.request("GOOG"));
    let second = quotes(&events)[1];
    assert_eq!((second.bid.to_string(), second.bid_exchange), ("2".to_owned(), b'C'));
    assert_eq!((second.ask.to_string(), second.ask_exchange), ("2.2".to_owned(), b'X'));
    assert_eq!(dropped(&report, csv::Reason::Suspicious), 1);
    assert!(events.iter().any(|(_, event)| matches!(event, MarketEvent::Trade(trade) if trade.conditions == *b"S   " && trade.exchange == b'X')));
}

#[test]
fn index_options_are_european_and_an_index_level_is_in_dollars() {
    let lean = Lean::new();
    let open = ms(9, 30, 0);
    lean.zip(
        &format!("indexoption/usa/minute/spxw/{DAY}_quote_european.zip.zip"),
        &[(
            "20151224_spxw_minute_quote_european_put_20500000_20151224.csv",
            &format!("{open},1,1,1,650000,1,1,1,1,679000,1\n"),
        )],
    );
    let request = lean.request("SPXW");
    lean.events(&request);
    let head = Recording::open(&request.out).unwrap().head().clone();
    let [Instrument::Option(option)] = &head.instruments[..] else { panic!("{head:?}") };
    assert!(option.european);
    assert_eq!(
        (option.underlying.as_str(), option.contract.root(), option.strike().to_string()),
        ("SPXW", "SPXW", "2050".to_owned())
    );

    lean.zip(
        &format!("index/usa/minute/spxw/{DAY}_trade.zip"),
        &[("spxw.csv", &format!("{open},2050.25,2051,2050,2050.5,0\n"))],
    );
    let (_, events) = lean.events(&request);
    let bar =
        events.iter().find_map(|(_, event)| if let MarketEvent::Bar(bar) = event { Some(*bar) } else { None }).unwrap();
    assert_eq!(bar.open.to_string(), "2050.25");
    let head = Recording::open(&request.out).unwrap().head().clone();
    assert!(matches!(head.instruments[..], [Instrument::Index { .. }, Instrument::Option(_)]));
}

#[test]
fn names_are_read_as_vendors_write_them() {
    let open = ms(9, 30, 0);
    let row = format!("{open},1,1,1,4,1,1,1,1,5,1\n");
    for below in [
        "equity/usa/minute/goog/20151224_quote.zip",
        "Equity/USA/Minute/GOOG/20151224_QUOTE.ZIP",
        "equity/usa/minute/goog/20151224_quote.zip.zip",
        "equity/usa/minute/goog/20151224_goog_minute_quote.zip",
        "equity/usa/goog/20151224_minute_quote.zip",
    ] {
        let lean = Lean::new();
        lean.zip(below, &[("20151224_GOOG_Quote_Minute.csv", &row)]);
        assert_eq!(lean.events(&lean.request("GOOG")).1.len(), 1, "{below}");
    }
    for member in [
        "20151224_goog_minute_quote_american_call_7500000_20151231.csv",
        "20151224_GOOG_Quote_Minute_American_Call_7500000_20151231.CSV",
        "20151224_goog_quote_call_7500000_20151231.csv",
    ] {
        let lean = Lean::new();
        lean.zip("option/usa/minute/goog/20151224_quote.zip", &[(member, &row)]);
        assert_eq!(lean.events(&lean.request("GOOG")).1.len(), 1, "{member}");
    }
}

#[test]
fn a_file_of_that_day_and_symbol_that_is_not_read_is_an_error() {
    for (below, why) in [
        ("equity/usa/minute/goog/20151224_quotes.zip", "`quotes` in its name is not understood"),
        ("equity/usa/minute/goog/20151224_quote.csv", "it is no .zip"),
        ("equity/usa/minute/goog/20151224_quote.zip.bak", "it is no .zip"),
        ("equity/usa/minute/goog/20151224.zip", "none of quote, trade, openinterest"),
        ("equity/usa/minute/goog/20151224_openinterest.zip", "open interest of equity data"),
        ("equity/usa/minute/goog/20151224_second_quote.zip", "its folder says minute, its name second"),
        ("equity/usa/goog/20151224_quote.zip", "neither its folder nor its name says which resolution"),
        ("equity/usa/millisecond/goog/20151224_quote.zip", "its folder `millisecond` is none of"),
        ("index/usa/minute/goog/20151224_quote.zip", "an index has no quotes"),
    ] {
        let lean = small_day();
        lean.zip(below, &[]);
        let error = lean.refused("GOOG");
        assert!(error.contains(why) && error.contains("is of that day and symbol"), "{below}: {error}");
    }
    let lean = small_day();
    lean.zip("equity/usa/minute/goog/20151224_trade.zip.zip", &[]);
    assert!(lean.refused("GOOG").contains("both hold the same kind of data"));
    // Other days and other symbols are nobody's business here.
    let lean = small_day();
    lean.zip("equity/usa/minute/goog/20151223_what.zip", &[]).zip("equity/usa/minute/aapl/20151224_what.zip", &[]);
    lean.import(&lean.request("GOOG")).unwrap();
}

#[test]
fn days_without_a_session_and_folders_without_data_are_refused() {
    let lean = small_day();
    let mut request = lean.request("GOOG");
    request.date = jiff::civil::date(2015, 12, 25);
    let error = lean.import(&request).unwrap_err().to_string();
    assert!(error.starts_with("2015-12-25 is no trading day: "), "{error}");
    assert!(lean.refused("AAPL").starts_with("no quotes, trades or open interest of AAPL on 2015-12-24 below"));
    request = lean.request("GOOG");
    request.src = lean.path("missing");
    assert!(matches!(lean.import(&request), Err(ImportError::Unreadable { .. })));
}

#[test]
fn a_contract_that_cannot_be_is_refused_and_one_without_a_symbol_is_counted() {
    let row = format!("{},1,1,1,4,1,1,1,1,5,1\n", ms(9, 30, 0));
    let with = |members: &[&str]| {
        let lean = Lean::new();
        let members: Vec<(&str, &str)> = members.iter().map(|member| (*member, row.as_str())).collect();
        lean.zip("option/usa/minute/goog/20151224_quote_american.zip", &members);
        lean
    };
    for (member, why) in [
        ("20151223_goog_minute_quote_american_call_7500000_20151231.csv", "it is of 2015-12-23"),
        ("20151224_goog_minute_trade_american_call_7500000_20151231.csv", "`trade` in its name"),
        ("20151224_goog_minute_quote_american_7500000_20151231.csv", "neither call nor put"),
        ("20151224_goog_minute_quote_american_call_20151231.csv", "strike and expiration"),
        ("20151224_goog_minute_quote_american_call_7500000_20151331.csv", "expiration is no date"),
        ("readme.txt", "no .csv file"),
        ("x.csv", "does not begin with a date"),
    ] {
        let error = with(&[member]).refused("GOOG");
        assert!(error.contains(why) && error.contains(member), "{error}");
    }
    let twice = with(&[
        "20151224_goog_minute_quote_american_call_7500000_20151231.csv",
        "20151224_goog_quote_american_call_7500000_20151231.csv",
    ]);
    assert!(twice.refused("GOOG").contains("stands twice"));
    let odd = with(&["20151224_goog_minute_quote_american_call_7500005_20151231.csv"]);
    let report = odd.import(&odd.request("GOOG")).unwrap();
    assert_eq!((dropped(&report, csv::Reason::Terms), report.instruments), (1, 0));
}

#[test]
fn progress_tells_each_step_in_order() {
    let lean = small_day();
    let mut told = Vec::new();
    import_lean(&lean.request("GOOG"), &mut |progress| told.push(progress)).unwrap();
    assert!(told.iter().all(|progress| progress.done <= progress.total));
    let mut steps: Vec<Step> = told.iter().map(|progress| progress.step).collect();
    steps.dedup();
    assert_eq!(steps, [Step::Digests, Step::Contracts, Step::Writing]);
    assert_eq!(told.last().map(|progress| progress.done), Some(3 * 3600 + 30 * 60));
}
