//! The functions of the C library that touch files, stood in for. A program's own function goes before the library's, for
//! SQLite's C code as for Rust's standard library; a path or descriptor that is on none of our disks is passed on as it
//! came. What is really done goes to the kernel directly, past the library.
//!
//! The test `every_kind_of_call_comes_by_here` shows that they are in the way: a disk that hears of nothing loses
//! everything.

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use libc::{off64_t, size_t, ssize_t};

use crate::disk::{self, NameCall, Shared};
use crate::folder::Node;

/// Descriptors below this are looked up without a lock while they are not ours.
const QUICK: usize = 4096;
static IS_OURS: [AtomicBool; QUICK] = [const { AtomicBool::new(false) }; QUICK];
static OPEN: Mutex<BTreeMap<c_int, Handle>> = Mutex::new(BTreeMap::new());

/// An open file of one of our disks.
#[derive(Clone)]
struct Handle {
    disk: Arc<Shared>,
    node: Node,
    name: String,
    appends: bool,
}

fn handle(fd: c_int) -> Option<Handle> {
    let place = usize::try_from(fd).ok()?;
    if !IS_OURS.get(place).is_none_or(|ours| ours.load(Ordering::Acquire)) {
        return None;
    }
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).get(&fd).cloned()
}

fn keep(fd: c_int, handle: Option<Handle>) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(ours) = usize::try_from(fd).ok().and_then(|place| IS_OURS.get(place)) {
        ours.store(handle.is_some(), Ordering::Release);
    }
    match handle {
        Some(handle) => drop(open.insert(fd, handle)),
        None => drop(open.remove(&fd)),
    }
}

/// As the library answers: the value, or -1 and the number of the error.
fn answer<T: From<i8>>(result: Result<T, c_int>) -> T {
    result.unwrap_or_else(|error| {
        // SAFETY: the C library gives each thread a place of its own for the number, valid as long as the thread runs.
        unsafe { *libc::__errno_location() = error };
        T::from(-1)
    })
}

/// The path's disk and name there.
///
/// # Safety
/// `path` is null or ends with a zero byte, as every caller of the C library promises.
unsafe fn find(path: *const c_char) -> Option<(Arc<Shared>, String)> {
    if path.is_null() {
        return None;
    }
    // SAFETY: by the promise above, and the text is only used within this call.
    disk::find(unsafe { CStr::from_ptr(path) }.to_bytes())
}

/// Does some last work when the process ends by itself.
pub(crate) fn at_exit(work: extern "C" fn()) {
    // SAFETY: a function of the program is there for as long as the program runs, and this one takes nothing.
    if unsafe { libc::atexit(work) } != 0 {
        eprintln!("what lies in memory stays behind");
    }
}

fn length_of(fd: c_int) -> u64 {
    // SAFETY: all-zero bytes are a valid `stat`, and fstat writes to it and to nothing else.
    let (told, about) = unsafe {
        let mut about: libc::stat64 = std::mem::zeroed();
        (libc::fstat64(fd, &raw mut about), about)
    };
    if told == 0 { about.st_size.unsigned_abs() } else { 0 }
}

/// # Safety
/// As for `open` of the C library.
unsafe fn open_any(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    let real = || {
        // SAFETY: the caller's path goes on to the kernel as it came.
        unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, flags | libc::O_LARGEFILE, mode) as c_int }
    };
    // SAFETY: the caller's promise.
    let Some((disk, name)) = (unsafe { find(path) }) else { return real() };
    answer(disk.open(&name, flags, real).map(|(fd, node)| {
        if fd >= 0 {
            keep(fd, Some(Handle { disk: Arc::clone(&disk), node, name, appends: flags & libc::O_APPEND != 0 }));
        }
        fd
    }))
}

/// The library's function takes `mode` as a variable argument; on the platforms of this test (Linux on x86-64 and
/// AArch64) that is passed like a fixed one, and is looked at only where the caller gave it.
///
/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { open_any(path, flags, mode) }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { open_any(path, flags, mode) }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    // First forgotten and then closed: the kernel may give the number to another thread at once.
    if handle(fd).is_some() {
        keep(fd, None);
    }
    // SAFETY: closing is the caller's wish.
    unsafe { libc::syscall(libc::SYS_close, fd) as c_int }
}

