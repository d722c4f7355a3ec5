//! One log from any source: what is said, counted and named.

use crate::built;
use agenttrader_audit::source::{Directory, InMemory, LogFiles, SourceError};
use agenttrader_audit::tile::{Level, Tile};
use agenttrader_audit::verify::{Against, Finding, Held, LogReport, Spot, Verdict, verify_log};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::sync::Mutex;

/// A log whose place cannot be listed, as a server's.
struct Unlisted<'files>(InMemory<'files>);

impl LogFiles for Unlisted<'_> {
    fn place(&self) -> String {
        "http://somewhere".to_owned()
    }

    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        self.0.read(path, most)
    }

    fn list(&self) -> Result<Option<Vec<String>>, SourceError> {
        Ok(None)
    }

    fn is_live(&self) -> bool {
        true
    }
}

/// One of whose files cannot be read.
struct Unreadable<'files>(InMemory<'files>, &'static str);

impl LogFiles for Unreadable<'_> {
    fn place(&self) -> String {
        self.0.place()
    }

    fn read(&self, path: &str, most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        if path == self.1 {
            let source = io::Error::from(io::ErrorKind::PermissionDenied);
            return Err(SourceError::Io { path: path.to_owned(), source });
        }
        self.0.read(path, most)
    }

    fn list(&self) -> Result<Option<Vec<String>>, SourceError> {
        self.0.list()
    }

    fn is_live(&self) -> bool {
        false
    }
}

fn verify(files: &dyn LogFiles) -> LogReport {
    let keys = built::keys();
    verify_log(files, &Against { keys: &keys, ..Against::nothing() })
}

fn first(report: &LogReport) -> &Finding {
    &report.findings.first()[0]
}

#[test]
fn an_untouched_log_of_any_size_is_good_and_everything_in_it_is_counted() {
    let entries = built::entries(700);
    let all_blobs = built::blobs(700);
    let blobs = built::shared(&all_blobs);
    let keys = built::keys();
    for size in [1, 2, 3, 255, 256, 257, 511, 512, 513, 700] {
        let files = built::files(&entries[..size], &built::signer());
        let against =
            Against { keys: &keys, blobs: Some(&blobs), agent_name: Some(built::AGENT), ..Against::nothing() };
        let report = verify_log(&built::shared(&files), &against);
        assert_eq!(report.verdict(), Verdict::Good, "{size}\n{report}");
        let counts = report.counts;
        assert_eq!((counts.entries, counts.bundles), (size as u64, size.div_ceil(256) as u64));
        assert_eq!(counts.files, files.len() as u64);
        assert_eq!(counts.bundles + counts.tiles + 1, files.len() as u64);
        assert_eq!((counts.starts, counts.signatures), (1, 1));
        let named = (0..size as u64).filter(|seq| seq % 97 == 5).count() as u64;
        assert_eq!((counts.payloads, counts.payloads_read), (named, named));
    }
}

#[test]
fn a_log_of_three_levels_of_tiles_is_good() {
    // 65,536 entries make the first tile of the third level.
    let entries = built::entries(65_537);
    let files = built::files(&entries, &built::signer());
    assert!(files.contains_key("tile/2/000.p/1"));
    let report = verify(&built::shared(&files));
    assert_eq!(report.verdict(), Verdict::Good, "{report}");
    let mut mutated = built::shared(&files);
    let mut bytes = files["tile/2/000.p/1"].clone();
    bytes[31] ^= 1;
    mutated.insert("tile/2/000.p/1", bytes);
    let report = verify(&mutated);
    assert_eq!(first(&report).at, Spot::Tile(Tile { level: Level::Hashes(2), index: 0, width: 1 }));
    assert_eq!(report.findings.total(), 1, "{report}");
}

#[test]
fn the_first_bad_entry_tile_or_file_is_named() {
    let entries = built::entries(600);
    let files = built::files(&entries, &built::signer());
    let leaves = |index, width| Tile { level: Level::Hashes(0), index, width };
    let check = |what: &str, change: &dyn Fn(&mut InMemory<'_>), wanted: Spot| {
        let mut mutated = built::shared(&files);
        change(&mut mutated);
        let report = verify(&mutated);
        assert_eq!(report.verdict(), Verdict::Different, "{what}\n{report}");
        assert_eq!(first(&report).at, wanted, "{what}\n{report}");
    };
    let flipped = |path: &str, at: usize| {
        let mut bytes = files[path].clone();
        bytes[at] ^= 1;
        bytes
    };
    let offset: usize = entries[256..300].iter().map(|entry| entry.len() + 2).sum();
    check(
        "an entry",
        &|log| log.insert("tile/entries/001", flipped("tile/entries/001", offset + 100)),
        Spot::Entry(300),
    );
    check("a leaf's hash", &|log| log.insert("tile/0/001", flipped("tile/0/001", 44 * 32)), Spot::Entry(300));
    check(
        "a hash above",
        &|log| log.insert("tile/1/000.p/2", flipped("tile/1/000.p/2", 32)),
        Spot::Tile(Tile { level: Level::Hashes(1), index: 0, width: 2 }),
    );
    check("a missing tile", &|log| drop(log.remove("tile/0/001")), Spot::Tile(leaves(1, 256)));
    check("a missing edge", &|log| drop(log.remove("tile/0/002.p/88")), Spot::Tile(leaves(2, 88)));
    check("a missing checkpoint", &|log| drop(log.remove("checkpoint")), Spot::Checkpoint);
    check(
        "one more file",
        &|log| log.insert("tile/0/002.p/87", files["tile/0/002.p/88"][..87 * 32].to_vec()),
        Spot::File("tile/0/002.p/87".into()),
    );
    check("a stranger", &|log| log.insert("notes.txt", b"".as_slice()), Spot::File("notes.txt".into()));
    check("no log at all", &|log| *log = InMemory::new("nothing"), Spot::Checkpoint);
}

