//! What stands of a log at start: taken under its lock, checked against itself, rid of what a crash left.

use crate::ahead::{self, Found};
use crate::blobs::Blobs;
use crate::checkpoint::SignedCheckpoint;
use crate::disk::{self, Disk, Places};
use crate::error::OpenError;
use crate::head::{HEAD_BYTES_MOST, Head};
use crate::integrator::Grown;
use crate::journal::{self, JournalEnd, segment_name};
use crate::merkle::{self, EMPTY_ROOT};
use crate::note::{NOTE_BYTES_MOST, NoteSigner};
use crate::replay::{Owner, Replayed, replay};
use crate::tile::{BUNDLE_BYTES_MOST, Tile, TileHashes};
use crate::tile_files::{TileFiles, look_through};
use crate::tree::{EdgeError, Tree};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often the lock is tried: somebody who looks whether it is held takes it for a moment.
const LOCK_TRIES: u32 = 10;

/// Between two tries of the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// What stands of a log.
pub(crate) struct Standing {
    pub(crate) replayed: Replayed,
    pub(crate) journal: JournalEnd,
    pub(crate) blobs: Blobs,
    pub(crate) grown: Grown,
    pub(crate) tiles: TileFiles,
    /// The checkpoint that stands there, verified.
    pub(crate) checkpoint: Option<SignedCheckpoint>,
    /// Held for as long as the log is open.
    pub(crate) lock: File,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> OpenError + '_ {
    move |source| OpenError::Io { path: path.to_owned(), source }
}

fn disagrees(path: PathBuf, why: impl Into<String>) -> OpenError {
    OpenError::Disagrees { path, why: why.into() }
}

/// Takes a log under its lock and checks it. Nothing but empty folders is made before all of it is found sound.
pub(crate) fn start(
    disk: &Arc<dyn Disk>,
    places: &Places,
    owner: &Owner,
    signer: &NoteSigner,
    segment_bytes: u64,
) -> Result<Standing, OpenError> {
    let lock = prepare(&**disk, places)?;
    let head = read_head(&**disk, places, signer)?;
    let replayed = replay(&**disk, places, owner, head.as_ref())?;
    let tree = read_tree(&**disk, places, head.as_ref())?;
    let checkpoint = read_checkpoint(&**disk, places, signer, head.as_ref())?;
    let found = look_through(&**disk, places, tree.size(), replayed.size).map_err(at(&places.root))?;
    if let Some(tile) = found.beyond {
        let why = format!("the journal ends at record {}, and this holds a later one", replayed.size);
        return Err(disagrees(places.root.join(tile.to_string()), why));
    }
    check_ahead(&**disk, places, &tree, found.ahead)?;

    let journal = open_end(disk, places, &replayed, segment_bytes)?;
    let blobs = Blobs::new(Arc::clone(disk), places);
    blobs.settle(&replayed.payloads)?;
    // What a crash left half written has no name of ours. The writer has made nothing yet, so that none of it is in use.
    for entry in disk.list(&places.state).map_err(at(&places.state))? {
        let path = places.state.join(&entry.name);
        // Killed once more before there is a checkpoint, the log looks as it does now.
        let is_first = checkpoint.is_none() && path == places.next_checkpoint();
        if entry.name.ends_with(".new") && !is_first {
            disk::remove_if_there(&**disk, &path).map_err(at(&path))?;
        }
    }
    let chain = head.map_or(crate::frame::CHAIN_START, |head| head.chain);
    let grown = Grown { tree, chain, cursor: replayed.uncovered };
    Ok(Standing { replayed, journal, blobs, grown, tiles: TileFiles::new(found.partial), checkpoint, lock })
}

/// Makes the log's folders and takes its lock.
fn prepare(disk: &dyn Disk, places: &Places) -> Result<File, OpenError> {
    let old = places.old_journal();
    if disk.len_of(&old).map_err(at(&old))?.is_some() {
        return Err(OpenError::Old { path: old });
    }
    disk::make_base(disk, &places.data_dir).map_err(at(&places.data_dir))?;
    for folder in [&places.journal, &places.pending, &places.root, &places.blobs] {
        disk::make_dirs(disk, &places.data_dir, folder).map_err(at(folder))?;
    }
    let path = places.lock();
    let file = disk.open_append(&path, true).map_err(at(&path))?;
    for _ in 1..LOCK_TRIES {
        match disk.lock(&file) {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(source)) => return Err(at(&path)(source)),
            Ok(()) => return Ok(file),
        }
    }
    match disk.lock(&file) {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Held { path }),
        Err(TryLockError::Error(source)) => Err(at(&path)(source)),
    }
}

fn read_head(disk: &dyn Disk, places: &Places, signer: &NoteSigner) -> Result<Option<Head>, OpenError> {
    let path = places.head();
    let Some(bytes) = disk::read_whole(disk, &path, HEAD_BYTES_MOST).map_err(at(&path))? else { return Ok(None) };
    let head = Head::parse(&bytes).map_err(|why| disagrees(path.clone(), format!("it is no head: {why}")))?;
    if head.origin != signer.name() {
        return Err(disagrees(path, format!("it is the head of {}, not of {}", head.origin, signer.name())));
    }
    Ok(Some(head))
}

