//! What the encoder writes, the decoder reads back, in both codecs; what anybody else writes is read or refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where something is not as it must be"
)]

use agenttrader_alpaca::decode::{BAD_MAX, Bad, Decoded, Decoder, FRAME_MAX};
use agenttrader_alpaca::wire::encode::{Frame, Message, message};
use agenttrader_alpaca::wire::{Codec, Listing, msgpack};
use agenttrader_core::event::{Bar, MarketEvent, Quote, Trade, TradeCancel, TradeCorrection, TradingStatus};
use agenttrader_core::instrument::{Instrument, InstrumentId, Instruments, OptionContract};
use agenttrader_core::occ_symbol::OccSymbol;
use agenttrader_core::price::Price;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::{Span, UnixNanos};
use proptest::prelude::*;
use serde_json::{Value, json};

const STOCK: Listing = Listing::Stock { tape: b'C' };
const CONTRACT: &str = "AAPL240315C00172500";

fn instruments() -> Instruments {
    let mut instruments = Instruments::default();
    let aapl = Symbol::parse("AAPL").unwrap();
    instruments.define(Instrument::Equity { symbol: aapl }).unwrap();
    let contract = OccSymbol::parse(CONTRACT).unwrap();
    instruments.define(Instrument::Option(OptionContract { underlying: aapl, contract, european: false })).unwrap();
    instruments
}

fn decode(frame: &[u8], codec: Codec) -> Vec<Decoded> {
    let mut all = Vec::new();
    Decoder::default().decode(frame, codec, &instruments(), &mut |decoded| all.push(decoded));
    all
}

fn pack(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::append_value(value, &mut out);
    out
}

/// One message, its `t` as the timestamp that this codec has for it.
fn pack_message(value: &Value) -> Vec<u8> {
    let Value::Object(map) = value else { return pack(value) };
    let mut out = Vec::new();
    msgpack::append_map(map.len(), &mut out);
    for (key, value) in map {
        msgpack::append_text(key, &mut out);
        match value.as_str().and_then(|text| UnixNanos::parse(text).ok()) {
            Some(time) => msgpack::append_time(time, &mut out),
            None => msgpack::append_value(value, &mut out),
        }
    }
    out
}

prop_compose! {
    fn price(least: i64)(nanos in least..1_000_000_000_000_000_i64) -> Price { Price::from_nanos(nanos) }
}
fn time() -> impl Strategy<Value = UnixNanos> {
    any::<i64>().prop_map(UnixNanos::from_nanos)
}
fn letter() -> impl Strategy<Value = u8> {
    prop_oneof![b'!'..=b'~', Just(b' ')]
}
fn letters() -> impl Strategy<Value = [u8; 4]> {
    (0_usize..=4, [b'!'..=b'~', b'!'..=b'~', b'!'..=b'~', b'!'..=b'~']).prop_map(|(count, mut letters)| {
        for letter in letters.iter_mut().skip(count) {
            *letter = b' ';
        }
        letters
    })
}

fn event(stock: bool) -> BoxedStrategy<MarketEvent> {
    let instrument = InstrumentId(u32::from(!stock));
    let quote = (time(), price(0), price(0), any::<(u32, u32)>(), letter(), letter(), letter()).prop_map(
        move |(exchange_time, bid, ask, (bid_size, ask_size), bid_exchange, ask_exchange, condition)| {
            MarketEvent::Quote(Quote {
                instrument,
                exchange_time,
                bid,
                ask,
                bid_size,
                ask_size,
                bid_exchange,
                ask_exchange,
                condition,
            })
        },
    );
    let trade = (time(), price(1), any::<u32>(), letter(), letters(), any::<u64>())
        .prop_map(move |(exchange_time, price, size, exchange, conditions, id)| {
            let trade_id = if stock { id } else { 0 };
            MarketEvent::Trade(Trade { instrument, exchange_time, price, size, exchange, conditions, trade_id })
        })
        .boxed();
    if !stock {
        return prop_oneof![quote, trade].boxed();
    }
    let bar = (time(), price(1), price(1), price(1), price(1), any::<(u64, u32)>()).prop_map(
        move |(start, open, high, low, close, (volume, trade_count))| {
            let interval = Span::from_minutes(1);
            MarketEvent::Bar(Bar {
                instrument,
                start,
                interval,
                open,
                high,
                low,
                close,
                volume,
                trade_count,
                backfill: false,
            })
        },
    );
    let halting = prop_oneof![Just(b'2'), Just(b'3'), Just(b'H'), Just(b'T'), Just(b'Q'), Just(b'P')];
    let status = (time(), halting, letters()).prop_map(move |(exchange_time, code, reason)| {
        let halted = !matches!(code, b'3' | b'T');
        MarketEvent::Status(TradingStatus { instrument, exchange_time, halted, code, reason })
    });
    let cancel = (time(), price(0), any::<(u32, u64)>())
        .prop_map(move |(exchange_time, price, (size, trade_id))| TradeCancel {
            instrument,
            exchange_time,
            trade_id,
            price,
            size,
        })
        .boxed();
    let correction = (cancel.clone(), trade.clone()).prop_map(|(mut original, corrected)| {
        let MarketEvent::Trade(corrected) = corrected else { unreachable!() };
        original.exchange_time = corrected.exchange_time;
        MarketEvent::Correction(TradeCorrection { original, corrected })
    });
    prop_oneof![quote, trade, bar, status, cancel.prop_map(MarketEvent::Cancel), correction].boxed()
}

