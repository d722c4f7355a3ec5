//! What a witness answers: the six answers of the protocol, and that nothing but a log that goes on from what it holds is ever cosigned.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it must be"
)]

use agenttrader_audit::checkpoint::{Checkpoint, SignedCheckpoint};
use agenttrader_audit::merkle::{self, EMPTY_ROOT, Frontier, Hash, HashReader, leaf_hash};
use agenttrader_audit::note::{NoteSigner, VerifierKey};
use agenttrader_audit::witness::{Answer, Followed, Refused, Request, RequestError};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use std::convert::Infallible;

const ORIGIN: &str = "agenttrader/agent-trader-v2/gamma-strategy";

fn log_key() -> NoteSigner {
    NoteSigner::log(ORIGIN, SigningKey::from_bytes(&[1; 32]))
}

fn witness_key() -> NoteSigner {
    NoteSigner::cosigner("witness.example/w1", SigningKey::from_bytes(&[2; 32]))
}

/// A log by its leaves; its entries from `forked_at` on are others.
struct Tree(Vec<Hash>);

impl Tree {
    fn of(size: u64, forked_at: u64) -> Self {
        let entry = |index| if index < forked_at { format!("entry-{index}") } else { format!("other-{index}") };
        Self((0..size).map(|index| leaf_hash(entry(index).as_bytes())).collect())
    }

    fn root(&self, size: u64) -> Hash {
        let mut tree = Frontier::default();
        self.0[..usize::try_from(size).unwrap()].iter().for_each(|leaf| tree.push(*leaf));
        tree.root()
    }

    fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        Checkpoint { origin: ORIGIN.to_owned(), size, root: self.root(size) }.signed(&log_key())
    }

    fn proof(&self, old: u64, size: u64) -> Vec<Hash> {
        merkle::consistency_proof(old, size, self).unwrap().unwrap_or_default()
    }

    fn request(&self, old: u64, size: u64) -> Request {
        Request { old, proof: self.proof(old, size), checkpoint: self.checkpoint(size) }
    }
}

impl HashReader for Tree {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let (from, to) = (index << level, (index + 1) << level);
        let mut tree = Frontier::default();
        self.0[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()].iter().for_each(|leaf| tree.push(*leaf));
        Ok(tree.root())
    }
}

/// A witness that holds that checkpoint.
fn holding(checkpoint: Option<SignedCheckpoint>) -> Followed {
    match checkpoint {
        None => Followed::new(log_key().verifier()),
        Some(last) => Followed::resumed(log_key().verifier(), last).unwrap(),
    }
}

/// Accepts and stores, as a witness does that is not interrupted.
fn take(followed: &mut Followed, request: Request) -> Result<(), Refused> {
    let stored = followed.answer(request)?.store(|_| Ok::<_, Infallible>(())).unwrap();
    let line = stored.cosign(&witness_key(), 1_800_000_000);
    assert!(witness_key().verifier().verifies(stored.checkpoint().note().text(), &line));
    followed.advance(&stored);
    Ok(())
}

