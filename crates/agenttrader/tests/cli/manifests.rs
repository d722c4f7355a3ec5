//! The manifests as the binary meets them: each container started with the arguments and the environment that its manifest gives
//! it, asked as its probes and its neighbours ask, and ended as a kubelet ends it.
//!
//! Every service has a loopback address of its own in place of a cluster's, so that ports are the manifests'; volumes are folders.

// The whole of 127.0.0.0/8 is this machine's on Linux alone.
#![cfg(target_os = "linux")]

use crate::screen::{Home, Running, WITHIN};
use agenttrader_policy::yaml::node::Node;
use agenttrader_policy::yaml::read::read;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TOKEN: &str = "a-token-of-a-test-that-is-long-enough-to-be-one";

type Headers = Vec<(String, String)>;

/// What a manifest says of one container.
struct Container {
    name: String,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    ports: BTreeMap<String, u16>,
    /// Path, port and headers of each probe.
    probes: Vec<(String, u16, Headers)>,
    /// Where something is mounted, and files of a ConfigMap that lie there.
    mounts: Vec<(String, BTreeMap<String, String>)>,
    grace: Duration,
}

fn text(node: &Node, path: &[&str]) -> String {
    node.at(path).and_then(Node::text).unwrap_or_else(|| panic!("{path:?} of line {}", node.line)).to_owned()
}

fn list<'a>(node: &'a Node, path: &[&str]) -> &'a [Node] {
    node.at(path).map_or(&[], Node::items)
}

fn documents(folder: &str) -> Vec<Node> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml"));
    files.sort();
    files.iter().flat_map(|path| read("k8s/file.yaml", &std::fs::read(path).unwrap()).documents).collect()
}

/// The files of each ConfigMap, by its name.
fn config_maps(documents: &[Node]) -> BTreeMap<String, BTreeMap<String, String>> {
    let maps = documents.iter().filter(|document| text(document, &["kind"]) == "ConfigMap");
    let data = |map: &Node| {
        let entries = map.get("data").map_or(&[][..], Node::entries).iter();
        entries.map(|(key, value)| (key.text().unwrap().to_owned(), value.text().unwrap().to_owned())).collect()
    };
    maps.map(|map| (text(map, &["metadata", "name"]), data(map))).collect()
}

/// A value as the kubelet would give it; secrets are made up here.
fn value(variable: &Node) -> String {
    if let Some(literal) = variable.get("value") {
        return literal.text().unwrap_or_default().to_owned();
    }
    match text(variable, &["valueFrom", "secretKeyRef", "name"]).as_str() {
        "mission-control-api-token" => TOKEN.to_owned(),
        "alpaca-secret-key" => "local-only".to_owned(),
        _ => "made-up".to_owned(),
    }
}

fn container(pod: &Node, maps: &BTreeMap<String, BTreeMap<String, String>>, claims: &BTreeSet<String>) -> Container {
    let [node] = list(pod, &["containers"]) else { panic!("one container a pod") };
    let ports: BTreeMap<String, u16> = list(node, &["ports"])
        .iter()
        .map(|port| (text(port, &["name"]), text(port, &["containerPort"]).parse().unwrap()))
        .collect();
    let mut probes = Vec::new();
    for kind in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let Some(asked) = node.get(kind).map(|probe| probe.get("httpGet").unwrap()) else { continue };
        let port = text(asked, &["port"]);
        let port = ports.get(&port).copied().or_else(|| port.parse().ok()).unwrap();
        assert!(ports.values().any(|known| *known == port), "{kind} asks a port that is not the container's");
        let headers = list(asked, &["httpHeaders"]).iter();
        probes.push((
            text(asked, &["path"]),
            port,
            headers.map(|one| (text(one, &["name"]), text(one, &["value"]))).collect(),
        ));
    }
    let volumes: BTreeMap<String, &Node> =
        list(pod, &["volumes"]).iter().map(|volume| (text(volume, &["name"]), volume)).collect();
    let mut mounts = Vec::new();
    for mount in list(node, &["volumeMounts"]) {
        let name = text(mount, &["name"]);
        let volume = volumes.get(&name).copied();
        let map = volume.and_then(|volume| volume.at(&["configMap", "name"])).and_then(Node::text);
        let claim = volume.and_then(|volume| volume.at(&["persistentVolumeClaim", "claimName"])).and_then(Node::text);
        let is_there = match (volume, claim) {
            (None, _) => claims.contains(&name),
            (Some(_), Some(claim)) => claims.contains(claim),
            (Some(volume), None) => map.is_some_and(|map| maps.contains_key(map)) || volume.get("emptyDir").is_some(),
        };
        assert!(is_there, "volume {name} is mounted and nowhere declared");
        mounts.push((text(mount, &["mountPath"]), map.map(|map| maps[map].clone()).unwrap_or_default()));
    }
    let grace = pod.get("terminationGracePeriodSeconds").and_then(Node::text).and_then(|text| text.parse().ok());
    Container {
        name: text(node, &["name"]),
        args: list(node, &["args"]).iter().map(|word| word.text().unwrap().to_owned()).collect(),
        env: list(node, &["env"]).iter().map(|one| (text(one, &["name"]), value(one))).collect(),
        ports,
        probes,
        mounts,
        grace: Duration::from_secs(grace.unwrap_or(10)),
    }
}

