//! The REST clients against a server of a few lines with scripted answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where something is not as it must be"
)]

use agenttrader_alpaca::credentials::{Credentials, Endpoints, OptionFeed, StockFeed};
use agenttrader_alpaca::data_rest::{ChainFilter, DataRest, Timeframe};
use agenttrader_alpaca::rest::{BODY_MAX, Patience, RestError};
use agenttrader_alpaca::tls::Tls;
use agenttrader_alpaca::trading_rest::{ContractFilter, TradingRest};
use agenttrader_core::price::Price;
use agenttrader_core::secret::Secret;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use jiff::civil::date;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(60),
    request: Duration::from_secs(60),
    retries: 2,
    first_wait: Duration::from_millis(1),
    longest_wait: Duration::from_millis(10),
};

struct Server {
    data: DataRest,
    trading: TradingRest,
    /// The heads of the requests, in order.
    asked: JoinHandle<Vec<String>>,
}

/// One answer a connection: status line, further header lines, body.
type Answer = (&'static str, &'static str, Vec<u8>);

async fn server(answers: Vec<Answer>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let mut heads = Vec::new();
        for (status, headers, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            heads.push(String::from_utf8(head).unwrap());
            let reply =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
            stream.write_all(reply.as_bytes()).await.unwrap();
            // A client that gives up a long body closes before its end.
            let _ = stream.write_all(&body).await;
        }
        heads
    });
    let endpoints = Endpoints::new(&base, &base).unwrap();
    let credentials = Credentials { key_id: "key".into(), secret: Secret::new("hunter2".into()) };
    let tls = Tls::new().unwrap();
    Server {
        data: DataRest::new(&endpoints, &credentials, &tls, PATIENCE).unwrap(),
        trading: TradingRest::new(&endpoints, &credentials, &tls, PATIENCE).unwrap(),
        asked,
    }
}

fn ok(body: &str) -> Answer {
    ("200 OK", "", body.as_bytes().to_vec())
}

fn spy() -> Symbol {
    Symbol::parse("SPY").unwrap()
}

const CLOCK: &str = r#"{"timestamp":"2026-01-05T10:00:00-05:00","is_open":true,
    "next_open":"2026-01-06T09:30:00-05:00","next_close":"2026-01-05T16:00:00-05:00"}"#;