fn check_round_trip(events: &[MarketEvent], listing: Listing, symbol: &str) {
    let mut as_json = Vec::new();
    for codec in [Codec::Json, Codec::MessagePack] {
        let mut bytes = Vec::new();
        let mut frame = Frame::open(&mut bytes, codec);
        for event in events {
            frame.push(symbol, &Message::of(event, listing).unwrap());
        }
        frame.close();
        let expected: Vec<Decoded> = events.iter().copied().map(Decoded::Market).collect();
        assert_eq!(decode(&bytes, codec), expected);
        // Both codecs say the same, field by field.
        as_json.push(match codec {
            Codec::Json => serde_json::from_slice::<Value>(&bytes).unwrap(),
            Codec::MessagePack => msgpack::to_value(&bytes).unwrap(),
        });
    }
    assert_eq!(as_json.first(), as_json.last());
}

proptest! {
    #[test]
    fn stock_events_read_back_as_they_were(events in proptest::collection::vec(event(true), 0..5)) {
        check_round_trip(&events, STOCK, "AAPL");
    }

    #[test]
    fn option_events_read_back_as_they_were(events in proptest::collection::vec(event(false), 0..5)) {
        check_round_trip(&events, Listing::Option, CONTRACT);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode(&bytes, Codec::MessagePack);
        decode(&bytes, Codec::Json);
    }

    #[test]
    fn no_damage_panics_or_makes_more_of_a_frame(
        events in proptest::collection::vec(event(true), 1..5),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        end in any::<prop::sample::Index>(),
    ) {
        for codec in [Codec::Json, Codec::MessagePack] {
            let mut bytes = Vec::new();
            let mut frame = Frame::open(&mut bytes, codec);
            for event in &events {
                frame.push("AAPL", &Message::of(event, STOCK).unwrap());
            }
            frame.close();
            let cut = decode(&bytes[..end.index(bytes.len())], codec);
            prop_assert!(cut.iter().any(|decoded| matches!(decoded, Decoded::Bad(_))), "a cut frame is always noticed");
            let place = at.index(bytes.len());
            bytes[place] = byte;
            decode(&bytes, codec);
        }
    }
}

#[test]
fn messages_look_as_the_documentation_shows_them() {
    let exchange_time = UnixNanos::parse("2026-01-05T14:30:00.123456789Z").unwrap();
    let quote = MarketEvent::Quote(Quote {
        instrument: InstrumentId(0),
        exchange_time,
        bid: Price::parse("189.37").unwrap(),
        ask: Price::ZERO,
        bid_size: 100,
        ask_size: 0,
        bid_exchange: b'V',
        ask_exchange: b' ',
        condition: b'R',
    });
    let trade = MarketEvent::Trade(Trade {
        instrument: InstrumentId(0),
        exchange_time,
        price: Price::parse("3.1").unwrap(),
        size: 2,
        exchange: b'N',
        conditions: *b"@I  ",
        trade_id: 7,
    });
    let text = |event: &MarketEvent, listing, symbol: &str| {
        let mut out = Vec::new();
        message(&mut out, Codec::Json, symbol, &Message::of(event, listing).unwrap());
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        text(&quote, STOCK, "AAPL"),
        r#"{"T":"q","S":"AAPL","t":"2026-01-05T14:30:00.123456789Z","bx":"V","bp":189.37,"bs":100,"ax":" ","ap":0.0,"as":0,"c":["R"],"z":"C"}"#
    );
    assert_eq!(
        text(&trade, STOCK, "AAPL"),
        r#"{"T":"t","S":"AAPL","t":"2026-01-05T14:30:00.123456789Z","i":7,"x":"N","p":3.1,"s":2,"c":["@","I"],"z":"C"}"#
    );
    assert_eq!(
        text(&trade, Listing::Option, CONTRACT),
        r#"{"T":"t","S":"AAPL240315C00172500","t":"2026-01-05T14:30:00.123456789Z","x":"N","p":3.1,"s":2,"c":"@I"}"#
    );
    let mut bytes = Vec::new();
    message(&mut bytes, Codec::MessagePack, CONTRACT, &Message::of(&quote, Listing::Option).unwrap());
    let mut expected = vec![0x8a, 0xa1, b'T', 0xa1, b'q', 0xa1, b'S', 0xb3];
    expected.extend_from_slice(CONTRACT.as_bytes());
    expected.extend_from_slice(&[0xa1, b't', 0xd7, 0xff]);
    assert_eq!(&bytes[..expected.len()], expected);
}

