//! The trading service over REST, as far as it is read: clock, calendar, account, assets, option contracts.

use crate::credentials::{Credentials, Endpoints};
use crate::rest::{Page, Patience, Query, Rest, RestError, list};
use crate::tls::Tls;
use crate::wire::account::Account;
use crate::wire::asset::Asset;
use crate::wire::calendar::CalendarDay;
use crate::wire::clock::{Clock, SPEED_HEADER};
use crate::wire::contract::{Contract, ContractsPage};
use agenttrader_core::symbol::Symbol;
use jiff::civil::Date;

/// Entries of a page of contracts: the most the service gives.
const CONTRACTS_PAGE: &str = "10000";

/// The trading service.
#[derive(Clone, Debug)]
pub struct TradingRest(Rest);

/// What the clock endpoint says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockReading {
    /// Its body.
    pub clock: Clock,
    /// Venue seconds a second; 1 where the service does not say. Finite and above zero.
    pub speed: f64,
}

/// Which contracts. Both bounds count in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractFilter {
    /// On what.
    pub underlyings: Vec<Symbol>,
    /// First expiration.
    pub expiration_from: Date,
    /// Last expiration.
    pub expiration_to: Date,
}

impl Page for ContractsPage {
    fn take_token(&mut self) -> Option<String> {
        self.next_page_token.take()
    }
}

impl TradingRest {
    /// A client of the trading service at these endpoints.
    ///
    /// # Errors
    /// [`RestError::Setup`] if the credentials cannot stand in a header.
    pub fn new(
        endpoints: &Endpoints,
        credentials: &Credentials,
        tls: &Tls,
        patience: Patience,
    ) -> Result<Self, RestError> {
        Rest::new(endpoints.trading(), credentials, tls, patience).map(Self)
    }

    /// The market's clock.
    ///
    /// # Errors
    /// [`RestError`]; [`RestError::Malformed`] also for a speed that is no number above zero.
    pub async fn clock(&self) -> Result<ClockReading, RestError> {
        const PATH: &str = "/v2/clock";
        let (clock, headers) = self.0.get(PATH, &vec![]).await?;
        let speed = match headers.get(SPEED_HEADER) {
            None => 1.0,
            Some(text) => text
                .to_str()
                .ok()
                .and_then(|text| text.trim().parse::<f64>().ok())
                .filter(|speed| speed.is_finite() && *speed > 0.0)
                .ok_or_else(|| RestError::Malformed {
                    path: PATH.to_owned(),
                    why: format!("header {SPEED_HEADER} is no number above zero"),
                })?,
        };
        Ok(ClockReading { clock, speed })
    }

    /// The sessions from one day to another, both counted in.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn calendar(&self, from: Date, to: Date) -> Result<Vec<CalendarDay>, RestError> {
        let query = vec![("start", from.to_string()), ("end", to.to_string())];
        Ok(self.0.get("/v2/calendar", &query).await?.0)
    }

    /// The account of these credentials.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn account(&self) -> Result<Account, RestError> {
        Ok(self.0.get("/v2/account", &vec![]).await?.0)
    }

    /// What the broker knows of a ticker.
    ///
    /// # Errors
    /// [`RestError`]; status 404 if it does not know it.
    pub async fn asset(&self, symbol: Symbol) -> Result<Asset, RestError> {
        Ok(self.0.get(&format!("/v2/assets/{symbol}"), &vec![]).await?.0)
    }

    /// All active shares.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn assets(&self) -> Result<Vec<Asset>, RestError> {
        let query = vec![("status", "active".to_owned()), ("asset_class", "us_equity".to_owned())];
        Ok(self.0.get("/v2/assets", &query).await?.0)
    }

    /// Active option contracts with their open interest.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn option_contracts(&self, filter: &ContractFilter) -> Result<Vec<Contract>, RestError> {
        let query: Query = vec![
            ("underlying_symbols", list(&filter.underlyings)),
            ("status", "active".to_owned()),
            ("expiration_date_gte", filter.expiration_from.to_string()),
            ("expiration_date_lte", filter.expiration_to.to_string()),
            ("limit", CONTRACTS_PAGE.to_owned()),
        ];
        let mut all = Vec::new();
        self.0
            .pages("/v2/options/contracts", &query, |mut page: ContractsPage| all.append(&mut page.option_contracts))
            .await?;
        Ok(all)
    }
}
