//! Who we are to Alpaca, and where its services are.

use agenttrader_core::secret::Secret;

/// A key pair.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// `APCA_API_KEY_ID`.
    pub key_id: String,
    /// `APCA_API_SECRET_KEY`.
    pub secret: Secret,
}

/// Base URLs of the two services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Trading, `APCA_API_BASE_URL`, without a slash at its end.
    trading: String,
    /// Market data, `APCA_API_DATA_URL`, without a slash at its end.
    data: String,
}

/// Why a URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL of a web service.
    #[error("{name}: `{shown}` is not an http:// or https:// URL with a host")]
    NotHttp {
        /// The variable it came from.
        name: &'static str,
        /// The text, without user and password, cut to 100 characters.
        shown: String,
    },
    /// It has a user, a password, a query or a fragment.
    #[error(
        "{name}: `{shown}` must be scheme, host, port and path alone: keys go into APCA_API_KEY_ID and APCA_API_SECRET_KEY"
    )]
    NotPlain {
        /// The variable it came from.
        name: &'static str,
        /// The host alone.
        shown: String,
    },
}

/// A feed of stock quotes and prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockFeed {
    /// All exchanges.
    Sip,
    /// IEX alone.
    Iex,
}

/// A feed of option quotes and prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionFeed {
    /// All exchanges.
    Opra,
    /// Free: prints 15 minutes late, quotes modified.
    Indicative,
}

impl StockFeed {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sip => "sip",
            Self::Iex => "iex",
        }
    }

    /// The feed of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sip, Self::Iex].into_iter().find(|feed| feed.name() == name)
    }
}

impl OptionFeed {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opra => "opra",
            Self::Indicative => "indicative",
        }
    }

    /// The feed of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Opra, Self::Indicative].into_iter().find(|feed| feed.name() == name)
    }

    /// Whether what it says is not the market of now.
    pub const fn is_delayed(self) -> bool {
        matches!(self, Self::Indicative)
    }
}

impl Endpoints {
    /// Alpaca's own data service, whose streams have a host of their own.
    const ALPACA_DATA: &'static str = "https://data.alpaca.markets";
    /// That host.
    const ALPACA_STREAM: &'static str = "wss://stream.data.alpaca.markets";

    /// The services at these base URLs.
    ///
    /// # Errors
    /// [`EndpointError`] if one is not `http(s)://host[:port][/path]`.
    pub fn new(trading: &str, data: &str) -> Result<Self, EndpointError> {
        Ok(Self { trading: base("APCA_API_BASE_URL", trading)?, data: base("APCA_API_DATA_URL", data)? })
    }

    /// Base URL of the trading service, without a slash at its end.
    pub fn trading(&self) -> &str {
        &self.trading
    }

    /// Base URL of the data service, without a slash at its end.
    pub fn data(&self) -> &str {
        &self.data
    }

    /// URL of the stock stream.
    pub fn stock_stream(&self, feed: StockFeed) -> String {
        format!("{}/v2/{}", self.stream(), feed.name())
    }

    /// URL of the option stream.
    pub fn option_stream(&self, feed: OptionFeed) -> String {
        format!("{}/v1beta1/{}", self.stream(), feed.name())
    }

    /// Where the data streams are: Alpaca's own host for its own service, else the data service's host.
    fn stream(&self) -> String {
        if self.data == Self::ALPACA_DATA {
            return Self::ALPACA_STREAM.to_owned();
        }
        match self.data.strip_prefix("https://") {
            Some(host) => format!("wss://{host}"),
            None => format!("ws://{}", self.data.strip_prefix("http://").unwrap_or(&self.data)),
        }
    }
}

fn base(name: &'static str, text: &str) -> Result<String, EndpointError> {
    let not_http = |shown: &str| EndpointError::NotHttp { name, shown: shown.chars().take(100).collect() };
    let Ok(url) = reqwest::Url::parse(text.trim()) else {
        // What cannot be parsed may still hold a password before an `@`.
        return Err(not_http(text.rsplit('@').next().unwrap_or_default()));
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(not_http(url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(EndpointError::NotPlain { name, shown: url.host_str().unwrap_or_default().to_owned() });
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_found_from_the_data_service() {
        let alpaca = Endpoints::new("https://paper-api.alpaca.markets", "https://data.alpaca.markets/").unwrap();
        assert_eq!(alpaca.stock_stream(StockFeed::Sip), "wss://stream.data.alpaca.markets/v2/sip");
        let local = Endpoints::new("http://127.0.0.1:8080/", "http://127.0.0.1:8080").unwrap();
        assert_eq!(local.option_stream(OptionFeed::Indicative), "ws://127.0.0.1:8080/v1beta1/indicative");
        assert_eq!(local.trading(), "http://127.0.0.1:8080");
        let other = Endpoints::new("https://venue.example", "https://venue.example").unwrap();
        assert_eq!(other.stock_stream(StockFeed::Iex), "wss://venue.example/v2/iex");
    }

    #[test]
    fn urls_that_carry_secrets_or_are_none_are_refused_without_showing_them() {
        for bad in [
            "",
            "data.alpaca.markets",
            "ftp://x",
            "http://user:hunter2@x",
            "http://x?key=hunter2",
            "http://:hunter2@",
            "http://x#hunter2",
        ] {
            let error = Endpoints::new(bad, "http://x").unwrap_err().to_string();
            assert!(error.starts_with("APCA_API_BASE_URL") && !error.contains("hunter2"), "{error}");
        }
    }
}
