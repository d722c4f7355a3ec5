//! Our formats against verifiers of other people: Go's `golang.org/x/mod/sumdb`, `aics-tlog` and `aics-witness`.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use std::path::Path;

use agenttrader_audit::checkpoint::{Checkpoint, SignedCheckpoint};
use agenttrader_audit::merkle::{self, Frontier, Hash, HashReader, consistency_proof, inclusion_proof};
use agenttrader_audit::note::{NoteSigner, VerifierKey};
use agenttrader_audit::proof::TlogProof;
use agenttrader_audit::tile::{self, Level, Tile};
use agenttrader_outside::tlog::{Aics, GoVerifier, Head};
use agenttrader_outside::witness::AicsWitness;
use ed25519_dalek::SigningKey;
use serde_json::Value;

const ORIGIN: &str = "agenttrader/example/gamma";

/// Entries in memory, and every complete subtree over them: level by level, from the leaves up.
struct Tree {
    entries: Vec<Vec<u8>>,
    rows: Vec<Vec<Hash>>,
}

impl Tree {
    fn of(entries: Vec<Vec<u8>>) -> Self {
        let mut rows: Vec<Vec<Hash>> = vec![entries.iter().map(|entry| merkle::leaf_hash(entry)).collect()];
        while rows.last().is_some_and(|row| row.len() > 1) {
            let (pairs, _) = rows.last().unwrap().as_chunks::<2>();
            rows.push(pairs.iter().map(|[left, right]| merkle::node_hash(left, right)).collect());
        }
        Self { entries, rows }
    }

    /// Entries of every shape: empty, of one byte, text, bytes that are no text, the longest.
    fn of_all_shapes(size: usize) -> Self {
        let shape = |index: usize| match index % 7 {
            0 => Vec::new(),
            1 => vec![0xff; index % 251 + 1],
            2 if index == 2 => vec![b'x'; tile::ENTRY_BYTES_MOST],
            _ => format!("{{\"index\":{index}}}").into_bytes(),
        };
        Self::of((0..size).map(shape).collect())
    }

    fn root(&self, size: u64) -> Hash {
        let Ok(root) = merkle::root(size, self);
        root
    }

    fn includes(&self, index: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = inclusion_proof(index, size, self);
        proof.unwrap()
    }

    fn extends(&self, old: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = consistency_proof(old, size, self);
        proof.unwrap()
    }

    fn checkpoint(&self, size: u64, signer: &NoteSigner) -> SignedCheckpoint {
        Checkpoint { origin: signer.name().to_owned(), size, root: self.root(size) }.signed(signer)
    }

    /// The bytes of a tile's file.
    fn file(&self, tile: Tile) -> Vec<u8> {
        let from = tile.index as usize * usize::from(tile::TILE_WIDTH);
        let within = from..from + usize::from(tile.width);
        match tile.level {
            Level::Entries => tile::bundle(self.entries[within].iter().map(Vec::as_slice)).unwrap(),
            Level::Hashes(level) => {
                self.rows[usize::from(level) * 8][within].iter().flat_map(|hash| *hash.as_bytes()).collect()
            }
        }
    }

    /// Makes the directory's log of `old` entries one of `new` entries.
    fn grow(&self, dir: &Path, old: u64, new: u64, signer: &NoteSigner) {
        for tile in tile::new_tiles(old, new) {
            let path = dir.join(tile.to_string());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, self.file(tile)).unwrap();
        }
        std::fs::write(dir.join("checkpoint"), self.checkpoint(new, signer).to_string()).unwrap();
        for tile in tile::outgrown(old, new) {
            std::fs::remove_file(dir.join(tile.to_string())).unwrap();
        }
    }
}

impl HashReader for Tree {
    type Error = std::convert::Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error> {
        Ok(self.rows[level as usize][index as usize])
    }
}

fn signer(name: &str) -> NoteSigner {
    NoteSigner::log(name, SigningKey::from_bytes(&std::array::from_fn(|byte| byte as u8)))
}

fn spelled(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(Hash::to_string).collect()
}

