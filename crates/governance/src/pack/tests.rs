//! Packs of a small floor: what they hold, that they repeat, and that nothing can be changed in one unseen.

use super::frames::FrameWriter;
use super::lines::index_line;
use super::member::{ABOUT, INDEX, KEYS, README, VKEYS};
use super::tar::{BLOCK, Header, padding};
use super::verify::{Given, Report, verify};
use super::write::{Packing, Written, write};
use super::{Pack, PackError};
use crate::keyring::origin;
use agenttrader_agent::keys::Keys;
use agenttrader_audit::checkpoint::SignedCheckpoint;
use agenttrader_audit::log::Log;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::record::{Entry, IntentType, Outcome};
use agenttrader_audit::verify::{KnownKeys, Verdict};
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::{AgentIdentity, AgentMode, AgentRole, Build, REPO_ID};
use agenttrader_core::time::{Span, UnixNanos};
use ed25519_dalek::SigningKey;
use serde_json::json;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn build() -> Build {
    Build { git_sha: "0".repeat(40), build_id: "test".to_owned() }
}

fn witness() -> NoteSigner {
    NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[7; 32]))
}

fn append(data_dir: &Path, agent_name: &str, count: u64) -> Log {
    append_words(data_dir, agent_name, count, "entry")
}

/// Opens an agent's log and appends to it; every 100th payload is large.
fn append_words(data_dir: &Path, agent_name: &str, count: u64, words: &str) -> Log {
    let keys = Keys::open(data_dir, agent_name).unwrap();
    let identity =
        AgentIdentity { agent_name: agent_name.to_owned(), agent_role: AgentRole::Ops, agent_mode: AgentMode::Off };
    let signer = keys.log.note_signer(&origin(agent_name));
    let log = Log::open(data_dir, identity, REPO_ID, build(), signer).unwrap();
    let before = log.opened().records;
    let entry = |index: u64| {
        let at = UnixNanos::from_seconds(1_800_000_000).plus(Span::from_millis(250 * index as i64));
        let payload = match index {
            0 => json!({"public_keys": keys.public()}),
            _ if index % 100 == 99 => json!({"large": "x".repeat(70_000), "index": index}),
            _ => json!({"index": index, "agent": agent_name}),
        };
        let kind = if index == 0 { IntentType::AgentStart } else { IntentType::Signal };
        Entry::new(at, kind, Outcome::Success, format!("{words} {index}"), payload)
    };
    let tickets: Vec<_> = (before..before + count).map(|index| log.append(entry(index))).collect();
    tickets.into_iter().for_each(|ticket| drop(ticket.durable().unwrap()));
    log
}

/// A floor of two agents that has ended; one checkpoint is cosigned, at an older size.
fn floor() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    append(dir.path(), "gamma", 3).close().unwrap();
    let checkpoint = fs::read(dir.path().join("audit/gamma/checkpoint")).unwrap();
    let signed = SignedCheckpoint::parse(&checkpoint).unwrap();
    let line = witness().sign(signed.note().text(), 1_800_000_100);
    let stranger = NoteSigner::cosigner("stranger", SigningKey::from_bytes(&[8; 32])).sign(signed.note().text(), 1);
    let cosigned = dir.path().join("audit-state/mission-control/cosigned");
    fs::create_dir_all(&cosigned).unwrap();
    fs::write(cosigned.join("gamma"), signed.with(line).with(stranger).to_string()).unwrap();
    let vkeys = format!("{}\n", witness().verifier());
    fs::write(dir.path().join("audit-state/mission-control/witnesses"), vkeys).unwrap();
    append(dir.path(), "gamma", 4).close().unwrap();
    append(dir.path(), "gate", 300).close().unwrap();
    dir
}

fn packed(data_dir: &Path, out: Option<&Path>) -> Result<Written, PackError> {
    write(&Packing { data_dir, repository: None, out, build: &build() }, &mut |_, _| {})
}