/// Every container that the manifests run: those of workloads at zero are not.
fn containers() -> Vec<Container> {
    let mut all = documents("k8s");
    all.extend(documents("infra/cloudrun/services"));
    let maps = config_maps(&all);
    let mut claims: BTreeSet<String> = all
        .iter()
        .filter(|document| text(document, &["kind"]) == "PersistentVolumeClaim")
        .map(|claim| text(claim, &["metadata", "name"]))
        .collect();
    let mut containers = Vec::new();
    for document in &all {
        let Some(pod) = document.at(&["spec", "template", "spec"]) else { continue };
        for template in list(document, &["spec", "volumeClaimTemplates"]) {
            claims.insert(text(template, &["metadata", "name"]));
        }
        let at_zero = [
            document.at(&["spec", "replicas"]),
            document.at(&["metadata", "annotations", "run.googleapis.com/manualInstanceCount"]),
        ];
        if at_zero.iter().flatten().all(|replicas| replicas.text() != Some("0")) {
            containers.push(container(pod, &maps, &claims));
        }
    }
    containers
}

/// A loopback address for each service, of this process alone.
fn addresses(containers: &[Container]) -> BTreeMap<String, String> {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let address = |number: usize| format!("127.{}.{}.{}", high.wrapping_rem(64).wrapping_add(64), low, number + 2);
    containers.iter().enumerate().map(|(number, one)| (one.name.clone(), address(number))).collect()
}

/// The manifests' names and folders replaced by those of the test.
struct Place<'a> {
    home: &'a Home,
    addresses: &'a BTreeMap<String, String>,
}

impl Place<'_> {
    fn here(&self, container: &Container, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, address) in self.addresses {
            text = text.replace(&format!("//{name}:"), &format!("//{address}:"));
            text = text.replace(&format!("service_dns: {name}:"), &format!("service_dns: {address}:"));
        }
        let venue = &self.addresses["venue-simulator"];
        for abroad in ["https://paper-api.alpaca.markets", "https://data.alpaca.markets"] {
            text = text.replace(abroad, &format!("http://{venue}:8085"));
        }
        let own = &self.addresses[&container.name];
        text = text.replace("0.0.0.0", own).replace("127.0.0.1", own);
        if text.starts_with('/') {
            let is_mounted = container.mounts.iter().any(|(path, _)| Path::new(&text).starts_with(path));
            assert!(is_mounted, "{}: {text} lies on the image's read-only root", container.name);
            text = format!("{}{text}", self.root(container).display());
        }
        text
    }

    fn root(&self, container: &Container) -> PathBuf {
        self.home.path(&container.name)
    }

    fn mount(&self, container: &Container) {
        for (path, files) in &container.mounts {
            let folder = PathBuf::from(self.here(container, path));
            std::fs::create_dir_all(&folder).unwrap();
            for (name, content) in files {
                std::fs::write(folder.join(name), self.here(container, content)).unwrap();
            }
        }
    }

    /// The binary in this container, with these words in place of its arguments: as `kubectl exec` runs it.
    fn exec(&self, container: &Container, words: &[&str]) -> Command {
        let mut command = self.home.command(words);
        for (name, value) in &container.env {
            command.env(name, self.here(container, value));
        }
        command
    }

    fn start(&self, container: &Container) -> Running {
        self.mount(container);
        let words: Vec<&str> = container.args.iter().map(String::as_str).collect();
        Running::of(self.exec(container, &words))
    }
}

