//! Who may read: anyone on this machine; from elsewhere a holder of the token, or whom a trusted proxy has let through.

use agenttrader_core::secret::Secret;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The header in which a trusted proxy names whom it has let through.
pub const PROXY_USER_HEADER: &str = "x-forwarded-user";

/// Characters of the shortest token: 128 bits in hex.
pub const TOKEN_SHORTEST: usize = 32;

/// A network: an address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: IpAddr,
    bits: u32,
}

/// Why a text is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no network: an address, `/` and a number of bits of at least 1, such as 10.1.0.0/16")]
pub struct CidrError {
    /// The text.
    pub text: String,
}

/// How readers of the API are let in. Made by [`BindPolicy::access`] alone.
#[derive(Clone, Debug)]
pub struct Access {
    token: Option<Secret>,
    proxies: Vec<Cidr>,
}

/// What is asked of a listener.
#[derive(Clone, Debug)]
pub struct BindPolicy {
    /// Where it listens.
    pub bind: IpAddr,
    /// The bearer token, if one is configured.
    pub token: Option<Secret>,
    /// Networks whose proxy lets readers in.
    pub trusted_proxies: Vec<Cidr>,
}

/// Why mission control does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindRefused {
    /// Anyone could read.
    #[error(
        "mission control on {bind} could be read from other machines: set AGENTTRADER_API_TOKEN or `--trusted-proxy CIDR`, or bind to loopback"
    )]
    Open {
        /// Where it should have listened.
        bind: IpAddr,
    },
    /// A token that can be guessed, or that no header can carry.
    #[error("the bearer token must have at least {TOKEN_SHORTEST} printable characters without spaces")]
    WeakToken,
}

impl BindPolicy {
    /// How readers are let in. A token that is configured is demanded on loopback too.
    ///
    /// # Errors
    /// [`BindRefused`] when the listener could be read by anyone from elsewhere, or the token is weak.
    pub fn access(self) -> Result<Access, BindRefused> {
        let Self { bind, token, trusted_proxies: proxies } = self;
        let weak = |token: &Secret| {
            token.expose().len() < TOKEN_SHORTEST || !token.expose().bytes().all(|byte| byte.is_ascii_graphic())
        };
        if token.as_ref().is_some_and(weak) {
            return Err(BindRefused::WeakToken);
        }
        if !bind.is_loopback() && token.is_none() && proxies.is_empty() {
            return Err(BindRefused::Open { bind });
        }
        Ok(Access { token, proxies })
    }
}

impl Access {
    /// Whether a request from `peer` with those headers may read. A peer that is not known is no proxy.
    pub fn allows(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
        if self.token.is_none() && self.proxies.is_empty() {
            return true;
        }
        self.has_token(headers) || self.was_let_through(peer, headers)
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return false };
        let mut given = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else { return false };
        let Some((scheme, presented)) = value.to_str().ok().and_then(|value| value.split_once(' ')) else {
            return false;
        };
        scheme.eq_ignore_ascii_case("bearer") && token.matches(presented.trim_start_matches(' '))
    }

    fn was_let_through(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> bool {
        let is_proxy = peer.is_some_and(|peer| self.proxies.iter().any(|network| network.contains(peer)));
        let mut users = headers.get_all(PROXY_USER_HEADER).iter();
        // Two of them: one is the reader's own.
        let named = matches!((users.next(), users.next()), (Some(user), None) if !user.is_empty());
        is_proxy && named
    }
}

