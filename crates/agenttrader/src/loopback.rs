//! Whether the environment names venues of this machine alone.

use std::collections::BTreeMap;

/// The variables that name a venue.
const VENUES: [&str; 2] = ["APCA_API_BASE_URL", "APCA_API_DATA_URL"];

/// The first variable that names a venue elsewhere.
pub fn elsewhere(environment: &BTreeMap<String, String>) -> Option<&'static str> {
    VENUES.into_iter().find(|name| environment.get(*name).is_some_and(|url| !is_loopback(url)))
}

/// Whether a URL names this machine by address. A name is none: somebody else says where it leads.
fn is_loopback(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let port = ["127.0.0.1", "[::1]"].iter().find_map(|host| authority.strip_prefix(host));
    match port.map(|port| port.strip_prefix(':').unwrap_or(port)) {
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_on_it() {
        for url in ["http://127.0.0.1:8085", "http://127.0.0.1", "http://[::1]:1/v2", "http://127.0.0.1:8085/"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "",
            "https://paper-api.alpaca.markets",
            "http://localhost:8085",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1:80@example.com",
            "http://127.0.0.1:1?@example.com",
            "http://127.0.0.1\\@example.com",
            "http://127.0.0.1#@example.com",
            "HTTP://127.0.0.1",
            "http://[::1].example.com",
            " http://127.0.0.1",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }

    #[test]
    fn each_variable_counts() {
        let of = |name: &str, url: &str| BTreeMap::from([(name.to_owned(), url.to_owned())]);
        for name in VENUES {
            assert_eq!(elsewhere(&of(name, "https://api.alpaca.markets")), Some(name));
            assert_eq!(elsewhere(&of(name, "http://127.0.0.1:8085")), None);
        }
        assert_eq!(elsewhere(&BTreeMap::new()), None);
    }
}