fn hashes(value: &Value) -> Vec<Hash> {
    let hashes = value["hashes"].as_array().unwrap().iter();
    hashes.map(|hash| Hash::parse(hash.as_str().unwrap()).unwrap()).collect()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap()
}

#[test]
fn our_roots_proofs_and_checkpoints_are_gos() {
    let Some(go) = GoVerifier::find() else { return };
    let vectors = go.vectors();
    let list = |name: &str| vectors[name].as_array().unwrap().clone();
    let largest = list("trees").iter().map(|tree| number(tree, "size")).max().unwrap();
    let tree = Tree::of((0..largest).map(|index| format!("entry-{index}\n").into_bytes()).collect());
    let signer = signer(vectors["origin"].as_str().unwrap());
    assert_eq!(signer.verifier().to_string(), vectors["vkey"]);

    let mut frontier = Frontier::default();
    for vector in list("trees") {
        let size = number(&vector, "size");
        while frontier.size() < size {
            frontier.push(tree.rows[0][frontier.size() as usize]);
        }
        assert_eq!(tree.root(size).to_string(), vector["root"], "{size}");
        assert_eq!(frontier.root().to_string(), vector["root"], "{size}");
        assert_eq!(tree.checkpoint(size, &signer).to_string(), vector["checkpoint"], "{size}");
    }
    for vector in list("inclusion") {
        let (index, size, proof) = (number(&vector, "index"), number(&vector, "size"), hashes(&vector));
        assert_eq!(tree.includes(index, size), proof, "{index} in {size}");
        let leaf = &tree.rows[0][index as usize];
        assert!(merkle::includes(index, size, leaf, &proof, &tree.root(size)), "{index} in {size}");
    }
    for vector in list("consistency") {
        let (old, size, proof) = (number(&vector, "old_size"), number(&vector, "size"), hashes(&vector));
        assert_eq!(tree.extends(old, size), proof, "{old} to {size}");
        assert!(merkle::extends(old, &tree.root(old), size, &tree.root(size), &proof), "{old} to {size}");
    }
    assert!(list("inclusion").len() > 90 && list("consistency").len() > 200);
}

