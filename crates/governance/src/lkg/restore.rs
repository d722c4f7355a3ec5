//! The plan to bring back what was kept: commands for a person, who runs each and reads what it prints.
//!
//! The switch comes first and is verified before anything else. No command scales anything, and what can place orders is looked at, never
//! waited for.

use crate::bounded_file;
use crate::lkg::yaml::{documents, value};
use crate::lkg::{FORMAT, MANIFEST, METADATA, Metadata, objections, said};
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_policy::switch::{KEY, NAME, NAMESPACE};
use agenttrader_policy::yaml::read::read;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// Bytes of the largest manifest or metadata.
const BYTES_MOST: usize = 16 * 1024 * 1024;

/// What people bring back first, by what the names of workloads begin with: data, then what reads it.
const ORDER: [&str; 4] = ["venue", "market", "gamma", "whale"];

/// What was kept, read back and found whole.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The manifest's bytes.
    pub manifest: Vec<u8>,
    /// What is known about it.
    pub metadata: Metadata,
}

/// Why there is nothing to bring back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeptError {
    /// It cannot be read.
    #[error("cannot read {name}: {why}")]
    Read {
        /// The file.
        name: &'static str,
        /// Why.
        why: String,
    },
    /// The two do not belong together, or hold what must not be brought back.
    #[error("{name} is refused: {why}")]
    Refused {
        /// The file.
        name: &'static str,
        /// Why.
        why: String,
    },
}

impl Kept {
    /// Reads a folder that `lkg capture` wrote.
    ///
    /// # Errors
    /// [`KeptError`], also where the manifest breaks a rule of the lock: a plan over it would start what must rest.
    pub fn read(folder: &Path) -> Result<Self, KeptError> {
        let most = u64::try_from(BYTES_MOST).unwrap_or(u64::MAX);
        let bytes = |name| {
            bounded_file::read(&folder.join(name), most)
                .map_err(|error| KeptError::Read { name, why: error.to_string() })
        };
        let (manifest, metadata) = (bytes(MANIFEST)?, bytes(METADATA)?);
        let refused = |name, why: String| KeptError::Refused { name, why };
        let parsed =
            canonical_json::parse_within(&metadata, BYTES_MOST).map_err(|error| refused(METADATA, chain(&error)))?;
        let metadata: Metadata =
            serde_json::from_value(parsed).map_err(|error| refused(METADATA, error.to_string()))?;
        if metadata.format != FORMAT || metadata.namespace != NAMESPACE {
            return Err(refused(METADATA, format!("it is not of the form {FORMAT} and of {NAMESPACE}")));
        }
        if metadata.manifest_sha256 != Digest::of(&manifest) {
            return Err(refused(MANIFEST, format!("its bytes are not those that {METADATA} names")));
        }
        match said(&objections(&manifest)).first() {
            Some(why) => Err(refused(MANIFEST, why.clone())),
            None => Ok(Self { manifest, metadata }),
        }
    }

