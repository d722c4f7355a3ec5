//! `agenttrader readiness`: is everything as it must be?

use super::{cluster, objects, parsed, seen, written};
use crate::cli::evidence::{ReadinessArgs, ReadinessScope};
use crate::commands::show::mission_control;
use crate::output::{Done, Exit, Failure, data, raw, talk};
use crate::settings::Settings;
use agenttrader_core::error_chain::chain;
use agenttrader_core::identity::Build;
use agenttrader_core::time::UnixNanos;
use agenttrader_floor::plain::plain;
use agenttrader_governance::git::program::Programs;
use agenttrader_governance::git::repository::Repository;
use agenttrader_governance::lock::validate::Asked;
use agenttrader_governance::readiness::floor::{self, Answers};
use agenttrader_governance::readiness::{self, Report, Scope, word_of};
use serde_json::json;
use std::ffi::OsStr;
use std::path::Path;

/// Checks, writes the report, and records that it did.
pub async fn run(settings: &Settings, arguments: &ReadinessArgs, build: &Build) -> Done {
    let default = if arguments.report.from.is_some() { ReadinessScope::Cluster } else { ReadinessScope::Repository };
    let scope = arguments.scope.unwrap_or(default);
    if arguments.report.from.is_some() && scope != ReadinessScope::Cluster {
        return Err(Failure::new(Exit::CouldNot, "--from holds a cluster's objects").hint("ask with --scope cluster"));
    }
    let at = seen(arguments.report.at.as_deref())?;
    let report = match scope {
        ReadinessScope::Repository => of_repository(settings, at, build),
        ReadinessScope::Floor => {
            let checks = floor::checks(&answers(settings).await);
            Report::new(Scope::Floor, at, &build.git_sha, checks)
        }
        ReadinessScope::Cluster => {
            let (saved, _) = objects(settings, arguments.report.from.as_deref())?;
            let parsed = parsed(&saved)?;
            Report::new(Scope::Cluster, at, &build.git_sha, readiness::cluster::checks(&cluster(&parsed)?))
        }
    };
    let about = json!({"scope": report.scope, "result": report.result});
    let files = written(settings, build, "readiness", &arguments.report.out, &report.files(), about)?;
    if arguments.report.json {
        raw(&report.json());
    } else {
        for check in &report.checks {
            let mut head = format!("{:<8} {:<18}", word_of(check.result), check.check);
            for line in check.evidence.split("; ") {
                data(&format!("{head} {}", plain(line)));
                head = " ".repeat(27);
            }
        }
        data(if report.is_ready() { "READY" } else { "NOT READY" });
        files.iter().for_each(|file| talk(&format!("written: {}", file.path.display())));
    }
    Ok(if report.is_ready() { Exit::Good } else { Exit::Bad })
}

fn of_repository(settings: &Settings, at: UnixNanos, build: &Build) -> Report {
    let data_dir = Some(settings.data_dir.as_path());
    let programs = Programs::find(settings.environment.get("PATH").map(OsStr::new)).map_err(|error| chain(&error));
    let found = programs.and_then(|programs| Repository::find(Path::new("."), programs).map_err(|error| chain(&error)));
    let (sha, checks) = match found {
        Ok(repository) => readiness::repository::checks(&repository, &Asked { data_dir, root: None, now: at }),
        Err(why) => (None, readiness::repository::without_history(Path::new("."), data_dir, &why)),
    };
    Report::new(Scope::Repository, at, sha.unwrap_or_else(|| build.git_sha.clone()), checks)
}

async fn answers(settings: &Settings) -> Answers {
    let asked = match mission_control(settings) {
        Ok(asked) => asked,
        Err(failure) => {
            let silent = || Err(failure.message.clone());
            return Answers { safety: silent(), agents: silent(), audit: silent() };
        }
    };
    let ask = async |path: &str| asked.get(path).await.map_err(|error| chain(&error));
    Answers {
        safety: ask("/api/v1/safety").await,
        agents: ask("/api/v1/agents").await,
        audit: ask("/api/v1/audit").await,
    }
}
