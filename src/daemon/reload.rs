//! Files that change while the daemon runs: everything is read and built first, then swapped. A bad file leaves the old
//! rules at work, and is told once.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use super::bells::Round;
use super::desk::Fares;
use super::live::Live;
use super::schedule::Schedule;
use super::tell::{Telling, tell};
use super::{Daemon, Places};
use super::{lifecycle, open};
use crate::config::{self, Problems};
use crate::domain::card::Name;
use crate::domain::notice::Event;
use crate::domain::time::UnixTime;
use crate::store::{Connection, StoreError, accounts, polls};

/// So much of a report is logged; `check` prints the whole of it.
const LOGGED_CHARS: usize = 4_000;

/// A file and, if it is there, its size, time and number.
type Stamp = (PathBuf, Option<(u64, i64, u64)>);

/// What was last seen of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Files {
    fingerprint: Option<[u8; 32]>,
    /// While these stay, nothing is read.
    stamps: Vec<Stamp>,
}

impl Files {
    /// Looks at the files. Ones that cannot be read have a fingerprint of their own, so that their coming is a change.
    pub(super) fn read(folder: &Path) -> Self {
        Self { fingerprint: config::fingerprint(folder).ok(), stamps: stamps(folder) }
    }
}

fn stamps(folder: &Path) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        // An editor that replaces the file changes its number, one that rewrites it changes its time.
        Some((found.len(), found.mtime_nsec() + found.mtime() * 1_000_000_000, found.ino()))
    };
    config::files(folder).into_iter().map(|path| (path.clone(), stamp(&path))).collect()
}

impl Files {
    /// A word that tells one state of the files from another, so that each bad one is told once.
    fn word(&self) -> String {
        let bytes = self.fingerprint.unwrap_or_default();
        bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Daemon {
    /// Reloads if the files are other than when they were last looked at.
    pub(super) async fn reload_if_changed(self: &Arc<Self>) {
        let known = self.files.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.stamps == stamps(&self.places.config) {
            return;
        }
        let seen = Files::read(&self.places.config);
        let same = seen.fingerprint == known.fingerprint;
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        if !same {
            self.reload().await;
        }
    }

    /// Reads the files and puts them to work; says whether they were good.
    pub async fn reload(self: &Arc<Self>) -> bool {
        let files = Files::read(&self.places.config);
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = files.clone();
        let problems = match self.opener.files(&self.places.config, self.today()) {
            Ok(config) => match self.put_to_work(config).await {
                Ok(()) => {
                    tracing::info!("the files were reloaded");
                    return true;
                }
                Err(error) => Trouble { count: 1, report: format!("{error:#}") },
            },
            Err(problems) => Trouble::from(&problems),
        };
        let beginning: String = problems.report.chars().take(LOGGED_CHARS).collect();
        tracing::error!(count = problems.count, report = beginning, "the files have errors; the old rules stay");
        self.tell_trouble(problems, &files).await;
        false
    }

    async fn put_to_work(self: &Arc<Self>, config: config::Config) -> anyhow::Result<()> {
        keep_copy(&self.places);
        let (around, fares) = (self.places.surroundings(), self.live().fares());
        let live = Live::build(config, &around, &*self.opener, &fares).await?;
        let (live, now) = (Arc::new(live), self.clock.now());
        let synced = Arc::clone(&live);
        self.store.write(move |conn| lifecycle::sync_cards(conn, &synced, now)).await?;
        let schedule = Schedule::new(self.store.read(polls::schedule).await?);
        *self.schedule() = schedule;
        self.set_live(live);
        Ok(())
    }

    async fn tell_trouble(self: &Arc<Self>, trouble: Trouble, files: &Files) {
        let (live, now) = (self.live(), self.clock.now());
        let step = files.word();
        let event = Event::RulesProblem {
            file: self.places.config.display().to_string(),
            count: trouble.count,
            report: trouble.report,
        };
        let told = self
            .store
            .write(move |conn| tell(conn, &live, Telling { card: None, cycle: 0, step, attempt: None, event }, now))
            .await;
        if let Err(error) = told {
            tracing::error!(%error, "nobody could be told of the errors in the files");
        }
        self.bells.ring(Round::Deliver);
    }
}

struct Trouble {
    count: usize,
    report: String,
}

impl From<&Problems> for Trouble {
    fn from(problems: &Problems) -> Self {
        Self { count: problems.len(), report: problems.render(false) }
    }
}

/// Keeps the files that are at work beside the record, for commands that look while the owner's own are being mended.
pub(super) fn keep_copy(places: &Places) {
    let copied = std::fs::create_dir_all(places.files_at_work()).and_then(|()| {
        let both = [config::MACHINE_FILE, config::RULES_FILE].map(|name| places.config.join(name));
        let files = both.into_iter().chain(config::calendars(&places.config));
        files
            .filter_map(|file| Some((file.file_name()?.to_owned(), file)))
            .try_for_each(|(name, file)| std::fs::copy(file, places.files_at_work().join(name)).map(drop))
    });
    if let Err(error) = copied {
        tracing::warn!(%error, "no copy of the files was kept; commands need the files themselves to be right");
    }
}

/// How the ways to the operators fared when the process before this one noted it. Its clock may have run ahead, so no wait
/// is longer than any that begins at `now`.
pub(super) fn stored_fares(conn: &Connection, now: UnixTime) -> Result<BTreeMap<Name, Fares>, StoreError> {
    let known = accounts::all(conn)?;
    let bounded = |(name, state)| {
        let mut fares = open::fares(&state);
        fares.clock_set_back(now);
        (name, fares)
    };
    Ok(known.into_iter().map(bounded).collect())
}