/// `GET` with these headers: status and body.
fn ask(address: &str, path: &str, headers: &[(String, String)]) -> Option<(u16, String)> {
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(WITHIN)).ok()?;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some((answer.split(' ').nth(1)?.parse().ok()?, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Waits for what `look` finds; a container that ended, or is too late, fails with what it said.
fn until<T>(what: &str, running: &mut Running, mut look: impl FnMut() -> Option<T>) -> T {
    running.wait_for(what, |_, _| look())
}

fn states(address: &str) -> Option<BTreeMap<String, String>> {
    let headers = [header("Host", "mission-control"), header("Authorization", &format!("Bearer {TOKEN}"))];
    let (status, body) = ask(address, "/api/v1/agents", &headers)?;
    assert_eq!(status, 200, "{body}");
    let agents: Value = serde_json::from_str(&body).unwrap();
    let row = |row: &Value| {
        let field = |name: &str| row[name].as_str().map(str::to_owned);
        Some((field("agent_name")?, field("state")?))
    };
    agents["items"].as_array()?.iter().map(row).collect()
}

#[test]
fn every_container_starts_as_its_manifest_says_and_mission_control_sees_the_floor() {
    let home = Home::new();
    let containers = containers();
    let names: Vec<&str> = containers.iter().map(|one| one.name.as_str()).collect();
    let expected = [
        "gamma-strategy",
        "whale-strategy",
        "marketdata-mcp-server",
        "venue-simulator",
        "mission-control",
        "market-ingest",
    ];
    assert_eq!(names, expected, "what runs");
    let addresses = addresses(&containers);
    let place = Place { home: &home, addresses: &addresses };
    // In no good order: as a scheduler would.
    let mut running: Vec<Running> = containers.iter().map(|one| place.start(one)).collect();
    for (container, running) in containers.iter().zip(&mut running) {
        assert!(!container.probes.is_empty(), "{} has probes", container.name);
        let address = &addresses[&container.name];
        for (path, port, headers) in &container.probes {
            let what = format!("{path} of {} answers its probe", container.name);
            until(&what, running, || {
                ask(&format!("{address}:{port}"), path, headers).filter(|(status, _)| *status == 200)
            });
        }
        // Neighbours ask by the service's name.
        if container.env.contains_key("AGENTTRADER_HOSTS") {
            let port = container.ports.values().next().unwrap();
            let named = [header("Host", &format!("{}:{port}", container.name))];
            let (status, body) = ask(&format!("{address}:{port}"), "/ops/status", &named).unwrap();
            assert_eq!(status, 200, "{body}");
        }
    }
    let by_name = |name: &str| containers.iter().position(|one| one.name == name).unwrap();
    let control = by_name("mission-control");
    let address = format!("{}:8080", addresses["mission-control"]);
    assert_eq!(
        ask(&address, "/api/v1/agents", &[header("Host", "mission-control")]).unwrap().0,
        401,
        "a token is asked for"
    );
    let seen = until("every agent has been seen", &mut running[control], || {
        let seen = states(&address)?;
        let well = |(name, state): (&String, &String)| match name.as_str() {
            "execution-agent" => state == "OFFLINE",
            _ => state == "OK" || state == "MARKET_CLOSED",
        };
        seen.iter().all(well).then_some(seen)
    });
    let listed: Vec<&str> = seen.keys().map(String::as_str).collect();
    assert_eq!(
        listed,
        ["execution-agent", "gamma-strategy", "marketdata-mcp-server", "mission-control", "whale-strategy"]
    );
    // What the runbooks run inside containers.
    let output = place.exec(&containers[control], &["status"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.starts_with("POSTURE   HALTED") && said.contains("execution-agent OFFLINE"), "{said} {output:?}");
    for name in ["gamma-strategy", "marketdata-mcp-server", "mission-control"] {
        // Whoever is too busy to confirm within the second that is waited for is asked again.
        let confirmed = format!("confirmed by {name}\n");
        until(&confirmed, &mut running[by_name(name)], || {
            let output = place.exec(&containers[by_name(name)], &["halt", "--reason", "drill"]).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(said.starts_with("HALTED: wrote 1 at "), "{said} {output:?}");
            said.ends_with(&confirmed).then_some(())
        });
    }
    for (container, running) in containers.iter().zip(&mut running) {
        let (code, took) = running.end("TERM");
        assert_eq!(code, Some(0), "{}: {}", container.name, running.err());
        assert!(took < container.grace.max(WITHIN), "{} is gone in its grace period", container.name);
    }
}
