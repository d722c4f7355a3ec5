//! What an agent's change may not touch whatever stands in it.

use crate::actors::offence::{Kind, Offence};
use crate::git::path::RepoPath;
use crate::git::tree::Files;
use crate::refusal::fold;
use icu_normalizer::ComposingNormalizer;
use std::collections::BTreeSet;

/// Names of files that say whose keys are trusted.
const KEYS: [&str; 4] = ["allowed_signers", "authorized_keys", "revoked_keys", "authorized_principals"];

/// What a change of paths is refused for. A path is changed where it differs from what each of the bases holds.
pub fn judge(bases: &[&Files], head: &Files) -> Vec<Offence> {
    let all = bases.iter().flat_map(|files| files.keys()).chain(head.keys());
    let paths: BTreeSet<&RepoPath> = all.collect();
    let changed = paths.into_iter().filter(|path| bases.iter().all(|base| base.get(path) != head.get(path)));
    changed.filter_map(|path| judged(path, head.contains_key(path))).collect()
}

fn judged(path: &RepoPath, is_there: bool) -> Option<Offence> {
    let shown = path.to_string();
    // As a disk that folds case has it.
    let folded = fold(&String::from_utf8_lossy(path.as_bytes()), &ComposingNormalizer::new_nfc());
    let name = folded.rsplit('/').next().unwrap_or_default();
    let within =
        |folder: &str| folded.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let (kind, what) = match () {
        () if within("ops/trust") => (Kind::Enrol, "only people change who is trusted"),
        () if within("ops/unlock") => (Kind::Approve, "only people write what unlocks"),
        () if folded == "ops" => (Kind::Path, "it stands in for the folder of the lock"),
        () if KEYS.contains(&name) => (Kind::Enrol, "it says whose keys are trusted"),
        () if folded.ends_with("signed/approvals") || folded.contains("signed/approvals/") => {
            (Kind::Approve, "only people put approvals there")
        }
        () if folded.contains("signed/grants/") || folded.contains("signed/resume/") => {
            (Kind::Approve, "only people put grants and resumes there")
        }
        () if name == "execution_halted" => (Kind::KillSwitch, "it is a kill switch's file"),
        () if folded.ends_with("kill-switch/latch") && !is_there => {
            (Kind::KillSwitch, "a latch of the kill switch is gone")
        }
        () => return None,
    };
    Some(Offence::of_path(kind, &shown, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::id::Id;
    use crate::git::tree::{Leaf, Mode};

    fn files(paths: &[&str]) -> Files {
        let leaf = Leaf { mode: Mode::File, id: Id::from_bytes([0; 20]) };
        paths.iter().map(|path| (RepoPath::from(*path), leaf)).collect()
    }

    #[test]
    fn what_people_alone_write_is_refused_by_any_spelling_a_disk_takes_for_it() {
        for (path, kind) in [
            ("ops/trust/actors.toml", Kind::Enrol),
            ("ops/trust", Kind::Enrol),
            ("OPS/Trust/allowed_signers", Kind::Enrol),
            ("ops/tru\u{17f}t/x", Kind::Enrol),
            ("ops/unlock/1/approval.json", Kind::Approve),
            ("ops", Kind::Path),
            (".config/allowed_signers", Kind::Enrol),
            ("home/.ssh/authorized_keys", Kind::Enrol),
            ("data/signed/approvals/a.json", Kind::Approve),
            ("data/signed/grants/a.json", Kind::Approve),
            (".agenttrader/kill-switch/EXECUTION_HALTED", Kind::KillSwitch),
        ] {
            let found: Vec<_> = judge(&[&files(&[])], &files(&[path])).into_iter().map(|found| found.kind).collect();
            assert_eq!(found, [kind], "{path}");
        }
        let gone = judge(&[&files(&["d/kill-switch/LATCH", "ops/trust/x"])], &files(&[]));
        assert_eq!(gone.iter().map(|found| found.kind).collect::<Vec<_>>(), [Kind::KillSwitch, Kind::Enrol]);
    }

    #[test]
    fn other_paths_and_what_one_of_the_bases_holds_are_let_be() {
        let allowed =
            ["ops/proposals/1/p.patch", "ops/trusted.md", "ops/unlocks.md", "k8s/a.yaml", "d/kill-switch/LATCH"];
        assert_eq!(judge(&[&files(&[])], &files(&allowed)), []);
        let people = files(&["ops/trust/x"]);
        assert_eq!(judge(&[&files(&[]), &people], &people), []);
    }
}
