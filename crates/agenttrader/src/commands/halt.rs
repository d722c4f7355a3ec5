//! `agenttrader halt`: anyone may.

use crate::cli::HaltArgs;
use crate::output::{Done, Exit, Failure, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_agent::marketdata_health::{fetch, http_client};
use agenttrader_agent::status::{STATUS_BYTES_MOST, Status};
use agenttrader_floor::configuration::DEFAULT_AGENTS;
use agenttrader_floor::ports;
use agenttrader_floor::switch_watch::{FILE_VARIABLE, latch, own_file};
use agenttrader_mission_control::inventory::Inventory;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longest wait for agents to confirm.
const CONFIRM_WITHIN: Duration = Duration::from_secs(1);

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Halts, and says who confirmed.
pub async fn run(settings: &Settings, arguments: &HaltArgs) -> Done {
    let data_dir = &settings.data_dir;
    let switch = settings.environment.get(FILE_VARIABLE).map_or_else(|| own_file(data_dir), PathBuf::from);
    // Before the switch, so that whoever sees the halt finds the reason; never in its way.
    if let Err(error) = claim(data_dir, &arguments.reason, settings) {
        talk(&format!("warning: the reason could not be kept: {error}"));
    }
    let (written, how) = match write_one(&switch) {
        Ok(()) => (switch, "wrote 1"),
        Err(first) => {
            talk(&format!("warning: cannot write {}: {first}", switch.display()));
            let latch = latch(data_dir);
            match make_latch(&latch) {
                Ok(()) => (latch, "made the latch"),
                Err(second) => {
                    let hint = format!("a person who may write there can run: printf 1 > {}", switch.display());
                    return Err(Failure::new(
                        Exit::Unavailable,
                        format!("nothing is writable: {}: {second}", latch.display()),
                    )
                    .hint(hint));
                }
            }
        }
    };
    let confirmed = confirmations(settings).await;
    if arguments.json {
        json(&serde_json::json!({"path": written, "how": how, "confirmed": confirmed}));
    } else {
        data(&format!("HALTED: {how} at {}", written.display()));
        if confirmed.is_empty() {
            data("no agent confirmed within 1 s");
        } else {
            data(&format!("confirmed by {}", confirmed.join(", ")));
        }
    }
    if confirmed.is_empty() {
        return Err(Failure::new(Exit::TryAgain, "the switch is set, and no agent confirmed that it saw it")
            .hint("if a floor runs elsewhere, name its data directory and ports with --data-dir and --port-base"));
    }
    Ok(Exit::Good)
}

/// Writes `1` by rename, so that no reader ever sees half of it.
fn write_one(switch: &Path) -> std::io::Result<()> {
    let folder = switch.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    replace(switch, b"1\n")
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn make_latch(latch: &Path) -> std::io::Result<()> {
    if let Some(folder) = latch.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::create(latch)?.sync_all()
}

/// Keeps who halted and why: a claim, quoted by the records.
fn claim(data_dir: &Path, reason: &str, settings: &Settings) -> std::io::Result<()> {
    let folder = data_dir.join("kill-switch");
    std::fs::create_dir_all(&folder)?;
    let named = settings.environment.get("USER").or_else(|| settings.environment.get("LOGNAME")).cloned();
    let user = named.unwrap_or_else(user_number);
    let reason = agenttrader_floor::redactor(&settings.environment).redact_text(reason).into_owned();
    let claim = serde_json::json!({"reason": reason, "user": user, "at_utc": clock::wall()});
    replace(&folder.join("halt.json"), claim.to_string().as_bytes())
}

/// The user by number, where the environment does not name one: in a container, under a service manager.
fn user_number() -> String {
    std::fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |of| format!("user {}", of.uid()))
}

/// Agents whose status shows the switch halted within the bound, in the inventory's order. All are asked side by side: one that hangs
/// takes nothing from the others' time.
async fn confirmations(settings: &Settings) -> Vec<String> {
    let Ok(inventory) = Inventory::parse(DEFAULT_AGENTS) else { return Vec::new() };
    let Ok(client) = http_client() else { return Vec::new() };
    let published = ports::published(&settings.data_dir).filter(|_| !settings.port_base_named).unwrap_or_default();
    let by_base = |service_dns: &str| {
        let port: u16 = service_dns.rsplit(':').next()?.parse().ok()?;
        Some(SocketAddr::new(settings.here(), settings.port_base.checked_add(port.checked_sub(8080)?)?))
    };
    let names: Vec<(String, String)> = inventory
        .agents()
        .iter()
        .filter(|agent| agent.replicas > 0)
        .filter_map(|agent| {
            let address = published.get(&agent.agent_name).copied().or_else(|| by_base(&agent.service_dns))?;
            Some((agent.agent_name.clone(), format!("http://{address}/ops/status")))
        })
        .collect();
    let mut asking = JoinSet::new();
    for (place, (name, url)) in names.into_iter().enumerate() {
        let client = client.clone();
        asking.spawn(async move {
            let confirming = async {
                loop {
                    let answer = fetch(&client, &url, CONFIRM_WITHIN, STATUS_BYTES_MOST).await;
                    let status = answer.ok().and_then(|answer| Status::parse(&answer.body).ok());
                    if status.is_some_and(|status| status.service_name == name && status.safety.kill_switch.halted) {
                        return;
                    }
                    tokio::time::sleep(ASK_EVERY).await;
                }
            };
            timeout(CONFIRM_WITHIN, confirming).await.is_ok().then_some((place, name))
        });
    }
    let mut confirmed: Vec<(usize, String)> = asking.join_all().await.into_iter().flatten().collect();
    confirmed.sort_unstable();
    confirmed.into_iter().map(|(_, name)| name).collect()
}
