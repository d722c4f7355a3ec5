//! `agenttrader lock …`: the production lock, judged and made.

mod generate;
mod init;
mod manifests;
mod pin;
pub(super) mod recorded;
pub(super) mod report;
mod sign;
mod status;
mod tag;
mod validate;

use crate::cli::lock::{LockCommand, SignArgs};
use crate::output::{Done, Exit, Failure, raw};
use crate::settings::Settings;
use agenttrader_core::identity::Build;
use agenttrader_governance::git::error::GitError;
use agenttrader_governance::git::program::Programs;
use agenttrader_governance::git::repository::Repository;
use agenttrader_governance::git::sign::Signer;
use agenttrader_governance::lock::model::{LOCK_PATH, Lock};
use agenttrader_governance::lock::page::page;
use agenttrader_governance::lock::validate::JudgeError;
use agenttrader_governance::lock::write_error::WriteError;
use std::ffi::OsStr;
use std::path::Path;

/// Runs the command.
pub fn run(settings: &Settings, command: LockCommand, build: &Build) -> Done {
    match command {
        LockCommand::Validate(arguments) => validate::run(settings, &arguments),
        LockCommand::Manifests(arguments) => manifests::run(settings, &arguments),
        LockCommand::Status(arguments) => status::run(settings, &arguments),
        LockCommand::Page => show_page(settings),
        LockCommand::Init(arguments) => init::run(settings, &arguments, build),
        LockCommand::Sign(arguments) => sign::run(settings, &arguments, build),
        LockCommand::Generate(arguments) => generate::run(settings, &arguments, build),
        LockCommand::Pin(arguments) => pin::run(settings, &arguments),
        LockCommand::Tag(arguments) => tag::run(settings, &arguments, build),
    }
}

/// The repository of the working directory.
pub(super) fn repository(settings: &Settings) -> Result<Repository, Failure> {
    let path = settings.environment.get("PATH").map(OsStr::new);
    let programs = Programs::find(path).map_err(|error| Failure::of(Exit::Unavailable, &error))?;
    Repository::find(Path::new("."), programs).map_err(|error| unread(&error))
}

/// Whose key signs.
pub(super) fn signer(settings: &Settings, arguments: &SignArgs) -> Result<Signer, Failure> {
    let agent = settings.environment.get("SSH_AUTH_SOCK").map(Into::into);
    Signer::new(&arguments.principal, &arguments.key, agent).map_err(|error| unread(&error))
}

pub(super) fn unread(error: &GitError) -> Failure {
    let failure = Failure::of(Exit::CouldNot, error);
    match error {
        GitError::NoRepository { .. } => failure.hint("run it inside the repository"),
        GitError::Altered { .. } | GitError::Missing { .. } => {
            failure.hint("`git fsck --full` says what is damaged; clone anew")
        }
        _ => failure,
    }
}

fn unjudged(error: &JudgeError) -> Failure {
    match error {
        JudgeError::Git(error) => unread(error),
        JudgeError::Shallow => Failure::of(Exit::CouldNot, error).hint("git fetch --unshallow"),
        JudgeError::Disk(_) | JudgeError::Pattern(_) => Failure::of(Exit::CouldNot, error),
    }
}

pub(super) fn unwritten(error: WriteError) -> Failure {
    match error {
        WriteError::Git(error) => unread(&error),
        WriteError::Judge(error) => unjudged(&error),
        WriteError::Refused { what, remedy } => Failure::new(Exit::Bad, what).hint(remedy),
        WriteError::Unlockable { ref findings, .. } => {
            report::show(findings);
            Failure::of(Exit::Bad, &error)
                .hint("mend it on the development branch and open an unlock of that; `--waives FILE` asks for a time without kill-switch or exec-scale")
        }
        WriteError::Fails { findings } => {
            report::show(&findings);
            Failure::new(
                Exit::Bad,
                format!("nothing is done while {} of the lock's rules' findings are failures", findings.len()),
            )
            .hint("`agenttrader lock validate` lists all findings")
        }
        error => Failure::of(Exit::Bad, &error),
    }
}

/// `lock page`.
fn show_page(settings: &Settings) -> Done {
    let repository = repository(settings)?;
    let at = repository.on_disk(&LOCK_PATH.into());
    let bytes = std::fs::read(&at)
        .map_err(|error| Failure::new(Exit::CouldNot, format!("cannot read {LOCK_PATH}: {error}")))?;
    let lock = Lock::parse(&bytes).map_err(|error| Failure::of(Exit::Bad, &error))?;
    raw(page(&lock).as_bytes());
    Ok(Exit::Good)
}
