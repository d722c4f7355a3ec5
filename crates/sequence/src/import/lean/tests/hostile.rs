//! Archives made to do harm.

use super::*;

#[test]
fn hostile_archives_are_refused_with_a_clear_error() {
    let good = zipped(&[("20151224_goog_minute_quote.csv", "34200000,1,1,1,4,1,1,1,1,5,1\n")]);
    let with = |bytes: &[u8]| {
        let lean = Lean::new();
        lean.raw("equity/usa/minute/goog/20151224_quote.zip", bytes);
        lean
    };
    let not_whole = |bytes: &[u8]| {
        let error = with(bytes).refused("GOOG");
        assert!(error.contains("not a whole zip archive") || error.contains("member `"), "{error}");
    };
    not_whole(b"");
    not_whole(b"PK");
    not_whole(&[0; 4096]);
    for cut in 0..good.len() {
        not_whole(&good[..cut]);
    }
    // Each byte altered: an error or, where the byte says nothing that counts, a recording; never a panic.
    for at in 0..good.len() {
        let mut altered = good.clone();
        altered[at] ^= 0xff;
        let lean = with(&altered);
        let _ = lean.import(&lean.request("GOOG"));
    }
    for name in ["../escape.csv", "/etc/passwd", "a/b.csv", "a\\b.csv", "C:x.csv", ".hidden.csv"] {
        let error = with(&zipped(&[(name, "")])).refused("GOOG");
        assert!(error.contains("a plain file name is expected"), "{name}: {error}");
    }
    assert!(with(&zipped(&[])).refused("GOOG").contains("0 members where one is expected"));
    assert!(with(&zipped(&[("a.csv", ""), ("b.csv", "")])).refused("GOOG").contains("2 members where one is expected"));
    let long = "1".repeat(5000);
    assert!(with(&zipped(&[("a.csv", &long)])).refused("GOOG").contains("a row of more than 4096 bytes"));
    // Four megabytes of line ends in four kilobytes.
    let bomb = "\n".repeat(4 << 20);
    assert!(with(&zipped(&[("a.csv", &bomb)])).refused("GOOG").contains("times are read"));
}

#[test]
fn every_limit_holds() {
    let lean = small_day();
    let request = lean.request("GOOG");
    let refused = |limits: Limits| {
        let error = import_within(&request, limits, &mut |_| {}).unwrap_err();
        assert!(!request.out.exists());
        error.to_string()
    };
    let limits = Limits::DEFAULT;
    assert!(refused(Limits { archive: 100, ..limits }).contains("bytes; at most 100 are read"));
    assert!(refused(Limits { members: 1, ..limits }).contains("2 members; at most 1 are read"));
    assert!(refused(Limits { member: 40, ..limits }).contains("unpacked; at most 40 are read"));
    assert!(refused(Limits { unpacked: 60, ..limits }).contains("bytes unpacked; at most 60 are read"));
    assert!(refused(Limits { row: 30, ..limits }).contains("a row of more than 30 bytes"));
    assert!(refused(Limits { rows: 1, ..limits }).contains("over 1 rows of options"));
}

#[test]
fn sizes_that_lie_do_not_unpack_more_than_is_allowed() {
    let lean = Lean::new();
    let mut bytes = zipped(&[("a.csv", &"34200000,1,1,1,4,1,1,1,1,5,1\n".repeat(100))]);
    // The directory and the member's own header both claim ten bytes.
    let size = 2900_u32.to_le_bytes();
    let places: Vec<usize> = bytes.windows(4).enumerate().filter(|(_, four)| *four == size).map(|(at, _)| at).collect();
    for at in places {
        bytes[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    lean.raw("equity/usa/minute/goog/20151224_quote.zip", &bytes);
    let limits = Limits { member: 1000, ..Limits::DEFAULT };
    let error = import_within(&lean.request("GOOG"), limits, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ImportError::Member { .. }), "{error}");
}
