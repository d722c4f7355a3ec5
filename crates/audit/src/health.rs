//! Whether the log can be written, and who is told.

/// Whether the log can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The last write succeeded, or there was none yet.
    Writable,
    /// The last write failed. It is tried again at each append and ten times a second.
    Unavailable {
        /// The system's words.
        why: String,
    },
}

/// Told of each change of [`Health`], on the writer's thread; must not block.
pub type HealthObserver = Box<dyn Fn(Health) + Send>;
