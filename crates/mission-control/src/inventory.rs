//! The inventory: which agents there are, where they answer, and how much hangs on each.

use agenttrader_agent::service_kind::ServiceKind;
use agenttrader_core::identity::is_agent_name;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use utoipa::ToSchema;

/// Bytes of the longest inventory that is read.
pub const INVENTORY_BYTES_MOST: usize = 64 * 1024;

/// Agents of the largest inventory. Each is one request a poll.
pub const AGENTS_MOST: usize = 64;

/// Endpoints that can be expected of one agent.
const ENDPOINTS_MOST: usize = 32;

/// Port of a `service_dns` that names none.
const DEFAULT_PORT: u16 = 8080;

/// How much hangs on an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// Nothing is safe without it.
    Critical,
    /// The floor does less without it.
    Important,
    /// Nobody misses it at once.
    Optional,
}

/// One agent of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Unique.
    pub agent_name: String,
    /// Host, and port unless it is 8080.
    pub service_dns: String,
    /// Its kind.
    pub kind: ServiceKind,
    /// Paths that it must serve.
    pub expected_endpoints: Vec<String>,
    /// How much hangs on it.
    pub criticality: Criticality,
    /// Processes that are meant to run; at 0 the agent is not asked.
    #[serde(default = "one")]
    pub replicas: u32,
}

/// Every agent that is watched, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    agents: Vec<Agent>,
}

/// Why an inventory is refused.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// Longer than it can sensibly be.
    #[error("the inventory has {size} bytes, at most {INVENTORY_BYTES_MOST} are read")]
    TooLong {
        /// Its size.
        size: usize,
    },
    /// No YAML, or not of this form.
    #[error("the inventory does not fit: {why}")]
    Unfit {
        /// Where and how.
        why: String,
    },
    /// Too many agents, or none.
    #[error("the inventory has {count} agents, it must have 1 to {AGENTS_MOST}")]
    Count {
        /// How many.
        count: usize,
    },
    /// A name that cannot be one.
    #[error("`{name}` cannot name an agent: 1 to 64 letters, digits, `-` and `_`, a letter or digit first")]
    Name {
        /// The name.
        name: String,
    },
    /// Twice the same name.
    #[error("agent `{name}` stands twice in the inventory")]
    Twice {
        /// The name.
        name: String,
    },
    /// An address that is none.
    #[error("agent `{name}`: service_dns `{found}` is not a host with an optional port")]
    ServiceDns {
        /// The agent.
        name: String,
        /// What stands there.
        found: String,
    },
    /// An endpoint that is no path.
    #[error("agent `{name}`: endpoint `{found}` is not a path of printable characters that begins with `/`")]
    Endpoint {
        /// The agent.
        name: String,
        /// What stands there.
        found: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    agents: Vec<Agent>,
}

const fn one() -> u32 {
    1
}

impl Inventory {
    /// Reads an inventory file: YAML, every field known, names unique.
    ///
    /// # Errors
    /// [`InventoryError`], the first that holds.
    pub fn parse(text: &str) -> Result<Self, InventoryError> {
        if text.len() > INVENTORY_BYTES_MOST {
            return Err(InventoryError::TooLong { size: text.len() });
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_reader_input_bytes: Some(INVENTORY_BYTES_MOST),
                max_depth: 8,
                max_nodes: 8_192,
                max_documents: 1,
                // Nothing here repeats itself; aliases would only be a way to grow.
                max_anchors: 0,
                max_aliases: 0,
            },
        };
        let file: File = serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| InventoryError::Unfit { why: error.to_string().chars().take(512).collect() })?;
        if file.agents.is_empty() || file.agents.len() > AGENTS_MOST {
            return Err(InventoryError::Count { count: file.agents.len() });
        }
        let mut names = BTreeSet::new();
        for agent in &file.agents {
            agent.check()?;
            if !names.insert(agent.agent_name.as_str()) {
                return Err(InventoryError::Twice { name: agent.agent_name.clone() });
            }
        }
        Ok(Self { agents: file.agents })
    }

    /// The same agents at the addresses where they really listen; those that are not named stay where they are.
    #[must_use]
    pub fn at(mut self, addresses: &BTreeMap<String, SocketAddr>) -> Self {
        for agent in &mut self.agents {
            if let Some(address) = addresses.get(&agent.agent_name) {
                agent.service_dns = address.to_string();
            }
        }
        self
    }

    /// Every agent, in the order of the file.
    pub fn agents(&self) -> &[Agent] {
        &self.agents
    }

    /// The agent of that name.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.agent_name == name)
    }
}

impl Agent {
    /// Where its status is asked for.
    pub fn status_url(&self) -> String {
        format!("{}/ops/status", self.base_url())
    }

    /// Where the files of its log are asked for.
    pub fn audit_url(&self) -> String {
        format!("{}/audit", self.base_url())
    }

    fn base_url(&self) -> String {
        let port = if has_port(&self.service_dns) { String::new() } else { format!(":{DEFAULT_PORT}") };
        format!("http://{}{port}", self.service_dns)
    }