fn report(path: &Path) -> Report {
    verify(&Pack::open(path).unwrap(), &Given::nothing()).unwrap()
}

/// What is wrong with a pack, in words.
fn found(path: &Path) -> Vec<String> {
    let report = report(path);
    let of_logs = report.logs.iter().flat_map(|log| log.findings.first()).map(ToString::to_string);
    let found: Vec<_> = report.findings.iter().map(ToString::to_string).chain(of_logs).collect();
    assert_eq!(found.is_empty(), report.verdict() == Verdict::Good, "{report}");
    found
}

#[test]
fn a_pack_holds_the_logs_what_they_name_and_the_keys_and_nothing_private() {
    let dir = floor();
    let written = packed(dir.path(), None).unwrap();
    let name = written.path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("20270115T080114Z-") && name.ends_with(".tar.zst"), "{name}");
    assert_eq!(fs::metadata(&written.path).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(fs::read_dir(dir.path().join("packs")).unwrap().count(), 1, "nothing half-done is left");
    assert_eq!(found(&written.path), [""; 0]);
    let report = report(&written.path);
    assert_eq!((report.logs.len(), report.blobs), (2, 3));
    assert_eq!(report.logs.iter().map(|log| log.counts.cosignatures).sum::<u64>(), 1);
    assert_eq!((report.sha256, report.bytes, report.files), (written.sha256, written.bytes, written.files));
    assert_eq!(Digest::of(&fs::read(&written.path).unwrap()), written.sha256);

    let pack = Pack::open(&written.path).unwrap();
    assert_eq!(pack.agents(), ["gamma", "gate"]);
    for agent in ["gamma", "gate"] {
        let root = dir.path().join("audit").join(agent);
        for path in pack.log(agent).list().unwrap().unwrap() {
            assert_eq!(pack.log(agent).read(&path, 1 << 24).unwrap().unwrap(), fs::read(root.join(&path)).unwrap());
        }
    }
    let cosigned = String::from_utf8(pack.read("cosigned/gamma").unwrap().unwrap()).unwrap();
    assert!(cosigned.contains("witness.example/w1") && !cosigned.contains("stranger"), "{cosigned}");
    for name in ["gamma.log", "gamma.sign", "gate.log", "gate.sign"] {
        let seed = fs::read_to_string(dir.path().join("keys").join(name)).unwrap();
        for path in &pack.contents.order {
            let bytes = pack.read(path).unwrap().unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains(seed.trim_end()), "{path} holds {name}");
        }
    }
    assert_eq!(pack.keys().unwrap().origins().count(), 2);
}

#[test]
fn the_same_data_gives_the_same_bytes() {
    let dir = floor();
    let copy = tempfile::tempdir().unwrap();
    let (one, two) =
        (packed(dir.path(), None).unwrap(), packed(dir.path(), Some(&copy.path().join("b.tar.zst"))).unwrap());
    assert_eq!(fs::read(&one.path).unwrap(), fs::read(&two.path).unwrap());
    assert_eq!((one.sha256, one.about), (two.sha256, two.about));
}

#[test]
fn what_is_there_already_and_what_is_no_pack_by_its_name_is_not_written() {
    let dir = floor();
    let out = dir.path().join("mine.tar.zst");
    fs::write(&out, "mine").unwrap();
    assert!(matches!(packed(dir.path(), Some(&out)), Err(PackError::Exists { .. })));
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    assert!(matches!(packed(dir.path(), Some(&dir.path().join("pack.tgz"))), Err(PackError::Suffix { .. })));
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(packed(empty.path(), None), Err(PackError::NoLogs { .. })));
}

#[test]
fn a_log_that_is_not_whole_is_not_packed() {
    for file in ["tile/entries/001.p/44", "tile/0/000"] {
        let dir = floor();
        fs::remove_file(dir.path().join("audit/gate").join(file)).unwrap();
        let error = packed(dir.path(), None).unwrap_err().to_string();
        assert!(error.starts_with("audit/gate") && error.contains(&format!("{file} is missing")), "{error}");
        assert!(fs::read_dir(dir.path().join("packs")).is_ok_and(|left| left.count() == 0) || file.contains("entries"));
    }
}