/// A good message beside a bad one comes through, in both codecs.
#[test]
fn a_bad_message_does_not_spoil_its_neighbours() {
    let quote = json!({"T": "q", "S": "AAPL", "bp": 1.0, "bs": 1, "ap": 2.0, "as": 1, "t": "2026-01-05T14:30:00Z"});
    // The type need not be the first key, and what nobody knows is passed over.
    let mut odd = quote.clone();
    odd["Another"] = json!({"deep": [[[{}]]]});
    let mut bytes = vec![0x91];
    bytes.extend(pack_message(&odd));
    assert_ne!(bytes.get(2..4), Some(&b"\xa1T"[..]));
    assert!(matches!(&decode(&bytes, Codec::MessagePack)[..], [Decoded::Market(MarketEvent::Quote(_))]));
    assert!(matches!(
        &decode(json!([odd]).to_string().as_bytes(), Codec::Json)[..],
        [Decoded::Market(MarketEvent::Quote(_))]
    ));
    let wrong = |key: &str, value: Value| {
        let mut bad = quote.clone();
        bad[key] = value;
        bad
    };
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let cases = [
        (json!(1), "message is not an object"),
        (json!([[], {}]), "message is not an object"),
        (json!({}), "message has no type"),
        (json!({"T": 1}), "message has no type"),
        (wrong("bp", json!("1")), "message `q`"),
        (wrong("bp", json!(-1)), "message `q`"),
        (wrong("ap", json!(1e12)), "message `q`"),
        (wrong("bs", json!(4_294_967_296_u64)), "message `q`"),
        (wrong("bs", json!(-1)), "message `q`"),
        (wrong("bs", json!(1.5)), "message `q`"),
        (wrong("bs", Value::Null), "message `q`"),
        (wrong("t", json!("yesterday")), "message `q`"),
        (wrong("c", json!({})), "message `q`"),
        (wrong("S", json!(5)), "message `q`: field `S` is not a"),
        (wrong("S", json!("aapl")), "message `q`: symbol `aapl` is not known"),
        (wrong("S", json!("MSFT")), "message `q`: symbol `MSFT` is not known"),
        (wrong("S", json!("MSFT240315C00172500")), "message `q`: symbol `MSFT240315C00172500` is not known"),
        (
            json!({"T": "t", "S": "AAPL", "t": "2026-01-05T14:30:00Z", "p": 0, "s": 1}),
            "message `t`: field `p` is not above zero",
        ),
        (json!({"T": "t", "S": "AAPL", "t": "2026-01-05T14:30:00Z", "s": 1}), "message `t`"),
        (json!({"T": "b", "S": "AAPL", "t": "2026-01-05T14:30:00Z", "o": 1, "h": 1, "l": 1}), "message `b`"),
        (json!({"T": "s", "S": "AAPL", "t": "2026-01-05T14:30:00Z"}), "message `s`"),
        (json!({"T": "c", "S": "AAPL", "t": "2026-01-05T14:30:00Z"}), "message `c`"),
        (json!({"T": "error", "code": "x"}), "message `erro`"),
        (wrong("bp", deep.clone()), "message `q`"),
    ];
    let good = |t: bool| {
        let mut good = Vec::new();
        let event = MarketEvent::Quote(Quote {
            instrument: InstrumentId(0),
            exchange_time: UnixNanos::parse("2026-01-05T14:30:00Z").unwrap(),
            bid: Price::DOLLAR,
            ask: Price::DOLLAR,
            bid_size: 1,
            ask_size: 1,
            bid_exchange: b'V',
            ask_exchange: b'V',
            condition: b'R',
        });
        message(
            &mut good,
            if t { Codec::Json } else { Codec::MessagePack },
            "AAPL",
            &Message::of(&event, STOCK).unwrap(),
        );
        good
    };
    for (bad, reason) in cases {
        for codec in [Codec::Json, Codec::MessagePack] {
            let mut bytes = Vec::new();
            let mut frame = Frame::open(&mut bytes, codec);
            let object = if codec == Codec::Json { bad.to_string().into_bytes() } else { pack_message(&bad) };
            frame.push_encoded(&good(codec == Codec::Json));
            frame.push_encoded(&object);
            frame.push_encoded(&good(codec == Codec::Json));
            frame.close();
            let all = decode(&bytes, codec);
            let [Decoded::Market(_), Decoded::Bad(why), Decoded::Market(_)] = &all[..] else {
                panic!("{codec:?} {bad}: {all:?}")
            };
            assert!(why.to_string().starts_with(reason), "{codec:?} {bad}: {why}");
        }
    }
    let strange = json!([{"T": "zebra", "deep": deep}, {"T": "d", "S": "AAPL"}, {"extra": 1, "T": "success", "msg": "connected"}]);
    for (bytes, codec) in [(strange.to_string().into_bytes(), Codec::Json), (pack(&strange), Codec::MessagePack)] {
        let all = decode(&bytes, codec);
        assert!(
            matches!(&all[..], [Decoded::Unknown { kind }, Decoded::Passed { .. }, Decoded::Control(_)] if kind.as_str() == "zebr"),
            "{all:?}"
        );
    }
}

