//! The workloads of a commit's manifests, from its blobs.

use crate::git::error::GitError;
use crate::git::id::Id;
use crate::git::repository::Repository;
use crate::git::tree::Mode;
use crate::lock::manifests::Judged;
use agenttrader_policy::pod::Pod;
use agenttrader_policy::sources::Sources;
use agenttrader_policy::tree::{Entry, Tree};
use agenttrader_policy::world::World;
use serde::Serialize;

/// A workload, as its raw document says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Workload {
    /// Kind and name.
    pub workload: String,
    /// Where its document stands.
    pub path: String,
    /// Replicas, as they are written.
    pub replicas: Option<String>,
    /// Whether it can place orders.
    pub can_place_orders: bool,
    /// By what.
    pub why: String,
    /// Images of its containers.
    pub images: Vec<String>,
}

/// All of a commit, in order.
///
/// # Errors
/// [`GitError`].
pub fn workloads(repository: &Repository, commit: Id) -> Result<Vec<Workload>, GitError> {
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
    let sources = Sources::read(&tree);
    let world = World::new(&tree, &sources);
    let pods = world.scopes.iter().filter(|scope| scope.root.is_none()).flat_map(|scope| &scope.pods);
    let mut all: Vec<_> = pods.map(workload).collect();
    all.sort();
    Ok(all)
}

fn workload(pod: &Pod<'_>) -> Workload {
    let images = pod.containers.iter().filter_map(|container| container.node.get("image"));
    Workload {
        workload: pod.object.label(),
        path: pod.object.path.to_owned(),
        replicas: pod.object.at(&["spec", "replicas"]).and_then(|node| node.text().map(str::to_owned)),
        can_place_orders: pod.can_place_orders(),
        why: pod.why().to_owned(),
        images: images.filter_map(|image| image.text().map(str::to_owned)).collect(),
    }
}