#[test]
fn a_floor_that_goes_on_is_packed_at_one_checkpoint_a_log() {
    let dir = floor();
    let log = append(dir.path(), "gate", 1);
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let (log, data_dir) = (&log, dir.path());
        scope.spawn(move || {
            let at = UnixNanos::from_seconds(1_800_000_500);
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                let entry = Entry::new(at, IntentType::Signal, Outcome::Success, "more", json!({}));
                drop(log.append(entry).durable().unwrap());
                drop(log.checkpoint_now().unwrap());
            }
        });
        for _ in 0..6 {
            let written = packed(data_dir, None).unwrap();
            assert_eq!(found(&written.path), [""; 0]);
        }
        drop(stop);
    });
    log.close().unwrap();
}

#[test]
fn any_flipped_bit_of_a_packs_file_is_found_and_nothing_panics() {
    let dir = floor();
    let whole = fs::read(packed(dir.path(), None).unwrap().path).unwrap();
    let path = dir.path().join("flipped.tar.zst");
    let mut seed = 1_u64;
    // Ten thousand and more on demand, as for logs.
    let rounds = std::env::var("AGENTTRADER_MUTATIONS").map_or(200, |count| count.parse().unwrap());
    for round in 0..rounds {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Each bit of the first and the last bytes, then any.
        let bit = match round {
            0..50 => round,
            50..100 => whole.len() * 8 - 1 - (round - 50),
            _ => (seed >> 20) as usize % (whole.len() * 8),
        };
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        assert!(!found(&path).is_empty(), "bit {bit}");
    }
    for cut in [0, 1, 55, 56, 57, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(!found(&path).is_empty(), "cut to {cut}");
    }
    fs::write(&path, [&whole[..], b"\0"].concat()).unwrap();
    assert!(!found(&path).is_empty(), "one byte more");
    fs::write(&path, [&whole[..], &whole].concat()).unwrap();
    assert!(!found(&path).is_empty(), "twice");
}

type Files = Vec<(String, Vec<u8>)>;

/// The files of a pack, to be changed and packed again by somebody who knows the form: seal, frames and headers are good.
#[derive(Clone)]
struct Forged {
    files: Files,
    mtime: u64,
}

impl Forged {
    fn of(path: &Path) -> Self {
        let pack = Pack::open(path).unwrap();
        let file = |path: &String| (path.clone(), pack.read(path).unwrap().unwrap());
        Self { files: pack.contents.order.iter().map(file).collect(), mtime: pack.contents.mtime }
    }

    fn at(&self, path: &str) -> usize {
        self.files.iter().position(|(name, _)| name == path).unwrap()
    }

    fn content(&mut self, path: &str) -> &mut Vec<u8> {
        let at = self.at(path);
        &mut self.files[at].1
    }

    /// Makes the index anew over what is there now.
    fn indexed(mut self) -> Self {
        let others = self.files.iter().filter(|(path, _)| path != INDEX);
        let index: String = others.map(|(path, content)| index_line(path, Digest::of(content))).collect();
        *self.content(INDEX) = index.into_bytes();
        self
    }

    fn tar(&self) -> Vec<u8> {
        let mut tar = Vec::new();
        for (path, content) in &self.files {
            let header = Header { path: path.clone(), size: content.len() as u64, mtime: self.mtime };
            tar.extend(header.to_block().unwrap());
            tar.extend(content);
            tar.resize(tar.len() + padding(header.size), 0);
        }
        tar.resize(tar.len() + 2 * BLOCK, 0);
        tar
    }

    fn findings(&self, to: &Path) -> Vec<String> {
        sealed(&self.tar(), to);
        found(to)
    }
}

