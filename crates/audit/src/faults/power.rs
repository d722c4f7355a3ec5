//! What a loss of power may leave of a disk: of all that was not synced any part, in any combination.
//!
//! A file's bytes are durable after a sync of that file, a name after a sync of its folder. Of bytes that are not, each page may be there in
//! any version it had since the last sync, whatever the others are, and the file may have any length it had, or one in between, with noughts
//! where nothing was written. Of names that are not durable, each change may have been carried out or not, whatever happened to those before
//! and after it. Only this much is relied on: a file that is renamed is never without a name; both may be there.

use crate::checkpoint::Checkpoint;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file or folder.
pub(super) type Node = usize;

/// What others learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// A record's number and its index: it was acknowledged.
    Acknowledged(i64, u64),
    Seen(Checkpoint),
}

/// One name, and whose it is from now on.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    pub(super) folder: Node,
    pub(super) name: String,
    /// Nobody's: the name is gone.
    pub(super) node: Option<Node>,
}

impl Naming {
    pub(super) fn key(&self) -> (Node, String) {
        (self.folder, self.name.clone())
    }
}

/// A call that changed something.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// A new folder.
    Folder(Naming),
    /// A new file, a file or folder removed; or a file renamed: the new name, then the old one.
    Names(Vec<Naming>),
    Write {
        file: Node,
        at: u64,
        bytes: Vec<u8>,
    },
    Cut {
        file: Node,
        len: u64,
    },
    SyncFile(Node),
    SyncFolder(Node),
    /// None of the disk's: somebody outside learnt something.
    Told(Fact),
}

/// Files under their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drive {
    pub(super) names: BTreeMap<(Node, String), Node>,
    pub(super) files: BTreeMap<Node, Vec<u8>>,
    pub(super) folders: BTreeSet<Node>,
}

impl Drive {
    /// The folder that all others lie in.
    pub(super) const ROOT: Node = 0;

    /// What lies in a folder, and which inode is which file.
    pub(super) fn read(base: &Path) -> (Self, BTreeMap<u64, Node>) {
        let (mut drive, mut inodes) = (Self { folders: [Self::ROOT].into(), ..Self::default() }, BTreeMap::new());
        let mut folders = vec![(base.to_owned(), Self::ROOT)];
        let mut next = Self::ROOT + 1;
        while let Some((path, folder)) = folders.pop() {
            for found in fs::read_dir(path).unwrap() {
                let found = found.unwrap();
                let metadata = found.metadata().unwrap();
                let node = *inodes.entry(metadata.ino()).or_insert(next);
                next = next.max(node + 1);
                drive.names.insert((folder, found.file_name().into_string().unwrap()), node);
                if metadata.is_dir() {
                    drive.folders.insert(node);
                    folders.push((found.path(), node));
                } else {
                    drive.files.insert(node, fs::read(found.path()).unwrap());
                }
            }
        }
        (drive, inodes)
    }

    /// A number that nothing has.
    pub(super) fn next(&self) -> Node {
        self.names.values().max().map_or(Self::ROOT + 1, |node| node + 1)
    }

    /// Puts it into an empty folder.
    pub(super) fn write(&self, base: &Path) {
        let mut folders = vec![(base.to_owned(), Self::ROOT)];
        let mut written: BTreeMap<Node, PathBuf> = BTreeMap::new();
        while let Some((path, folder)) = folders.pop() {
            for ((_, name), node) in self.names.range((folder, String::new())..(folder + 1, String::new())) {
                let place = path.join(name);
                if self.folders.contains(node) {
                    fs::create_dir(&place).unwrap();
                    folders.push((place, *node));
                } else if let Some(first) = written.get(node) {
                    fs::hard_link(first, place).unwrap();
                } else {
                    fs::write(&place, self.files.get(node).map(Vec::as_slice).unwrap_or_default()).unwrap();
                    written.insert(*node, place);
                }
            }
        }
    }
}

/// A change of a file's bytes that is not durable.
#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Cut(usize),
}

/// A disk after some calls: what is durable of it, and what is not.
#[derive(Debug)]
pub(super) struct Power {
    /// With the number of every folder there ever was.
    durable: Drive,
    /// Changes of names, in order, but for those that were overtaken.
    names: Vec<Vec<Naming>>,
    bytes: BTreeMap<Node, Vec<Change>>,
    pub(super) told: Vec<Fact>,
}

impl Power {
    pub(super) const fn on(start: Drive) -> Self {
        Self { durable: start, names: Vec::new(), bytes: BTreeMap::new(), told: Vec::new() }
    }

    /// One call more.
    pub(super) fn step(&mut self, call: &Call) {
        match call {
            Call::Told(fact) => self.told.push(fact.clone()),
            Call::Folder(naming) => {
                self.durable.folders.extend(naming.node);
                self.names.push(vec![naming.clone()]);
            }
            Call::Names(names) => {
                self.see_checkpoint(names);
                self.names.push(names.clone());
            }
            Call::Write { file, at, bytes } => {
                let change = Change::Write { at: usize::try_from(*at).unwrap(), bytes: bytes.clone() };
                self.bytes.entry(*file).or_default().push(change);
            }
            Call::Cut { file, len } => {
                self.bytes.entry(*file).or_default().push(Change::Cut(usize::try_from(*len).unwrap()));
            }
            Call::SyncFile(file) => {
                let last = self.versions(*file).pop().unwrap();
                self.durable.files.insert(*file, last);
                self.bytes.remove(file);
            }
            Call::SyncFolder(folder) => self.sync_folder(*folder),
        }
    }

