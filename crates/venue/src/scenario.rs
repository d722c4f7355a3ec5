//! What happens in a simulated market.

/// What happens in a simulated market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scenario {
    /// Programmes of sweeps come and go, the first within seconds of the start.
    #[default]
    Default,
    /// No programmes: ordinary flow alone.
    Quiet,
}