fn sealed(tar: &[u8], to: &Path) {
    let mut frames = FrameWriter::new(fs::File::create(to).unwrap());
    frames.write(tar).unwrap();
    frames.finish().unwrap().0.flush().unwrap();
}

#[test]
fn a_file_dropped_added_renamed_swapped_doubled_or_changed_is_found_under_a_good_seal() {
    let dir = floor();
    let to = dir.path().join("forged.tar.zst");
    let whole = Forged::of(&packed(dir.path(), None).unwrap().path);
    assert_eq!(whole.findings(&to), [""; 0], "packed again, unchanged, it verifies");
    assert_eq!(whole.clone().indexed().findings(&to), [""; 0]);
    let count = whole.files.len();
    let check = |what: &str, forged: &Forged| assert!(!forged.findings(&to).is_empty(), "{what}");
    for at in 0..count {
        let name = whole.files[at].0.clone();
        let changed = |change: &dyn Fn(&mut Files)| {
            let mut forged = whole.clone();
            change(&mut forged.files);
            forged
        };
        check(&format!("{name} dropped"), &changed(&|files| drop(files.remove(at))));
        check(&format!("{name} doubled"), &changed(&|files| files.insert(at, files[at].clone())));
        check(&format!("{name} emptied"), &changed(&|files| files[at].1.clear()));
        check(&format!("{name} cut"), &changed(&|files| files[at].1 = files[at].1[..files[at].1.len() - 1].to_vec()));
        check(&format!("{name} longer"), &changed(&|files| files[at].1.push(b'\n')));
        check(&format!("{name} renamed"), &changed(&|files| files[at].0.push('x')));
        if at + 1 < count {
            check(&format!("{name} swapped with the next"), &changed(&|files| files.swap(at, at + 1)));
            let contents = changed(&|files| {
                let one = std::mem::take(&mut files[at].1);
                files[at].1 = std::mem::replace(&mut files[at + 1].1, one);
            });
            if contents.files[at].1 != whole.files[at].1 {
                check(&format!("contents of {name} and the next exchanged"), &contents);
            }
        }
    }
}

#[test]
fn what_stands_beside_the_logs_is_judged_even_where_the_index_was_made_anew() {
    let dir = floor();
    let to = dir.path().join("forged.tar.zst");
    let whole = Forged::of(&packed(dir.path(), None).unwrap().path);
    let told = |what: &str, change: &dyn Fn(&mut Forged)| {
        let mut forged = whole.clone();
        change(&mut forged);
        let findings = forged.indexed().findings(&to);
        assert!(findings.iter().any(|finding| finding.contains(what)), "{what}: {findings:?}");
    };
    let edit = |forged: &mut Forged, path: &str, from: &str, to: &str| {
        let content = String::from_utf8(forged.content(path).clone()).unwrap();
        assert!(content.contains(from), "{content}");
        *forged.content(path) = content.replacen(from, to, 1).into_bytes();
    };
    let blob = whole.files.iter().find(|(path, _)| path.starts_with("blobs/")).unwrap().0.clone();
    told("its payload", &|forged| drop(forged.files.remove(forged.at(&blob))));
    told("does not hold what its name says", &|forged| forged.content(&blob).push(b' '));
    told("is named by no record", &|forged| {
        let other = b"{}".to_vec();
        let place = forged.files.iter().position(|(path, _)| path.starts_with("blobs/")).unwrap();
        forged.files.push((format!("blobs/{}", Digest::of(&other)), other));
        let (mut before, mut after) = (forged.files[..place].to_vec(), forged.files[place..].to_vec());
        after.sort_by_key(|(path, _)| !path.starts_with("blobs/"));
        let blobs = after.iter().filter(|(path, _)| path.starts_with("blobs/")).count();
        after[..blobs].sort();
        before.extend(after);
        forged.files = before;
    });
    told("does not name the logs", &|forged| edit(forged, ABOUT, "\"size\": 300", "\"size\": 301"));
    told("time of the newest record", &|forged| edit(forged, ABOUT, "08:01:14", "08:01:15"));
    told("another time", &|forged| forged.mtime += 1);
    told("is not that of its log's key", &|forged| edit(forged, KEYS, "\"log\": \"", "\"log\": \"A"));
    told("vkeys: does not say", &|forged| edit(forged, VKEYS, "gamma", "delta"));
    told("is missing", &|forged| drop(forged.files.remove(forged.at(ABOUT))));
    told("cosigned/gamma", &|forged| edit(forged, "cosigned/gamma", "\n3\n", "\n4\n"));
    told("is cosigned by no witness", &|forged| {
        let text = String::from_utf8(forged.content("cosigned/gamma").clone()).unwrap();
        let without: Vec<_> = text.lines().filter(|line| !line.contains("— agenttrader")).collect();
        *forged.content("cosigned/gamma") = format!("{}\n", without.join("\n")).into_bytes();
    });
    told("is a checkpoint of agenttrader/agent-trader-v2/gamma", &|forged| {
        let gamma = forged.at("cosigned/gamma");
        forged.files[gamma].0 = "cosigned/gate".to_owned();
    });
    told("names the keys of gate, whose log is not in the pack", &|forged| {
        forged.files.retain(|(path, _)| !path.starts_with("logs/gate/"));
    });
    // An empty line more at the end of the README changes nothing that is signed, and nobody can know.
    let mut readme = whole.clone();
    readme.content(README).push(b'\n');
    assert_eq!(readme.indexed().findings(&to), [""; 0]);
}