    fn check(&self) -> Result<(), InventoryError> {
        if !is_agent_name(&self.agent_name) {
            return Err(InventoryError::Name { name: self.agent_name.chars().take(64).collect() });
        }
        let name = || self.agent_name.clone();
        if !is_service_dns(&self.service_dns) {
            return Err(InventoryError::ServiceDns {
                name: name(),
                found: self.service_dns.chars().take(128).collect(),
            });
        }
        let bad = |path: &&String| {
            path.len() > 128 || !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic())
        };
        let too_many = self.expected_endpoints.get(ENDPOINTS_MOST);
        match self.expected_endpoints.iter().find(bad).or(too_many) {
            None => Ok(()),
            Some(path) => Err(InventoryError::Endpoint { name: name(), found: path.chars().take(128).collect() }),
        }
    }
}

/// Whether a port follows the host.
fn has_port(service_dns: &str) -> bool {
    let after_address = service_dns.rsplit_once(']').map_or(service_dns, |(_, after)| after);
    after_address.contains(':')
}

/// A host name, an IPv4 address, or an IPv6 address in brackets; a port may follow.
fn is_service_dns(text: &str) -> bool {
    if text.parse::<SocketAddr>().is_ok() {
        return true;
    }
    if let Some(address) = text.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
    };
    host.len() <= 253
        && host.split('.').all(is_label)
        && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|it| it > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../../configs/agents/agents.yaml");

    fn with(field: &str, value: &str) -> String {
        let of = |name: &str, default: &str| if name == field { value.to_owned() } else { default.to_owned() };
        format!(
            "agents:\n  - agent_name: {}\n    service_dns: {}\n    kind: {}\n    expected_endpoints: {}\n    criticality: {}\n",
            of("agent_name", "gamma"),
            of("service_dns", "gamma.svc.cluster.local:8082"),
            of("kind", "strategy"),
            of("expected_endpoints", "[/livez]"),
            of("criticality", "critical"),
        )
    }

    #[test]
    fn the_inventory_that_ships_lists_the_floors_agents_and_execution_without_a_process() {
        let inventory = Inventory::parse(OURS).unwrap();
        let names: Vec<_> = inventory.agents().iter().map(|agent| agent.agent_name.as_str()).collect();
        let mut expected: Vec<_> = agenttrader_agent::start::floor_identities().map(|one| one.agent_name).into();
        expected.push("execution-agent".to_owned());
        assert_eq!(names, expected);
        assert_eq!(inventory.agent("execution-agent").unwrap().replicas, 0);
        for (agent, identity) in inventory.agents().iter().zip(agenttrader_agent::start::floor_identities()) {
            assert_eq!(agent.kind, ServiceKind::of_role(identity.agent_role));
        }
    }

    #[test]
    fn each_bad_field_is_refused() {
        assert!(Inventory::parse(&with("", "")).is_ok());
        for (field, value) in [
            ("agent_name", "../x"),
            ("agent_name", "''"),
            ("service_dns", "http://host"),
            ("service_dns", "host:0"),
            ("service_dns", "host:99999"),
            ("service_dns", "'a b'"),
            ("service_dns", "user@host"),
            ("service_dns", "''"),
            ("kind", "robot"),
            ("criticality", "CRITICAL"),
            ("expected_endpoints", "[livez]"),
            ("expected_endpoints", "['/a b']"),
            ("expected_endpoints", "/livez"),
            ("criticality", "critical\n    more: 1"),
            ("criticality", "critical\n    replicas: -1"),
        ] {
            assert!(Inventory::parse(&with(field, value)).is_err(), "{field}: {value}");
        }
    }

    #[test]
    fn nothing_long_deep_repeated_or_empty_is_read() {
        let deep = format!("agents: {}{}", "[".repeat(5000), "]".repeat(5000));
        let twice = format!("{}{}", with("", ""), with("", "").trim_start_matches("agents:\n"));
        let aliased = "a: &a [x, x]\nagents: [*a, *a]\n".to_owned();
        let long = format!("{}#{}", with("", ""), "x".repeat(INVENTORY_BYTES_MOST));
        for bad in [String::new(), "agents: []".to_owned(), "[]".to_owned(), "\t".to_owned(), deep, aliased] {
            assert!(Inventory::parse(&bad).is_err(), "{}", &bad[..bad.len().min(64)]);
        }
        assert!(matches!(Inventory::parse(&twice), Err(InventoryError::Twice { .. })));
        assert!(matches!(Inventory::parse(&long), Err(InventoryError::TooLong { .. })));
    }

    #[test]
    fn a_status_is_asked_for_at_the_port_or_at_8080() {
        let url = |dns: &str| {
            Agent { service_dns: dns.to_owned(), ..Inventory::parse(&with("", "")).unwrap().agents[0].clone() }
                .status_url()
        };
        assert_eq!(url("gamma"), "http://gamma:8080/ops/status");
        assert_eq!(url("127.0.0.1:81"), "http://127.0.0.1:81/ops/status");
        assert_eq!(url("[::1]:81"), "http://[::1]:81/ops/status");
        assert_eq!(url("[::1]"), "http://[::1]:8080/ops/status");
    }
}
