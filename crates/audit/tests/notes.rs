//! Notes, checkpoints and receipts against vectors of others, the `signed_note` crate, and everything that is not quite one.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use agenttrader_audit::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use agenttrader_audit::merkle::{Hash, leaf_hash};
use agenttrader_audit::note::{KeyKind, Note, NoteError, NoteSigner, SignatureLine, VerifierKey};
use agenttrader_audit::proof::TlogProof;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

const ORIGIN: &str = "agenttrader.example/audit";
const LOG: &str = "agenttrader.example/audit+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const WITNESS: &str = "witness.example/w1+cf810b3c+BCnlgzqRWmQppOOnlIR1wzjvQ264K+ickvBZcEQD251V";

/// Signed by Go's `golang.org/x/mod/sumdb/note`, with a seed of the bytes 0 to 31.
const SIGNED_300: &str = "agenttrader.example/audit\n300\nY+wcdkH30bukGulCNDiLpyXSI1Yhjc9c7GJtQ48pKy0=\n\n\
    \u{2014} agenttrader.example/audit pgKIOTUtp5MfodjtWcC5W9+Kf8pfgTPOmUnLcRdll32oMPgA9dkrOnanC3isZOAdtLYM4u0nFE5FbD2fa+oEPr15CAM=\n";
const COSIGNATURE: &str = concat!(
    "\u{2014} witness.example/w1 ",
    "z4ELPAAAAABpVbkArbJTBj/+gKKCb5bbhT8R7UMKksznRp/KEX6pxZFxWXu1g4CU+HEsNMJdE1HQcXcQyK9KOdu4u9Ruz3mDYIXgAw==\n"
);

fn log_signer() -> NoteSigner {
    NoteSigner::log(ORIGIN, SigningKey::from_bytes(&std::array::from_fn(|byte| u8::try_from(byte).unwrap())))
}

fn key(vkey: &str) -> VerifierKey {
    VerifierKey::parse(vkey).unwrap()
}

#[test]
fn keys_are_read_and_written_as_others_do() {
    assert_eq!(log_signer().verifier().to_string(), LOG);
    let witness = NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[0xa5; 32]));
    assert_eq!(witness.verifier().to_string(), WITNESS);
    assert_eq!(key(WITNESS).kind(), KeyKind::Cosigner);
    assert!(format!("{witness:?}") == "NoteSigner(witness.example/w1)");
}

#[test]
fn the_notes_format_example_verifies() {
    let example = concat!(
        "This is an example message.\n\n\u{2014} example.com/foo ",
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
    );
    let foo = key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    let note = Note::parse(example.as_bytes()).unwrap();
    assert!(note.signed_by(&foo).is_ok());
    assert_eq!(note.to_string(), example);
    assert!(matches!(note.signed_by(&key(LOG)), Err(NoteError::Unsigned { .. })));
}

#[test]
fn a_checkpoint_signed_by_the_original_implementation_is_ours_to_the_byte() {
    let read = SignedCheckpoint::parse(SIGNED_300.as_bytes()).unwrap();
    let found = read.verify(&key(LOG)).unwrap().clone();
    assert_eq!((found.origin.as_str(), found.size), (ORIGIN, 300));
    assert_eq!(found.signed(&log_signer()).to_string(), SIGNED_300);
}

#[test]
fn a_witness_s_timed_cosignature_verifies_and_is_made_the_same() {
    let cosigned = format!("{SIGNED_300}{COSIGNATURE}");
    let read = SignedCheckpoint::parse(cosigned.as_bytes()).unwrap();
    let line = read.note().signed_by(&key(WITNESS)).unwrap();
    assert_eq!(line.seconds(), Some(1_767_225_600));
    let witness = NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[0xa5; 32]));
    assert_eq!(witness.sign(read.note().text(), 1_767_225_600), *line);
    assert!(read.knows_all(&key(LOG), &[key(WITNESS)]).is_ok());
    assert!(matches!(read.knows_all(&key(LOG), &[]), Err(CheckpointError::UnknownLine { .. })));
    // Over another text it is worth nothing.
    let other = read.note().text().replace("300", "301");
    let other = Note::new(other, read.note().signatures().to_vec());
    assert!(matches!(other.signed_by(&key(WITNESS)), Err(NoteError::BadSignature { .. })));
}