#[test]
fn the_readme_s_index_commands_see_whatever_stands_there_besides_or_instead() {
    let dir = floor();
    let pack = Forged::of(&packed(dir.path(), None).unwrap().path);
    let readme = String::from_utf8(pack.files[pack.at(README)].1.clone()).unwrap();
    let is_of_index = |line: &&str| line.starts_with("sha256sum --check") || line.starts_with("test ");
    // The first of them is the seal's.
    let commands: Vec<&str> = readme.lines().filter(is_of_index).skip(1).collect();
    assert!(commands.len() > 1 && commands.iter().all(|line| !line.contains("$PACK")), "{commands:?}");
    let holds = |change: &str| {
        let unpacked = tempfile::tempdir().unwrap();
        for (path, content) in &pack.files {
            let place = unpacked.path().join("pack").join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, content).unwrap();
        }
        let mut shell = std::process::Command::new("sh");
        shell.arg("-ec").arg(format!("{change}\n{}", commands.join("\n"))).current_dir(unpacked.path().join("pack"));
        shell.output().unwrap().status.success()
    };
    assert!(holds(""));
    for change in [
        "touch logs/other",
        "ln -s ../vkeys logs/other",
        "ln -s nowhere blobs/other",
        "mkfifo logs/other",
        "mv vkeys .. && ln -s ../vkeys vkeys",
        "rm vkeys",
    ] {
        assert!(!holds(change), "{change}");
    }
}

#[test]
fn nothing_in_a_log_changes_unseen_though_the_index_was_made_anew() {
    let dir = floor();
    let to = dir.path().join("forged.tar.zst");
    let whole = Forged::of(&packed(dir.path(), None).unwrap().path);
    let signed: Vec<usize> = (0..whole.files.len())
        .filter(|at| ["logs/", "blobs/", "cosigned/"].iter().any(|of| whole.files[*at].0.starts_with(of)))
        .collect();
    let mut seed = 2_u64;
    for round in 0..80 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = signed[round % signed.len()];
        let mut forged = whole.clone();
        let content = &mut forged.files[at].1;
        let bit = (seed >> 20) as usize % (content.len() * 8);
        content[bit / 8] ^= 1 << (bit % 8);
        assert!(!forged.indexed().findings(&to).is_empty(), "{} bit {bit}", whole.files[at].0);
    }
    for at in signed {
        let mut forged = whole.clone();
        let (name, _) = forged.files.remove(at);
        // Without its cosigned checkpoint a log is only less well shown.
        assert!(name.starts_with("cosigned/") || !forged.indexed().findings(&to).is_empty(), "{name} dropped");
    }
}

