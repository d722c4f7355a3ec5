//! `agenttrader-rehearsal ROOT ARGUMENTS…`: all of `agenttrader`, believing the people, and being the build, that the file ROOT names.
//!
//! For tests of the whole and for rehearsals: it reaches venues of this machine alone, and executes nothing live. ROOT is JSON:
//! `{"signers": {"allowed_signers": "…", "revoked_keys": "…"}, "build": {"git_sha": "…", "build_id": "…"}}`.

use agenttrader::Root;
use agenttrader_authority::trust_root::SignersText;
use agenttrader_core::identity::Build;
use serde::Deserialize;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Bad usage, as everywhere in the command line.
const BAD_USAGE: u8 = 2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RootFile {
    signers: SignersText,
    build: Build,
}

fn read(path: &Path) -> Result<Root, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let RootFile { signers, build } = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    Ok(Root { signers, build })
}

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.len() < 2 {
        eprintln!("error: no root given\nhint: agenttrader-rehearsal ROOT.json floor …");
        return BAD_USAGE.into();
    }
    let path = words.remove(1);
    match read(Path::new(&path)) {
        Ok(root) => agenttrader::rehearse(root, words),
        Err(problem) => {
            eprintln!("error: cannot read the root `{}`: {problem}", path.display());
            BAD_USAGE.into()
        }
    }
}
