//! Canonical JSON: RFC 8785's own examples, and what holds for every value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_core::canonical_json::{CanonicalError, MAX_INTEGER, parse, to_bytes, to_string};
use proptest::prelude::*;
use serde_json::Value;

fn canonical(text: &str) -> String {
    to_string(&parse(text.as_bytes()).unwrap()).unwrap()
}

/// Appendix B.
const NUMBERS: [(u64, &str); 24] = [
    (0x0000_0000_0000_0000, "0"),
    (0x8000_0000_0000_0000, "0"),
    (0x0000_0000_0000_0001, "5e-324"),
    (0x8000_0000_0000_0001, "-5e-324"),
    (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
    (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
    (0x4340_0000_0000_0000, "9007199254740992"),
    (0xc340_0000_0000_0000, "-9007199254740992"),
    (0x4430_0000_0000_0000, "295147905179352830000"),
    (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
    (0x44b5_2d02_c7e1_4af6, "1e+23"),
    (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
    (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
    (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
    (0x444b_1ae4_d6e2_ef50, "1e+21"),
    (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
    (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
    (0x41b3_de43_5555_5553, "333333333.3333332"),
    (0x41b3_de43_5555_5554, "333333333.33333325"),
    (0x41b3_de43_5555_5555, "333333333.3333333"),
    (0x41b3_de43_5555_5556, "333333333.3333334"),
    (0x41b3_de43_5555_5557, "333333333.33333343"),
    (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
    (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
];

#[test]
fn the_standards_numbers_are_written_as_it_says_and_read_back() {
    for (bits, text) in NUMBERS {
        let double = f64::from_bits(bits);
        assert_eq!(to_string(&Value::from(double)).unwrap(), text, "{bits:016x}");
        assert_eq!(parse(text.as_bytes()).unwrap().as_f64(), Some(double), "{text}");
        assert_eq!(canonical(text), text);
    }
}

/// Section 3.2.2.
#[test]
fn the_standards_object_comes_out_as_it_says() {
    let given = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let wanted = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(canonical(given), wanted);
}

/// Section 3.2.3.
#[test]
fn keys_are_in_order_of_utf_16() {
    let given = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
        "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#;
    let wanted = [
        "Carriage Return",
        "One",
        "Control",
        "Latin Small Letter O With Diaeresis",
        "Euro Sign",
        "Emoji: Grinning Face",
        "Hebrew Letter Dalet With Dagesh",
    ];
    let text = canonical(given);
    let places: Vec<usize> = wanted.iter().map(|name| text.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn control_characters_are_escaped_the_one_way() {
    let all: String = (0..=0x7f_u8).map(char::from).collect();
    let wanted = concat!(
        r#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012\u0013\u0014\u0015"#,
        r##"\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRST"##,
        r#"UVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"#,
        "\u{7f}\""
    );
    assert_eq!(to_string(&Value::from(all)).unwrap(), wanted);
}

/// Values as [`parse`] gives them: whole doubles within ±(2^53 − 1) are integers.
fn values() -> impl Strategy<Value = Value> {
    let integer = (-(MAX_INTEGER as i64)..=MAX_INTEGER as i64).prop_map(Value::from);
    let double = any::<u64>()
        .prop_map(f64::from_bits)
        .prop_filter("not among the integers", |double| {
            double.is_finite() && (double.fract() != 0.0 || double.abs() > MAX_INTEGER as f64)
        })
        .prop_map(Value::from);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        integer,
        double,
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Texts that are often JSON and more often nearly so.
fn nearly_json() -> impl Strategy<Value = String> {
    const PIECES: [&str; 31] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        r#""a""#,
        r#""b""#,
        r#""\u0061""#,
        r#""\ud83d\ude00""#,
        r#""\ud83d""#,
        "null",
        "true",
        "false",
        "1",
        "-0",
        "0.5",
        "1e5",
        "1e999",
        "12345678901234567890",
        "01",
        "-",
        "\"",
        "\\",
        "x",
        "é",
        "[1,2]",
        r#"{"a":1}"#,
        r#"{"a":"#,
        r#","b":"#,
    ];
    proptest::collection::vec(proptest::sample::select(PIECES.to_vec()), 1..9).prop_map(|chosen| chosen.concat())
}

fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::from("a number"),
        Value::Array(items) => items.into_iter().map(without_numbers).collect(),
        Value::Object(members) => members.into_iter().map(|(key, member)| (key, without_numbers(member))).collect(),
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_reads_back_and_is_written_the_same(value in values()) {
        let text = to_string(&value).unwrap();
        let read = parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(to_string(&read).unwrap(), text);
    }

    #[test]
    fn another_reader_agrees_on_what_is_json(text in nearly_json()) {
        let ours = parse(text.as_bytes());
        let theirs: Result<Value, _> = serde_json::from_str(&text);
        match (&ours, theirs) {
            // They read duplicate keys (the last wins) and integers that they must round; how they round is their own.
            (Err(CanonicalError::DuplicateKey { .. } | CanonicalError::Number { .. }), _) => {}
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(without_numbers(ours.clone()), without_numbers(theirs)),
            (ours, theirs) => prop_assert!(ours.is_err() && theirs.is_err(), "{:?} {:?}", ours, theirs),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(value) = parse(&bytes) {
            prop_assert_eq!(parse(&to_bytes(&value).unwrap()), Ok(value));
        }
    }
}
