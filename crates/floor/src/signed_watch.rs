//! Watches the folders of files that people signed: reads them several times a second, and tells each change as an input.
//!
//! What lies there is told as it is, good or bad; whether it counts is judged in the step. A folder that is not there is empty. One that cannot
//! be read in whole cannot be known, and refuses.

use agenttrader_agent::tasks::Stop;
use agenttrader_authority::signed_file::{PersonsSignature, SIGNATURES_MAX, SIGNED_FILE_BYTES_MAX, SignedFile};
use agenttrader_authority::signer_line::is_principal;
use agenttrader_authority::sshsig::SIGNATURE_BYTES_MAX;
use agenttrader_core::digest::Digest;
use agenttrader_sequence::input::{Fact, SignedChange, SignedFact, SignedFolder};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Between two readings: a revoked grant must be seen soon, and the files are few and small.
const READ_EVERY: Duration = Duration::from_millis(200);

/// Most signed files of one folder; more are nobody's work, and none of them is believed then.
const FILES_MAX: usize = 256;

/// The folder of a data directory in which both folders lie.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("signed")
}

/// Reads until a stop is asked for, and tells what lies there at the start and each change from then on.
pub fn run(signed: &Path, facts: &SyncSender<Fact>, stop: &Stop) {
    let mut grants = Watched::new(SignedFolder::Grants, signed.join("grants"));
    let mut approvals = Watched::new(SignedFolder::Approvals, signed.join("approvals"));
    while !stop.is_set() {
        for watched in [&mut grants, &mut approvals] {
            let folder = watched.folder;
            for change in watched.changes() {
                if facts.send(Fact::Signed(SignedFact { folder, change })).is_err() {
                    return;
                }
            }
        }
        std::thread::sleep(READ_EVERY);
    }
}

/// A folder and what was last told of it.
struct Watched {
    folder: SignedFolder,
    path: PathBuf,
    files: BTreeMap<Digest, SignedFile>,
    problem: Option<String>,
}

impl Watched {
    const fn new(folder: SignedFolder, path: PathBuf) -> Self {
        Self { folder, path, files: BTreeMap::new(), problem: None }
    }

    /// What is to be told since the last time. The end of an unreadable spell is told last, when all else is known.
    fn changes(&mut self) -> Vec<SignedChange> {
        let now = match read(&self.path) {
            Ok(now) => now,
            Err(problem) if self.problem.as_ref() == Some(&problem) => return Vec::new(),
            Err(problem) => {
                self.problem = Some(problem.clone());
                return vec![SignedChange::Unreadable { problem }];
            }
        };
        let gone = self.files.keys().filter(|sha256| !now.contains_key(sha256));
        let mut changes: Vec<_> = gone.map(|sha256| SignedChange::Gone { sha256: *sha256 }).collect();
        let new = now.iter().filter(|(sha256, file)| self.files.get(sha256) != Some(file));
        changes.extend(new.map(|(_, file)| SignedChange::File { file: file.clone() }));
        changes.extend(self.problem.take().map(|_| SignedChange::Readable));
        self.files = now;
        changes
    }
}

/// A name in the folder that means something; any other is somebody's file on its way to its name, or nothing of ours.
enum Name {
    File(Digest),
    Signature(Digest, String),
    Revoked(Digest),
}

impl Name {
    fn parse(name: &str) -> Option<Self> {
        let (sha256, rest) = name.split_at_checked(64)?;
        let sha256 = Digest::parse(sha256)?;
        match rest {
            ".json" => Some(Self::File(sha256)),
            ".revoked" => Some(Self::Revoked(sha256)),
            _ => {
                let principal = rest.strip_prefix(".json.")?.strip_suffix(".sig")?;
                is_principal(principal).then(|| Self::Signature(sha256, principal.to_owned()))
            }
        }
    }
}

/// All that lies in a folder; nothing where there is none.
fn read(path: &Path) -> Result<BTreeMap<Digest, SignedFile>, String> {
    let refused = |error: io::Error| format!("cannot read `{}`: {error}", path.display());
    let listed = match std::fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        listed => listed.map_err(refused)?,
    };
    let mut files = BTreeMap::new();
    let mut signatures: BTreeMap<Digest, Vec<PersonsSignature>> = BTreeMap::new();
    let mut revoked = BTreeSet::new();
    let mut names = Vec::new();
    for entry in listed {
        names.extend(entry.map_err(refused)?.file_name().into_string());
    }
    // By name: the order in a folder is nobody's.
    names.sort_unstable();
    for name in names {
        let file = path.join(&name);
        match Name::parse(&name) {
            Some(Name::File(sha256)) if files.len() < FILES_MAX => {
                let text = text(&file, SIGNED_FILE_BYTES_MAX).map_err(refused)?;
                files.insert(sha256, SignedFile { sha256, text, signatures: Vec::new(), revoked: false });
            }
            Some(Name::File(_)) => return Err(format!("`{}` holds more than {FILES_MAX} files", path.display())),
            Some(Name::Signature(sha256, principal)) => {
                let beside = signatures.entry(sha256).or_default();
                // One more than counts is enough to refuse.
                if beside.len() <= SIGNATURES_MAX {
                    let text = text(&file, SIGNATURE_BYTES_MAX).map_err(refused)?;
                    beside.push(PersonsSignature { principal, text });
                }
            }
            Some(Name::Revoked(sha256)) => drop(revoked.insert(sha256)),
            None => {}
        }
    }
    for (sha256, file) in &mut files {
        file.signatures = signatures.remove(sha256).unwrap_or_default();
        file.revoked = revoked.contains(sha256);
    }
    Ok(files)
}

