//! Bodies as Alpaca's documentation shows them read, and are written again key by key; unknown keys do no harm.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where something is not as it must be"
)]

use agenttrader_alpaca::wire::account::Account;
use agenttrader_alpaca::wire::asset::Asset;
use agenttrader_alpaca::wire::bar::{Bar, BarsPage, LatestBar, LatestBars};
use agenttrader_alpaca::wire::calendar::CalendarDay;
use agenttrader_alpaca::wire::clock::Clock;
use agenttrader_alpaca::wire::contract::ContractsPage;
use agenttrader_alpaca::wire::control::{Channels, ClientMessage, Control};
use agenttrader_alpaca::wire::error::{ErrorBody, StreamError};
use agenttrader_alpaca::wire::quote::{LatestQuote, LatestQuotes, Quote, QuotesPage};
use agenttrader_alpaca::wire::snapshot::{OptionSnapshotsPage, Snapshots, SymbolSnapshot};
use agenttrader_alpaca::wire::status::{Luld, TradingStatus};
use agenttrader_alpaca::wire::trade::{Cancel, Correction, LatestTrade, LatestTrades, Trade, TradesPage};
use agenttrader_alpaca::wire::{Codec, msgpack};
use agenttrader_core::money::Money;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Reads `body`, writes it again and expects the same; then once more with a key nobody knows.
fn same<Body: Serialize + DeserializeOwned>(body: Value) {
    let read: Body = serde_json::from_value(body.clone()).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(serde_json::to_value(&read).unwrap(), body);
    let text = body.to_string();
    let read: Body = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), body);
}

fn tolerates<Body: Serialize + DeserializeOwned>(mut body: Value) {
    same::<Body>(body.clone());
    let expected = body.clone();
    body["a key nobody knows"] = json!({"x": [1]});
    let read: Body = serde_json::from_value(body).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), expected);
}

fn quote() -> Value {
    json!({"t": "2026-01-05T14:30:00.5Z", "bx": "V", "bp": 189.37, "bs": 300, "ax": "Q", "ap": 189.39, "as": 100, "c": ["R"], "z": "C"})
}
fn option_quote() -> Value {
    json!({"t": "2026-01-05T14:30:00Z", "bx": "C", "bp": 0.0, "bs": 0, "ax": "X", "ap": 3.05, "as": 12, "c": "A"})
}
fn trade() -> Value {
    json!({"t": "2026-01-05T14:30:00.000000001Z", "i": 52983525029461_u64, "x": "D", "p": 189.375, "s": 1, "c": ["@", "I"], "z": "C"})
}
fn option_trade() -> Value {
    json!({"t": "2026-01-05T14:30:00Z", "x": "C", "p": 3.0, "s": 5, "c": "I"})
}
fn bar() -> Value {
    json!({"t": "2026-01-05T14:30:00Z", "o": 189.3, "h": 189.5, "l": 189.25, "c": 189.4, "v": 12345, "n": 321, "vw": 189.388})
}

