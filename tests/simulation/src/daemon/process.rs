//! One life of the daemon: opened on the folder as any other, turned round by round, and ended in good order, by a kill at
//! a point, or between two rounds. After a kill the files are as they stood, log and all.

use std::io;
use std::path::Path;
use std::sync::Arc;

use simkeeper::config::{AccountConfig, ChannelConfig};
use simkeeper::daemon::bells::Round;
use simkeeper::daemon::live::Surroundings;
use simkeeper::daemon::opener::Opener;
use simkeeper::daemon::people;
use simkeeper::daemon::request::{Asked, Reply, Request};
use simkeeper::daemon::{Daemon, Places, Rest, Turns, crash};
use simkeeper::domain::time::UnixTime;
use simkeeper::notify::Channel;
use simkeeper::operators::{Answer, Operator};
use simkeeper::store::{Store, StoreError};
use tokio::runtime::{Builder, Runtime};

use super::files::PERSON;
use super::letters;
use super::seat::Seat;
use super::stage::Stage;
use super::wrong::Wrong;

/// The database and its log.
const FILES: [&str; 2] = ["simkeeper.db", "simkeeper.db-wal"];
/// What SQLite makes beside them anew.
const INDEX: &str = "simkeeper.db-shm";

/// Everybody whom the daemon meets.
struct Cast {
    stage: Stage,
    wrong: Option<Wrong>,
}

impl Opener for Cast {
    fn record(&self, folder: &Path, now: UnixTime) -> Result<Store, StoreError> {
        Store::open_here(folder, now)
    }

    fn chance(&self) -> u128 {
        if self.wrong == Some(Wrong::OneKey) {
            return 7;
        }
        let mut scene = self.stage.scene();
        u128::from(scene.dice.next()) << 64 | u128::from(scene.dice.next())
    }

    fn operator<'a>(
        &'a self,
        account: &'a AccountConfig,
        _around: &'a Surroundings,
    ) -> Answer<'a, anyhow::Result<Arc<dyn Operator>>> {
        Box::pin(async {
            let place = self.stage.scene().world.operator(account.name.as_str());
            let place = place.ok_or_else(|| anyhow::anyhow!("no operator named {}", account.name))?;
            Ok(Arc::new(Seat::new(&self.stage, place, self.wrong)) as Arc<dyn Operator>)
        })
    }

    fn channel(&self, channel: &ChannelConfig, _around: &Surroundings) -> anyhow::Result<Channel> {
        Ok(letters::station(&self.stage, channel.name.as_str(), self.wrong))
    }
}

/// A process.
pub(super) struct Process {
    runtime: Runtime,
    daemon: Arc<Daemon>,
    turns: Turns,
}

/// What became of something that a process was to do.
pub(super) enum Did<T> {
    /// It was done.
    Done(T),
    /// The process ended meanwhile.
    Died,
}

impl Process {
    /// Starts the daemon on a folder; nothing, if it ended while it started.
    pub(super) fn start(stage: &Stage, places: &Places, wrong: Option<Wrong>) -> anyhow::Result<Option<Self>> {
        let hook_stage = stage.clone();
        crash::install(Some(Arc::new(move |point| hook_stage.passes(point))));
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let cast = Arc::new(Cast { stage: stage.clone(), wrong });
        let opening = Daemon::open_with(places.clone(), Arc::clone(&stage.clock), cast);
        let opened = runtime.block_on(until_death(stage, opening));
        match opened {
            Did::Done(Ok(daemon)) => {
                stage.scene().scribe.open(&daemon.store);
                Ok(Some(Self { runtime, daemon, turns: Turns::default() }))
            }
            Did::Done(Err(_)) | Did::Died if stage.is_dead() => Ok(None),
            Did::Done(Err(error)) => Err(error),
            Did::Died => Ok(None),
        }
    }

    /// Lets the rounds work until nothing is left to be done at this instant.
    pub(super) fn work(&mut self, stage: &Stage, rounds: &'static [Round]) -> Did<Rest> {
        let (daemon, mut turns) = (Arc::clone(&self.daemon), std::mem::take(&mut self.turns));
        let work = async move {
            let rest = daemon.work_until_rest(&mut turns, rounds).await;
            (turns, rest)
        };
        match self.runtime.block_on(until_death(stage, work)) {
            Did::Done((turns, rest)) => {
                self.turns = turns;
                Did::Done(rest)
            }
            Did::Died => Did::Died,
        }
    }

    /// Lets a person ask for something.
    pub(super) fn ask(&self, stage: &Stage, request: Request) -> Did<Reply> {
        let daemon = Arc::clone(&self.daemon);
        let asked = Asked { by: PERSON.to_owned(), request };
        self.runtime.block_on(until_death(stage, async move { people::carry_out(&daemon, asked).await }))
    }

    /// Lets the daemon read its files again.
    pub(super) fn reload(&self, stage: &Stage) -> Did<bool> {
        let daemon = Arc::clone(&self.daemon);
        self.runtime.block_on(until_death(stage, async move { daemon.reload().await }))
    }

    /// Ends it in good order.
    pub(super) fn stop(self, stage: &Stage) {
        stage.scene().scribe.close();
        self.runtime.block_on(self.daemon.store.clone().close());
    }

    /// Ends it as kill -9 does: what is in its files is all that is left of it.
    pub(super) fn kill(self, stage: &Stage, state: &Path, wrong: Option<Wrong>) -> io::Result<()> {
        stage.scene().scribe.close();
        let kept = state.join("kept");
        std::fs::create_dir_all(&kept)?;
        for file in FILES {
            if state.join(file).exists() {
                std::fs::copy(state.join(file), kept.join(file))?;
            }
        }
        // Closing the last connection would empty the log, which a kill does not.
        drop(self);
        let lost = wrong == Some(Wrong::CommitsLost);
        for file in FILES {
            remove(&state.join(file))?;
            if kept.join(file).exists() && !(lost && file.ends_with("-wal")) {
                std::fs::rename(kept.join(file), state.join(file))?;
            }
        }
        remove(&state.join(INDEX))?;
        std::fs::remove_dir_all(&kept)
    }
}

/// Works on something until it is done or the process ends. It runs as a task, since a task may end at a point.
async fn until_death<T: Send + 'static>(stage: &Stage, work: impl Future<Output = T> + Send + 'static) -> Did<T> {
    let task = tokio::spawn(work);
    let abort = task.abort_handle();
    let did = tokio::select! {
        biased;
        () = stage.death() => Did::Died,
        done = task => match done {
            Ok(done) if !stage.is_dead() => Did::Done(done),
            Ok(_) => Did::Died,
            Err(error) => match error.try_into_panic() {
                Ok(panic) if !stage.is_dead() => std::panic::resume_unwind(panic),
                Ok(_) | Err(_) => Did::Died,
            },
        },
    };
    abort.abort();
    did
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
