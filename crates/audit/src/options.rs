//! What a log may be given besides its identity.

use crate::health::HealthObserver;
use crate::record::Record;
use crate::redact::Redactor;
use std::sync::{Arc, mpsc};

/// What a log may be given besides its identity.
#[derive(Default)]
pub struct Options {
    /// Redacts `error` and `intent_summary`.
    pub redactor: Arc<Redactor>,
    /// Told of each change of health.
    pub on_health_change: Option<HealthObserver>,
    /// Gets each record once it is durable, in order. The receiver must keep up: this channel has no bound.
    pub watcher: Option<mpsc::Sender<Arc<Record>>>,
}