#[test]
fn market_data_bodies() {
    tolerates::<Quote>(quote());
    tolerates::<Quote>(option_quote());
    tolerates::<Trade>(trade());
    tolerates::<Trade>(option_trade());
    tolerates::<Bar>(bar());
    let mut sparse = bar();
    sparse["n"] = Value::Null;
    sparse["vw"] = Value::Null;
    tolerates::<Bar>(sparse);
    tolerates::<LatestQuotes>(json!({"quotes": {"AAPL": quote()}}));
    tolerates::<LatestQuote>(json!({"symbol": "AAPL", "quote": quote()}));
    tolerates::<QuotesPage>(json!({"quotes": {"AAPL": [quote()]}, "next_page_token": null}));
    tolerates::<LatestTrades>(json!({"trades": {"AAPL": trade()}}));
    tolerates::<LatestTrade>(json!({"symbol": "AAPL", "trade": trade()}));
    tolerates::<TradesPage>(json!({"trades": {"AAPL": [trade(), trade()]}, "next_page_token": "QUFQTHw="}));
    tolerates::<LatestBars>(json!({"bars": {"AAPL": bar()}}));
    tolerates::<LatestBar>(json!({"symbol": "AAPL", "bar": bar()}));
    tolerates::<BarsPage>(json!({"bars": {"AAPL": [bar()], "SPY": []}, "next_page_token": null}));
    same::<Snapshots>(json!({
        "AAPL": {"latestTrade": trade(), "latestQuote": quote(), "minuteBar": bar(), "dailyBar": bar(), "prevDailyBar": bar()},
        "IPO": {"latestTrade": null, "latestQuote": null, "minuteBar": null, "dailyBar": null, "prevDailyBar": null},
    }));
    tolerates::<SymbolSnapshot>(json!({
        "symbol": "AAPL", "latestTrade": trade(), "latestQuote": quote(), "minuteBar": bar(), "dailyBar": bar(), "prevDailyBar": bar(),
    }));
    tolerates::<OptionSnapshotsPage>(json!({
        "snapshots": {
            "AAPL240315C00172500": {
                "latestQuote": option_quote(), "latestTrade": option_trade(), "impliedVolatility": 0.245,
                "greeks": {"delta": 0.5, "gamma": 0.03, "theta": -0.1, "vega": 0.2, "rho": 0.05},
            },
            "AAPL240315P00172500": {},
        },
        "next_page_token": null,
    }));
    // Counts written as floats, conditions left out, ids of nobody's.
    let loose: Bar =
        serde_json::from_value(json!({"t": "2026-01-05T14:30:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 100.0}))
            .unwrap();
    assert_eq!((loose.v, loose.n), (100, None));
    for bad in [json!({"v": -1}), json!({"v": 1.5}), json!({"o": "1"}), json!({"o": -1}), json!({"t": "2026-01-05"})] {
        let mut body = bar();
        for (key, value) in bad.as_object().unwrap() {
            body[key] = value.clone();
        }
        assert!(serde_json::from_value::<Bar>(body).is_err(), "{bad}");
    }
}

#[test]
fn stream_bodies() {
    let t = "2026-01-05T14:30:00Z";
    tolerates::<TradingStatus>(
        json!({"t": t, "sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "Additional Information Requested", "z": "C"}),
    );
    tolerates::<Luld>(json!({"t": t, "u": 3.24, "d": 2.65, "i": "B", "z": "B"}));
    tolerates::<Cancel>(json!({"t": t, "i": 627, "x": "M", "p": 9.99, "s": 3, "a": "C", "z": "A"}));
    tolerates::<Correction>(json!({
        "t": t, "x": "M", "oi": 1, "op": 9.99, "os": 3, "oc": [" "], "ci": 2, "cp": 9.98, "cs": 3, "cc": ["@", "F"], "z": "A",
    }));
}

#[test]
fn trading_bodies() {
    same::<Clock>(json!({
        "timestamp": "2026-01-05T10:00:00.25-05:00", "is_open": true, "next_open": "2026-01-06T09:30:00-05:00", "next_close": "2026-01-05T16:00:00-05:00",
    }));
    same::<Vec<CalendarDay>>(json!([{
        "date": "2026-01-05", "open": "09:30", "close": "16:00", "session_open": "0400", "session_close": "2000", "settlement_date": "2026-01-06",
    }]));
    tolerates::<Asset>(json!({
        "id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "class": "us_equity", "exchange": "NASDAQ", "symbol": "AAPL", "name": "Apple Inc. Common Stock",
        "status": "active", "tradable": true, "marginable": true, "shortable": true, "easy_to_borrow": true, "fractionable": true,
        "maintenance_margin_requirement": 30.0, "margin_requirement_long": "30", "margin_requirement_short": "30", "attributes": ["has_options"],
    }));
    let contract = json!({
        "id": "98359ef7-5124-49f3-85ea-5cf02df6defa", "symbol": "AAPL250620C00100000", "name": "AAPL Jun 20 2025 100 Call", "status": "active",
        "tradable": true, "expiration_date": "2025-06-20", "root_symbol": "AAPL", "underlying_symbol": "AAPL",
        "underlying_asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "type": "call", "style": "american", "strike_price": "100", "multiplier": "100",
        "size": "100", "open_interest": "237", "open_interest_date": "2023-12-11", "close_price": "148.38", "close_price_date": "2023-12-11", "ppind": true,
    });
    let page: ContractsPage = serde_json::from_value(json!({"option_contracts": [contract.clone()]})).unwrap();
    assert_eq!(page.option_contracts.first().unwrap().open_interest(), Some(237));
    tolerates::<ContractsPage>(json!({"option_contracts": [contract], "next_page_token": "MTAw"}));

    let account =
        Account::with_cash("id".into(), "PA1".into(), "2026-01-05T14:30:00Z".into(), Money::from_dollars(100_000));
    let written = serde_json::to_value(&account).unwrap();
    assert_eq!((&written["cash"], &written["buying_power"]), (&json!("100000"), &json!("200000")));
    tolerates::<Account>(written);
    let real = json!({"id": "x", "account_number": "1", "status": "ACTIVE", "equity": "103820.5600000000001", "sma": null, "cash": "-5.5"});
    let read: Account = serde_json::from_value(real).unwrap();
    assert_eq!((read.equity.to_string(), read.cash.to_string()), ("103820.56".into(), "-5.5".into()));
    assert!(
        serde_json::from_value::<Account>(json!({"id": "x", "account_number": "1", "status": "ACTIVE", "cash": "1e5"}))
            .is_err()
    );
}

#[test]
fn errors() {
    tolerates::<ErrorBody>(json!({"code": 40410000, "message": "asset not found for X"}));
    assert_eq!(serde_json::from_str::<ErrorBody>("{}").unwrap(), ErrorBody { code: None, message: String::new() });
    for error in StreamError::ALL {
        assert_eq!(StreamError::from_code(error.code()), Some(error));
        assert!(!error.message().is_empty());
    }
}

#[test]
fn control_messages() {
    let text = |control: &Control| String::from_utf8(control.frame(Codec::Json)).unwrap();
    assert_eq!(text(&Control::connected()), r#"[{"T":"success","msg":"connected"}]"#);
    assert_eq!(text(&Control::error(StreamError::AuthFailed)), r#"[{"T":"error","code":402,"msg":"auth failed"}]"#);
    let subscribed = Control::Subscription(Channels {
        trades: vec!["AAPL".into()],
        corrections: vec!["AAPL".into()],
        ..Channels::default()
    });
    let expected = json!([{
        "T": "subscription", "trades": ["AAPL"], "quotes": [], "bars": [], "updatedBars": [], "dailyBars": [], "statuses": [], "lulds": [],
        "corrections": ["AAPL"], "cancelErrors": [],
    }]);
    assert_eq!(serde_json::from_str::<Value>(&text(&subscribed)).unwrap(), expected);
    let packed = subscribed.frame(Codec::MessagePack);
    assert_eq!(msgpack::to_value(&packed), Some(expected));
    // A map whose first key is `T`.
    assert_eq!(&packed[..4], [0x91, 0x8a, 0xa1, b'T']);

    for codec in [Codec::Json, Codec::MessagePack] {
        let asked = Channels {
            quotes: vec!["SPY".into()],
            updated_bars: vec!["*".into()],
            cancel_errors: vec!["X".into()],
            ..Channels::default()
        };
        let ClientMessage::Subscribe(read) =
            ClientMessage::parse(&ClientMessage::Subscribe(asked.clone()).bytes(codec), codec).unwrap()
        else {
            panic!()
        };
        assert_eq!(read, Channels { cancel_errors: vec![], ..asked });
        let auth =
            ClientMessage::Auth { key: "k".into(), secret: agenttrader_core::secret::Secret::new("hunter2".into()) };
        assert!(!format!("{auth:?}").contains("hunter2"));
        let ClientMessage::Auth { key, secret } = ClientMessage::parse(&auth.bytes(codec), codec).unwrap() else {
            panic!()
        };
        assert!(key == "k" && secret.matches("hunter2"));
    }
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"action":"dance"}"#,
        r#"{"action":"subscribe","quotes":"SPY"}"#,
        r#"{"action":"auth","secret":{"hunter2":1}}"#,
    ] {
        let error = ClientMessage::parse(bad.as_bytes(), Codec::Json).unwrap_err().to_string();
        assert!(!error.contains("hunter2"));
    }
    assert_eq!(Codec::asked_by(Some("application/msgpack")), Codec::MessagePack);
    assert_eq!((Codec::asked_by(None), Codec::asked_by(Some("text/plain"))), (Codec::Json, Codec::Json));
}
