//! What opens the record, and makes operators and channels of what the files say. The usual one makes what the files name; a simulation puts
//! its own in their places, and everything else of the daemon stays as it is.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;

use super::clock;
use super::live::Surroundings;
use super::open;
use crate::config::{self, AccountConfig, ChannelConfig, Config, Problems};
use crate::domain::time::UnixTime;
use crate::notify::Channel;
use crate::operators::{Answer, Operator};
use crate::store::{Store, StoreError};

/// Makes what the files name.
pub trait Opener: Send + Sync {
    /// Both files in a folder, checked.
    ///
    /// # Errors
    /// Everything that is wrong in them.
    fn files(&self, folder: &Path, today: Date) -> Result<Config, Problems> {
        config::load(folder, Some(today))
    }

    /// The record in a folder.
    ///
    /// # Errors
    /// A refusal that says what to do, or what the system says.
    fn record(&self, folder: &Path, now: UnixTime) -> Result<Store, StoreError> {
        Store::open(folder, now)
    }

    /// 128 bits of chance for the key of an order.
    fn chance(&self) -> u128 {
        clock::chance()
    }

    /// The way to the operator of an account.
    fn operator<'a>(
        &'a self,
        account: &'a AccountConfig,
        around: &'a Surroundings,
    ) -> Answer<'a, anyhow::Result<Arc<dyn Operator>>> {
        Box::pin(open::accounts::operator(account, around))
    }

    /// What carries messages.
    ///
    /// # Errors
    /// When a secret cannot be read or a setting cannot work.
    fn channel(&self, channel: &ChannelConfig, around: &Surroundings) -> anyhow::Result<Channel> {
        open::channel(channel, around)
    }
}

/// The usual one: what the files name, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct ByFiles;

impl Opener for ByFiles {}
