//! Canonical JSON: RFC 8785's own examples, and what holds for every value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use agenttrader_core::canonical_json::{
    CanonicalError, MAX_DEPTH, MAX_INTEGER, is_canonical, members, parse, to_bytes, to_string,
};
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

/// What [`is_canonical`] must say.
fn is_written_so(bytes: &[u8]) -> bool {
    parse(bytes).and_then(|value| to_bytes(&value)).is_ok_and(|written| written == bytes)
}

#[test]
fn bytes_are_canonical_exactly_when_they_are_written_so() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for (text, canonical) in [
        (r#"{"":0,"a":[true,false,null],"b":{"c":"é"}}"#, true),
        (r#"{"b":1,"a":2}"#, false),
        (r#"{"a":1,"a":1}"#, false),
        (r#"{"a": 1}"#, false),
        (r#"{"a":1} "#, false),
        // Written out, the first key's quote comes before the backslash; escaped, after it. And UTF-16 puts an emoji before U+FB33.
        (r##"{"\"":1,"#":2,"\\":3}"##, true),
        (r#"{"\\":1,"\"":2}"#, false),
        (r#"{"\n":1,"\r":2," ":3}"#, true),
        ("{\"\u{1f600}\":1,\"\u{fb33}\":2}", true),
        ("{\"\u{fb33}\":1,\"\u{1f600}\":2}", false),
        (r#""\u0061""#, false),
        (r#""\/""#, false),
        (r#""\u000f""#, true),
        (r#""\u000F""#, false),
        (r#""\u001""#, false),
        (r#""\ud83d\ude00""#, false),
        ("\"\u{7f}\"", true),
        ("\"\u{1}\"", false),
        ("-0", false),
        ("-0.5", true),
        ("1.50", false),
        ("1.", false),
        ("00.5", false),
        ("0.000001", true),
        ("0.0000001", false),
        ("1e-7", true),
        ("1E-7", false),
        ("1e7", false),
        ("0.1234567890123456", true),
        ("0.12345678901234567", false),
        ("9007199254740991", true),
        ("9007199254740993", false),
        ("1e+21", true),
        ("1e400", false),
        ("", false),
        ("-", false),
        ("nul", false),
        ("[1,]", false),
        ("[", false),
        ("{\"a\"", false),
        (&nested(MAX_DEPTH), true),
        (&nested(MAX_DEPTH + 1), false),
        (&"[".repeat(1_000_000), false),
    ] {
        assert_eq!(is_canonical(text.as_bytes()), canonical, "{text:.40}");
        assert_eq!(is_written_so(text.as_bytes()), canonical, "{text:.40}");
    }
    // Every control character, every way to write it.
    for code in 0..0x80_u8 {
        for text in
            [format!("\"\\u00{code:02x}\""), format!("\"\\u00{code:02X}\""), format!("\"\\{}\"", char::from(code))]
        {
            assert_eq!(is_canonical(text.as_bytes()), is_written_so(text.as_bytes()), "{text:?}");
        }
    }
    for (_, text) in NUMBERS {
        assert!(is_canonical(text.as_bytes()), "{text}");
    }
}

#[test]
fn members_are_given_as_they_are_written() {
    let text = r#"{"\n":[1,2],"a":{"b":"\""},"c":""}"#;
    assert_eq!(members(text.as_bytes()).unwrap(), [("\\n", "[1,2]"), ("a", r#"{"b":"\""}"#), ("c", r#""""#)]);
    assert_eq!(members(b"{}").unwrap(), []);
    for other in [r#"{"a":1} "#, r#"{"a":1"#, r#"{"b":1,"a":1}"#, "[1]", "1", "", r#"{"a":01}"#] {
        assert_eq!(members(other.as_bytes()), None, "{other}");
    }
}

/// Canonical texts with up to three bytes deleted, put in, replaced or doubled.
fn nearly_canonical() -> impl Strategy<Value = Vec<u8>> {
    const BYTES: &[u8] = b"\"\\{}[],:.-+eE0123456789 abcdefnrtu\n\x01\x7f\xc3\xa9\xf0\xff";
    let change = (any::<proptest::sample::Index>(), 0..4_u8, proptest::sample::select(BYTES));
    (values(), proptest::collection::vec(change, 0..4)).prop_map(|(value, changes)| {
        let mut bytes = to_bytes(&value).unwrap();
        for (at, kind, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, byte),
                2 => bytes[at] = byte,
                _ => bytes.insert(at, bytes[at]),
            }
        }
        bytes
    })
}

/// Numbers, most of them not in canonical form.
fn numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        r"-?[01]?[0-9]{0,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{0,3})?",
        r"-?(0|[1-9][0-9]{0,20})(\.0{0,9}[0-9]{0,18})?",
        any::<u64>().prop_map(|bits| format!("{:?}", f64::from_bits(bits))),
        (any::<i32>(), 0..9_u8)
            .prop_map(|(whole, places)| format!("{whole}e-{places}").parse::<f64>().unwrap().to_string()),
    ]
}

/// Objects whose keys stand in any order, some twice.
fn disordered() -> impl Strategy<Value = String> {
    let key = prop_oneof!["[ -~]{0,2}", r#"[\x00-\x1f"\\#]{0,2}"#, "[\u{d000}-\u{ffff}\u{10000}-\u{10fff}a]{0,3}"];
    proptest::collection::vec(key, 0..4).prop_map(|keys| {
        let members: Vec<String> =
            keys.into_iter().map(|key| format!("{}:1", to_string(&Value::from(key)).unwrap())).collect();
        format!("{{{}}}", members.join(","))
    })
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

    #[test]
    fn what_is_written_is_canonical_and_gives_its_members(value in values()) {
        let text = to_string(&value).unwrap();
        prop_assert!(is_canonical(text.as_bytes()));
        let given = members(text.as_bytes());
        prop_assert_eq!(given.is_some(), value.is_object());
        if let (Some(given), Value::Object(meant)) = (given, value) {
            prop_assert_eq!(given.len(), meant.len());
            for (key, member) in given {
                let key: String = serde_json::from_str(&format!("\"{key}\"")).unwrap();
                prop_assert_eq!(member, to_string(&meant[&key]).unwrap());
            }
        }
    }

    #[test]
    fn a_scan_of_the_bytes_agrees_with_reading_and_writing(
        nearly in nearly_canonical(), number in numbers(), object in disordered(), pieces in nearly_json()
    ) {
        for bytes in [nearly.as_slice(), number.as_bytes(), object.as_bytes(), pieces.as_bytes()] {
            prop_assert_eq!(is_canonical(bytes), is_written_so(bytes), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
