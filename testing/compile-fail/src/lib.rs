//! Holds nothing but its tests: programs in `tests/must_not_build`, each beside the compiler's answer.
