//! Small files in LEAN's format: minute bars of quotes and trades, ticks, chains with open interest.

use agenttrader_core::calendar::Session;
use agenttrader_core::symbol::Symbol;
use agenttrader_options::black_scholes::price;
use agenttrader_options::{Carry, Right, TimeToExpiry};
use agenttrader_sequence::import::lean::{ImportRequest, import_lean};
use jiff::civil::Date;
use std::io::Write as _;
use std::path::PathBuf;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A Thursday that ended at 13:00, with contracts that expired on it.
pub const HALF_DAY: Date = jiff::civil::date(2015, 12, 24);
/// A Monday.
pub const TICKS: Date = jiff::civil::date(2013, 10, 7);
/// A Friday, with contracts that expired on it.
pub const UNQUOTED: Date = jiff::civil::date(2014, 6, 6);
/// A Monday with contracts that expired on it.
pub const INDEX: Date = jiff::civil::date(2021, 1, 4);

/// Milliseconds from midnight to the open.
const OPEN: i64 = (9 * 60 + 30) * 60_000;

/// A walk that every machine repeats: uniform steps from a linear congruential generator.
pub struct Walk {
    state: u64,
    at: f64,
    width: f64,
}

impl Walk {
    pub fn new(seed: u64, start: f64, width: f64) -> Self {
        Self { state: seed, at: start, width }
    }

    pub fn step(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        self.at += (uniform - 0.5) * 2.0 * self.width;
        self.at
    }
}

/// Dollars in LEAN's ten-thousandths, to the cent.
fn cents(dollars: f64) -> i64 {
    (dollars * 100.0).round() as i64 * 100
}

/// A row of a quote bar whose prices do not move within it.
fn quote(at: i64, bid: i64, ask: i64) -> String {
    format!("{at},{bid},{bid},{bid},{bid},9,{ask},{ask},{ask},{ask},8\n")
}

/// A row of a trade bar.
fn bar(at: i64, open: i64, close: i64, volume: i64) -> String {
    format!("{at},{open},{},{},{close},{volume}\n", open.max(close), open.min(close))
}

fn compact(date: Date) -> String {
    date.strftime("%Y%m%d").to_string()
}

/// A contract: days to expiry, right, strike.
type Contract = (i64, Right, f64);

/// Which chain is written.
struct Options<'a> {
    class: &'a str,
    style: &'a str,
    symbol: &'a str,
    date: Date,
    contracts: Vec<Contract>,
}

impl Options<'_> {
    fn member(&self, kind: &str, (days, right, strike): Contract) -> String {
        let expiry = compact(self.date.checked_add(jiff::Span::new().days(days)).unwrap());
        let right = if right == Right::Call { "call" } else { "put" };
        let (day, strike) = (compact(self.date), cents(strike));
        format!("{day}_{}_minute_{kind}_{}_{right}_{strike}_{expiry}.csv", self.symbol, self.style)
    }

    fn path(&self, kind: &str) -> String {
        format!("{}/usa/minute/{}/{}_{kind}_{}.zip", self.class, self.symbol, compact(self.date), self.style)
    }

    /// What a contract is worth so many minutes before today's close.
    fn value(&self, spot: f64, minutes_left: i64, (days, right, strike): Contract) -> f64 {
        let nanos = (minutes_left + days * 1_440).max(1) * 60_000_000_000;
        let carry = Carry::from_rates(spot, 0.04, 0.0, TimeToExpiry::from_nanos(nanos)).unwrap();
        price(right, strike, 0.25, &carry)
    }
}

/// A data folder.
pub struct Folder {
    dir: TempDir,
}

impl Folder {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A file beside the data.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Imports a day of it.
    pub fn import(&self, symbol: &str, date: Date) -> PathBuf {
        let request = ImportRequest {
            src: self.path("data"),
            symbol: Symbol::parse(symbol).unwrap(),
            date,
            out: self.path(&format!("{symbol}.rec")),
            resolution: None,
            extended: false,
        };
        let report = import_lean(&request, &mut |_| {}).unwrap();
        let dropped: u64 = report.dropped.values().map(|dropped| dropped.count).sum();
        assert_eq!(report.rows_read, report.written.values().sum::<u64>() + dropped, "every row is accounted for");
        request.out
    }

