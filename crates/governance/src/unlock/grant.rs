//! `unlock grant`: what an execution agent may do under a lock, where and until when, signed by people. Step 6.

use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::sign::Signer;
use crate::lock::agents::Agents;
use crate::lock::build::with_bytes;
use crate::lock::chain::{Locks, Placed};
use crate::lock::commit::{commit, head_files};
use crate::lock::later;
use crate::lock::people::{People, PeopleError};
use crate::lock::unlocked;
use crate::lock::write_error::WriteError;
use crate::unlock::approve::nonce;
use crate::unlock::current::is_clean;
use crate::unlock::people_signed::{PeopleSigned, grant_path, signature_path};
use crate::unlock::request;
use crate::unlock::status::root;
use crate::workload::manifests::Manifests;
use agenttrader_authority::delegation::Delegation;
use agenttrader_authority::grant::{ExecutionMode, Grant, GrantPredicate};
use agenttrader_authority::grant_limits::GrantLimits;
use agenttrader_authority::namespace::Namespace;
use agenttrader_authority::presented::Presented;
use agenttrader_authority::signed_file::SignedFile;
use agenttrader_authority::ssh_key::KeyKind;
use agenttrader_authority::sshsig::SshSignature;
use agenttrader_authority::statement::{GitCommit, Statement};
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_authority::verify::grant as verified;
use agenttrader_core::digest::Digest;
use agenttrader_core::error_chain::chain;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_policy::finding::Rule;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Execution modes.
    pub modes: Vec<ExecutionMode>,
    /// Underlyings.
    pub symbols: Vec<Symbol>,
    /// Limits lowered.
    pub limits: GrantLimits,
    /// What needs no approval of its own.
    pub delegation: Vec<Delegation>,
    /// First instant of validity.
    pub not_before: UnixNanos,
    /// First instant after it.
    pub not_after: UnixNanos,
    /// Until then reducing orders still pass.
    pub exit_until: Option<UnixNanos>,
    /// Why.
    pub reason: String,
    /// Digest of the execution image; the one that the lock's manifests pin where none is named.
    pub image: Option<Digest>,
}

/// The lock that a grant is under, and the grant that is there.
#[derive(Clone, Debug)]
pub struct Granting {
    /// HEAD.
    pub head: Id,
    /// The lock.
    pub lock: Placed,
    /// The unlock that it followed.
    pub unlock_id: String,
    /// The grant's file and its signatures.
    pub signed: PeopleSigned,
    people: People,
    root: TrustRoot,
}

/// A grant, signed once more.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The unlock.
    pub unlock_id: String,
    /// The grant's digest: its name.
    pub sha256: Digest,
    /// The commit that holds it.
    pub commit: Id,
    /// What became of it: good once enough have signed.
    pub standing: Presented<Grant>,
}

/// The grant of HEAD's lock.
///
/// # Errors
/// [`WriteError`], where the lock is none that anything can be granted under.
pub fn granting(repository: &Repository) -> Result<Granting, WriteError> {
    let head = repository.head()?;
    let lock = later::base(repository)?;
    let locked = lock.lock.locked().cloned();
    let (Some(previous), Some(unlock_id)) =
        locked.map(|locked| (locked.previous, locked.unlock_id)).unwrap_or_default()
    else {
        return Err(WriteError::refused(
            "the lock is the first: nothing was unlocked",
            "a grant follows a completed unlock: agenttrader unlock open",
        ));
    };
    let refused = |what: String| WriteError::refused(what, "`agenttrader lock validate` says all that is wrong");
    let locks = Locks::in_history(repository, head)?;
    let base = locks.placed(repository, previous)?.map_err(|error| refused(chain(&error)))?;
    if let Err(why) = unlocked::judged(repository, &lock, &base)? {
        return Err(refused(format!("unlock {unlock_id} is not completed: {}", why.line())));
    }
    let signed = PeopleSigned::at(repository, head, &grant_path(&unlock_id))?;
    let people = People::at(repository, lock.commit)?;
    let root = root(repository, &lock)?;
    Ok(Granting { head, lock, unlock_id, signed, people, root })
}

