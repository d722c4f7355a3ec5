//! A repository with a small benign floor, and changes of it.

use agenttrader_governance::actors::change::judge;
use agenttrader_governance::actors::offence::{Kind, Offence};
use agenttrader_governance::git::id::Id;
use agenttrader_governance::git::program::Programs;
use agenttrader_governance::git::repository::Repository;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every floor of these tests holds beside the manifests of the policy's tests.
const MORE: &[(&str, &str)] = &[
    ("README.md", "A floor.\n"),
    ("crates/strategy/src/lib.rs", "pub fn gamma() {}\n"),
    ("configs/gamma.toml", "window = 30\n"),
    ("configs/floor.env", "AGENT_MODE=OBSERVE\nWINDOW=3\n"),
    ("scripts/build.sh", "#!/bin/sh\nset -e\ncargo build\n"),
    ("scripts/drill.sh", "#!/bin/sh\nagenttrader halt --reason drill\nkubectl get pods\n"),
    ("ops/trust/allowed_signers", "# Nobody yet.\n"),
    ("ops/trust/actors.toml", "# Nobody.\n"),
    (
        "k8s/overlays/quiet/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../gamma-strategy.yaml]\n\
         patches:\n  - path: mode.yaml\n",
    ),
    (
        "k8s/overlays/quiet/mode.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gamma-strategy, namespace: trading-floor}\n\
         spec:\n  template:\n    spec:\n      containers:\n        - name: gamma-strategy\n          env:\n\
         \x20           - {name: AGENT_MODE, value: \"OFF\"}\n",
    ),
    (
        "config/anchors.yaml",
        "quiet: &mode\n  AGENT_MODE: \"OFF\"\nloud: &other\n  AGENT_MODE: \"OBSERVE\"\ngamma:\n  env: *mode\n",
    ),
];

pub struct Floor {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

impl Floor {
    /// Committed as `base`; none where git is missing and the test is skipped.
    pub fn new() -> Option<Self> {
        agenttrader_outside::command("git")?;
        let dir = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(dir.path()).unwrap();
        let floor = Self { _dir: dir, root };
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy/tests/sets/base/k8s");
        for entry in fs::read_dir(manifests).unwrap() {
            let entry = entry.unwrap();
            floor.put(
                &format!("k8s/{}", entry.file_name().to_str().unwrap()),
                &fs::read_to_string(entry.path()).unwrap(),
            );
        }
        for (path, text) in MORE {
            floor.put(path, text);
        }
        floor.git(&["init", "--quiet", "--initial-branch=main"]);
        floor.commit("the floor");
        floor.git(&["branch", "base"]);
        Some(floor)
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(&self.root)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }

    pub fn put(&self, path: &str, text: &str) {
        let at = self.root.join(path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
    }

    pub fn commit(&self, message: &str) -> Id {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    pub fn head(&self) -> Id {
        Id::parse(&self.git(&["rev-parse", "HEAD"])).unwrap()
    }

    /// Back to the base.
    pub fn anew(&self) {
        self.git(&["reset", "--quiet", "--hard", "base"]);
        self.git(&["clean", "--quiet", "--force", "-d"]);
    }

    /// What is refused of everything since the base.
    pub fn judge(&self) -> Vec<Offence> {
        let programs = Programs::find(std::env::var_os("PATH").as_deref()).unwrap();
        let repository = Repository::find(&self.root, programs).unwrap();
        let base = repository.resolve("base").unwrap();
        judge(&repository, base, self.head()).unwrap()
    }

    /// The kinds that a change is refused for, by a commit of it.
    pub fn refused(&self, change: &Change) -> Vec<Offence> {
        self.anew();
        change.make(self);
        self.commit("a change");
        self.judge()
    }
}

/// A change of the floor's files.
#[derive(Debug)]
pub enum Change {
    /// A file that is new or another one.
    Put(&'static str, &'static str),
    /// Part of a file, in the place of another.
    Swap(&'static str, &'static str, &'static str),
    /// A file that is gone.
    Gone(&'static str),
    /// A file by another name.
    Move(&'static str, &'static str),
    /// Several.
    All(&'static [Change]),
}

impl Change {
    fn make(&self, floor: &Floor) {
        match self {
            Self::Put(path, text) => floor.put(path, text),
            Self::Swap(path, old, new) => {
                let text = floor.read(path);
                assert!(text.contains(old), "{path} has no {old}");
                floor.put(path, &text.replacen(old, new, 1));
            }
            Self::Gone(path) => fs::remove_file(floor.root.join(path)).unwrap(),
            Self::Move(from, to) => {
                let text = floor.read(from);
                fs::remove_file(floor.root.join(from)).unwrap();
                floor.put(to, &text);
            }
            Self::All(changes) => changes.iter().for_each(|change| change.make(floor)),
        }
    }
}

/// That each change is refused as of this kind, at this path.
#[track_caller]
pub fn each_is_refused(kind: Kind, changes: &[(&str, Change)]) {
    let Some(floor) = Floor::new() else { return };
    let mut missed = Vec::new();
    for (path, change) in changes {
        let found = floor.refused(change);
        if !found.iter().any(|offence| offence.kind == kind && offence.path.as_deref() == Some(*path)) {
            missed.push(format!("{change:?} is not refused as {} at {path}, but: {:#?}", kind.id(), told(&found)));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Each on a line.
pub fn told(found: &[Offence]) -> Vec<String> {
    let place = |offence: &Offence| format!("{}:{}", offence.path.as_deref().unwrap_or(""), offence.line.unwrap_or(0));
    found.iter().map(|offence| format!("{} {} {}", offence.kind.id(), place(offence), offence.what)).collect()
}
