//! `agenttrader audit vkey`: the verifier key of a log, alone.

use super::no_keys;
use crate::cli::audit::VkeyArgs;
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_core::identity::is_agent_name;
use agenttrader_governance::keyring::{Keyring, origin};

/// Prints it. It lies in the data directory from the agent's first start on.
pub fn run(settings: &Settings, arguments: &VkeyArgs) -> Done {
    let name = &arguments.agent_name;
    if !is_agent_name(name) {
        return Err(Failure::new(Exit::CouldNot, format!("`{name}` cannot name an agent")));
    }
    let keys = Keyring::of_data_dir(&settings.data_dir).map_err(|error| no_keys(&error))?;
    let Some(key) = keys.get(&origin(name)) else {
        let known: Vec<&str> = keys.origins().filter_map(|origin| origin.rsplit('/').next()).collect();
        let hint = match known.as_slice() {
            [] => {
                format!("no agent ever started over {}; name another with --data-dir DIR", settings.data_dir.display())
            }
            known => format!("there are keys of {}", known.join(", ")),
        };
        return Err(Failure::new(Exit::CouldNot, format!("no key of {name} in {}", keys.from())).hint(hint));
    };
    if arguments.json {
        json(
            &serde_json::json!({"agent_name": name, "origin": key.name(), "key_id": format!("{:08x}", key.id()), "vkey": key.to_string()}),
        );
    } else {
        data(&key.to_string());
    }
    Ok(Exit::Good)
}
