//! A sign of life to a monitor outside: when it stops coming, somebody there notices. Nothing waits for it.

use std::fmt;

use reqwest::{Client, Url};

use super::NotifyError;
use super::channel::{Delivery, http};
use crate::domain::time::Secs;

/// Where a sign of life goes, and how often. The address is a secret of its own: whoever knows it can keep the monitor
/// quiet.
pub struct Heartbeat {
    client: Client,
    url: Url,
    every: Secs,
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat").field("every", &self.every).finish_non_exhaustive()
    }
}

impl Heartbeat {
    /// To an address, which is https or stays inside this machine or a private network.
    ///
    /// # Errors
    /// When the address or the client cannot be used.
    pub fn open(url: &str, every: Secs) -> Result<Self, NotifyError> {
        Ok(Self { client: http::client()?, url: http::checked_url("url", url)?, every })
    }

    /// How often it is wanted.
    #[must_use]
    pub const fn every(&self) -> Secs {
        self.every
    }

    /// Sends one sign of life.
    ///
    /// # Errors
    /// Says why it did not arrive, without the address.
    pub async fn beat(&self) -> Result<(), String> {
        match http::sent(self.client.post(self.url.clone())).await {
            Ok(answer) if (200..=299).contains(&answer.status) => Ok(()),
            Ok(answer) => Err(format!("the monitor answered {}", answer.status)),
            Err(Delivery::Retry { why, .. } | Delivery::Dead { why } | Delivery::Doubtful { why }) => Err(why),
            Err(Delivery::Sent { remote }) => Err(remote),
        }
    }
}