#[tokio::test]
async fn the_clock_says_its_speed_and_keys_go_in_headers() {
    let fast = ("200 OK", "X-Venue-Speed: 2.5\r\n", CLOCK.as_bytes().to_vec());
    let server = server(vec![fast, ok(CLOCK), ("200 OK", "x-venue-speed: -1\r\n", CLOCK.as_bytes().to_vec())]).await;
    let reading = server.trading.clock().await.unwrap();
    assert_eq!((reading.speed, reading.clock.is_open), (2.5, true));
    assert_eq!(reading.clock.timestamp.0, UnixNanos::parse("2026-01-05T15:00:00Z").unwrap());
    assert_eq!(server.trading.clock().await.unwrap().speed, 1.0);
    assert!(matches!(server.trading.clock().await, Err(RestError::Malformed { .. })));
    for head in server.asked.await.unwrap() {
        assert!(head.starts_with("GET /v2/clock HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("apca-api-key-id: key\r\n") && head.contains("apca-api-secret-key: hunter2\r\n"));
    }
}

#[tokio::test]
async fn pages_are_followed_to_their_end_and_joined() {
    let bar = |minute: u32| {
        format!(r#"{{"t":"2026-01-05T14:{minute}:00Z","o":1,"h":2,"l":1,"c":1.5,"v":10,"n":1,"vw":1.2}}"#)
    };
    let server = server(vec![
        ok(&format!(r#"{{"bars":{{"SPY":[{}]}},"next_page_token":"a b"}}"#, bar(30))),
        ok(&format!(r#"{{"bars":{{"SPY":[{}]}},"next_page_token":null}}"#, bar(31))),
        ok(r#"{"snapshots":{"SPY260105C00450000":{"impliedVolatility":0.2}}}"#),
        ok(r#"{"SPY":{"latestTrade":null},"NONE":null}"#),
        ok(r#"{"option_contracts":[],"next_page_token":"x"}"#),
        ok(r#"{"option_contracts":[],"next_page_token":"x"}"#),
    ])
    .await;
    let (start, end) =
        (UnixNanos::parse("2026-01-05T14:30:00Z").unwrap(), UnixNanos::parse("2026-01-05T21:00:00Z").unwrap());
    let bars = server.data.stock_bars(&[spy()], Timeframe::Minutes(1), start, end, StockFeed::Sip).await.unwrap();
    assert_eq!(bars["SPY"].len(), 2);
    let filter = ChainFilter {
        expiration_to: Some(date(2026, 1, 9)),
        strike_from: Some(Price::DOLLAR),
        ..ChainFilter::default()
    };
    let chain = server.data.option_chain(spy(), filter, OptionFeed::Indicative).await.unwrap();
    assert_eq!(chain["SPY260105C00450000"].implied_volatility, Some(0.2));
    let snapshots = server.data.stock_snapshots(&[spy()], StockFeed::Iex).await.unwrap();
    assert_eq!(snapshots.keys().collect::<Vec<_>>(), ["SPY"], "a symbol nobody knows is missing");
    let filter =
        ContractFilter { underlyings: vec![spy()], expiration_from: date(2026, 1, 5), expiration_to: date(2026, 1, 9) };
    let error = server.trading.option_contracts(&filter).await.unwrap_err();
    assert_eq!(error.to_string(), "GET /v2/options/contracts: the next page is the same page");
    let asked = server.asked.await.unwrap();
    let first = "GET /v2/stocks/bars?symbols=SPY&feed=sip&timeframe=1Min&\
        start=2026-01-05T14%3A30%3A00Z&end=2026-01-05T21%3A00%3A00Z&limit=10000&adjustment=raw";
    assert!(asked[0].starts_with(&format!("{first} HTTP")), "{}", asked[0]);
    assert!(asked[1].starts_with(&format!("{first}&page_token=a+b HTTP")), "{}", asked[1]);
    assert!(asked[2].starts_with(
        "GET /v1beta1/options/snapshots/SPY?feed=indicative&limit=1000&expiration_date_lte=2026-01-09&strike_price_gte=1 HTTP"
    ), "{}", asked[2]);
}

#[tokio::test]
async fn a_busy_server_is_asked_again_and_no_other_refusal_is() {
    let busy = || ("429 Too Many Requests", "", br#"{"code":42910000,"message":"rate limit exceeded"}"#.to_vec());
    let server = server(vec![
        busy(),
        ("504 Gateway Timeout", "retry-after: 0\r\n", vec![]),
        ok(CLOCK),
        busy(),
        busy(),
        busy(),
        ("429 Too Many Requests", "retry-after: 3600\r\n", b"{}".to_vec()),
        ("401 Unauthorized", "", br#"{"message":"request is not authorized"}"#.to_vec()),
        ("404 Not Found", "", br#"{"code":40410000,"message":"asset not found for SPY"}"#.to_vec()),
        ("500 Internal Server Error", "", b"<html>oops</html>".to_vec()),
        ("302 Found", "location: http://127.0.0.1:1/\r\n", vec![]),
    ])
    .await;
    assert!(server.trading.clock().await.is_ok());
    assert_eq!(
        server.trading.clock().await.unwrap_err().to_string(),
        "GET /v2/clock: 429 (42910000): rate limit exceeded"
    );
    assert_eq!(server.trading.clock().await.unwrap_err().status(), Some(429));
    assert_eq!(
        server.trading.account().await.unwrap_err().to_string(),
        "GET /v2/account: 401: request is not authorized"
    );
    let error = server.trading.asset(spy()).await.unwrap_err();
    assert_eq!(error.to_string(), "GET /v2/assets/SPY: 404 (40410000): asset not found for SPY");
    assert_eq!(server.trading.assets().await.unwrap_err().to_string(), "GET /v2/assets: 500: <html>oops</html>");
    assert_eq!(server.data.stock_snapshots(&[spy()], StockFeed::Iex).await.unwrap_err().status(), Some(302));
    assert_eq!(server.asked.await.unwrap().len(), 11);
}

#[tokio::test]
async fn bodies_that_are_too_long_or_not_what_was_asked_for_are_refused() {
    let server = server(vec![
        ("200 OK", "", vec![b' '; BODY_MAX + 1]),
        ok("[]"),
        ok("{"),
        ok(r#"{"quotes":{"SPY":{"t":"2026-01-05T14:30:00Z","bp":-1,"bs":1,"ap":1,"as":1}}}"#),
    ])
    .await;
    assert!(matches!(server.trading.account().await, Err(RestError::TooLong { .. })));
    assert!(matches!(server.trading.account().await, Err(RestError::Malformed { .. })));
    assert!(matches!(server.trading.account().await, Err(RestError::Malformed { .. })));
    assert!(matches!(server.data.stock_quotes(&[spy()], StockFeed::Sip).await, Err(RestError::Malformed { .. })));
    server.asked.await.unwrap();
}

#[tokio::test]
async fn nobody_there_and_keys_that_are_none_are_told_without_the_keys() {
    let endpoints = Endpoints::new("http://127.0.0.1:1", "http://127.0.0.1:1").unwrap();
    let with = |secret: &str| Credentials { key_id: "key".into(), secret: Secret::new(secret.into()) };
    let tls = Tls::new().unwrap();
    let trading = TradingRest::new(&endpoints, &with("hunter2"), &tls, PATIENCE).unwrap();
    let error = trading.clock().await.unwrap_err();
    assert!(matches!(error, RestError::Transport { .. }), "{error}");
    assert!(!format!("{error:?} {trading:?}").contains("hunter2"));
    let error = TradingRest::new(&endpoints, &with("hunter2\n"), &tls, PATIENCE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot set up the HTTP client: APCA_API_SECRET_KEY holds characters that no header can"
    );
}
