//! The NYSE calendar.