#[test]
fn what_could_not_be_shown_is_always_said() {
    let entries = built::entries(300);
    let files = built::files(&entries, &built::signer());
    let report = verify_log(&Unlisted(built::shared(&files)), &Against::nothing());
    assert_eq!(report.verdict(), Verdict::Good, "{report}");
    let text = report.to_string();
    for said in [
        "never logged",
        "rolled back",
        "keys self-asserted",
        "cannot be listed",
        "no cosignature",
        "large payloads",
        "was being written",
    ] {
        assert!(text.contains("not shown: ") && text.contains(said), "{said}\n{text}");
    }
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["counts"]["entries"], 300);
    assert!(json["not_shown"].as_array().unwrap().len() >= 6);
}

#[test]
fn what_cannot_be_read_is_no_difference_and_no_success() {
    let files = built::files(&built::entries(300), &built::signer());
    let report = verify(&Unreadable(built::shared(&files), "tile/0/000"));
    assert_eq!(report.verdict(), Verdict::Unread, "{report}");
    assert!(report.to_string().contains("NOT VERIFIED"), "{report}");
}

#[test]
fn a_checkpoint_that_claims_any_size_costs_no_more_than_what_is_there() {
    let entries = built::entries(300);
    let mut files = built::files(&entries, &built::signer());
    let text = String::from_utf8(files["checkpoint"].clone()).unwrap();
    for size in [u64::MAX, 1 << 62, 1 << 40, 65_536] {
        files.insert("checkpoint".into(), text.replacen("\n300\n", &format!("\n{size}\n"), 1).into_bytes());
        let report = verify(&built::shared(&files));
        assert_eq!(report.verdict(), Verdict::Different, "{size}");
        assert!(report.counts.bundles <= 2);
    }
}

#[test]
fn a_log_grows_out_of_every_checkpoint_it_had_and_of_no_other() {
    let entries = built::entries(520);
    let files = built::files(&entries, &built::signer());
    let keys = built::keys();
    let mut others = entries.clone();
    others[10] = built::entry(11);
    for size in [1, 2, 255, 256, 257, 300, 512, 519, 520] {
        let held = |entries: &[Vec<u8>]| Held::kept("kept", &built::checkpoint(entries, &built::signer())).unwrap();
        for (held, good) in [(held(&entries[..size]), true), (held(&others[..size]), size <= 10)] {
            let against = Against { keys: &keys, held: &[held], ..Against::nothing() };
            let report = verify_log(&built::shared(&files), &against);
            assert_eq!(report.verdict() == Verdict::Good, good, "{size}\n{report}");
            assert_eq!(report.counts.held, u64::from(good));
        }
    }
}

#[test]
fn links_and_folders_in_a_folder_of_a_log_are_found() {
    let files = built::files(&built::entries(300), &built::signer());
    let dir = tempfile::tempdir().unwrap();
    let write = |root: &std::path::Path, files: &BTreeMap<String, Vec<u8>>| {
        for (path, bytes) in files {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
        }
    };
    let root = dir.path().join("log");
    write(&root, &files);
    assert_eq!(verify(&Directory::new(&root)).verdict(), Verdict::Good);
    // The same bytes behind a link are no file of the log.
    let outside = dir.path().join("outside");
    fs::rename(root.join("tile/0/000"), &outside).unwrap();
    symlink(&outside, root.join("tile/0/000")).unwrap();
    let report = verify(&Directory::new(&root));
    assert_eq!(first(&report).at, Spot::Tile(Tile { level: Level::Hashes(0), index: 0, width: 256 }), "{report}");
    fs::remove_file(root.join("tile/0/000")).unwrap();
    fs::rename(&outside, root.join("tile/0/000")).unwrap();
    assert_eq!(verify(&Directory::new(&root)).verdict(), Verdict::Good);
    // A linked folder.
    fs::rename(root.join("tile/0"), &outside).unwrap();
    symlink(&outside, root.join("tile/0")).unwrap();
    assert_eq!(verify(&Directory::new(&root)).verdict(), Verdict::Different);
    fs::remove_file(root.join("tile/0")).unwrap();
    fs::rename(&outside, root.join("tile/0")).unwrap();
    // The log's folder itself may be named by a link.
    let link = dir.path().join("link");
    symlink(&root, &link).unwrap();
    let report = verify(&Directory::new(&link));
    assert_eq!((report.verdict(), report.counts.files), (Verdict::Good, files.len() as u64), "{report}");
    // An empty folder.
    fs::create_dir(root.join("tile/9")).unwrap();
    assert_eq!(first(&verify(&Directory::new(&link))).at, Spot::File("tile/9/".into()));
    assert_eq!(first(&verify(&Directory::new(&root))).at, Spot::File("tile/9/".into()));
}

#[test]
fn progress_ends_at_the_last_entry() {
    let files = built::files(&built::entries(600), &built::signer());
    let told = Mutex::new(Vec::new());
    let progress = |at: agenttrader_audit::verify::Progress<'_>| told.lock().unwrap().push((at.entries, at.of));
    verify_log(&built::shared(&files), &Against { progress: &progress, ..Against::nothing() });
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 3);
    assert!(told.contains(&(600, 600)));
}
