//! What a log may be given besides its identity.

use crate::health::HealthObserver;
use crate::journal::SEGMENT_BYTES;
use crate::record::Record;
use crate::redact::Redactor;
use std::sync::{Arc, mpsc};

/// What a log may be given besides its identity.
pub struct Options {
    /// Redacts `error` and `intent_summary`.
    pub redactor: Arc<Redactor>,
    /// Told of each change of health.
    pub on_health_change: Option<HealthObserver>,
    /// Gets each record once it is durable, in order. The receiver must keep up: this channel has no bound.
    pub watcher: Option<mpsc::Sender<Arc<Record>>>,
    /// Bytes of the journal after which a new segment begins: 16 MiB unless somebody wants to see more of them.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { redactor: Arc::default(), on_health_change: None, watcher: None, segment_bytes: SEGMENT_BYTES }
    }
}
