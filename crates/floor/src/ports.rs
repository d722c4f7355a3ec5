//! Listening sockets of a floor: one a service, from the base on, or any free ones.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use tokio::net::TcpListener;

/// A service with a port of its own, in order of its offset from the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Mission control.
    MissionControl,
    /// Market data.
    Marketdata,
    /// The gamma strategy's agent.
    Gamma,
    /// The whale strategy's agent.
    Whale,
    /// The shadow gate, in the execution agent's place.
    Gate,
    /// The venue simulator.
    Venue,
}

impl Service {
    /// Every service, in order.
    pub const ALL: [Self; 6] =
        [Self::MissionControl, Self::Marketdata, Self::Gamma, Self::Whale, Self::Gate, Self::Venue];

    /// Its distance from the base.
    pub const fn offset(self) -> u16 {
        self as u16
    }
}

impl fmt::Display for Service {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::MissionControl => "mission control",
            Self::Marketdata => "market data",
            Self::Gamma => "gamma strategy",
            Self::Whale => "whale strategy",
            Self::Gate => "shadow gate",
            Self::Venue => "venue simulator",
        })
    }
}

/// A port cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen on {address} for the {service}: {source}; another floor may be running there, or choose ports with --port-base N (0: free ones)"
)]
pub struct PortError {
    /// For what.
    pub service: Service,
    /// Where.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub source: std::io::Error,
}

/// Binds the port of a service: base and offset, or a free one where the base is 0.
///
/// # Errors
/// [`PortError`], naming port and service.
pub async fn bind(service: Service, bind: IpAddr, base: u16) -> Result<TcpListener, PortError> {
    let port = if base == 0 { 0 } else { base.saturating_add(service.offset()) };
    let address = SocketAddr::new(bind, port);
    TcpListener::bind(address).await.map_err(|source| PortError { service, address, source })
}