#[test]
fn a_log_that_does_not_go_on_from_what_was_cosigned_is_found() {
    let dir = floor();
    let written = packed(dir.path(), None).unwrap();
    let kept = Forged::of(&written.path).content("cosigned/gamma").clone();
    // The same keys sign another history, first a shorter one.
    let forked = tempfile::tempdir().unwrap();
    copy(&dir.path().join("keys"), &forked.path().join("keys"));
    for (count, told) in [(2, "rolled back"), (3, "forked")] {
        append_words(forked.path(), "gamma", count, "another").close().unwrap();
        let mut fork = Forged::of(&packed(forked.path(), None).unwrap().path);
        let place = fork.at(KEYS);
        fork.files.insert(place, ("cosigned/gamma".to_owned(), kept.clone()));
        let findings = fork.indexed().findings(&forked.path().join("fork.tar.zst"));
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains(told), "{findings:?}");
        fs::remove_file(forked.path().join("fork.tar.zst")).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for one in fs::read_dir(from).unwrap() {
        let one = one.unwrap();
        let to = to.join(one.file_name());
        if one.path().is_dir() {
            copy(&one.path(), &to);
        } else {
            fs::copy(one.path(), to).unwrap();
        }
    }
}

#[test]
fn hostile_archives_are_told_and_read_no_further_than_bounds() {
    let dir = floor();
    let to = dir.path().join("hostile.tar.zst");
    let whole = Forged::of(&packed(dir.path(), None).unwrap().path).tar();
    let told = |what: &str, tar: &[u8]| {
        sealed(tar, &to);
        let findings = found(&to);
        assert!(findings.iter().any(|finding| finding.contains(what)), "{what}: {findings:?}");
    };
    let header = |path: &str, size: u64| Header { path: path.to_owned(), size, mtime: 0 }.to_block().unwrap().to_vec();
    let end = vec![0; 2 * BLOCK];
    told("is no file of a pack", &[header("../../etc/passwd", 0), end.clone()].concat());
    told("is no file of a pack", &[header("/etc/passwd", 0), end.clone()].concat());
    told("is no file of a pack", &[header("keys/gate.sign", 0), end.clone()].concat());
    told("more than", &[header("logs/a/checkpoint", 1 << 30), end.clone()].concat());
    told("ends within logs/a/checkpoint", &header("logs/a/checkpoint", 1 << 10));
    told("stands there twice", &[header(README, 0), header(README, 0), end.clone()].concat());
    told("does not stand in its place", &[header(INDEX, 0), header(README, 0), end.clone()].concat());
    let mut link = header(README, 0);
    link[156] = b'2';
    told("a symbolic link", &[link, end.clone()].concat());
    let mut owned = header(README, 0);
    owned[265..269].copy_from_slice(b"root");
    told("not in the one form", &[owned, end.clone()].concat());
    told("no end", &header(README, 0));
    told("no end", &[]);
    told("two blocks of zeros", &[header(README, 0), vec![0; BLOCK], header(INDEX, 0), end.clone()].concat());
    told("something follows", &[&whole[..], &[0]].concat());
    told("something follows", &[whole.clone(), whole.clone()].concat());
    let mut padded = [header(README, 1), vec![0; BLOCK], end.clone()].concat();
    padded[BLOCK + 1] = 1;
    told("is not zeros", &padded);
    // A bomb: many zeros in few bytes is more than any frame of a pack holds.
    let bomb = ruzstd::encoding::compress_to_vec(
        std::io::repeat(0).take(64 << 20),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    fs::write(&to, &bomb).unwrap();
    let findings = found(&to);
    assert!(findings.iter().any(|finding| finding.contains("longer than those of packs")), "{findings:?}");
    assert!(matches!(Pack::open(dir.path()), Err(PackError::Io { .. })), "a folder is no pack");
}

#[test]
fn keys_that_the_auditor_brings_stand_in_the_place_of_the_packs_own() {
    let dir = floor();
    let pack = Pack::open(&packed(dir.path(), None).unwrap().path).unwrap();
    let judged = |keys: &KnownKeys| verify(&pack, &Given { keys: Some(keys), ..Given::nothing() }).unwrap();
    let own = fs::read(dir.path().join("keys/agents.json")).unwrap();
    let known = KnownKeys::parse(&own).unwrap().with(witness().verifier());
    let report = judged(&known);
    assert_eq!(report.verdict(), Verdict::Good, "{report}");
    assert_eq!(report.logs[0].counts.cosignatures, 1);
    let other = NoteSigner::cosigner("other", SigningKey::from_bytes(&[9; 32])).verifier();
    let pinned = verify(&pack, &Given { witnesses: std::slice::from_ref(&other), ..Given::nothing() }).unwrap();
    let report = judged(&KnownKeys::parse(&own).unwrap().with(other));
    for report in [pinned, report] {
        assert_eq!((report.verdict(), report.logs[0].counts.cosignatures), (Verdict::Good, 0), "{report}");
        assert!(report.to_string().contains("the cosignature's key was not given"), "{report}");
    }
    let forged = Keys::open(tempfile::tempdir().unwrap().path(), "gamma").unwrap();
    let forged = KnownKeys::none().with(forged.log.note_signer(&origin("gamma")).verifier());
    assert_eq!(judged(&forged).verdict(), Verdict::Different);
}

#[test]
fn reports_unlocks_and_what_people_signed_are_in_and_named_and_nothing_else_of_these_folders() {
    let (dir, repository) = (floor(), tempfile::tempdir().unwrap());
    let put = |root: &Path, path: &str, text: &str| {
        fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        fs::write(root.join(path), text).unwrap();
    };
    put(repository.path(), "audit_artifacts/readiness_report.json", "{}");
    put(repository.path(), "audit_artifacts/secrets.txt", "hunter2");
    put(repository.path(), "ops/unlock/u-1/approval.json", "{}");
    put(repository.path(), "ops/unlock/u-1/approval.json.bob.sig", "sig");
    put(repository.path(), "ops/unlock/u-1/.hidden", "x");
    put(dir.path(), "signed/grants/ab.json", "{}");
    std::os::unix::fs::symlink("/etc/hostname", repository.path().join("ops/unlock/link")).unwrap();
    let make = |name: &str| {
        let out = repository.path().join(name);
        let packing =
            Packing { data_dir: dir.path(), repository: Some(repository.path()), out: Some(&out), build: &build() };
        write(&packing, &mut |_, _| {}).unwrap()
    };
    let written = make("one.tar.zst");
    assert_eq!(found(&written.path), [""; 0]);
    assert_eq!(written.sha256, make("two.tar.zst").sha256);
    let left: Vec<_> = written.remarks.iter().filter(|remark| remark.contains("unlock")).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    let pack = Pack::open(&written.path).unwrap();
    let (index, readme) =
        [INDEX, README].map(|name| String::from_utf8(pack.read(name).unwrap().unwrap()).unwrap()).into();
    for path in [
        "artefacts/readiness_report.json",
        "unlock/u-1/approval.json",
        "unlock/u-1/approval.json.bob.sig",
        "signed/grants/ab.json",
    ] {
        assert!(index.contains(&format!("  {path}\n")) && readme.contains(&format!("- `{path}`")), "{path}");
    }
    for word in ["hunter2", "secrets.txt", ".hidden", "link"] {
        assert!(!index.contains(word) && !readme.contains(&format!("/{word}")), "{word}");
    }
}