/// The tree whose root the head names, from the right edge of the tiles.
fn read_tree(disk: &dyn Disk, places: &Places, head: Option<&Head>) -> Result<Tree, OpenError> {
    let Some(head) = head else { return Ok(Tree::default()) };
    let read = |tile: Tile| disk::read_whole(disk, &places.root.join(tile.to_string()), BUNDLE_BYTES_MOST);
    Tree::of_tiles((head.size, head.root), read).map_err(|error| match error {
        EdgeError::Read(tile, source) => at(&places.root.join(tile.to_string()))(source),
        EdgeError::Wrong(tile, why) => disagrees(places.root.join(tile.to_string()), why),
        EdgeError::Root(found) => {
            let why = format!("it names the root {} of {} records, and the tiles have {found}", head.root, head.size);
            disagrees(places.head(), why)
        }
    })
}

/// The checkpoint that stands there: the log's own, and the head's or an older one of the same tree.
fn read_checkpoint(
    disk: &dyn Disk,
    places: &Places,
    signer: &NoteSigner,
    head: Option<&Head>,
) -> Result<Option<SignedCheckpoint>, OpenError> {
    let path = places.checkpoint();
    let Some(bytes) = disk::read_whole(disk, &path, NOTE_BYTES_MOST).map_err(at(&path))? else { return Ok(None) };
    let signed = SignedCheckpoint::parse(&bytes).map_err(|error| disagrees(path.clone(), error.to_string()))?;
    let checkpoint = signed.verify(&signer.verifier()).map_err(|error| disagrees(path.clone(), error.to_string()))?;
    let Some(head) = head else {
        return Err(disagrees(path, "there is no head, which is written before any checkpoint"));
    };
    if checkpoint.size > head.size {
        let why =
            format!("it covers {} records, and the head, which is written before it, {}", checkpoint.size, head.size);
        return Err(disagrees(path, why));
    }
    let read = |tile: Tile| disk::read_whole(disk, &places.root.join(tile.to_string()), BUNDLE_BYTES_MOST);
    let root = if checkpoint.size == 0 {
        EMPTY_ROOT
    } else {
        let root = merkle::root(checkpoint.size, &TileHashes::new(head.size, read));
        root.map_err(|error| disagrees(path.clone(), format!("its root cannot be made out of the tiles: {error}")))?
    };
    if root != checkpoint.root {
        let why =
            format!("it names the root {} of {} records, and the tiles have {root}", checkpoint.root, checkpoint.size);
        return Err(disagrees(path, why));
    }
    Ok(Some(signed))
}

/// What stands ahead of the head must be what the journal makes: it was made of it before a kill, or else head and checkpoint of another
/// history were taken away, and another one must not be signed in its place.
fn check_ahead(disk: &dyn Disk, places: &Places, tree: &Tree, ahead: Vec<Tile>) -> Result<(), OpenError> {
    if ahead.is_empty() {
        return Ok(());
    }
    let read = |tile: Tile| disk::read_whole(disk, &places.root.join(tile.to_string()), BUNDLE_BYTES_MOST);
    let mut wrong = None;
    let reached = ahead::compare(
        disk,
        &places.journal,
        tree.clone(),
        ahead,
        read,
        |_| {},
        |tile, found| {
            wrong.get_or_insert((places.root.join(tile.to_string()), found));
        },
    );
    let reached = reached.map_err(at(&places.journal))?;
    match wrong {
        _ if !reached.joins => {
            Err(disagrees(places.journal.clone(), format!("it begins after the {} records of the head", tree.size())))
        }
        None => Ok(()),
        Some((path, Found::Unread(source))) => Err(at(&path)(source)),
        Some((path, Found::Other | Found::Beyond)) => {
            Err(disagrees(path, "no head covers it, and it is not what the journal's records make of it"))
        }
    }
}

/// Opens the journal's end to go on, without what is torn; a new log's journal begins here.
fn open_end(
    disk: &Arc<dyn Disk>,
    places: &Places,
    replayed: &Replayed,
    segment_bytes: u64,
) -> Result<JournalEnd, OpenError> {
    let first = replayed.segments.last().copied().unwrap_or(0);
    let path = places.journal.join(segment_name(first));
    let open = || {
        if replayed.segments.is_empty() {
            return journal::begin_segment(&**disk, &places.journal, first);
        }
        let file = disk.open_append(&path, false)?;
        if replayed.torn.is_some() {
            disk.cut(&file, replayed.good_len)?;
        }
        // A crash may have left what was never synced, and it counts from now on.
        disk.sync_all(&file)?;
        disk.sync_dir(&places.journal)?;
        Ok(file)
    };
    let file = open().map_err(at(&path))?;
    let end = (first, replayed.good_len);
    Ok(JournalEnd::new(Arc::clone(disk), places.journal.clone(), file, end, segment_bytes))
}
