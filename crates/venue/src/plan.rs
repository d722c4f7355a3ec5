//! What the venue lets its clients have.

/// What kind of subscription the venue acts as if its clients had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Alpaca's paid plan: every feed, any number of stocks, 1,000 option quotes.
    #[default]
    Paid,
    /// No limits: what a recording holds is all there is, and whoever plays it may have all of it.
    Unlimited,
    /// The free one: `iex` and `indicative`, 30 stock symbols, 200 option quotes, 200 data requests a minute.
    Basic,
}
