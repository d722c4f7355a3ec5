//! Counts allocations of the current thread.
//!
//! "The hot path does not allocate" is a claim that only the allocator can check, and a global allocator is an `unsafe` trait.
//! This crate is that one measured need: the two methods below hand every request on to the system's allocator unchanged and
//! add one to a counter; nothing else here is unsafe, and nothing that ships depends on it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting. A test makes it its own with `#[global_allocator]`.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

#[allow(unsafe_code, reason = "the trait is unsafe; each call is the system allocator's own, on the caller's terms")]
// SAFETY: every method is `System`'s with the very arguments it was given. Counting touches a thread-local without a
// destructor and allocates nothing; while a thread is torn down it is skipped.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; the pointer came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

fn count() {
    let _ = MADE.try_with(|made| made.set(made.get().wrapping_add(1)));
}

/// Allocations that this thread has made so far; growing one in place counts.
pub fn made() -> u64 {
    MADE.with(Cell::get)
}

/// Allocations that `work` makes on this thread, and what it returns.
pub fn of<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = made();
    let result = work();
    (made().wrapping_sub(before), result)
}