    fn zip(&self, below: &str, members: &[(String, String)]) {
        let path = self.path("data").join(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = ZipWriter::new(std::fs::File::create(path).unwrap());
        for (name, text) in members {
            writer.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            writer.write_all(text.as_bytes()).unwrap();
        }
        writer.finish().unwrap();
    }

    fn shares(&self, symbol: &str, date: Date, spots: &[f64], cent_off: i64) {
        let day = compact(date);
        let (mut quotes, mut trades) = (String::new(), String::new());
        let mut before = spots[0];
        for (minute, spot) in (0..).zip(spots) {
            let at = OPEN + minute * 60_000;
            let off = if minute == 8 { cent_off } else { 0 };
            quotes += &quote(at, cents(spot - 0.03) - off, cents(spot + 0.03));
            trades += &bar(at, cents(before), cents(*spot), 500 + minute);
            before = *spot;
        }
        let file = |kind: &str| format!("equity/usa/minute/{symbol}/{day}_{kind}.zip");
        let member = |kind: &str| format!("{day}_{symbol}_minute_{kind}.csv");
        self.zip(&file("quote"), &[(member("quote"), quotes)]);
        self.zip(&file("trade"), &[(member("trade"), trades)]);
    }

    fn chain(&self, options: &Options<'_>, spots: &[f64], quoted: bool) {
        let minutes = spots.len() as i64;
        let (mut quotes, mut trades, mut interest) = (Vec::new(), Vec::new(), Vec::new());
        for contract in &options.contracts {
            let mut rows = String::new();
            let mut prints = String::new();
            for (minute, spot) in (0..).zip(spots) {
                let at = OPEN + minute * 60_000;
                let value = options.value(*spot, minutes - minute, *contract);
                let (bid, ask) = (cents((value - 0.03).max(0.0)), cents(value + 0.04));
                // A side that is empty is blank.
                let row = if bid > 0 { quote(at, bid, ask) } else { format!("{at},,,,,0,{ask},{ask},{ask},{ask},8\n") };
                rows += &row;
                if (minute + contract.2 as i64) % 20 == 3 {
                    prints += &bar(at, bid.max(100), ask, 4);
                }
            }
            // Dealers are short gamma where puts are the popular ones.
            let open = if contract.1 == Right::Call { 300 } else { 900 };
            quotes.push((options.member("quote", *contract), rows));
            trades.push((options.member("trade", *contract), prints));
            interest.push((options.member("openinterest", *contract), format!("23400000,{open}\n")));
        }
        if quoted {
            self.zip(&options.path("quote"), &quotes);
        }
        self.zip(&options.path("trade"), &trades);
        self.zip(&options.path("openinterest"), &interest);
    }

    /// GOOG's half day with the chain of that day and a week later; one bid is `cent_off` ten-thousandths lower.
    pub fn half_day_of_goog(&self, cent_off: i64) {
        let spots = spots(HALF_DAY, 11, 750.0, 0.45);
        self.shares("goog", HALF_DAY, &spots, cent_off);
        let contracts = grid(&[0, 7], 735.0, 2.5, 13);
        let options = Options { class: "option", style: "american", symbol: "goog", date: HALF_DAY, contracts };
        self.chain(&options, &spots, true);
    }

    /// SPY's prints as ticks and its quotes by the second, for an hour; no options.
    pub fn ticks_of_spy(&self) {
        let day = compact(TICKS);
        let mut walk = Walk::new(3, 168.0, 0.02);
        let (mut quotes, mut ticks) = (String::new(), String::new());
        for second in 0..3_600_i64 {
            let (at, spot) = (OPEN + second * 1_000, walk.step());
            quotes += &quote(at, cents(spot - 0.01), cents(spot + 0.01));
            // Buyers and sellers take turns by the minute.
            let paid = if (second / 60) % 3 == 0 { spot - 0.01 } else { spot + 0.01 };
            ticks += &format!("{},{},100,P,0,0\n", at + 1_400, cents(paid));
            ticks += &format!("{},{},100,Q,0,0\n", at + 1_700, cents(spot));
        }
        let quote_member = format!("{day}_spy_second_quote.csv");
        self.zip(&format!("equity/usa/second/spy/{day}_quote.zip"), &[(quote_member, quotes)]);
        self.zip(&format!("equity/usa/tick/spy/{day}_trade.zip"), &[(format!("{day}_spy_Trade_Tick.csv"), ticks)]);
    }

    /// AAPL with options that traded and have no quotes.
    pub fn unquoted_options_of_aapl(&self) {
        let spots = spots(UNQUOTED, 5, 645.0, 0.4);
        self.shares("aapl", UNQUOTED, &spots, 0);
        let contracts = grid(&[0, 7], 640.0, 5.0, 3);
        let options = Options { class: "option", style: "american", symbol: "aapl", date: UNQUOTED, contracts };
        self.chain(&options, &spots, false);
    }

    /// Weekly index options, without the index.
    pub fn index_options_of_spxw(&self) {
        let spots = spots(INDEX, 9, 3_700.0, 2.0);
        let contracts = grid(&[0, 2], 3_650.0, 25.0, 5);
        let options = Options { class: "indexoption", style: "european", symbol: "spxw", date: INDEX, contracts };
        self.chain(&options, &spots, true);
    }
}

/// A spot for each minute of a session.
fn spots(date: Date, seed: u64, start: f64, width: f64) -> Vec<f64> {
    let session = Session::on(date).unwrap();
    let minutes = session.close.since(session.open).seconds() / 60;
    let mut walk = Walk::new(seed, start, width);
    (0..minutes).map(|_| walk.step()).collect()
}

/// Both rights at so many strikes of each expiry.
fn grid(days: &[i64], lowest: f64, step: f64, strikes: u32) -> Vec<Contract> {
    let of = |days: i64| (0..strikes).map(move |index| (days, lowest + step * f64::from(index)));
    let pairs = days.iter().flat_map(|days| of(*days));
    pairs.flat_map(|(days, strike)| [Right::Call, Right::Put].map(|right| (days, right, strike))).collect()
}