impl Granting {
    /// The grant as a gate would find it.
    pub fn file(&self) -> Option<SignedFile> {
        let bytes = self.signed.bytes.as_ref()?;
        let text = String::from_utf8_lossy(bytes).into_owned();
        Some(SignedFile { sha256: Digest::of(bytes), text, signatures: self.signed.presented(), revoked: false })
    }

    /// What became of it.
    pub fn standing(&self, at: UnixNanos) -> Presented<Grant> {
        self.file().map_or(Presented::Missing, |file| verified(&file, &self.root, at))
    }

    /// The bytes to be signed: those that are there, or new ones.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn statement(
        &self,
        repository: &Repository,
        asking: Option<&Asking>,
        now: UnixNanos,
    ) -> Result<Vec<u8>, WriteError> {
        let Some(asking) = asking else {
            return self.signed.bytes.clone().ok_or_else(|| {
                WriteError::refused(
                    "there is no grant to sign",
                    "name what is granted: --modes, --symbols, --limits, …",
                )
            });
        };
        if let Presented::Unusable { claims: Some(waiting), .. } = self.standing(now)
            && now < waiting.terms.not_after
        {
            let same = self.bytes(repository, asking, &waiting.terms.nonce)?;
            if Some(&same) == self.signed.bytes.as_ref() {
                return Ok(same);
            }
            return Err(WriteError::refused(
                format!("the grant {} waits for signatures and says something else", waiting.sha256),
                "sign it without naming what it grants, or `agenttrader unlock revoke` it first",
            ));
        }
        self.bytes(repository, asking, &nonce()?)
    }

    fn bytes(&self, repository: &Repository, asking: &Asking, nonce: &str) -> Result<Vec<u8>, WriteError> {
        let refused = |what: String, remedy: &str| WriteError::refused(what, remedy);
        let request = request::at(repository, self.lock.commit, &self.unlock_id)?;
        if asking.modes.contains(&ExecutionMode::Live) && !request.grants_live {
            return Err(refused(
                format!("unlock {} did not ask for a grant for live", self.unlock_id),
                "open an unlock with --live: two reviewers approve it",
            ));
        }
        let waives = self.lock.lock.locked().map(|locked| locked.waives.as_slice()).unwrap_or_default();
        let terms = GrantPredicate {
            unlock_id: self.unlock_id.clone(),
            modes: asking.modes.clone(),
            symbols: asking.symbols.clone(),
            limits: asking.limits.clone(),
            delegation: asking.delegation.clone(),
            waives_kill_switch: waives.iter().any(|waiver| waiver.rule == Rule::KillSwitch),
            not_before: asking.not_before,
            not_after: asking.not_after,
            exit_until: asking.exit_until,
            reason: asking.reason.clone(),
            nonce: nonce.to_owned(),
        };
        terms.check().map_err(|error| refused(chain(&error), "grant otherwise"))?;
        let image = match asking.image {
            Some(image) => image,
            None => self.pinned(repository)?,
        };
        let commit = GitCommit::parse(&self.lock.commit.to_string())
            .ok_or_else(|| refused("the lock's commit has no name".to_owned(), "clone anew"))?;
        let statement: Statement<GrantPredicate> = terms.about(commit, self.lock.sha256, image);
        statement.to_bytes().map_err(|error| refused(chain(&error), "grant otherwise"))
    }

    /// The one image that the lock's manifests pin for what can place orders.
    fn pinned(&self, repository: &Repository) -> Result<Digest, WriteError> {
        let digests: std::collections::BTreeSet<_> = Manifests::of(repository, self.lock.commit)?
            .placing()
            .flat_map(|workload| workload.containers)
            .filter_map(|container| container.image)
            .map(|image| image.split_once("@sha256:").and_then(|(_, digest)| Digest::parse(digest)))
            .collect();
        match Vec::from_iter(digests).as_slice() {
            [Some(one)] => Ok(*one),
            _ => Err(WriteError::refused(
                "the lock's manifests do not pin one image for what can place orders",
                "name the execution image's digest: --image sha256:…",
            )),
        }
    }
}