#[test]
fn the_six_answers() {
    let tree = Tree::of(20, 20);
    let mut followed = holding(None);
    assert_eq!(take(&mut followed, tree.request(0, 5)), Ok(()), "200");
    assert_eq!(take(&mut followed, tree.request(5, 9)), Ok(()), "200");
    assert_eq!(take(&mut followed, tree.request(9, 9)), Ok(()), "200 again for the same");
    let refused = |request| holding(Some(tree.checkpoint(9))).answer(request).unwrap_err();

    let mut foreign = tree.request(9, 12);
    foreign.checkpoint =
        Checkpoint { origin: "elsewhere/log".to_owned(), ..foreign.checkpoint.checkpoint }.signed(&log_key());
    assert_eq!(refused(foreign).status(), 404);

    let mut unsigned = tree.request(9, 12);
    let other = NoteSigner::log(ORIGIN, SigningKey::from_bytes(&[3; 32]));
    unsigned.checkpoint = unsigned.checkpoint.checkpoint.clone().signed(&other);
    let found = refused(unsigned);
    assert!(matches!(found, Refused::BadSignature(_)) && found.status() == 403);

    assert_eq!(refused(tree.request(5, 12)), Refused::Stale { old: 5, held: 9 });
    assert_eq!(refused(tree.request(5, 12)).status(), 409);
    assert_eq!(refused(Request { old: 13, ..tree.request(9, 12) }), Refused::Backwards { old: 13, size: 12 });
    assert_eq!(refused(Request { old: 13, ..tree.request(9, 12) }).status(), 400);

    let unproved = refused(Request { proof: tree.proof(8, 12), ..tree.request(9, 12) });
    assert_eq!((unproved.status(), &unproved), (422, &Refused::NotExtending { held: 9, found: 12 }));
    let fork = Tree::of(20, 3);
    assert_eq!(refused(fork.request(9, 12)).status(), 422);
    let same_size = refused(fork.request(9, 9));
    assert!(matches!(same_size, Refused::OtherRoot { size: 9, .. }) && same_size.status() == 422);
    let mut empty = tree.request(0, 0);
    empty.checkpoint = Checkpoint { root: tree.root(3), ..empty.checkpoint.checkpoint }.signed(&log_key());
    assert_eq!(holding(None).answer(empty).unwrap_err().status(), 422);
}

#[test]
fn a_smaller_log_is_a_rollback_and_another_one_of_the_same_size_a_fork() {
    let (tree, fork) = (Tree::of(20, 20), Tree::of(20, 8));
    let followed = holding(Some(tree.checkpoint(9)));
    assert_eq!(followed.meet(&tree.checkpoint(9)), Ok(true));
    assert_eq!(followed.meet(&tree.checkpoint(10)), Ok(false));
    assert_eq!(followed.meet(&tree.checkpoint(8)), Err(Refused::Rollback { held: 9, found: 8 }));
    assert_eq!(followed.meet(&tree.checkpoint(0)), Err(Refused::Rollback { held: 9, found: 0 }));
    // What was cut off is one thing, what was put in its place another.
    assert_eq!(followed.meet(&fork.checkpoint(8)), Err(Refused::Rollback { held: 9, found: 8 }));
    assert!(matches!(followed.meet(&fork.checkpoint(9)), Err(Refused::OtherRoot { size: 9, .. })));
}

#[test]
fn a_stored_checkpoint_of_another_key_resumes_nothing() {
    let other = NoteSigner::log(ORIGIN, SigningKey::from_bytes(&[3; 32]));
    assert!(Followed::resumed(other.verifier(), Tree::of(3, 3).checkpoint(3)).is_err());
}

#[test]
fn nothing_is_cosigned_that_could_not_be_stored() {
    let accepted = holding(None).answer(Tree::of(3, 3).request(0, 3)).unwrap();
    assert_eq!(accepted.store(|_| Err("disk full")).unwrap_err(), "disk full");
}

#[test]
fn requests_are_read_as_they_are_written_and_not_otherwise() {
    let request = Tree::of(20, 20).request(7, 13);
    let body = request.to_body();
    assert_eq!(Request::parse(body.as_bytes()).unwrap(), request);
    let malformed = |text: String| matches!(Request::parse(text.as_bytes()), Err(RequestError::Malformed(_)));
    for (from, to) in
        [("old 7", "old 07"), ("old 7", "old -7"), ("old 7", "old"), ("old 7\n", ""), ("=\n", "\n"), ("\n\n", "\n")]
    {
        assert!(malformed(body.replacen(from, to, 1)), "{from} → {to}");
    }
    let many = Request { proof: vec![EMPTY_ROOT; 64], ..request };
    assert!(malformed(many.to_body()) && malformed("x".repeat(100_000)));
    assert!(Request::parse(&Request { proof: vec![EMPTY_ROOT; 63], ..many }.to_body().into_bytes()).is_ok());
}