#[test]
fn what_is_not_quite_a_checkpoint_is_refused() {
    let text = "agenttrader.example/audit\n300\nY+wcdkH30bukGulCNDiLpyXSI1Yhjc9c7GJtQ48pKy0=\n";
    let signed_text = |text: &str| {
        let line = log_signer().sign(text, 0);
        Note::new(text.to_owned(), vec![line]).to_string()
    };
    let refused = |bytes: String| {
        let verdict = SignedCheckpoint::parse(bytes.as_bytes()).and_then(|read| read.verify(&key(LOG)).cloned());
        assert!(verdict.is_err(), "{bytes:?}");
    };
    assert_eq!(signed_text(text), SIGNED_300);
    // The signature is good; the text is no checkpoint of ours.
    for text in [
        text.replace("300", "0300"),
        text.replace("300", "+300"),
        text.replace("300", "-1"),
        text.replace("300", "18446744073709551616"),
        text.replace("300\n", ""),
        text.replace("pKy0=", "pKy0"),
        text.replace("pKy0=", "pKy1="),
        text.replace("agenttrader.example/audit\n", "\n"),
        text.replace("agenttrader.example/audit", "agenttrader.example/other"),
        text.replace("/audit\n300", "/audit \n300"),
        format!("{text}extension\n"),
        format!("{text}\n"),
        format!("\n{text}"),
        "agenttrader.example/audit\n300\n".to_owned(),
    ] {
        refused(signed_text(&text));
    }
    // The text is good; what is around it is not.
    let signature = SIGNED_300.rsplit_once("\n\n").unwrap().1;
    for bytes in [
        SIGNED_300.replace('\n', "\r\n"),
        SIGNED_300.replace("\n\n", "\n"),
        SIGNED_300.replace("\n\n", "\n\n\n"),
        SIGNED_300.trim_end().to_owned(),
        format!("{SIGNED_300}\n"),
        format!("{SIGNED_300} "),
        text.to_owned(),
        format!("{text}\n"),
        SIGNED_300.replace('\u{2014}', "-"),
        SIGNED_300.replace("\u{2014} ", "\u{2014}  "),
        SIGNED_300.replace("pgKIO", "pgKIP"),
        SIGNED_300.replace("CAM=", "CAN="),
        SIGNED_300.replace("CAM=", "CAM"),
        SIGNED_300.replace("CAM=", "CAQ="),
        SIGNED_300.replace("NC3is", "NC3it").replace("anC3is", "anC3it"),
        format!("{SIGNED_300}{signature}"),
        format!("{SIGNED_300}{}", signature.replace("CAM=", "CAQ=")),
        SIGNED_300.replace("300", "301"),
        SIGNED_300.replace("audit\n300", "audit\u{7}\n300"),
    ] {
        refused(bytes);
    }
    let mut long = SIGNED_300.to_owned();
    while long.len() <= 64 << 10 {
        long.push_str(COSIGNATURE);
    }
    refused(long);
}

#[test]
fn what_is_not_quite_a_key_is_refused() {
    for vkey in [
        "",
        "a+b",
        "agenttrader.example/audit+a6028838+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "agenttrader.example/audit+A6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "agenttrader.example/audi+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "agenttrader.example/audit+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG",
        "agenttrader.example/audit+a6028839+AgOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        "+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
        " x+a6028839+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
    ] {
        assert!(matches!(VerifierKey::parse(vkey), Err(NoteError::Key { .. })), "{vkey}");
    }
}