/// Signs a grant and commits it.
///
/// # Errors
/// [`WriteError`].
pub fn grant(
    repository: &Repository,
    granting: &Granting,
    statement: &[u8],
    signer: &Signer,
    now: UnixNanos,
) -> Result<Granted, WriteError> {
    let wrong = |what: String| {
        WriteError::refused(what, "an operator and a reviewer of the lock sign, each with their own key")
    };
    let Granting { people, unlock_id, .. } = granting;
    let is_same = granting.signed.bytes.as_deref() == Some(statement);
    let agents = Agents::at(repository, &[granting.lock.commit]).map_err(PeopleError::from)?;
    if is_same && granting.signed.signatures.contains_key(&signer.principal) {
        return Err(wrong(format!("{} has signed already", signer.principal)));
    }
    let roles = people.who_may(Namespace::UnlockOperator).contains(&signer.principal)
        || people.who_may(Namespace::UnlockReviewer).contains(&signer.principal);
    if !roles || agents.names.contains(&signer.principal) {
        return Err(wrong(format!("{} is neither operator nor reviewer", signer.principal)));
    }
    let (head, files) = head_files(repository)?;
    if head != granting.head {
        return Err(WriteError::refused("HEAD moved meanwhile", "try again"));
    }
    is_clean(repository, &files, &files)?;
    let namespace = Namespace::ExecutionGrant;
    let signature = signer.sign(repository.programs(), namespace.as_str(), statement)?;
    people
        .signers
        .verify(&signer.principal, namespace, statement, signature.as_bytes(), now)
        .map_err(|error| wrong(chain(&error)))?;
    let parsed = SshSignature::parse(signature.as_bytes()).map_err(|error| wrong(chain(&error)))?;
    if agents.have(parsed.key()) {
        return Err(wrong(format!("the key of {} is an agent's", signer.principal)));
    }
    if granting.lock.lock.terms.require_sk && parsed.key().kind() != KeyKind::SkEd25519 {
        return Err(wrong("the lock asks for security keys".to_owned()));
    }
    let path = grant_path(unlock_id);
    let mut signed = PeopleSigned { bytes: Some(statement.to_vec()), ..PeopleSigned::default() };
    let mut kept = files.clone();
    if is_same {
        signed.signatures.clone_from(&granting.signed.signatures);
    } else {
        for principal in granting.signed.signatures.keys() {
            kept.remove(&signature_path(&path, principal).as_str().into());
        }
    }
    signed.signatures.insert(signer.principal.clone(), signature.clone().into_bytes());
    let after = Granting { signed, ..granting.clone() };
    let standing = after.standing(now);
    if let Presented::Unusable { why, .. } = &standing
        && !is_waiting(why)
    {
        return Err(WriteError::refused(why.reason(), "grant otherwise"));
    }
    let new = [(path.clone(), statement.to_vec()), (signature_path(&path, &signer.principal), signature.into_bytes())];
    let files = with_bytes(repository, &kept, &new)?;
    let message = format!("Unlock {unlock_id}: grant signed by {}\n", signer.principal);
    let commit = commit(repository, &files, &message, None, now)?;
    Ok(Granted { unlock_id: unlock_id.clone(), sha256: Digest::of(statement), commit, standing })
}

/// Whether more signatures are all that a grant wants.
fn is_waiting(why: &agenttrader_authority::presented::Unusable) -> bool {
    use agenttrader_authority::presented::Unusable;
    use agenttrader_authority::quorum::QuorumError as Few;
    matches!(why, Unusable::Quorum(Few::Operators { .. } | Few::Reviewers { .. } | Few::People { .. }))
}
