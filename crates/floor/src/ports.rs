//! Listening sockets of a floor: one a service, from the base on, or any free ones.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
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
    "cannot listen on {address} ({service}): {source}; another floor may be running there, or choose ports with --port-base N (0: free ones)"
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

/// Where a floor over this data directory says on which ports its agents listen.
fn published_file(data_dir: &Path) -> PathBuf {
    data_dir.join("ports.json")
}

/// Writes where each agent listens, so that `status`, `proposals` and `halt` find a floor by its data directory. A help for
/// people, never a safety input.
///
/// # Errors
/// When the file cannot be written.
pub fn publish(data_dir: &Path, agents: &BTreeMap<String, SocketAddr>) -> std::io::Result<()> {
    let path = published_file(data_dir);
    let temporary = path.with_extension(format!("json.{}", std::process::id()));
    let written = serde_json::to_vec(agents)
        .map_err(std::io::Error::other)
        .and_then(|bytes| std::fs::write(&temporary, bytes))
        .and_then(|()| std::fs::rename(&temporary, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

/// Takes the file away at a floor's end.
pub fn withdraw(data_dir: &Path) {
    let _ = std::fs::remove_file(published_file(data_dir));
}

/// Where each agent of a floor over this data directory listens, if one says so. After a crash it may be a floor that is gone.
pub fn published(data_dir: &Path) -> Option<BTreeMap<String, SocketAddr>> {
    serde_json::from_slice(&std::fs::read(published_file(data_dir)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_is_found_until_it_is_withdrawn() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(published(folder.path()), None);
        let agents = BTreeMap::from([("mission-control".to_owned(), SocketAddr::from(([127, 0, 0, 1], 4711)))]);
        publish(folder.path(), &agents).unwrap();
        assert_eq!(published(folder.path()), Some(agents));
        std::fs::write(published_file(folder.path()), "{").unwrap();
        assert_eq!(published(folder.path()), None);
        withdraw(folder.path());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
