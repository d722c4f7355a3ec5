//! `agenttrader unlock grant`: what an execution agent may do, signed.

use super::{from_file, recorded, repository, unwritten};
use crate::cli::lock::SignArgs;
use crate::cli::unlock::GrantArgs;
use crate::output::{Done, Exit, Failure, data, json, talk};
use crate::settings::Settings;
use agenttrader_agent::clock;
use agenttrader_audit::record::IntentType;
use agenttrader_authority::presented::Presented;
use agenttrader_core::canonical_json;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_floor::plain::plain;
use agenttrader_governance::git::repository::Repository;
use agenttrader_governance::unlock::grant::{Asking, Granted, grant, granting};
use agenttrader_governance::unlock::install::install;
use serde_json::json;
use std::path::Path;

/// Signs, and installs once enough have.
pub fn run(settings: &Settings, arguments: &GrantArgs, build: &Build) -> Done {
    let repository = repository(settings)?;
    let granted = match (&arguments.principal, &arguments.key) {
        (Some(principal), Some(key)) => Some(signed(settings, arguments, build, &repository, (principal, key))?),
        _ => None,
    };
    let installed = arguments.install.as_deref().map(|data_dir| put(&repository, data_dir)).transpose()?.flatten();
    // Asked to do nothing but install, and nothing was: that is bad. With a signature the others' are only awaited.
    let exit = if granted.is_none() && installed.is_none() { Exit::Bad } else { Exit::Good };
    if arguments.json {
        json(&json!({
            "sha256": granted.as_ref().map(|granted| granted.sha256), "commit": granted.as_ref().map(|granted| granted.commit),
            "standing": granted.as_ref().map(|granted| granted.standing.word()), "installed": installed,
        }));
        return Ok(exit);
    }
    if let Some(granted) = &granted {
        data(&format!("grant      {}, commit {}", granted.sha256, granted.commit));
        match &granted.standing {
            Presented::Unusable { why, .. } => data(&format!("missing    {}", plain(&why.reason()))),
            standing => data(&format!("standing   {}", standing.word())),
        }
    }
    match (installed, &arguments.install) {
        (Some(path), _) => data(&format!("installed  {}", path.display())),
        (None, Some(_)) => talk("not installed: too few have signed yet, or it is not valid"),
        (None, None) => {}
    }
    Ok(exit)
}

fn signed(
    settings: &Settings,
    arguments: &GrantArgs,
    build: &Build,
    repository: &Repository,
    (principal, key): (&str, &Path),
) -> Result<Granted, Failure> {
    let who = SignArgs { principal: principal.to_owned(), key: key.to_owned(), json: false };
    let signer = super::signer(settings, &who)?;
    let asking = asking(arguments)?;
    let granting = granting(repository).map_err(unwritten)?;
    let statement = granting.statement(repository, asking.as_ref(), clock::wall()).map_err(unwritten)?;
    talk("what you sign, from its own bytes:");
    readable(&statement).lines().for_each(|line| talk(&plain(line)));
    talk(&format!("SHA-256 of them: {}", Digest::of(&statement)));
    let act = || grant(repository, &granting, &statement, &signer, clock::wall()).map_err(unwritten);
    let tell = |granted: &Granted| {
        let payload = json!({
            "report": "unlock_grant", "unlock_id": granted.unlock_id, "principal": signer.principal,
            "grant_sha256": granted.sha256, "commit": granted.commit, "standing": granted.standing.word(),
        });
        (format!("grant {} signed by {}", granted.sha256, signer.principal), payload)
    };
    recorded(settings, build, IntentType::Approval, act, tell)
}

/// Bytes of JSON, one member a line; as they are where they are none.
fn readable(statement: &[u8]) -> String {
    let value = canonical_json::parse(statement).ok();
    let text = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.unwrap_or_else(|| String::from_utf8_lossy(statement).into_owned())
}

/// Puts HEAD's grant into a data directory; nothing while too few have signed.
fn put(repository: &Repository, data_dir: &Path) -> Result<Option<std::path::PathBuf>, Failure> {
    let granting = granting(repository).map_err(unwritten)?;
    let (Presented::Good(_), Some(file)) = (granting.standing(clock::wall()), granting.file()) else { return Ok(None) };
    install(&file, data_dir).map(Some).map_err(|error| Failure::of(Exit::CouldNot, &error))
}

/// What is granted; nothing where only a signature is added.
fn asking(arguments: &GrantArgs) -> Result<Option<Asking>, Failure> {
    if arguments.modes.is_empty() {
        return Ok(None);
    }
    let wrong = |what: String| Failure::new(Exit::CouldNot, what);
    let mode = |word: &String| {
        serde_json::from_value(json!(word)).map_err(|_| wrong(format!("`{word}` is none of shadow, paper, live")))
    };
    let symbol = |word: &String| Symbol::parse(word).map_err(|error| wrong(format!("`{word}`: {error}")));
    let time = |text: &String| UnixNanos::parse(text).map_err(|error| wrong(format!("`{text}`: {error}")));
    let needed = |text: &Option<String>, flag: &str| {
        text.as_ref().ok_or_else(|| wrong(format!("{flag} is missing"))).and_then(time)
    };
    let image = |text: &String| {
        let digest = Digest::parse(text.strip_prefix("sha256:").unwrap_or(text));
        digest.ok_or_else(|| wrong(format!("`{text}` is no sha256:DIGEST")))
    };
    let limits = arguments.limits.as_deref().ok_or_else(|| wrong("--limits is missing".to_owned()))?;
    Ok(Some(Asking {
        modes: arguments.modes.iter().map(mode).collect::<Result<_, _>>()?,
        symbols: arguments.symbols.iter().map(symbol).collect::<Result<_, _>>()?,
        limits: from_file(limits)?,
        delegation: arguments.delegate.as_deref().map(from_file).transpose()?.unwrap_or_default(),
        not_before: needed(&arguments.not_before, "--not-before")?,
        not_after: needed(&arguments.not_after, "--not-after")?,
        exit_until: arguments.exit_until.as_ref().map(time).transpose()?,
        reason: arguments.reason.clone().unwrap_or_else(|| "granted under the unlock that it names".to_owned()),
        image: arguments.image.as_ref().map(image).transpose()?,
    }))
}