impl Cidr {
    /// Whether an address lies in the network. An IPv4 address written as an IPv6 one is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |own: u128, other: u128, width: u32| {
            let rest = width.saturating_sub(self.bits);
            own.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
        };
        match (self.network, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let refused = || CidrError { text: text.chars().take(64).collect() };
        let (network, bits) = text.split_once('/').ok_or_else(refused)?;
        let network: IpAddr = network.parse().map_err(|_| refused())?;
        let bits: u32 = bits.parse().map_err(|_| refused())?;
        let width = if network.is_ipv4() { 32 } else { 128 };
        // Trusting every address would be no condition at all.
        if (1..=width).contains(&bits) { Ok(Self { network, bits }) } else { Err(refused()) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.network, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn policy(bind: &str, token: Option<&str>, proxies: &[&str]) -> Result<Access, BindRefused> {
        BindPolicy {
            bind: bind.parse().unwrap(),
            token: token.map(|token| Secret::new(token.to_owned())),
            trusted_proxies: proxies.iter().map(|text| text.parse().unwrap()).collect(),
        }
        .access()
    }

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in of {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn beyond_loopback_nothing_starts_without_token_or_proxy() {
        for bind in ["0.0.0.0", "::", "10.1.2.3", "192.168.1.1", "::ffff:127.0.0.1"] {
            assert!(matches!(policy(bind, None, &[]), Err(BindRefused::Open { .. })), "{bind}");
            assert!(policy(bind, Some(TOKEN), &[]).is_ok(), "{bind}");
            assert!(policy(bind, None, &["10.0.0.0/8"]).is_ok(), "{bind}");
        }
        for bind in ["127.0.0.1", "127.8.8.8", "::1"] {
            assert!(policy(bind, None, &[]).is_ok(), "{bind}");
        }
        for weak in ["", "short", "0123456789abcdef 0123456789abcdef", "0123456789abcdef0123456789abcdeé"] {
            assert_eq!(policy("127.0.0.1", Some(weak), &[]).unwrap_err(), BindRefused::WeakToken, "{weak}");
        }
    }

    #[test]
    fn the_token_is_demanded_exactly_and_once() {
        let access = policy("0.0.0.0", Some(TOKEN), &[]).unwrap();
        let bearer = |text: &str| access.allows(None, &headers(&[("authorization", text)]));
        assert!(bearer(&format!("Bearer {TOKEN}")) && bearer(&format!("bearer  {TOKEN}")));
        for bad in [
            "",
            "Bearer",
            TOKEN,
            &format!("Basic {TOKEN}"),
            &format!("Bearer {TOKEN}0"),
            "Bearer 0123456789abcdef0123456789abcdee",
        ] {
            assert!(!bearer(bad), "{bad}");
        }
        let good = format!("Bearer {TOKEN}");
        assert!(!access.allows(None, &headers(&[("authorization", &good), ("authorization", &good)])));
        assert!(!access.allows(None, &HeaderMap::new()));
        assert!(!access.allows(Some("127.0.0.1".parse().unwrap()), &headers(&[(PROXY_USER_HEADER, "root")])));
    }

    #[test]
    fn a_proxys_header_counts_from_its_network_alone() {
        let access = policy("0.0.0.0", None, &["10.1.0.0/16", "fd00::/8"]).unwrap();
        let user = headers(&[(PROXY_USER_HEADER, "jane")]);
        for (peer, allowed) in [
            ("10.1.255.1", true),
            ("10.2.0.1", false),
            ("::ffff:10.1.0.1", true),
            ("fd12::1", true),
            ("fe80::1", false),
        ] {
            assert_eq!(access.allows(Some(peer.parse().unwrap()), &user), allowed, "{peer}");
            assert!(!access.allows(Some(peer.parse().unwrap()), &HeaderMap::new()), "{peer}");
        }
        assert!(!access.allows(None, &user));
        let twice = headers(&[(PROXY_USER_HEADER, "jane"), (PROXY_USER_HEADER, "root")]);
        assert!(!access.allows(Some("10.1.0.1".parse().unwrap()), &twice));
    }

    #[test]
    fn only_networks_are_read() {
        for bad in
            ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "0.0.0.0/0", "::/0", "::/129", "host/8", "10.0.0.0/8/8"]
        {
            assert!(bad.parse::<Cidr>().is_err(), "{bad}");
        }
        assert_eq!("::1/128".parse::<Cidr>().unwrap().to_string(), "::1/128");
    }
}
