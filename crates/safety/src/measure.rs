//! Measuring against a bound.

use crate::answer::Answer;
use agenttrader_core::decimal;
use agenttrader_core::decision::LimitMeasure;
use agenttrader_core::money::Money;
use agenttrader_core::reason::Reason;
use std::fmt;

/// A measure that must be at most its bound. Unknown on either side does not hold.
pub(crate) fn at_most<T: Ord + fmt::Display>(
    name: Reason,
    unit: &'static str,
    bound: Option<T>,
    measured: Option<T>,
) -> LimitMeasure {
    let holds = matches!((&measured, &bound), (Some(measured), Some(bound)) if measured <= bound);
    let text = |value: Option<T>| value.map(|value| value.to_string());
    LimitMeasure { name, bound: text(bound), measured: text(measured), unit, holds, refuses: true }
}

/// The same measure, which does not refuse where `excused`: it stands in the record all the same.
pub(crate) fn excuse(measure: LimitMeasure, excused: bool) -> LimitMeasure {
    LimitMeasure { refuses: measure.refuses && !excused, ..measure }
}

/// The answer of a limit's code.
pub(crate) fn answer(measure: &LimitMeasure) -> Answer {
    match measure {
        LimitMeasure { refuses: false, .. } | LimitMeasure { holds: true, .. } => Answer::DoesNotHold,
        LimitMeasure { bound: Some(_), measured: Some(_), .. } => Answer::Holds,
        LimitMeasure { .. } => Answer::Unknown,
    }
}

/// A percentage in billionths of a per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Percent(i128);

impl Percent {
    /// A bound given in basis points.
    pub(crate) fn of_basis_points(basis_points: u32) -> Self {
        Self(i128::from(basis_points).saturating_mul(10_000_000))
    }

    /// `part` of `whole`, rounded up, so that it is within a bound in basis points exactly if the fraction is. `None` unless `whole` is above
    /// zero, or beyond 128 bits.
    pub(crate) fn of(part: Money, whole: Money) -> Option<Self> {
        let scaled = part.nanos().checked_mul(100_000_000_000)?;
        (whole > Money::ZERO).then(|| div_up(scaled, whole.nanos())).flatten().map(Self)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::write_billionths(self.0, out)
    }
}

/// The quotient rounded up; `None` for a divisor that is not above zero.
pub(crate) fn div_up(dividend: i128, divisor: i128) -> Option<i128> {
    if divisor <= 0 {
        return None;
    }
    let down = dividend.checked_div_euclid(divisor)?;
    match dividend.checked_rem_euclid(divisor)? {
        0 => Some(down),
        _ => down.checked_add(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_bound_itself_is_within_and_the_unknown_is_not() {
        let measure = |bound, measured| at_most(Reason::OpenOrders, "orders", bound, measured);
        assert_eq!(answer(&measure(Some(20), Some(20))), Answer::DoesNotHold);
        assert_eq!(answer(&measure(Some(20), Some(21))), Answer::Holds);
        for unknown in [measure(Some(20), None), measure(None, Some(1)), measure(None, None)] {
            assert_eq!(answer(&unknown), Answer::Unknown);
            assert!(!unknown.holds);
        }
    }

    #[test]
    fn an_excused_measure_stands_and_does_not_refuse() {
        let measure = excuse(at_most(Reason::OpenOrders, "orders", Some(20), Some(21)), true);
        assert_eq!((measure.holds, measure.refuses, answer(&measure)), (false, false, Answer::DoesNotHold));
    }

    proptest! {
        #[test]
        fn a_percentage_is_within_its_bound_exactly_if_the_fraction_is(part in -1_000_000_i128..1_000_000, whole in 1_i128..1_000_000, bp in 0_u32..20_000) {
            let percent = Percent::of(Money::from_nanos(part), Money::from_nanos(whole)).unwrap();
            let exact = part * 10_000 <= whole * i128::from(bp);
            prop_assert_eq!(percent <= Percent::of_basis_points(bp), exact);
        }

        #[test]
        fn no_part_and_no_whole_overflows(part in any::<i128>(), whole in any::<i128>()) {
            let percent = Percent::of(Money::from_nanos(part), Money::from_nanos(whole));
            prop_assert!(whole > 0 || percent.is_none());
        }
    }
}
