//! What the simulated underlyings are like.

/// One underlying of the simulated market: how it is listed and how it moves.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Ticker.
    pub symbol: &'static str,
    /// In words.
    pub name: &'static str,
    /// Listing exchange as the broker names it.
    pub exchange: &'static str,
    /// The tape its prints are reported on.
    pub tape: u8,
    /// Letter of the exchange it is listed on, which prints the official close.
    pub primary: u8,
    /// Dollars around which it moves over the years.
    pub price: f64,
    /// Volatility a year, over trading time.
    pub volatility: f64,
    /// Correlation with the market as a whole.
    pub correlation: f64,
    /// Widest usual spread, cents.
    pub widest_cents: u32,
    /// Prints a second.
    pub prints: f64,
    /// Option prints a second.
    pub option_prints: f64,
    /// Whether it has options that expire every day.
    pub same_day: bool,
    /// Open interest of a contract at the money.
    pub interest: f64,
    /// Strikes of the nearer expiry.
    pub near: Strikes,
    /// Strikes of the later expiry.
    pub far: Strikes,
}

/// Strikes around the opening price: `inner` on each side `step` apart, and `outer` more on each side `wide` apart.
#[derive(Clone, Copy, Debug)]
pub struct Strikes {
    /// Dollars between strikes near the money.
    pub step: f64,
    /// How many of those on each side.
    pub inner: u32,
    /// Dollars between strikes further out.
    pub wide: f64,
    /// How many of those on each side.
    pub outer: u32,
}

const fn strikes(step: f64, inner: u32, wide: f64, outer: u32) -> Strikes {
    Strikes { step, inner, wide, outer }
}

impl Strikes {
    /// Strikes around `center`, rising.
    pub fn around(&self, center: f64) -> Vec<f64> {
        let middle = (center / self.step).round() * self.step;
        let inner_edge = f64::from(self.inner) * self.step;
        let wing = |sign: f64| {
            // The wider grid is anchored at its own multiples, as exchanges list it, and begins beyond the inner strikes.
            let edge = middle + sign * inner_edge;
            let first = if sign > 0.0 { (edge / self.wide).floor() + 1.0 } else { (edge / self.wide).ceil() - 1.0 };
            (0..self.outer).map(move |k| (first + sign * f64::from(k)) * self.wide)
        };
        let mut all: Vec<f64> = wing(-1.0).collect();
        all.reverse();
        all.extend((0..=2 * self.inner).map(|k| middle - inner_edge + f64::from(k) * self.step));
        all.extend(wing(1.0));
        all.retain(|strike| *strike > 0.0);
        all
    }
}

/// The six underlyings, in the order of their instrument numbers. 41 strikes, two rights and two expiries each make 984
/// contracts: their quotes fit the thousand of the paid plan.
pub const PROFILES: [Profile; 6] = [
    Profile {
        symbol: "SPY",
        name: "SPDR S&P 500 ETF Trust",
        exchange: "ARCA",
        tape: b'B',
        primary: b'P',
        price: 680.0,
        volatility: 0.14,
        correlation: 0.97,
        widest_cents: 2,
        prints: 4.0,
        option_prints: 1.6,
        same_day: true,
        interest: 6_000.0,
        near: strikes(1.0, 8, 2.0, 12),
        far: strikes(1.0, 10, 4.0, 10),
    },
    Profile {
        symbol: "QQQ",
        name: "Invesco QQQ Trust, Series 1",
        exchange: "NASDAQ",
        tape: b'C',
        primary: b'Q',
        price: 610.0,
        volatility: 0.18,
        correlation: 0.92,
        widest_cents: 2,
        prints: 3.0,
        option_prints: 1.3,
        same_day: true,
        interest: 4_500.0,
        near: strikes(1.0, 8, 2.0, 12),
        far: strikes(1.0, 10, 4.0, 10),
    },
    Profile {
        symbol: "IWM",
        name: "iShares Russell 2000 ETF",
        exchange: "ARCA",
        tape: b'B',
        primary: b'P',
        price: 240.0,
        volatility: 0.20,
        correlation: 0.85,
        widest_cents: 2,
        prints: 2.0,
        option_prints: 0.9,
        same_day: true,
        interest: 3_000.0,
        near: strikes(1.0, 20, 1.0, 0),
        far: strikes(1.0, 14, 2.0, 6),
    },
    Profile {
        symbol: "AAPL",
        name: "Apple Inc. Common Stock",
        exchange: "NASDAQ",
        tape: b'C',
        primary: b'Q',
        price: 270.0,
        volatility: 0.26,
        correlation: 0.72,
        widest_cents: 3,
        prints: 2.5,
        option_prints: 1.0,
        same_day: false,
        interest: 3_500.0,
        near: strikes(2.5, 20, 2.5, 0),
        far: strikes(2.5, 14, 5.0, 6),
    },
    Profile {
        symbol: "MSFT",
        name: "Microsoft Corporation Common Stock",
        exchange: "NASDAQ",
        tape: b'C',
        primary: b'Q',
        price: 480.0,
        volatility: 0.24,
        correlation: 0.70,
        widest_cents: 3,
        prints: 2.0,
        option_prints: 0.8,
        same_day: false,
        interest: 2_500.0,
        near: strikes(2.5, 20, 2.5, 0),
        far: strikes(2.5, 14, 5.0, 6),
    },
    Profile {
        symbol: "NVDA",
        name: "NVIDIA Corporation Common Stock",
        exchange: "NASDAQ",
        tape: b'C',
        primary: b'Q',
        price: 180.0,
        volatility: 0.45,
        correlation: 0.68,
        widest_cents: 2,
        prints: 3.0,
        option_prints: 1.3,
        same_day: false,
        interest: 6_000.0,
        near: strikes(1.0, 20, 1.0, 0),
        far: strikes(1.0, 14, 2.5, 6),
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_rise_and_reach_four_percent_each_way_with_one_near_any_spot_between() {
        for profile in &PROFILES {
            for (strikes, near) in [(profile.near, true), (profile.far, false)] {
                for percent in 80..=120 {
                    let center = profile.price * f64::from(percent) / 100.0;
                    let all = strikes.around(center);
                    assert_eq!(all.len(), 41, "{} {center}", profile.symbol);
                    assert!(all.windows(2).all(|pair| pair[0] < pair[1]));
                    if (92..=108).contains(&percent) {
                        assert!(
                            all[0] <= center * 0.96 && all[40] >= center * 1.04,
                            "{} {center} {all:?}",
                            profile.symbol
                        );
                        if near && profile.same_day {
                            let reach = (-400..=400).map(|bp| center * (1.0 + f64::from(bp) / 10_000.0));
                            let gap = |spot: f64| all.iter().map(|k| (k - spot).abs()).fold(f64::MAX, f64::min) / spot;
                            assert!(reach.into_iter().all(|spot| gap(spot) <= 0.005), "{} {center}", profile.symbol);
                        }
                    }
                }
            }
        }
    }
}
