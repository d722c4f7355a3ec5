//! What people signed, as it came: grants and approvals, judged anew for each proposal, and what was used of them.

use crate::output::{DeskOutput, SignedFileRead};
use agenttrader_authority::approval::Approval;
use agenttrader_authority::delegation::strategy_sha256;
use agenttrader_authority::grant::{ExecutionMode, Grant};
use agenttrader_authority::presented::{Presented, Shown};
use agenttrader_authority::signed_file::SignedFile;
use agenttrader_authority::trust_root::TrustRoot;
use agenttrader_authority::verify::{self, approval, grant};
use agenttrader_core::decision::Delegated;
use agenttrader_core::digest::Digest;
use agenttrader_core::identity::Build;
use agenttrader_core::symbol::Symbol;
use agenttrader_core::time::UnixNanos;
use agenttrader_safety::controls::unlock::least_in_the_way;
use agenttrader_safety::seen::{DelegationSeen, DelegationUsed};
use agenttrader_sequence::input::{Configuration, SignedChange, SignedFact, SignedFolder};
use std::collections::{BTreeMap, BTreeSet};

/// Signed files, the people who are believed, and what was used of what they signed.
#[derive(Clone, Debug)]
pub(crate) struct People {
    root: TrustRoot,
    grants: Folder,
    approvals: Folder,
    consumed: BTreeSet<Digest>,
    used: BTreeMap<(Digest, usize), DelegationUsed>,
    configurations: BTreeMap<String, String>,
}

/// A folder as told. Empty before the first word.
#[derive(Clone, Debug, Default)]
struct Folder {
    unreadable: bool,
    files: BTreeMap<Digest, SignedFile>,
}

/// For what a grant is asked.
pub(crate) struct Asked<'a> {
    pub(crate) mode: ExecutionMode,
    pub(crate) underlying: Symbol,
    pub(crate) build: &'a Build,
    /// The time that signed files expire by.
    pub(crate) now: UnixNanos,
}

impl People {
    pub(crate) fn new(root: TrustRoot, configuration: &Configuration) -> Self {
        let of_strategy = |name: &str| configuration.file(&format!("strategies/{name}.toml")).map(str::to_owned);
        let seats = configuration.strategies.iter();
        let configurations = seats.filter_map(|seat| Some((seat.strategy.clone(), of_strategy(&seat.strategy)?)));
        Self {
            root,
            grants: Folder::default(),
            approvals: Folder::default(),
            consumed: BTreeSet::new(),
            used: BTreeMap::new(),
            configurations: configurations.collect(),
        }
    }

    /// Takes in what changed in a folder; what is to be recorded goes to `out`. `now` is the time that signed files expire by.
    pub(crate) fn on_fact(&mut self, fact: &SignedFact, at: UnixNanos, now: UnixNanos, out: &mut Vec<DeskOutput>) {
        let Self { root, grants, approvals, .. } = self;
        let folder = match fact.folder {
            SignedFolder::Grants => grants,
            SignedFolder::Approvals => approvals,
        };
        let mut read = SignedFileRead::of(fact.folder, at);
        match &fact.change {
            SignedChange::Unreadable { problem } => {
                folder.unreadable = true;
                read.state = "unreadable";
                read.problem = Some(problem.clone());
            }
            SignedChange::Readable => {
                folder.unreadable = false;
                read.state = "readable";
            }
            SignedChange::Gone { sha256 } => {
                folder.files.remove(sha256);
                read.sha256 = Some(*sha256);
                read.state = "gone";
            }
            SignedChange::File { file } => {
                folder.files.insert(file.sha256, file.clone());
                read.sha256 = Some(file.sha256);
                match fact.folder {
                    SignedFolder::Grants => read.judged(&grant(file, root, now), |grant| &grant.signed_by),
                    SignedFolder::Approvals => read.judged(&approval(file, root, now), |approval| &approval.approvers),
                }
            }
        }
        out.push(DeskOutput::SignedFileRead(read));
    }

    /// The grant that stands least in this order's way, verified now: a key or grant may have ended since it came.
    pub(crate) fn grant(&self, asked: &Asked<'_>) -> Presented<Grant> {
        if self.grants.unreadable {
            return Presented::Unknown;
        }
        let grants = self.grants.files.values().map(|file| grant(file, &self.root, asked.now)).collect();
        least_in_the_way(grants, asked.now, asked.mode, asked.underlying, asked.build)
    }

    /// The approval of that proposal, verified now: a good one that was not consumed before others.
    pub(crate) fn approval(&self, proposal_digest: Digest, now: UnixNanos) -> Presented<Approval> {
        if self.approvals.unreadable {
            return Presented::Unknown;
        }
        let unspent = self.approvals.files.values().filter(|file| !self.consumed.contains(&file.sha256));
        let about = unspent.filter(|file| verify::claims(file) == Some(proposal_digest));
        let mut found = Presented::Missing;
        for file in about {
            found = approval(file, &self.root, now);
            if matches!(found, Presented::Good(_)) {
                break;
            }
        }
        found
    }

    /// What a grant's delegation is measured by; nothing where nothing is granted.
    pub(crate) fn delegation(&self, grant: &Presented<Grant>, strategy: &str, version: &str) -> Option<DelegationSeen> {
        let Shown::Good(grant) = grant.shown() else { return None };
        let configuration = self.configurations.get(strategy).map(String::as_str);
        let used = |(entry, _)| self.used.get(&(grant.sha256, entry)).copied().unwrap_or_default();
        Some(DelegationSeen {
            strategy_sha256: strategy_sha256(strategy, version, configuration),
            used: grant.terms.delegation.iter().enumerate().map(used).collect(),
        })
    }

    /// An order went its way under a delegation, or, where none was needed, with an approval: neither counts twice.
    pub(crate) fn use_up(&mut self, delegated: Option<&Delegated>, approval: &Presented<Approval>) {
        if let Some(delegated) = delegated {
            let used = self.used.entry((delegated.grant_sha256, delegated.entry)).or_default();
            used.orders = used.orders.saturating_add(1);
            used.notional_usd = used.notional_usd.plus(delegated.notional_usd);
        }
        if let Shown::Good(approval) = approval.shown() {
            self.consumed.insert(approval.sha256);
        }
    }

    /// Another day: a delegation's daily limits begin anew.
    pub(crate) fn new_day(&mut self) {
        self.used.clear();
    }
}
