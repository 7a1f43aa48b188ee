//! A station in memory: it takes messages and says what became of them as whoever made it decides. Simulations stand one
//! in the place of a mail server or a gateway; no file names it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{Delivery, Outgoing};

/// An answer that is on its way, or never comes.
type Answer = Pin<Box<dyn Future<Output = Delivery> + Send>>;

/// A station in memory.
#[derive(Clone)]
pub struct Memory(Arc<dyn Fn(&Outgoing) -> Answer + Send + Sync>);

impl Memory {
    /// A station that answers as `takes` says.
    #[must_use]
    pub fn new(takes: impl Fn(&Outgoing) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(takes))
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        (self.0)(message).await
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}