#[test]
fn a_witnesss_answer_counts_only_with_its_own_good_line() {
    let sent = Tree::of(9, 9).checkpoint(9);
    let (witness, vkey): (NoteSigner, VerifierKey) = (witness_key(), witness_key().verifier());
    let line = witness.sign(sent.note().text(), 1_800_000_000);
    let of = |status, kind: Option<&str>, body: &str| Answer::of_http(status, kind, body.as_bytes(), &sent, &vkey);
    assert_eq!(of(200, None, &format!("{line}\n")), Answer::Cosigned(line.clone()));
    let foreign =
        NoteSigner::cosigner("witness.example/w2", SigningKey::from_bytes(&[9; 32])).sign(sent.note().text(), 1);
    assert_eq!(of(200, None, &format!("{foreign}\n{line}\n")), Answer::Cosigned(line.clone()));
    let elsewhere = witness.sign(Tree::of(9, 9).checkpoint(8).note().text(), 1_800_000_000);
    for body in [
        String::new(),
        "\n".to_owned(),
        format!("{line}"),
        format!("{foreign}\n"),
        format!("{elsewhere}\n"),
        format!("{line}\n{line}\n"),
        format!("{line}\nhello\n"),
    ] {
        assert!(matches!(of(200, None, &body), Answer::Unusable(_)), "{body}");
    }
    assert_eq!(of(409, Some("text/x.tlog.size"), "12\n"), Answer::Stale { held: 12 });
    for (kind, body) in [
        (Some("text/plain"), "12\n"),
        (None, "12\n"),
        (Some("text/x.tlog.size"), "012\n"),
        (Some("text/x.tlog.size"), "12"),
    ] {
        assert!(matches!(of(409, kind, body), Answer::Unusable(_)), "{kind:?} {body}");
    }
    assert_eq!(of(422, None, ""), Answer::Inconsistent);
    assert_eq!(of(404, None, ""), Answer::UnknownOrigin);
    assert_eq!(of(403, None, ""), Answer::BadSignature);
    assert!(matches!(of(302, None, ""), Answer::Unusable(_)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever comes in whatever order: what is held only ever grows, and always along one tree.
    #[test]
    fn whatever_comes_what_is_held_is_one_log_that_grows(
        steps in prop::collection::vec((0_u64..40, 0_u64..40, 0_u64..60, any::<bool>()), 1..24),
    ) {
        let good = Tree::of(40, 60);
        let mut followed = holding(None);
        for (old, size, forked_at, honest) in steps {
            let tree = if honest { Tree::of(40, 60) } else { Tree::of(40, forked_at) };
            let (before, held) = (followed.last().cloned(), followed.size());
            let old = if honest { held } else { old };
            let verdict = take(&mut followed, tree.request(old, size));
            // A fork shows as soon as it is at or below what is held.
            let extends = size >= held && old == held && (held == 0 || tree.root(held) == before.as_ref().unwrap().checkpoint.root);
            prop_assert_eq!(verdict.is_ok(), extends, "{} {} {} {:?}", old, size, held, verdict);
            match verdict {
                Ok(()) => prop_assert!(followed.size() == size && followed.last() == Some(&tree.checkpoint(size))),
                Err(_) => prop_assert_eq!(followed.last(), before.as_ref()),
            }
            if followed.last().is_some_and(|last| last.checkpoint.root != good.root(last.checkpoint.size)) {
                break;
            }
        }
    }

    /// No proof but the right one lets a log through.
    #[test]
    fn a_proof_with_any_bit_another_proves_nothing(old in 1_u64..40, more in 1_u64..40, bit in any::<u16>()) {
        let tree = Tree::of(old + more, 100);
        let followed = holding(Some(tree.checkpoint(old)));
        let mut request = tree.request(old, old + more);
        let bit = usize::from(bit) % (request.proof.len() * 256);
        let mut bytes = *request.proof[bit / 256].as_bytes();
        bytes[bit % 256 / 8] ^= 1 << (bit % 8);
        request.proof[bit / 256] = Hash::from_bytes(bytes);
        prop_assert_eq!(followed.answer(request).unwrap_err(), Refused::NotExtending { held: old, found: old + more });
    }
}
