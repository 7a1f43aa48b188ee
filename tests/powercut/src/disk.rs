//! A disk: its files and names, and when the power goes.
//!
//! What programs see lies in a real folder in memory. Beside it the disk keeps what was synced, and every change that was
//! not. It counts syncs, and at the one that was asked for the power goes: that sync and everything after it fail, as far
//! as a program that has no power can notice.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, RwLock};
use std::{fs, io};

use crate::calls;
use crate::chance::Chance;
use crate::file::{Change, File, Harm};
use crate::folder::{Names, Node};
use crate::names::Kind;
use crate::tally::Tally;

/// The folder of the record on every disk.
pub const RECORD: &str = "record";
/// Where the real files lie: in memory, so that a real sync costs nothing.
const SHELF: &str = "/dev/shm/powercut-";
/// The store's reserve. It holds nothing but its place, so one serves all disks on which there is one.
const RESERVE_BYTES: usize = 16 << 20;

/// The disks that programs can reach, by their number.
static DISKS: RwLock<BTreeMap<u64, Arc<Shared>>> = RwLock::new(BTreeMap::new());
static MADE: Once = Once::new();
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// What lies on a disk: folders, and files with their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(pub BTreeMap<String, Option<Vec<u8>>>);

impl Image {
    /// The bytes of a file in the record's folder.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.0.get(&format!("{RECORD}/{name}"))?.as_deref()
    }
}

/// At which sync the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The sync, counted from 1 since the disk was put in.
    pub at_sync: u64,
    /// Whether that sync still took effect; nobody was told.
    pub is_after: bool,
}

/// Which syncs a disk ignores although it answers them. An honest one ignores none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deaf {
    /// To none.
    Honest,
    /// To all.
    ToAll,
    /// To those of one kind of file.
    To(Kind),
    /// To those of folders.
    ToFolders,
    /// To those after nothing but a change of length.
    ToLengths,
}

/// A disk that is in; it goes with its files when this value does.
#[derive(Debug)]
pub struct Disk {
    number: u64,
    root: PathBuf,
    shared: Arc<Shared>,
}

/// What the calls of the program share with whoever plans the cut.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    names: Names,
    nodes: Vec<Option<File>>,
    syncs: u64,
    cut: Option<Cut>,
    is_off: bool,
    deaf: Deaf,
    space_bytes: Option<u64>,
    refused_writes: u64,
}

