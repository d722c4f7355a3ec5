//! Proofs made out of a log's tiles.

use crate::built;
use agenttrader_audit::merkle::extends;
use agenttrader_audit::note::NoteSigner;
use agenttrader_audit::proof::TlogProof;
use agenttrader_audit::prove::{ProveError, consistency, inclusion};
use ed25519_dalek::SigningKey;

#[test]
fn every_entry_gets_a_receipt_that_holds_offline() {
    let entries = built::entries(520);
    let key = built::signer().verifier();
    for size in [1, 2, 256, 300, 513, 520] {
        let files = built::files(&entries[..size], &built::signer());
        let files = built::shared(&files);
        for index in (0..size).step_by(7).chain([size - 1]) {
            let proved = inclusion(&files, index as u64, Some(&key)).unwrap();
            assert_eq!(proved.entry, entries[index]);
            let receipt = TlogProof::parse(proved.proof.to_string().as_bytes()).unwrap();
            assert_eq!(receipt, proved.proof);
            assert!(receipt.holds(&entries[index]));
            assert!(!receipt.holds(&entries[(index + 1) % size]) || size == 1);
            receipt.checkpoint.verify(&key).unwrap();
        }
        assert!(matches!(inclusion(&files, size as u64, None), Err(ProveError::Beyond { .. })));
    }
}

#[test]
fn a_log_is_proved_to_extend_every_size_it_had() {
    let entries = built::entries(520);
    let files = built::files(&entries, &built::signer());
    let files = built::shared(&files);
    for (old, new) in [(0, 520), (1, 520), (255, 256), (256, 257), (300, 513), (513, 520), (520, 520), (3, 7)] {
        let found = consistency(&files, old, Some(new), None).unwrap();
        assert_eq!(found.old_root, built::root(&entries[..old as usize]));
        assert_eq!(found.new_root, built::root(&entries[..new as usize]));
        assert!(extends(old, &found.old_root, new, &found.new_root, &found.hashes), "{old} to {new}");
    }
    assert_eq!(consistency(&files, 300, None, None).unwrap().new, 520);
    for (old, new) in [(521, None), (3, Some(2)), (3, Some(521))] {
        assert!(matches!(consistency(&files, old, new, None), Err(ProveError::Beyond { .. })));
    }
}

#[test]
fn no_proof_is_given_out_of_tiles_that_do_not_go_with_the_checkpoint() {
    let entries = built::entries(520);
    let files = built::files(&entries, &built::signer());
    let mut flipped = files.clone();
    flipped.get_mut("tile/1/000.p/2").unwrap()[0] ^= 1;
    assert!(matches!(inclusion(&built::shared(&flipped), 300, None), Err(ProveError::Differs { .. })));
    assert!(matches!(consistency(&built::shared(&flipped), 256, None, None), Err(ProveError::Differs { .. })));
    let mut missing = files.clone();
    missing.remove("tile/entries/001");
    assert!(matches!(inclusion(&built::shared(&missing), 300, None), Err(ProveError::Log { .. })));
    let stranger = NoteSigner::log(&built::origin(), SigningKey::from_bytes(&[9; 32])).verifier();
    assert!(matches!(inclusion(&built::shared(&files), 3, Some(&stranger)), Err(ProveError::Checkpoint { .. })));
}
