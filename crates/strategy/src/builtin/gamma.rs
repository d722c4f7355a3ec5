//! The 0DTE gamma scalper: buys a same-day straddle at the money, holds its delta near zero with shares, and is out before
//! the venue stops taking orders in what expires.

mod entry;
mod exit;
mod hedge;
mod holding;
mod settings;

use crate::config::{Common, ConfigError};
use crate::draft::{Note, NoteKind, Out, figures};
use crate::moment::Moment;
use crate::strategy::Strategy;
use agenttrader_core::cut_off::option_cut_off;
use agenttrader_core::money::Money;
use agenttrader_core::order::Intent;
use agenttrader_core::position::{Ended, Ending};
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_options::regime::Regime;
use agenttrader_sequence::input::Configuration;
use holding::Holding;
use jiff::civil::Date;
use settings::Settings;
use std::collections::BTreeMap;

/// The strategy.
#[derive(Clone, Debug)]
pub struct Gamma {
    settings: Settings,
    days: BTreeMap<Symbol, Day>,
}

/// What it is up to in one underlying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stance {
    /// Flat, and not the time to enter.
    Resting,
    /// Flat, and it would enter, but dealers' gamma is not known.
    Waiting,
    /// Flat, and looking for a straddle in this regime.
    Seeking(Regime),
    /// Holding a straddle and hedging it.
    Scalping,
    /// Getting out.
    Leaving,
}

/// One underlying's day.
#[derive(Clone, Copy, Debug)]
struct Day {
    date: Date,
    stance: Stance,
    hedged_at: Option<UnixNanos>,
    hedges: u32,
    hedge_notional: Money,
    /// The day's hedges are used up: what cannot be hedged is not held.
    spent: bool,
    /// Some delta is taken as that of the intrinsic value.
    by_intrinsic: bool,
    /// Closes that have lapsed one after another: each next one concedes more.
    lapsed_closes: u32,
}

impl Day {
    const fn new(date: Date) -> Self {
        Self {
            date,
            stance: Stance::Resting,
            hedged_at: None,
            hedges: 0,
            hedge_notional: Money::ZERO,
            spent: false,
            by_intrinsic: false,
            lapsed_closes: 0,
        }
    }
}

impl Stance {
    fn words(self) -> String {
        match self {
            Self::Resting => "flat; no new straddle at this time".to_owned(),
            Self::Waiting => "flat; waits until dealers' gamma is known".to_owned(),
            Self::Seeking(regime) => format!("flat; seeks a straddle in {}", regime.as_str()),
            Self::Scalping => "holds a straddle and hedges it".to_owned(),
            Self::Leaving => "closes what it holds".to_owned(),
        }
    }
}

impl Gamma {
    /// Makes it from its file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn configured(configuration: &Configuration) -> Result<(Box<dyn Strategy>, Common), ConfigError> {
        let (settings, common) = Settings::read(configuration)?;
        Ok((Box::new(Self { settings, days: BTreeMap::new() }), common))
    }

    /// When it begins to get out: ten minutes before the cut-off for what expires, at the latest a quarter of an hour before
    /// the close.
    fn exit_at(&self, moment: &Moment<'_>) -> UnixNanos {
        let cut_off = option_cut_off(moment.symbol, &moment.session);
        let before_cut_off = cut_off.minus(self.settings.exit_before_cut_off);
        before_cut_off.min(moment.session.close.minus(self.settings.exit_before_close))
    }

    fn stance(&self, moment: &Moment<'_>, holding: &Holding, day: &Day) -> Stance {
        let late = moment.at >= self.exit_at(moment);
        if !holding.is_flat() {
            let scalping = !late && !day.spent && !holding.legs.is_empty();
            return if scalping { Stance::Scalping } else { Stance::Leaving };
        }
        if !entry::is_time(moment, &self.settings) || day.spent {
            return Stance::Resting;
        }
        match moment.underlying.regime() {
            Regime::Unknown => Stance::Waiting,
            known => Stance::Seeking(known),
        }
    }
}

fn signal(moment: &Moment<'_>, summary: String, holding: &Holding) -> Note {
    let spot = moment.spot().map_or(f64::NAN, |price| price.as_f64());
    let indicators =
        figures(&[("hedge_shares", holding.shares as f64), ("spot", spot), ("straddles", holding.straddles() as f64)]);
    Note { kind: NoteKind::Signal, symbol: Some(moment.symbol), summary, indicators }
}

impl Strategy for Gamma {
    fn name(&self) -> &'static str {
        "gamma"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn nothing_to_do(&self, moment: &Moment<'_>) -> Option<&'static str> {
        if moment.underlying.chain().is_empty() {
            return Some("it has no options");
        }
        if self.settings.hedge(moment).is_none() {
            return Some("there is no share to hedge with (an index needs hedge_symbol and hedge_ratio)");
        }
        if moment.spot().is_none() {
            return Some("it has no price");
        }
        let Some(expiry) = entry::expiring(moment) else { return Some("no option of it expires today") };
        let quoted = |id: Option<_>| id.is_some_and(|id| moment.book.latest(id).is_some_and(|it| it.quote().is_some()));
        let any = expiry.strikes().any(|(_, pair)| quoted(pair.call) || quoted(pair.put));
        (!any).then_some("its options that expire today have no quotes")
    }

    fn evaluate(&mut self, moment: &Moment<'_>, out: &mut Out) {
        let today = Day::new(moment.session.date);
        let mut day = self.days.get(&moment.symbol).copied().filter(|day| day.date == today.date).unwrap_or(today);
        let holding = Holding::of(moment, &self.settings);
        let stance = self.stance(moment, &holding, &day);
        if stance != day.stance {
            day.stance = stance;
            out.notes.push(signal(moment, format!("{}: {}", moment.symbol, stance.words()), &holding));
        }
        match stance {
            Stance::Resting | Stance::Waiting => {}
            Stance::Seeking(regime) => entry::propose(moment, &self.settings, regime, out),
            Stance::Scalping => hedge::propose(moment, &self.settings, &holding, &mut day, out),
            Stance::Leaving => exit::propose(moment, &self.settings, &holding, &mut day, out),
        }
        self.days.insert(moment.symbol, day);
    }

    fn on_ended(&mut self, ended: &Ended) {
        let Some(day) = self.days.get_mut(&ended.underlying).filter(|_| ended.intent == Intent::Close) else { return };
        match ended.ending {
            Ending::Lapsed => day.lapsed_closes = day.lapsed_closes.saturating_add(1),
            Ending::Filled { .. } => day.lapsed_closes = 0,
            Ending::Refused { .. } => {}
        }
    }
}
