//! `agenttrader policy check`: what an actor may change and push.

use crate::cli::policy::{CheckArgs, PolicyCommand};
use crate::output::{Done, Exit, Failure, data, json};
use crate::settings::Settings;
use agenttrader_floor::plain::plain;
use agenttrader_governance::actors::actor::{Actor, Kind};
use agenttrader_governance::actors::change;
use agenttrader_governance::actors::error::PolicyError;
use agenttrader_governance::actors::offence::Offence;
use agenttrader_governance::actors::{push, update};
use agenttrader_governance::git::error::GitError;
use agenttrader_governance::git::id::Id;
use agenttrader_governance::git::program::Programs;
use agenttrader_governance::git::repository::Repository;
use serde_json::json;
use std::ffi::OsStr;
use std::io::Read as _;
use std::path::Path;

/// Most bytes that are read of what git tells a hook.
const TOLD_MOST: u64 = 4 * 1024 * 1024;

/// Runs the command.
pub fn run(settings: &Settings, command: PolicyCommand) -> Done {
    let PolicyCommand::Check(arguments) = command;
    match (&arguments.actor, &arguments.actor_from) {
        (Some(actor), _) => changed(settings, &arguments, actor),
        (None, from) => pushed(settings, &arguments, from.as_deref().unwrap_or_default()),
    }
}

fn programs(settings: &Settings) -> Result<Programs, Failure> {
    let path = settings.environment.get("PATH").map(OsStr::new);
    Programs::find(path).map_err(|error| Failure::of(Exit::Unavailable, &error))
}

/// A change, by itself.
fn changed(settings: &Settings, arguments: &CheckArgs, actor: &str) -> Done {
    let repository = Repository::find(Path::new("."), programs(settings)?).map_err(|error| unjudged(&error.into()))?;
    let commit = |name: &str| repository.resolve(name).map_err(|error| unjudged(&error.into()));
    let base = commit(arguments.base.as_deref().unwrap_or_default())?;
    let head = commit(arguments.head.as_deref().unwrap_or("HEAD"))?;
    let actor = change::actors(&repository, base).map_err(|error| unjudged(&error))?.of_name(actor);
    let offences = match actor.kind {
        // What people may change is decided where it is pushed and unlocked.
        Kind::Person => Vec::new(),
        Kind::Agent => change::judge(&repository, base, head).map_err(|error| unjudged(&error))?,
    };
    Ok(told(
        &Verdict { actor: &actor, pusher: arguments.actor.as_deref(), base, head: Some(head), offences: &offences },
        arguments.json,
    ))
}

/// A push, as git's hook.
fn pushed(settings: &Settings, arguments: &CheckArgs, variable: &str) -> Done {
    let pusher = settings.environment.get(variable).map(String::as_str).filter(|name| !name.trim().is_empty());
    let pusher = pusher.ok_or_else(|| {
        Failure::new(Exit::CouldNot, format!("the variable {variable} is not set: nobody knows who pushes"))
            .hint("let the server that authenticates set it for the hook")
    })?;
    let here = Path::new(".");
    let is_bare = here.join("HEAD").is_file() && here.join("objects").is_dir();
    let programs = programs(settings)?;
    let repository = if is_bare {
        Repository::receiving(here, programs, &settings.environment)
    } else {
        Repository::find(here, programs)
    };
    let repository = repository.map_err(|error| unjudged(&error.into()))?;
    let mut lines = Vec::new();
    let read = std::io::stdin().lock().take(TOLD_MOST.saturating_add(1)).read_to_end(&mut lines);
    read.map_err(|error| Failure::new(Exit::CouldNot, format!("cannot read what git says: {error}")))?;
    if u64::try_from(lines.len()).map_or(true, |read| read > TOLD_MOST) {
        return Err(
            Failure::new(Exit::CouldNot, "git tells of more refs than are judged").hint("push fewer refs at once")
        );
    }
    let updates = update::updates(&lines).map_err(|error| unjudged(&error))?;
    let base = arguments.base.as_deref().unwrap_or("HEAD");
    let judged = push::judge(&repository, base, pusher, &updates).map_err(|error| unjudged(&error))?;
    let verdict = Verdict {
        actor: &judged.actor,
        pusher: Some(pusher),
        base: judged.rules,
        head: None,
        offences: &judged.offences,
    };
    Ok(told(&verdict, arguments.json))
}

fn unjudged(error: &PolicyError) -> Failure {
    let failure = Failure::of(Exit::CouldNot, error);
    match error {
        PolicyError::Git(GitError::NoRepository { .. }) => failure.hint("run it inside the repository"),
        PolicyError::Git(GitError::NoCommit { .. }) => {
            failure.hint("name a commit that is there; a server's HEAD names its baseline branch")
        }
        PolicyError::Shallow => failure.hint("git fetch --unshallow"),
        _ => failure,
    }
}

struct Verdict<'a> {
    actor: &'a Actor,
    pusher: Option<&'a str>,
    base: Id,
    head: Option<Id>,
    offences: &'a [Offence],
}

/// Says what was found.
fn told(verdict: &Verdict<'_>, as_json: bool) -> Exit {
    let Verdict { actor, pusher, base, head, offences } = verdict;
    let kind = match actor.kind {
        Kind::Person => "person",
        Kind::Agent => "agent",
    };
    let allowed = offences.is_empty();
    if as_json {
        let refused: Vec<_> = offences
            .iter()
            .map(|offence| {
                let mut value = json!(offence);
                value["remedy"] = json!(offence.remedy());
                value
            })
            .collect();
        json(&json!({
            "verdict": if allowed { "ALLOWED" } else { "REFUSED" },
            "actor": {"name": actor.name, "kind": kind, "listed": actor.listed, "given": pusher},
            "base": base,
            "head": head,
            "refused": refused,
        }));
    } else {
        offences.iter().for_each(show);
        let who = actor.name.as_deref().or(*pusher).unwrap_or("nobody");
        let listed = if actor.listed { "" } else { ", listed nowhere" };
        let what = if allowed { "ALLOWED" } else { "REFUSED" };
        let count = if allowed { String::new() } else { format!(", {} found", offences.len()) };
        data(&format!("{what}  {} ({kind}{listed}), by the rules of {base}{count}", plain(who)));
    }
    if allowed { Exit::Good } else { Exit::Bad }
}

fn show(offence: &Offence) {
    let place = match (&offence.path, offence.line) {
        (Some(path), Some(line)) => format!("{}:{line}: ", plain(path)),
        (Some(path), None) => format!("{}: ", plain(path)),
        (None, _) => offence.reference.as_ref().map(|name| format!("{}: ", plain(name))).unwrap_or_default(),
    };
    data(&format!("REFUSED {:11} {place}{}", offence.kind.id(), plain(&offence.what)));
    if let Some(text) = offence.text.as_ref().filter(|text| !text.is_empty()) {
        data(&format!("{:20}> {}", "", plain(text)));
    }
    let pushed = offence.reference.as_ref().filter(|_| offence.path.is_some());
    let of: Vec<_> =
        [offence.commit.map(|id| format!("commit {id}")), pushed.map(|name| format!("in {}", plain(name)))]
            .into_iter()
            .flatten()
            .collect();
    if !of.is_empty() {
        data(&format!("{:20}{}", "", of.join(", ")));
    }
    data(&format!("{:20}do: {}", "", offence.remedy()));
}
