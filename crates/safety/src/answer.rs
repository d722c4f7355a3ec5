//! The answer to one question of a control.

/// Whether a reason to refuse holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds: refuse.
    Holds,
    /// It is known not to hold. The only answer that lets an order pass.
    DoesNotHold,
    /// It cannot be known: counts as holding.
    Unknown,
}

impl Answer {
    /// `Holds` or `DoesNotHold`.
    pub const fn of(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::DoesNotHold }
    }

    /// As [`Answer::of`]; `Unknown` without a value.
    pub const fn known(holds: Option<bool>) -> Self {
        match holds {
            Some(holds) => Self::of(holds),
            None => Self::Unknown,
        }
    }

    /// Whether it stands against the order.
    pub const fn refuses(self) -> bool {
        !matches!(self, Self::DoesNotHold)
    }

    /// The answer of two causes of one code: holds if either does, else unknown if either is.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Holds, _) | (_, Self::Holds) => Self::Holds,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::DoesNotHold, Self::DoesNotHold) => Self::DoesNotHold,
        }
    }
}
