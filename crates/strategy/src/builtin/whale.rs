//! The flow follower: goes with large, convinced buyers and sellers of options.

mod flow;
mod pick;
mod settings;

use crate::closing;
use crate::config::{Common, ConfigError};
use crate::draft::{Draft, Note, NoteKind, Out, figures};
use crate::moment::Moment;
use crate::strategy::Strategy;
use agenttrader_core::cut_off::option_cut_off;
use agenttrader_core::instrument::{CONTRACT_MULTIPLIER, InstrumentId, OptionContract, Right};
use agenttrader_core::position::Position;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_marketdata::flow_window::WINDOW;
use agenttrader_options::flow::Sentiment;
use agenttrader_sequence::input::Configuration;
use flow::Flow;
use settings::Settings;
use std::collections::BTreeMap;

/// The strategy.
#[derive(Clone, Debug)]
pub struct Whale {
    settings: Settings,
    leans: BTreeMap<Symbol, Lean>,
}

/// Which way the flow of one underlying leans, as last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lean {
    sentiment: Sentiment,
    /// That there is no contract to follow it with has been said.
    said_no_contract: bool,
}

/// Why an idea is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Turned,
    Profit,
    Loss,
    Time,
}

impl Why {
    const fn words(self) -> &'static str {
        match self {
            Self::Turned => "the flow has turned",
            Self::Profit => "the profit aimed at is there",
            Self::Loss => "the loss borne is reached",
            Self::Time => "it is late",
        }
    }
}

impl Whale {
    /// Makes it from its file.
    ///
    /// # Errors
    /// [`ConfigError`], naming the field.
    pub fn configured(configuration: &Configuration) -> Result<(Box<dyn Strategy>, Common), ConfigError> {
        let (settings, common) = Settings::read(configuration)?;
        Ok((Box::new(Self { settings, leans: BTreeMap::new() }), common))
    }

    /// Follows the lean of the flow. It begins where an idea would, and ends where the score falls under what would end one.
    fn lean(&mut self, moment: &Moment<'_>, flow: &Flow, out: &mut Out) -> Lean {
        let neutral = Lean { sentiment: Sentiment::Neutral, said_no_contract: false };
        let before = self.leans.get(&moment.symbol).copied().unwrap_or(neutral);
        let towards = flow.score * before.sentiment.sign();
        let sentiment = match flow.entry(&self.settings) {
            Some(sentiment) => sentiment,
            None if before.sentiment != Sentiment::Neutral && towards >= self.settings.score_exit => before.sentiment,
            None => Sentiment::Neutral,
        };
        if sentiment == before.sentiment {
            return before;
        }
        let lean = Lean { sentiment, said_no_contract: false };
        self.leans.insert(moment.symbol, lean);
        let summary = format!("{}: flow is {}, score {:+.2}", moment.symbol, sentiment.as_str(), flow.score);
        out.notes.push(signal(moment, summary, flow));
        lean
    }

    fn enter(&mut self, moment: &Moment<'_>, flow: &Flow, lean: Lean, out: &mut Out) {
        let valid_until = moment.valid_until(agenttrader_core::order::Intent::Open);
        let late = valid_until > moment.session.close.minus(self.settings.exit_before_close);
        let Some(sentiment) = flow.entry(&self.settings).filter(|_| moment.may_open && !late) else { return };
        let right = if sentiment == Sentiment::Bullish { Right::Call } else { Right::Put };
        if let Some(draft) = pick::draft(moment, &self.settings, right, flow) {
            out.drafts.push(draft);
        } else if !lean.said_no_contract {
            let told = Lean { said_no_contract: true, ..lean };
            self.leans.insert(moment.symbol, told);
            let range = format!("{:.2} to {:.2}", self.settings.delta_min, self.settings.delta_max);
            let summary = format!("{}: no quoted contract of the next expiry has |delta| {range}", moment.symbol);
            out.notes.push(signal(moment, summary, flow));
        }
    }

