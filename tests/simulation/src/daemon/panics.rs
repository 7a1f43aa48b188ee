//! Panics of this thread's stories. The daemon survives most of its own, and what survives is not seen: here it is. A task
//! that ends at a point unwinds without one.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Begins to listen, once for all threads.
pub(super) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PANICS.with_borrow_mut(|panics| panics.push(info.to_string()));
            usual(info);
        }));
    });
}

/// What this thread heard since this was last asked.
pub(super) fn taken() -> Vec<String> {
    PANICS.take()
}