#[test]
fn a_log_that_grew_in_our_tiles_holds_for_both_verifiers() {
    let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
    let tree = Tree::of_all_shapes(700);
    let signer = signer(ORIGIN);
    let vkey = signer.verifier().to_string();
    let (dir, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let sizes = [1, 2, 255, 256, 257, 511, 512, 699, 700];
    let mut before = 0;
    for size in sizes {
        tree.grow(dir.path(), before, size, &signer);
        let head = Head { size, root: tree.root(size).to_string() };
        assert_eq!(go.audit(dir.path(), &vkey), Ok(head));
        std::fs::copy(dir.path().join("checkpoint"), kept.path().join(size.to_string())).unwrap();
        before = size;
    }
    let head = Head { size: 700, root: tree.root(700).to_string() };
    assert_eq!(aics.audit(dir.path(), &vkey), Ok(head.clone()));
    for index in [0, 1, 2, 254, 255, 256, 511, 512, 698, 699] {
        let proof = go.inclusion(dir.path(), &vkey, index).unwrap();
        assert_eq!(proof.hashes, spelled(&tree.includes(index, 700)), "{index}");
    }
    assert_eq!(aics.verify_inclusion(dir.path(), &vkey, 2), Ok(head.clone()));
    for size in sizes {
        let old = Head { size, root: tree.root(size).to_string() };
        let proof = go.consistency(dir.path(), &vkey, &old).unwrap();
        assert_eq!(proof.hashes, spelled(&tree.extends(size, 700)), "{size}");
    }
    for size in [1, 256, 699] {
        let old = kept.path().join(size.to_string());
        assert_eq!(aics.verify_consistency(dir.path(), &vkey, &old), Ok(head.clone()), "{size}");
    }
}

#[test]
fn a_witness_of_other_people_and_ours_understand_each_other() {
    let (Some(go), Some(aics)) = (GoVerifier::find(), Aics::find()) else { return };
    let tree = Tree::of_all_shapes(300);
    let signer = signer(ORIGIN);
    let vkey = signer.verifier();
    let Some(witness) = AicsWitness::start(ORIGIN, &vkey.to_string()) else { return };
    let theirs = VerifierKey::parse(witness.vkey()).unwrap();
    let ours = NoteSigner::cosigner("witness.example/ours", SigningKey::from_bytes(&[7; 32]));
    let ours_vkey = ours.verifier().to_string();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("checkpoint");
    let mut before = 0;
    for size in [1, 3, 256, 300] {
        let signed = tree.checkpoint(size, &signer);
        let proof = if before == 0 { Vec::new() } else { spelled(&tree.extends(before, size)) };
        let (status, answer) = witness.add_checkpoint(before, &proof, &signed.to_string());
        assert_eq!(status, 200, "{answer}");
        before = size;

        let cosigned = SignedCheckpoint::parse(format!("{signed}{answer}").as_bytes()).unwrap();
        assert!(cosigned.note().signed_by(&theirs).unwrap().seconds().is_some());
        let line = ours.sign(cosigned.note().text(), 1_767_225_600);
        let cosigned = cosigned.with(line);
        assert_eq!(cosigned.knows_all(&vkey, &[theirs.clone(), ours.verifier()]), Ok(()));
        std::fs::write(&file, cosigned.to_string()).unwrap();
        let head = Head { size, root: tree.root(size).to_string() };
        let witnesses = [witness.vkey(), ours_vkey.as_str()];
        assert_eq!(go.checkpoint(&vkey.to_string(), &file, &witnesses), Ok(head.clone()));
        assert_eq!(aics.verify_checkpoint(&vkey.to_string(), &file, &witnesses), Ok(head));
    }
    let forked = Tree::of(vec![b"other".to_vec(); 301]);
    let (status, _) =
        witness.add_checkpoint(300, &spelled(&forked.extends(300, 301)), &forked.checkpoint(301, &signer).to_string());
    assert_eq!(status, 422);
}

/// A changed checkpoint, and who takes it.
struct Changed {
    what: &'static str,
    text: String,
    go: bool,
    ours: bool,
}

#[test]
fn a_changed_checkpoint_that_go_refuses_is_refused_by_us_and_some_more_are() {
    let Some(go) = GoVerifier::find() else { return };
    let signer = signer(ORIGIN);
    let (vkey, other) = (signer.verifier(), NoteSigner::log("other.example", SigningKey::from_bytes(&[9; 32])));
    let tree = Tree::of_all_shapes(300);
    let good = tree.checkpoint(300, &signer).to_string();
    let root = tree.root(300).to_string();
    let (text, line) = good.split_once("\n\n").unwrap();
    let line = line.trim_end();
    // The text signed anew, so that its form alone decides.
    let signed = |text: &str| format!("{text}\n{}\n", signer.sign(text, 0));
    let bad_line = signer.sign("another text\n", 0).to_string();
    let unknown = other.sign(&format!("{text}\n"), 0).to_string();
    let impostor = NoteSigner::log(ORIGIN, SigningKey::from_bytes(&[9; 32])).sign(&format!("{text}\n"), 0).to_string();
    // The last letter before the padding holds two bits that no byte needs.
    let last = line.as_bytes()[line.len() - 2] + 1;
    let loose = format!("{}{}=", &line[..line.len() - 2], char::from(last));

    let same = |what, text, taken| Changed { what, text, go: taken, ours: taken };
    let stricter = |what, text| Changed { what, text, go: true, ours: false };
    let cases = [
        same("nothing", good.clone(), true),
        same("another root", good.replace(&root, &tree.root(299).to_string()), false),
        same("another size", good.replace("\n300\n", "\n299\n"), false),
        same("another origin", good.replacen("gamma\n", "gammb\n", 1), false),
        same("another origin, signed", signed(&format!("other.example\n300\n{root}\n")), false),
        same("no origin", signed(&format!("300\n{root}\n")), false),
        same("no size", signed(&format!("{ORIGIN}\n{root}\n")), false),
        same("no root", signed(&format!("{ORIGIN}\n300\n")), false),
        same("a leading nought", signed(&format!("{ORIGIN}\n0300\n{root}\n")), false),
        same("a sign", signed(&format!("{ORIGIN}\n+300\n{root}\n")), false),
        same("a negative size", signed(&format!("{ORIGIN}\n-300\n{root}\n")), false),
        same("a space after the size", signed(&format!("{ORIGIN}\n300 \n{root}\n")), false),
        same("a size over 64 bits", signed(&format!("{ORIGIN}\n18446744073709551616\n{root}\n")), false),
        same("a root without padding", signed(&format!("{ORIGIN}\n300\n{}\n", root.trim_end_matches('='))), false),
        same("a root in hex", signed(&format!("{ORIGIN}\n300\n{}\n", "ab".repeat(32))), false),
        same("a short root", signed(&format!("{ORIGIN}\n300\n{}\n", &root[..40])), false),
        same("an empty line in the text", signed(&format!("{ORIGIN}\n\n300\n{root}\n")), false),
        same("a second blank line", good.replacen("\n\n", "\n\n\n", 1), false),
        same("a second blank line, signed", signed(&format!("{ORIGIN}\n300\n{root}\n\n")), false),
        same("no blank line", good.replacen("\n\n", "\n", 1), false),
        same("CRLF", good.replace('\n', "\r\n"), false),
        same("CRLF, signed", signed(&format!("{ORIGIN}\r\n300\r\n{root}\r\n")), false),
        same("a control character", signed(&format!("{ORIGIN}\n300\n{root}\u{1}\n")), false),
        same("no signature", format!("{text}\n\n"), false),
        same("the signature of an unknown key alone", format!("{text}\n\n{unknown}\n"), false),
        same("the signature of another key of that name alone", format!("{text}\n\n{impostor}\n"), false),
        same("the signature of another text", format!("{text}\n\n{bad_line}\n"), false),
        same("two lines of the log's key, the bad one first", format!("{text}\n\n{bad_line}\n{line}\n"), false),
        same("another key id", good.replacen(&format!("{ORIGIN} "), &format!("{ORIGIN} AA"), 1), false),
        same("no line end", good.trim_end().to_owned(), false),
        same("an empty line at the end", format!("{good}\n"), false),
        same("a hyphen for the dash", good.replace('\u{2014}', "-"), false),
        same("no space after the dash", good.replace("\u{2014} ", "\u{2014}"), false),
        same("two spaces before the signature", good.replace(&format!("{ORIGIN} "), &format!("{ORIGIN}  ")), false),
        same("a space after the signature", format!("{text}\n\n{line} \n"), false),
        same("a signature without padding", format!("{text}\n\n{}\n", line.trim_end_matches('=')), false),
        same("a signature as short as a key id", format!("{text}\n\n\u{2014} {ORIGIN} AAAAAA==\n{line}\n"), false),
        same("a line that is no signature", format!("{good}more\n"), false),
        same("no note", "300\n".to_owned(), false),
        same("nothing at all", String::new(), false),
        same("an unknown key's line beside the log's", format!("{good}{unknown}\n"), true),
        stricter("two lines of the log's key, the bad one second", format!("{text}\n\n{line}\n{bad_line}\n")),
        stricter("two good lines of the log's key", format!("{good}{line}\n")),
        stricter("an extension line", signed(&format!("{ORIGIN}\n300\n{root}\nmore\n"))),
        stricter("bits that no byte needs in the signature", format!("{text}\n\n{loose}\n")),
    ];
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("checkpoint");
    for Changed { what, text, go: taken_by_go, ours } in cases {
        std::fs::write(&file, &text).unwrap();
        assert_eq!(go.checkpoint(&vkey.to_string(), &file, &[]).is_ok(), taken_by_go, "Go: {what}\n{text}");
        let read = SignedCheckpoint::parse(text.as_bytes());
        let taken = read.is_ok_and(|signed| signed.verify(&vkey).is_ok());
        assert_eq!(taken, ours, "ours: {what}\n{text}");
    }
    // Both take a line that nobody knows; who wants none of them asks.
    let strange = SignedCheckpoint::parse(format!("{good}{unknown}\n").as_bytes()).unwrap();
    assert!(strange.knows_all(&vkey, &[]).is_err());
    assert!(strange.knows_all(&vkey, &[other.verifier()]).is_ok());
}

#[test]
fn go_takes_our_receipts_and_refuses_what_we_refuse() {
    let Some(go) = GoVerifier::find() else { return };
    let signer = signer(ORIGIN);
    let vkey = signer.verifier();
    let tree = Tree::of_all_shapes(300);
    let receipt = |index: u64, extra| TlogProof {
        extra,
        index,
        hashes: tree.includes(index, 300),
        checkpoint: tree.checkpoint(300, &signer),
    };
    let dir = tempfile::tempdir().unwrap();
    let (file, entry_file) = (dir.path().join("receipt"), dir.path().join("entry"));
    let verdicts = |text: &str, entry: &[u8]| {
        std::fs::write(&file, text).unwrap();
        std::fs::write(&entry_file, entry).unwrap();
        let ours = TlogProof::parse(text.as_bytes())
            .is_ok_and(|proof| proof.checkpoint.verify(&vkey).is_ok() && proof.holds(entry));
        (ours, go.receipt(&vkey.to_string(), &file, &entry_file).is_ok())
    };
    for index in [0, 1, 2, 255, 256, 299] {
        let entry = &tree.entries[index as usize];
        assert_eq!(verdicts(&receipt(index, None).to_string(), entry), (true, true), "{index}");
        assert_eq!(verdicts(&receipt(index, Some(b"beside".to_vec())).to_string(), entry), (true, true), "{index}");
    }
    let entry = &tree.entries[299];
    let good = receipt(299, None).to_string();
    let hashes = spelled(&tree.includes(299, 300));
    let twice = format!("{}\n{}\n", hashes[0], hashes[0]);
    let cases = [
        ("another entry's index", good.replacen("index 299", "index 298", 1)),
        ("an index out of the tree", good.replacen("index 299", "index 300", 1)),
        ("a leading nought", good.replacen("index 299", "index 0299", 1)),
        ("no index", good.replacen("index 299\n", "", 1)),
        ("another version", good.replacen("@v1", "@v2", 1)),
        ("a changed hash", good.replacen(&hashes[0], &tree.root(300).to_string(), 1)),
        ("a hash too many at the end", good.replacen("\n\n", &format!("\n{}\n\n", hashes[0]), 1)),
        ("a hash too many at the front", good.replacen(&format!("{}\n", hashes[0]), &twice, 1)),
        ("a hash too few", good.replacen(&format!("{}\n", hashes[0]), "", 1)),
        (
            "two hashes exchanged",
            good.replacen(&hashes[0], "#", 1).replacen(&hashes[1], &hashes[0], 1).replacen('#', &hashes[1], 1),
        ),
        ("a hash that is no hash", good.replacen(&hashes[0], "AAAA", 1)),
        ("no hashes", good.replacen(&hashes.iter().map(|hash| format!("{hash}\n")).collect::<String>(), "", 1)),
        ("CRLF", good.replace('\n', "\r\n")),
        ("another size", good.replacen("\n300\n", "\n301\n", 1)),
        ("extra that is no Base64", good.replacen("index", "extra ?\nindex", 1)),
        ("an unknown line", good.replacen("index", "more\nindex", 1)),
        ("no checkpoint", good.split_once("\n\n").unwrap().0.to_owned() + "\n\n"),
    ];
    for (what, text) in cases {
        assert_ne!(text, good, "{what}");
        assert_eq!(verdicts(&text, entry), (false, false), "{what}\n{text}");
    }
    assert_eq!(verdicts(&good, b"another entry"), (false, false));
}