#[test]
fn a_receipt_is_read_back_and_holds_for_its_entry_alone() {
    let entry = |index: u64| format!("entry-{index}\n").into_bytes();
    let receipt = "c2sp.org/tlog-proof@v1\nindex 299\n\
        asbjBQdV7UCmRbIgd2F9TCN2tvFHxMzu/7nwv1f7+8w=\n\
        QRsMxXjZzRtkfeJy3ss3R7iK3DST9ub8KVm62jrJ9wE=\n\
        FYwuY7PMCGSw4KE0VhNKJ9iub/yk/MHcmVXJOyMO5hI=\n\
        CkF40A1klfyo/0yYq1LtXLYACy6ZMWcLWfjdJQwkBLA=\n\
        uwildAdfhEjFNvxwlI6hv+gn0nwn8pbYxDnjbHq70hE=\n\n";
    let whole = format!("{receipt}{SIGNED_300}{COSIGNATURE}");
    let read = TlogProof::parse(whole.as_bytes()).unwrap();
    assert_eq!(read.to_string(), whole);
    assert!(read.holds(&entry(299)) && !read.holds(&entry(298)));
    assert!(read.checkpoint.verify(&key(LOG)).is_ok());
    let with_extra = TlogProof { extra: Some(b"beside".to_vec()), ..read };
    assert_eq!(TlogProof::parse(with_extra.to_string().as_bytes()).unwrap(), with_extra);
    for wrong in [
        whole.replacen("v1", "v2", 1),
        whole.replacen("index 299", "index 0299", 1),
        whole.replacen("index 299\n", "", 1),
        whole.replacen("asbj", "asb", 1),
        whole.replacen("\n\n", "\n", 1),
        whole.replacen("index", "extra !\nindex", 1),
        whole.replacen(
            "index 299\n",
            &format!("index 299\n{}", "asbjBQdV7UCmRbIgd2F9TCN2tvFHxMzu/7nwv1f7+8w=\n".repeat(65)),
            1,
        ),
    ] {
        assert!(TlogProof::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let other_place = whole.replacen("index 299", "index 298", 1);
    assert!(!TlogProof::parse(other_place.as_bytes()).unwrap().holds(&entry(299)));
}

proptest! {
    #[test]
    fn what_we_read_the_signed_note_crate_reads_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>(), insert in any::<bool>()) {
        let mut bytes = format!("{SIGNED_300}{COSIGNATURE}").into_bytes();
        let place = at.index(bytes.len());
        if insert { bytes.insert(place, byte) } else if let Some(old) = bytes.get_mut(place) { *old = byte }
        if let Ok(ours) = Note::parse(&bytes) {
            let theirs = signed_note::Note::from_bytes(&bytes).unwrap();
            prop_assert_eq!(ours.text().as_bytes(), theirs.text());
            prop_assert_eq!(theirs.to_bytes(), ours.to_string().into_bytes());
            prop_assert_eq!(ours.to_string().into_bytes(), bytes);
        }
    }

    #[test]
    fn no_bytes_stop_the_readers(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignedCheckpoint::parse(&bytes);
        let _ = TlogProof::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = VerifierKey::parse(&text);
        let _ = SignatureLine::parse(&text);
        let _ = Checkpoint::parse(&text);
    }

    #[test]
    fn the_signed_note_crate_verifies_what_we_sign(size in any::<u64>(), entry in any::<[u8; 8]>()) {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: leaf_hash(&entry) };
        let bytes = checkpoint.clone().signed(&log_signer()).to_string();
        let verifiers = signed_note::VerifierList::new(vec![Box::new(signed_note::StandardVerifier::new(LOG).unwrap())]);
        let note = signed_note::Note::from_bytes(bytes.as_bytes()).unwrap();
        prop_assert_eq!(note.verify(&verifiers).unwrap().0.len(), 1);
        let theirs = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
        prop_assert_eq!((theirs.size(), Hash::from_bytes(theirs.hash().0)), (size, checkpoint.root));
    }
}