    fn why_end(
        &self,
        moment: &Moment<'_>,
        option: &OptionContract,
        position: &Position,
        id: InstrumentId,
        flow: &Flow,
    ) -> Option<Why> {
        let lead = self.settings.exit_before_close;
        let expires_today = option.expiration() <= moment.session.date;
        let cut_off = option_cut_off(moment.symbol, &moment.session);
        let last = if expires_today { moment.session.close.min(cut_off) } else { moment.session.close };
        if moment.at >= last.minus(lead) {
            return Some(Why::Time);
        }
        let sign = if option.right() == Right::Call { 1.0 } else { -1.0 };
        if flow.score * sign < -self.settings.score_exit {
            return Some(Why::Turned);
        }
        let worth = mark(moment, id)?.notional(position.quantity, CONTRACT_MULTIPLIER);
        let gain = worth.minus(position.cost);
        if gain >= position.cost.basis_points(self.settings.take_profit_bp) {
            return Some(Why::Profit);
        }
        (gain <= position.cost.basis_points(self.settings.stop_loss_bp).negated()).then_some(Why::Loss)
    }

    fn exit(&self, moment: &Moment<'_>, flow: &Flow, out: &mut Out) {
        for position in moment.positions() {
            let Some(contract) = position.tradable.contract() else {
                // Shares that an expiry has left: nobody chose to hold them.
                let draft = closing::shares(moment, moment.symbol, position.quantity);
                let why = || format!("Sell out {} shares of {} that an expiry left.", position.quantity, moment.symbol);
                out.drafts.extend(draft.map(|draft| Draft { short_reason: why(), ..draft }));
                continue;
            };
            let Some(id) = moment.book.instruments().by_contract(&contract) else { continue };
            let Some(option) = moment.contract(id) else { continue };
            let Some(why) = self.why_end(moment, option, position, id, flow) else { continue };
            let Some(draft) = closing::contract(moment, id, option, position.quantity) else { continue };
            let mark = mark(moment, id).map_or(f64::NAN, Price::as_f64);
            let paid = position.cost.as_f64() / (position.quantity as f64 * f64::from(CONTRACT_MULTIPLIER));
            let short_reason = format!(
                "Close {} {contract}: {}; paid {paid:.2}, bid {}, score {:+.2}.",
                draft.quantity,
                why.words(),
                draft.limit_price.unwrap_or(Price::ZERO),
                flow.score,
            );
            let mut indicators = flow.figures();
            indicators.extend(figures(&[("mark", mark), ("paid", paid)]));
            out.drafts.push(Draft { short_reason, indicators, ..draft });
        }
    }
}

/// What a held contract is worth: mid of a tight quote, else its bid. None without a young two-sided quote: a stale mark
/// ends nothing.
fn mark(moment: &Moment<'_>, id: InstrumentId) -> Option<Price> {
    let (bid, ask) = moment.option_quote(id)?.two_sided()?;
    let (mid, spread) = (bid.midpoint(ask), ask.checked_sub(bid)?);
    let tight = spread <= mid.basis_points(1_000).max(Price::CENT.checked_mul(10)?);
    Some(if tight { mid } else { bid })
}

fn signal(moment: &Moment<'_>, summary: String, flow: &Flow) -> Note {
    Note { kind: NoteKind::Signal, symbol: Some(moment.symbol), summary, indicators: flow.figures() }
}

impl Strategy for Whale {
    fn name(&self) -> &'static str {
        "whale"
    }

    fn version(&self) -> &'static str {
        "1.0.0"
    }

    fn nothing_to_do(&self, moment: &Moment<'_>) -> Option<&'static str> {
        let chain = moment.underlying.chain();
        if chain.is_empty() {
            return Some("it has no options");
        }
        let quoted = |id: Option<_>| id.is_some_and(|id| moment.book.latest(id).is_some_and(|it| it.quote().is_some()));
        let mut pairs = chain.expiries().flat_map(|(_, _, expiry)| expiry.strikes());
        if !pairs.any(|(_, pair)| quoted(pair.call) || quoted(pair.put)) {
            return Some("its options have no quotes, so no print has a side");
        }
        if moment.spot().is_none() {
            return Some("it has no price");
        }
        if pick::next_expiry(moment).is_none() {
            return Some("no option of it expires after today");
        }
        let flow = moment.underlying.flow();
        if flow.total() == 0 {
            let quiet = moment.at >= moment.session.open.plus(WINDOW);
            return quiet.then_some("none of its options has traded");
        }
        (flow.printed() == 0).then_some("its options' prints come as bars alone, which have no side to follow")
    }

    fn evaluate(&mut self, moment: &Moment<'_>, out: &mut Out) {
        let flow = Flow::of(moment.underlying.flow(), self.settings.conviction_min);
        let lean = self.lean(moment, &flow, out);
        if moment.working(moment.symbol).next().is_some() {
            return;
        }
        if moment.is_idle() {
            self.enter(moment, &flow, lean, out);
        } else {
            self.exit(moment, &flow, out);
        }
    }
}
