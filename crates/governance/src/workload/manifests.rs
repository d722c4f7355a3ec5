//! The workloads of a commit's manifests, from its blobs: what is asked for, before any cluster is.

use crate::cluster::switch::Switch;
use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::Mode;
use crate::lock::manifests::Judged;
use crate::workload::Workload;
use agenttrader_policy::finding::{Finding, Rule, Verdict};
use agenttrader_policy::object::Object;
use agenttrader_policy::pod::Pod;
use agenttrader_policy::sources::Sources;
use agenttrader_policy::tree::{Entry, Tree};
use agenttrader_policy::world::World;

/// What a commit's manifests ask for.
#[derive(Clone, Debug)]
pub struct Manifests {
    /// Every workload as its raw document says it, by what it is and where it stands.
    pub workloads: Vec<Workload>,
    /// The kill switch.
    pub kill_switch: Switch,
}

impl Manifests {
    /// Those of a commit.
    ///
    /// # Errors
    /// [`GitError`].
    pub fn of(repository: &Repository, commit: Id) -> Result<Self, GitError> {
        let tree = tree(repository, commit)?;
        let sources = Sources::read(&tree);
        let world = World::new(&tree, &sources);
        let findings = agenttrader_policy::judge_world(&world, Some(&[Rule::ExecScale]));
        let mut workloads: Vec<Workload> =
            by_object(&world).iter().filter_map(|(object, pods)| workload(object, pods, &findings)).collect();
        workloads.sort_by(|one, two| (&one.workload, &one.path).cmp(&(&two.workload, &two.path)));
        Ok(Self { workloads, kill_switch: Switch::of(world.raw()) })
    }

    /// Those that can place orders.
    pub fn placing(self) -> impl Iterator<Item = Workload> {
        self.workloads.into_iter().filter(Workload::can_place_orders)
    }
}

/// The judged files of a commit, as the policy reads them.
fn tree(repository: &Repository, commit: Id) -> Result<Tree, GitError> {
    let judged = Judged::new().map_err(|error| GitError::malformed("the judged folders", error.to_string()))?;
    let mut tree = Tree::new();
    for (path, leaf) in repository.files(commit)?.iter().filter(|(path, _)| judged.is(path)) {
        let entry = match leaf.mode {
            Mode::File | Mode::Executable => Entry::File(repository.blob(leaf.id)?),
            Mode::Symlink => Entry::Symlink(String::from_utf8_lossy(&repository.blob(leaf.id)?).into_owned()),
            Mode::Gitlink => Entry::Unreadable("a repository of its own".to_owned()),
        };
        tree.insert(path.to_string(), entry);
    }
    Ok(tree)
}

/// The raw documents that have a pod, with their pods.
fn by_object<'w, 'a>(world: &'w World<'a>) -> Vec<(Object<'a>, Vec<&'w Pod<'a>>)> {
    let mut groups: Vec<(Object<'a>, Vec<&'w Pod<'a>>)> = Vec::new();
    for pod in world.scopes.iter().filter(|scope| scope.root.is_none()).flat_map(|scope| &scope.pods) {
        match groups.iter_mut().find(|(object, _)| std::ptr::eq(object.node, pod.object.node)) {
            Some((_, pods)) => pods.push(pod),
            None => groups.push((pod.object, vec![pod])),
        }
    }
    groups
}

/// One workload. Whether it rests is what the rule `exec-scale` says of it.
fn workload(object: &Object<'_>, pods: &[&Pod<'_>], findings: &[Finding]) -> Option<Workload> {
    let label = object.label();
    let is_of_it = |it: &Finding| it.path == object.path && it.object.as_deref() == Some(&label);
    let rests =
        match findings.iter().any(|it| it.rule == Rule::ExecScale && it.verdict == Verdict::Fail && is_of_it(it)) {
            true => Err("is not at zero"),
            false if object.patch => Ok("changes another workload, and starts nothing of it"),
            false => Ok("is at zero"),
        };
    let asked = Workload::asked(object, pods)?.judged(rests);
    Some(Workload { path: Some(object.path.to_owned()), ..asked })
}