#[test]
fn hostile_frames_are_refused_with_a_reason() {
    let bombs = vec![0x91; FRAME_MAX];
    let mut nothings = vec![0xdd, 0, 0x0f, 0, 0];
    nothings.resize(5 + 0x0f_0000, 0xc0);
    let not_finite = |value: f64| {
        let mut bytes = vec![0x91, 0x87];
        for (key, item) in
            [("T", json!("q")), ("S", json!("AAPL")), ("bs", json!(1)), ("ap", json!(1.0)), ("as", json!(1))]
        {
            msgpack::append_text(key, &mut bytes);
            msgpack::append_value(&item, &mut bytes);
        }
        msgpack::append_text("t", &mut bytes);
        msgpack::append_time(UnixNanos::EPOCH, &mut bytes);
        msgpack::append_text("bp", &mut bytes);
        msgpack::append_float(value, &mut bytes);
        bytes
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "frame is not an array"),
        (vec![0xc1], "frame is not an array"),
        (pack(&json!({"T": "q"})), "frame is not an array"),
        (vec![0; 10 << 20], "frame of 10485760 bytes is longer than 1048576"),
        (vec![0xdd, 255, 255, 255, 255], "frame ends within a message"),
        (vec![0x91, 0xdf, 255, 255, 255, 255], "frame ends within a message"),
        (vec![0x91, 0xc6, 255, 255, 255, 255], "frame ends within a message"),
        (vec![0x91, 0x81, 0xa1], "frame ends within a message"),
        (bombs, "frame ends within a message"),
        (nothings, "message is not an object"),
        (vec![0x90, 0xc0], "1 bytes follow the array"),
        (vec![0x91, 0x81, 0xa1, b'T', 0xa1, 0xff], ""),
        (vec![0x91, 0x81, 0x01, 0x02], "message has no type"),
        (not_finite(f64::NAN), "message `q`: field `bp` is not 0 to 9.2 billion dollars"),
        (not_finite(f64::INFINITY), "message `q`: field `bp` is not 0 to 9.2 billion dollars"),
        (not_finite(-0.01), "message `q`: field `bp` is not 0 to 9.2 billion dollars"),
    ];
    for (bytes, reason) in cases {
        let all = decode(&bytes, Codec::MessagePack);
        match all.first() {
            Some(Decoded::Bad(bad)) => assert!(bad.to_string() == reason, "{bad} is not {reason}"),
            first => {
                assert!(matches!(first, Some(Decoded::Unknown { .. })) && reason.is_empty(), "{first:?}: {reason}")
            }
        }
        assert!(all.len() <= BAD_MAX as usize + 1);
        assert!(all.len() <= BAD_MAX as usize || all.last() == Some(&Decoded::Bad(Bad::TooMany)));
    }
    for (text, reason) in [
        ("", "frame is not JSON"),
        ("{}", "frame is not an array"),
        ("[1", "frame is not JSON"),
        (&"[".repeat(100_000), "frame is not JSON"),
    ] {
        let all = decode(text.as_bytes(), Codec::Json);
        assert!(matches!(&all[..], [Decoded::Bad(bad)] if bad.to_string().starts_with(reason)), "{all:?}");
    }
}
