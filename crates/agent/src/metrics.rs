//! Counters and gauges in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics of a process or agent.
#[derive(Debug, Default)]
pub struct Metrics {
    families: Mutex<BTreeMap<String, Family>>,
}

#[derive(Debug)]
struct Family {
    kind: Kind,
    help: &'static str,
    /// By the labels as they are written.
    samples: BTreeMap<String, Arc<AtomicU64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

/// A number that only grows. Cloned freely; counting takes no lock.
#[derive(Clone, Debug)]
pub struct Counter(Arc<AtomicU64>);

/// A number that goes up and down. Cloned freely; setting takes no lock.
#[derive(Clone, Debug)]
pub struct Gauge(Arc<AtomicU64>);

/// Why a metric cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// The name breaks a rule.
    #[error("`{name}` cannot name a metric: {rule}")]
    Name {
        /// The name.
        name: String,
        /// The rule.
        rule: &'static str,
    },
    /// The name is taken by another kind of metric.
    #[error("`{name}` is a metric of another kind already")]
    Kind {
        /// The name.
        name: String,
    },
}

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// That many more; wraps after 2^64.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// As counted so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Gauge {
    /// From now on this.
    pub fn set(&self, now: f64) {
        self.0.store(now.to_bits(), Ordering::Relaxed);
    }
}

impl Metrics {
    /// No metrics yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counter of this name and labels; the same one when asked again.
    ///
    /// # Errors
    /// [`MetricError`] when the name is not `agenttrader_…_total` in small letters, a label's name is not one, or a gauge has the name.
    pub fn counter(&self, name: &str, help: &'static str, labels: &[(&str, &str)]) -> Result<Counter, MetricError> {
        if !name.ends_with("_total") {
            return Err(MetricError::Name { name: name.to_owned(), rule: "a counter ends in `_total`" });
        }
        self.sample(Kind::Counter, name, help, labels).map(Counter)
    }

    /// The gauge of this name and labels, nought at first; the same one when asked again.
    ///
    /// # Errors
    /// [`MetricError`] when the name does not begin with `agenttrader_` or ends in `_total`, or a counter has the name.
    pub fn gauge(&self, name: &str, help: &'static str, labels: &[(&str, &str)]) -> Result<Gauge, MetricError> {
        if name.ends_with("_total") {
            return Err(MetricError::Name { name: name.to_owned(), rule: "only a counter ends in `_total`" });
        }
        self.sample(Kind::Gauge, name, help, labels).map(Gauge)
    }

    /// Everything, as a scrape reads it: families by name, samples by labels.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let kind = if family.kind == Kind::Counter { "counter" } else { "gauge" };
            let help = family.help.replace('\\', "\\\\").replace('\n', "\\n");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (labels, sample) in &family.samples {
                let bits = sample.load(Ordering::Relaxed);
                let _ = match family.kind {
                    Kind::Counter => writeln!(text, "{name}{labels} {bits}"),
                    Kind::Gauge => writeln!(text, "{name}{labels} {}", number(f64::from_bits(bits))),
                };
            }
        }
        text
    }

    fn sample(
        &self,
        kind: Kind,
        name: &str,
        help: &'static str,
        labels: &[(&str, &str)],
    ) -> Result<Arc<AtomicU64>, MetricError> {
        let refused = |name: &str, rule| Err(MetricError::Name { name: name.to_owned(), rule });
        if !is_name(name) || !name.starts_with("agenttrader_") {
            return refused(name, "`agenttrader_`, then small letters, digits and `_`");
        }
        if let Some((label, _)) = labels.iter().find(|(label, _)| !is_name(label)) {
            return refused(label, "a label has small letters, digits and `_`");
        }
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name.to_owned()).or_insert_with(|| Family { kind, help, samples: BTreeMap::new() });
        if family.kind != kind {
            return Err(MetricError::Kind { name: name.to_owned() });
        }
        Ok(Arc::clone(family.samples.entry(written(labels)).or_default()))
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The labels in braces, by name; nothing where there are none.
fn written(labels: &[(&str, &str)]) -> String {
    let labels: BTreeMap<_, _> = labels.iter().copied().collect();
    let pairs: Vec<String> = labels
        .into_iter()
        .map(|(name, value)| {
            format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}
