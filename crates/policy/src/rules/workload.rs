//! Which containers of a workload are agents, for the rules on identity, probes and number.
//!
//! An agent has an `AGENT_ROLE` or a `REPO_ID`, or runs our binary as one. Where no container of a pod does, the first that
//! is no known infrastructure should be one and is judged as one, where it stands in the floor's namespace or in none. All others of the pod are sidecars.

use crate::environment::command_line;
use crate::placing::{base_name, is_open};
use crate::pod::{Container, Pod, Position};
use crate::yaml::node::Node;

/// Subcommands of the binary that are agents; without one it is the floor.
const AGENTS: [&str; 7] = ["floor", "venue", "marketdata", "strategy", "execution", "mission-control", "mcp"];

/// Images that nobody writes an agent into: what stands beside agents, or serves them.
const INFRASTRUCTURE: [&str; 34] = [
    "nats",
    "nats-streaming",
    "nats-server-config-reloader",
    "prometheus-nats-exporter",
    "nats-box",
    "prometheus",
    "alertmanager",
    "node-exporter",
    "grafana",
    "loki",
    "promtail",
    "tempo",
    "alloy",
    "agent",
    "vector",
    "fluent-bit",
    "fluentd",
    "opentelemetry-collector",
    "opentelemetry-collector-contrib",
    "envoy",
    "proxyv2",
    "istio-proxy",
    "linkerd-proxy",
    "proxy",
    "nginx",
    "caddy",
    "oauth2-proxy",
    "cloud-sql-proxy",
    "redis",
    "postgres",
    "busybox",
    "pause",
    "alpine",
    "kubectl",
];

/// Whether an object is Cloud Run's: Knative's shape, without a cluster around it.
pub fn is_cloud_run(pod: &Pod<'_>) -> bool {
    pod.object.api_version.starts_with("serving.knative.dev/")
        || pod.object.api_version.starts_with("run.googleapis.com/")
}

/// Whether a pod runs to an end and is no service.
pub fn runs_to_an_end(pod: &Pod<'_>) -> bool {
    matches!(pod.object.kind, "Job" | "CronJob")
}

/// The agents among the containers of a pod.
pub fn agents<'p, 'a>(pod: &'p Pod<'a>) -> Vec<&'p Container<'a>> {
    let serving = || pod.containers.iter().filter(|container| container.position == Position::Main);
    let marked: Vec<_> = serving().filter(|container| is_agent(container)).collect();
    // Agents live in the floor's namespace; what others run beside it is theirs.
    let elsewhere = pod.object.namespace.is_some_and(|namespace| namespace != "trading-floor" && !is_open(namespace));
    if !marked.is_empty() || runs_to_an_end(pod) || elsewhere {
        return marked;
    }
    let is_infrastructure = |container: &&Container<'a>| {
        INFRASTRUCTURE.contains(&image_name(container)) || image_name(container).ends_with("-exporter")
    };
    serving().find(|container| !is_infrastructure(container)).into_iter().collect()
}

/// Whether it is known to be one.
pub fn is_agent(container: &Container<'_>) -> bool {
    let has = |name: &str| container.environment.of(name).next().is_some();
    has("AGENT_ROLE") || has("REPO_ID") || subcommand(container).is_some_and(|word| AGENTS.contains(&word.as_str()))
}

fn image_name<'a>(container: &Container<'a>) -> &'a str {
    base_name(container.node.get("image").and_then(Node::text).unwrap_or_default())
}

/// The subcommand of our binary that a container runs; `floor` where it names none.
pub fn subcommand(container: &Container<'_>) -> Option<String> {
    let words: Vec<String> = command_line(container.node, &container.environment)
        .into_iter()
        .filter_map(|(_, values)| values.only().map(str::to_owned))
        .collect();
    let is_binary = |word: &String| base_name(word) == "agenttrader";
    let spelled = words.iter().position(is_binary).map(|at| at.saturating_add(1));
    let own = container.node.get("command").is_none() && image_name(container) == "agenttrader";
    let from = spelled.or(own.then_some(0))?;
    let mut rest = words.get(from..).unwrap_or_default().iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--data-dir" | "--config" | "--log-format" | "--bind" | "--port-base" => {
                rest.next();
            }
            flag if flag.starts_with('-') => {}
            word => return Some(word.to_owned()),
        }
    }
    Some("floor".to_owned())
}