    /// The plan, for the folder as a person would name it.
    ///
    /// # Errors
    /// [`KeptError`] where a name would be more to a shell than a name.
    pub fn plan(&self, folder: &str) -> Result<String, KeptError> {
        let objects: Vec<Value> = read(MANIFEST, &self.manifest).documents.iter().map(value).collect();
        let is = |object: &&Value, kind: &str, name: &str| {
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
            text("/kind") == Some(kind) && text("/metadata/name") == Some(name)
        };
        let first: Vec<Value> =
            objects.iter().filter(|it| is(it, "Namespace", NAMESPACE) || is(it, "ConfigMap", NAME)).cloned().collect();
        let refused = |name, why: &str| KeptError::Refused { name, why: why.to_owned() };
        if first.len() != 2 {
            return Err(refused(MANIFEST, "it does not hold the namespace and the kill switch, once each"));
        }
        let (waits, rests) = self.workloads()?;
        let manifest = format!("{folder}/{MANIFEST}");
        let (metadata, sha256) = (&self.metadata, self.metadata.manifest_sha256);
        for text in [folder].into_iter().chain(metadata.context.as_deref()) {
            if !is_word(text) {
                return Err(refused(METADATA, "a name in it is no plain word: the shell would read it otherwise"));
            }
        }
        let mut out = String::from(
            "# A plan for a person. Nothing of it has been run. Run one step, read what it prints, then go on; stop where it differs.\n",
        );
        let _ = writeln!(out, "# Captured {} by build {}.", metadata.at_utc, one_line(&metadata.build_id));
        out.push_str("\n# 1. The right file and the right cluster.\n");
        let _ = writeln!(out, "echo '{sha256}  {manifest}' | sha256sum --check --strict");
        match &metadata.context {
            Some(context) => {
                let _ = writeln!(
                    out,
                    "test \"$(kubectl config current-context)\" = '{context}' && echo RIGHT || echo STOP"
                );
            }
            None => out.push_str("kubectl config current-context   # the capture does not say which: look twice\n"),
        }
        out.push_str("\n# 2. The kill switch, before anything else.\nkubectl apply -f - <<'END'\n");
        out.push_str(&documents(&first));
        out.push_str("END\n\n# 3. Verify it. Go on only after HALTED; agents see it within about a minute, `agenttrader status` shows when.\n");
        let _ = writeln!(
            out,
            "test \"$(kubectl -n {NAMESPACE} get configmap {NAME} -o jsonpath='{{.data.{KEY}}}')\" = 1 && echo HALTED || echo STOP"
        );
        out.push_str("\n# 4. What would change. Read it.\n");
        let _ = writeln!(out, "kubectl diff -f {manifest}");
        out.push_str("\n# 5. The rest, in the order of the file.\n");
        let _ = writeln!(out, "kubectl apply -f {manifest}");
        out.push_str("\n# 6. Market data, then strategies, then the others.\n");
        for workload in waits {
            let _ = writeln!(out, "kubectl -n {NAMESPACE} rollout status {workload} --timeout=10m");
        }
        out.push_str("\n# 7. What can place orders rests: each prints AT ZERO.\n");
        for workload in rests {
            let _ = writeln!(
                out,
                "test \"$(kubectl -n {NAMESPACE} get {workload} -o jsonpath='{{.spec.replicas}}')\" = 0 && echo AT ZERO || echo STOP"
            );
        }
        out.push_str("\n# 8. Reports.\nagenttrader readiness --scope cluster\nagenttrader report deploy\n");
        Ok(out)
    }

    /// The workloads as kubectl names them: those to wait for, in their order, and those that rest.
    fn workloads(&self) -> Result<(Vec<String>, Vec<String>), KeptError> {
        let (mut waits, mut rests) = (Vec::new(), Vec::new());
        for component in &self.metadata.components {
            let refused =
                || KeptError::Refused { name: METADATA, why: format!("`{}` names no workload", component.workload) };
            let mut parts = component.workload.split('/');
            let (Some(kind), Some(NAMESPACE), Some(name), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(refused());
            };
            if !is_word(kind) || !is_word(name) {
                return Err(refused());
            }
            let named = format!("{}/{name}", kind.to_ascii_lowercase());
            match (component.can_place_orders, component.replicas, kind) {
                (true, _, _) => rests.push(named),
                (false, Some(0), _) | (false, _, "CronJob" | "ReplicationController") => {}
                (false, _, _) => {
                    let rank = ORDER.iter().position(|first| name.starts_with(first)).unwrap_or(ORDER.len());
                    waits.push((rank, named));
                }
            }
        }
        waits.sort();
        Ok((waits.into_iter().map(|(_, named)| named).collect(), rests))
    }
}

/// Whether a text is the same word for every shell.
fn is_word(text: &str) -> bool {
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/' | ':' | '@' | '+');
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

/// A text that ends no comment.
fn one_line(text: &str) -> String {
    text.chars().filter(|letter| letter.is_ascii_graphic() || *letter == ' ').collect()
}
