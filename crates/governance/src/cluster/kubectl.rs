//! Asking a cluster: `kubectl get`, and nothing else of kubectl.

use crate::cluster::saved::Saved;
use crate::git::program::{ProgramMissing, find};
use agenttrader_policy::switch::NAMESPACE;
use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The kinds that a report is about. Never Secrets.
const KINDS: &str = "deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,jobs.batch,cronjobs.batch,pods,configmaps,\
                     horizontalpodautoscalers.autoscaling";

/// How long the cluster may take over one answer.
const WITHIN: &str = "--request-timeout=20s";

/// kubectl, by its whole path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubectl {
    program: PathBuf,
}

/// Why a cluster gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    /// It cannot be run.
    #[error("cannot run kubectl")]
    Run(#[source] io::Error),
    /// It failed. What it printed of an answer is not used: part of a cluster is none.
    #[error("kubectl get failed: {said}")]
    Failed {
        /// What it said.
        said: String,
    },
}

impl Kubectl {
    /// Looks where git is looked for.
    ///
    /// # Errors
    /// [`ProgramMissing`].
    pub fn find(search_path: Option<&OsStr>) -> Result<Self, ProgramMissing> {
        let missing = ProgramMissing { name: "kubectl", package: "kubernetes-client" };
        find("kubectl", search_path).map(|program| Self { program }).ok_or(missing)
    }

    /// What stands in the floor's namespace.
    ///
    /// # Errors
    /// [`KubectlError`].
    pub fn get(&self) -> Result<Saved, KubectlError> {
        let mut kubectl = Command::new(&self.program);
        kubectl.args(["get", KINDS, "--namespace", NAMESPACE, "--output", "json", WITHIN]).stdin(Stdio::null());
        let output = kubectl.output().map_err(KubectlError::Run)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
            return Err(KubectlError::Failed { said: said.chars().take(300).collect() });
        }
        let mut saved = Saved::default();
        saved.insert("kubectl.json", output.stdout);
        Ok(saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn program(text: &str) -> (tempfile::TempDir, Kubectl) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("kubectl-of-the-test");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        (dir, Kubectl { program })
    }

    #[test]
    fn it_asks_and_changes_nothing() {
        let (dir, kubectl) = program(r#"echo "$@" >"$(dirname "$0")/asked"; echo '{"kind": "List", "items": []}'"#);
        assert!(kubectl.get().unwrap().parsed().is_ok());
        let asked = std::fs::read_to_string(dir.path().join("asked")).unwrap();
        assert!(asked.starts_with("get deployments.apps,") && !asked.contains("secret"), "{asked}");
        assert!(asked.contains("--namespace trading-floor"), "{asked}");
    }

    #[test]
    fn an_answer_beside_a_failure_is_none() {
        let (_dir, kubectl) =
            program("echo '{\"kind\": \"List\", \"items\": []}'; echo 'pods is forbidden' >&2; exit 1");
        assert!(matches!(kubectl.get(), Err(KubectlError::Failed { said }) if said == "pods is forbidden"));
        let gone = Kubectl { program: "/nowhere/kubectl".into() };
        assert!(matches!(gone.get(), Err(KubectlError::Run(_))));
    }
}