impl Disk {
    /// Puts a disk in, with these files on it, all of them synced.
    ///
    /// # Errors
    /// What the system says.
    pub fn with(image: &Image, deaf: Deaf) -> io::Result<Self> {
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let shelf = PathBuf::from(format!("{SHELF}{}", std::process::id()));
        let root = shelf.join(number.to_string());
        let reserve = shelf.join("reserve");
        fs::create_dir_all(&root)?;
        MADE.call_once(|| make_reserve(&shelf, &reserve));
        let mut state = State {
            names: Names::default(),
            nodes: vec![None],
            syncs: 0,
            cut: None,
            is_off: false,
            deaf,
            space_bytes: None,
            refused_writes: 0,
        };
        state.names.place("", 0);
        for (name, bytes) in &image.0 {
            match bytes {
                Some(_) if name.ends_with("/reserve") => fs::hard_link(&reserve, root.join(name))?,
                bytes => put(&root.join(name), bytes.as_deref())?,
            }
            state.names.place(name, state.nodes.len());
            state.nodes.push(bytes.as_ref().map(|bytes| File::with(Kind::of(name), bytes.clone())));
        }
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        DISKS.write().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(&shared));
        Ok(Self { number, root, shared })
    }

    /// The record's folder.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.root.join(RECORD)
    }

    /// Plans the loss of power.
    pub fn cut_at(&self, cut: Cut) {
        self.shared.lock().cut = Some(cut);
    }

    /// Takes the power away now.
    pub fn turn_off(&self) {
        self.shared.lock().is_off = true;
    }

    /// Whether the power is gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.shared.lock().is_off
    }

    /// Syncs so far, those that were ignored among them.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.shared.lock().syncs
    }

    /// Leaves this much space for files to grow into; none for as much as they like.
    pub fn leave_space(&self, bytes: Option<u64>) {
        self.shared.lock().space_bytes = bytes;
    }

    /// Writes that were refused for want of space.
    #[must_use]
    pub fn refused_writes(&self) -> u64 {
        self.shared.lock().refused_writes
    }

    /// What is left on the disk when the power has gone.
    #[must_use]
    pub fn after_cut(&self, chance: &mut Chance, tally: &mut Tally) -> Image {
        let state = self.shared.lock();
        let harm = Harm::by(chance);
        let names = state.names.after_cut(harm.kept, chance, tally);
        // A file has one fate, whichever of its names are left.
        let fates: Vec<Option<Vec<u8>>> =
            state.nodes.iter().map(|node| node.as_ref().map(|file| file.after_cut(harm, chance, tally))).collect();
        let mut image = BTreeMap::new();
        for (name, node) in names {
            // What is left of the index after a loss of power is whatever the pages held; the next start must not care.
            let is_index = Kind::of(&name) == Kind::Index;
            let bytes =
                if is_index { Some(vec![chance.next().to_le_bytes()[0]; 32 << 10]) } else { fates[node].clone() };
            if !name.is_empty() {
                image.insert(name, bytes);
            }
        }
        Image(image)
    }

    /// What programs see on the disk now.
    ///
    /// # Errors
    /// What the system says.
    pub fn live(&self) -> io::Result<Image> {
        let state = self.shared.lock();
        let names: Vec<(String, bool)> = state
            .names
            .live()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, node)| (name.to_owned(), state.nodes[node].is_some()))
            .collect();
        // Reading comes by here again.
        drop(state);
        let read = |(name, is_file): (String, bool)| {
            let bytes = match is_file {
                false => None,
                // Its place is all there is of it.
                true if name.ends_with("/reserve") => Some(Vec::new()),
                true => Some(fs::read(self.root.join(&name))?),
            };
            Ok((name, bytes))
        };
        names.into_iter().map(read).collect::<io::Result<_>>().map(Image)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        DISKS.write().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
        if let Err(error) = fs::remove_dir_all(&self.root) {
            eprintln!("{} stays behind: {error}", self.root.display());
        }
    }
}

/// Makes the one reserve, and sees to it that the process leaves nothing in memory. What a process that was killed left
/// there goes first.
fn make_reserve(shelf: &Path, reserve: &Path) {
    for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(pid) = name.strip_prefix("powercut-") else { continue };
        if !Path::new("/proc").join(pid).exists() {
            // Another process may be doing the same.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    if let Err(error) = fs::write(reserve, vec![0; RESERVE_BYTES]) {
        eprintln!("there is no reserve in {}: {error}", shelf.display());
    }
    calls::at_exit(clear_shelf);
}

extern "C" fn clear_shelf() {
    // Nobody is left who could be told.
    drop(fs::remove_dir_all(format!("{SHELF}{}", std::process::id())));
}

/// Lays a file or folder down with the rights that the store gives it.
fn put(path: &Path, bytes: Option<&[u8]>) -> io::Result<()> {
    match bytes {
        None => fs::create_dir(path).and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o700))),
        Some(bytes) => {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            io::Write::write_all(&mut file, bytes)
        }
    }
}

/// The disk that a path lies on, and its name there.
pub(crate) fn find(path: &[u8]) -> Option<(Arc<Shared>, String)> {
    let rest = std::str::from_utf8(path.strip_prefix(SHELF.as_bytes())?).ok()?;
    let mut parts = rest.splitn(3, '/');
    parts.next()?;
    let number: u64 = parts.next()?.parse().ok()?;
    let name = parts.next().unwrap_or_default().trim_end_matches('/').to_owned();
    let disk = DISKS.read().unwrap_or_else(PoisonError::into_inner).get(&number).map(Arc::clone)?;
    Some((disk, name))
}