/// # Safety
/// `bytes` points to `count` readable bytes, as the C library demands.
unsafe fn write_any(fd: c_int, bytes: *const c_void, count: size_t, at: Option<off64_t>) -> ssize_t {
    let real = || {
        // SAFETY: the caller's pointer and count go on to the kernel as they came.
        unsafe {
            match at {
                Some(at) => libc::syscall(libc::SYS_pwrite64, fd, bytes, count, at) as ssize_t,
                None => libc::syscall(libc::SYS_write, fd, bytes, count) as ssize_t,
            }
        }
    };
    let Some(handle) = handle(fd) else { return real() };
    if count == 0 {
        return real();
    }
    // SAFETY: by the promise above; the slice does not outlive this call.
    let slice = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
    let place = || {
        let length = length_of(fd);
        // SAFETY: asking for the position changes nothing.
        let position = || unsafe { libc::syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR) };
        let at = if handle.appends { length } else { at.unwrap_or_else(position).unsigned_abs() };
        (at, length)
    };
    answer(handle.disk.write(handle.node, slice, place, real))
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { write_any(fd, bytes, count, None) }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(fd: c_int, bytes: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { write_any(fd, bytes, count, Some(at)) }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: size_t, at: off64_t) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { write_any(fd, bytes, count, Some(at)) }
}

fn resize_any(fd: c_int, bytes: off64_t) -> c_int {
    // SAFETY: no pointer is involved.
    let real = || unsafe { libc::syscall(libc::SYS_ftruncate, fd, bytes) as c_int };
    match handle(fd) {
        Some(handle) => answer(handle.disk.resize(handle.node, bytes.unsigned_abs(), || length_of(fd), real)),
        None => real(),
    }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(fd: c_int, bytes: off64_t) -> c_int {
    resize_any(fd, bytes)
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, bytes: off64_t) -> c_int {
    resize_any(fd, bytes)
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    match handle(fd) {
        Some(handle) => answer(handle.disk.sync(handle.node, &handle.name)),
        // SAFETY: no pointer is involved.
        None => unsafe { libc::syscall(libc::SYS_fsync, fd) as c_int },
    }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    match handle(fd) {
        Some(handle) => answer(handle.disk.sync(handle.node, &handle.name)),
        // SAFETY: no pointer is involved.
        None => unsafe { libc::syscall(libc::SYS_fdatasync, fd) as c_int },
    }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's paths go on to the kernel as they came.
    let real = || unsafe { libc::syscall(libc::SYS_renameat2, libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) as c_int };
    // SAFETY: the caller's promise.
    match unsafe { (find(from), find(to)) } {
        (Some((disk, from)), Some((_, to))) => answer(disk.name(NameCall::Rename { from: &from, to: &to }, real)),
        _ => real(),
    }
}

/// # Safety
/// As for the C library's.
unsafe fn link_any(from_dir: c_int, from: *const c_char, to_dir: c_int, to: *const c_char, flags: c_int) -> c_int {
    // SAFETY: the caller's paths go on to the kernel as they came.
    let real = || unsafe { libc::syscall(libc::SYS_linkat, from_dir, from, to_dir, to, flags) as c_int };
    // SAFETY: the caller's promise.
    match unsafe { (find(from), find(to)) } {
        (Some((disk, from)), Some((_, to))) => answer(disk.name(NameCall::Link { from: &from, to: &to }, real)),
        _ => real(),
    }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn link(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { link_any(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0) }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn linkat(
    from_dir: c_int,
    from: *const c_char,
    to_dir: c_int,
    to: *const c_char,
    flags: c_int,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { link_any(from_dir, from, to_dir, to, flags) }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: the caller's path goes on to the kernel as it came.
    let real = || unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0) as c_int };
    // SAFETY: the caller's promise.
    match unsafe { find(path) } {
        Some((disk, name)) => answer(disk.name(NameCall::Remove { name: &name }, real)),
        None => real(),
    }
}

/// # Safety
/// As for the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: c_uint) -> c_int {
    // SAFETY: the caller's path goes on to the kernel as it came.
    let real = || unsafe { libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode) as c_int };
    // SAFETY: the caller's promise.
    match unsafe { find(path) } {
        Some((disk, name)) => answer(disk.name(NameCall::Folder { name: &name }, real)),
        None => real(),
    }
}
