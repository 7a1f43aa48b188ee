//! Cards in modems, and texts that leave by them, against ModemManager played by python-dbusmock on a bus of its own.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod daemon;
mod parts;
mod readings;
mod samples;
mod sends;
mod settings;
mod top_ups;