/// A file's text, at most one byte more than may be: that much refuses it. Only of a plain file: a pipe would hold us up for ever.
fn text(path: &Path, max: usize) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other(format!("`{}` is no file", path.display())));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    // Bytes that are no text come out as others, and have another digest than the name.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::mpsc;

    const SHA: &str = "00000000000000000000000000000000000000000000000000000000000000ab";

    fn watched(folder: &Path) -> Watched {
        Watched::new(SignedFolder::Grants, folder.join("grants"))
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("grants")).unwrap();
        folder
    }

    fn write(folder: &tempfile::TempDir, name: &str, text: &str) {
        fs::write(folder.path().join("grants").join(name), text).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_holds_nothing_and_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(watched(folder.path()).changes(), []);
    }

    #[test]
    fn a_file_is_told_with_what_lies_beside_it_and_again_when_that_changes() {
        let folder = folder();
        let mut watched = watched(folder.path());
        write(&folder, &format!("{SHA}.json.ann.sig"), "by ann");
        assert_eq!(watched.changes(), []);
        write(&folder, &format!("{SHA}.json"), "{}");
        let sha256 = Digest::parse(SHA).unwrap();
        let ann = PersonsSignature { principal: "ann".to_owned(), text: "by ann".to_owned() };
        let mut file = SignedFile { sha256, text: "{}".to_owned(), signatures: vec![ann], revoked: false };
        assert_eq!(watched.changes(), [SignedChange::File { file: file.clone() }]);
        assert_eq!(watched.changes(), []);
        write(&folder, &format!("{SHA}.revoked"), "");
        file.revoked = true;
        assert_eq!(watched.changes(), [SignedChange::File { file }]);
        fs::remove_file(folder.path().join("grants").join(format!("{SHA}.json"))).unwrap();
        assert_eq!(watched.changes(), [SignedChange::Gone { sha256 }]);
    }

    #[test]
    fn other_names_are_nothing_of_ours() {
        let folder = folder();
        for name in ["a.json", &format!("{SHA}.json.tmp"), &format!("{SHA}.json.a b.sig"), &format!(".{SHA}.json"), SHA]
        {
            write(&folder, name, "{}");
        }
        write(&folder, &format!("{}.json", SHA.to_uppercase()), "{}");
        assert_eq!(watched(folder.path()).changes(), []);
    }

    #[test]
    fn a_folder_that_cannot_be_read_in_whole_is_told_once_and_so_is_its_end() {
        let folder = folder();
        let mut watched = watched(folder.path());
        let place = folder.path().join("grants").join(format!("{SHA}.json"));
        fs::create_dir(&place).unwrap();
        let told = watched.changes();
        assert!(
            matches!(told.as_slice(), [SignedChange::Unreadable { problem }] if problem.contains("is no file")),
            "{told:?}"
        );
        assert_eq!(watched.changes(), []);
        fs::remove_dir(&place).unwrap();
        write(&folder, &format!("{SHA}.json"), "{}");
        let told = watched.changes();
        assert!(matches!(told.as_slice(), [SignedChange::File { .. }, SignedChange::Readable]), "{told:?}");
        fs::remove_dir_all(folder.path().join("grants")).unwrap();
        fs::write(folder.path().join("grants"), "a file").unwrap();
        assert!(matches!(watched.changes().as_slice(), [SignedChange::Unreadable { .. }]));
    }

    #[test]
    fn endless_files_are_cut_and_too_many_are_not_believed() {
        let folder = folder();
        let text_of = |length| "a".repeat(length);
        write(&folder, &format!("{SHA}.json"), &text_of(10 * SIGNED_FILE_BYTES_MAX));
        for index in 0..20 {
            write(&folder, &format!("{SHA}.json.p{index}.sig"), &text_of(10 * SIGNATURE_BYTES_MAX));
        }
        let told = watched(folder.path()).changes();
        let [SignedChange::File { file }] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((file.text.len(), file.signatures.len()), (SIGNED_FILE_BYTES_MAX + 1, SIGNATURES_MAX + 1));
        assert_eq!(file.signatures[0].text.len(), SIGNATURE_BYTES_MAX + 1);
        for index in 0..=FILES_MAX {
            write(&folder, &format!("{}.json", Digest::of(&index.to_le_bytes())), "{}");
        }
        assert!(matches!(watched(folder.path()).changes().as_slice(), [SignedChange::Unreadable { .. }]));
    }

    #[test]
    fn both_folders_are_told_until_a_stop() {
        let folder = folder();
        fs::create_dir(folder.path().join("approvals")).unwrap();
        write(&folder, &format!("{SHA}.json"), "{}");
        fs::write(folder.path().join("approvals").join(format!("{SHA}.json")), "{}").unwrap();
        let (facts, told) = mpsc::sync_channel(8);
        let tasks = agenttrader_agent::tasks::Tasks::new();
        let (path, stop) = (folder.path().to_owned(), tasks.stop());
        let watching = std::thread::spawn(move || run(&path, &facts, &stop));
        let folders = [told.recv().unwrap(), told.recv().unwrap()].map(|fact| match fact {
            Fact::Signed(fact) => fact.folder,
            other => panic!("{other:?}"),
        });
        assert_eq!(folders, [SignedFolder::Grants, SignedFolder::Approvals]);
        tasks.ask_to_stop();
        watching.join().unwrap();
    }
}