    /// Whoever reads files may have read a checkpoint from when it has its name.
    fn see_checkpoint(&mut self, names: &[Naming]) {
        let Some(file) = names.iter().find(|naming| naming.name == "checkpoint").and_then(|naming| naming.node) else {
            return;
        };
        let bytes = self.versions(file).pop().unwrap();
        let signed = crate::checkpoint::SignedCheckpoint::parse(&bytes).unwrap();
        self.told.push(Fact::Seen(signed.checkpoint));
    }

    fn sync_folder(&mut self, folder: Node) {
        for number in 0..self.names.len() {
            let group = self.names[number].clone();
            // An old name that is gone means that the new one is there.
            let whole = group.iter().any(|naming| naming.folder == folder && naming.node.is_none());
            for naming in group.into_iter().filter(|naming| whole || naming.folder == folder) {
                for group in &mut self.names[..=number] {
                    group.retain(|before| before.key() != naming.key());
                }
                set(&mut self.durable.names, &naming);
            }
        }
        self.names.retain(|group| !group.is_empty());
    }

    /// A file's bytes as they are durable, and after each later change.
    fn versions(&self, file: Node) -> Vec<Vec<u8>> {
        let mut versions = vec![self.durable.files.get(&file).cloned().unwrap_or_default()];
        for change in self.bytes.get(&file).into_iter().flatten() {
            let mut bytes = versions.last().unwrap().clone();
            match change {
                Change::Cut(len) => bytes.resize(*len, 0),
                Change::Write { at, bytes: written } => {
                    bytes.resize(bytes.len().max(at + written.len()), 0);
                    bytes[*at..at + written.len()].copy_from_slice(written);
                }
            }
            versions.push(bytes);
        }
        versions
    }

    /// One of the disks that a loss of power may leave now.
    pub(super) fn lost(&self, chance: &mut Chance) -> Drive {
        let mut left = Drive { names: self.durable.names.clone(), ..Drive::default() };
        let (names, bytes) = (Part::any(chance), Part::any(chance));
        for group in &self.names {
            let is_done = names.is_done(chance);
            // The old name of a file may stay beside its new one.
            let is_whole = names != Part::Some || chance.below(2) == 0;
            for naming in group.iter().filter(|naming| is_done && (is_whole || naming.node.is_some())) {
                set(&mut left.names, naming);
            }
        }
        // A folder whose name is gone takes along what lies in it, and what has no name is no file.
        let mut folders = vec![Drive::ROOT];
        let page = if chance.below(2) == 0 { 512 } else { 4_096 };
        let (mut kept, mut nodes) = (BTreeMap::new(), BTreeSet::new());
        while let Some(folder) = folders.pop() {
            left.folders.insert(folder);
            for ((_, name), node) in left.names.range((folder, String::new())..(folder + 1, String::new())) {
                kept.insert((folder, name.clone()), *node);
                if self.durable.folders.contains(node) {
                    folders.push(*node);
                } else {
                    nodes.insert(*node);
                }
            }
        }
        left.names = kept;
        left.files = nodes.into_iter().map(|node| (node, bytes.of(&self.versions(node), page, chance))).collect();
        left
    }
}

fn set(names: &mut BTreeMap<(Node, String), Node>, naming: &Naming) {
    match naming.node {
        Some(node) => names.insert(naming.key(), node),
        None => names.remove(&naming.key()),
    };
}

/// How much of what is not durable is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    None,
    All,
    Some,
}

impl Part {
    fn any(chance: &mut Chance) -> Self {
        [Self::None, Self::All, Self::Some, Self::Some][chance.below(4)]
    }

    fn is_done(self, chance: &mut Chance) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Some => chance.below(2) == 0,
        }
    }

    /// A file's bytes out of the versions it had.
    fn of(self, versions: &[Vec<u8>], page: usize, chance: &mut Chance) -> Vec<u8> {
        let (first, last) = (versions.first().unwrap(), versions.last().unwrap());
        match self {
            _ if versions.len() == 1 => return first.clone(),
            Self::None => return first.clone(),
            Self::All => return last.clone(),
            Self::Some => {}
        }
        let mut len = versions[chance.below(versions.len())].len();
        if chance.below(3) == 0 {
            let (least, most) = versions
                .iter()
                .fold((usize::MAX, 0), |(least, most), bytes| (least.min(bytes.len()), most.max(bytes.len())));
            len = least + chance.below(most - least + 1);
        }
        let mut bytes = vec![0; len];
        for (number, page_left) in bytes.chunks_mut(page).enumerate() {
            let version = &versions[chance.below(versions.len())];
            let from = version.get(number * page..).unwrap_or_default();
            let length = from.len().min(page_left.len());
            page_left[..length].copy_from_slice(&from[..length]);
        }
        bytes
    }
}

/// Chance, the same for the same seed (SplitMix64).
#[derive(Debug)]
pub(super) struct Chance(pub(super) u64);

impl Chance {
    /// A number below that one.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}