/// What the calls tell the disk. Each takes what is really to be done and does it under the disk's lock, so that the disk
/// sees changes in the order in which they happen.
impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a file or folder; says which node it is.
    pub(crate) fn open(&self, name: &str, flags: c_int, real: impl FnOnce() -> c_int) -> Result<(c_int, Node), c_int> {
        let mut state = self.lock();
        state.need_power()?;
        let fd = real();
        if fd < 0 {
            return Ok((fd, 0));
        }
        let node = match state.names.find(name) {
            Some(node) => node,
            None => state.add(name, Some(File::with(Kind::of(name), Vec::new()))),
        };
        if flags & libc::O_TRUNC != 0 {
            state.change(node, Change::Resize { bytes: 0 });
        }
        Ok((fd, node))
    }

    /// Writes; `place` says where, and `grows` by how many bytes the file grows.
    pub(crate) fn write(
        &self,
        node: Node,
        bytes: &[u8],
        place: impl FnOnce() -> (u64, u64),
        real: impl FnOnce() -> isize,
    ) -> Result<isize, c_int> {
        let mut state = self.lock();
        state.need_power()?;
        let (at, length) = place();
        let growth = (at + bytes.len() as u64).saturating_sub(length);
        if let Some(space) = state.space_bytes {
            if growth > space {
                state.refused_writes += 1;
                return Err(libc::ENOSPC);
            }
            state.space_bytes = Some(space - growth);
        }
        let written = real();
        if let Some(bytes) = usize::try_from(written).ok().and_then(|written| bytes.get(..written)) {
            state.change(node, Change::Write { at, bytes: bytes.to_vec() });
        }
        Ok(written)
    }

    /// Gives a file another length.
    pub(crate) fn resize(
        &self,
        node: Node,
        bytes: u64,
        length: impl FnOnce() -> u64,
        real: impl FnOnce() -> c_int,
    ) -> Result<c_int, c_int> {
        let mut state = self.lock();
        state.need_power()?;
        let freed = length().saturating_sub(bytes);
        let answer = real();
        if answer == 0 {
            state.space_bytes = state.space_bytes.map(|space| space + freed);
            state.change(node, Change::Resize { bytes });
        }
        Ok(answer)
    }

    /// Syncs a file, or a folder by its name.
    pub(crate) fn sync(&self, node: Node, name: &str) -> Result<c_int, c_int> {
        let mut state = self.lock();
        state.need_power()?;
        state.syncs += 1;
        let cut = state.cut.filter(|cut| cut.at_sync == state.syncs);
        if cut.is_none_or(|cut| cut.is_after) {
            state.sync(node, name);
        }
        state.is_off = cut.is_some();
        state.need_power().map(|()| 0)
    }

    /// Renames, links, deletes or makes a folder: `note` tells the names once it has really been done.
    pub(crate) fn name(&self, change: NameCall<'_>, real: impl FnOnce() -> c_int) -> Result<c_int, c_int> {
        let mut state = self.lock();
        state.need_power()?;
        let answer = real();
        if answer == 0 {
            match change {
                NameCall::Rename { from, to } => state.names.rename(from, to),
                NameCall::Remove { name } => state.names.remove(name),
                NameCall::Folder { name } => {
                    state.add(name, None);
                }
                NameCall::Link { from, to } => {
                    if let Some(node) = state.names.find(from) {
                        state.names.add(to, node);
                    }
                }
            }
        }
        Ok(answer)
    }
}

/// A change of names.
pub(crate) enum NameCall<'a> {
    Rename { from: &'a str, to: &'a str },
    Remove { name: &'a str },
    Folder { name: &'a str },
    Link { from: &'a str, to: &'a str },
}

impl State {
    const fn need_power(&self) -> Result<(), c_int> {
        if self.is_off { Err(libc::EIO) } else { Ok(()) }
    }

    fn add(&mut self, name: &str, file: Option<File>) -> Node {
        let node = self.nodes.len();
        self.nodes.push(file);
        self.names.add(name, node);
        node
    }

    fn change(&mut self, node: Node, change: Change) {
        if let Some(file) = &mut self.nodes[node] {
            file.change(change);
        }
    }

    fn sync(&mut self, node: Node, name: &str) {
        let deaf = self.deaf;
        match &mut self.nodes[node] {
            Some(file) if deaf == Deaf::ToLengths && file.is_only_resized() => {}
            Some(file) if deaf != Deaf::ToAll && deaf != Deaf::To(file.kind) => file.sync(),
            None if deaf != Deaf::ToAll && deaf != Deaf::ToFolders => self.names.sync(name),
            _ => {}
        }
    }
}
