//! A machine that runs out of things: open files, threads, memory. The daemon ends and says so, or waits and goes on; it
//! never buys twice for it, and never half lives on.

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use crate::trouble::Trouble;
use crate::world::files::AUTO;
use crate::world::{World, full, low, wait_for};

fn pid(world: &World) -> Pid {
    let written = std::fs::read_to_string(world.state().join("simkeeper.lock")).expect("the lock");
    Pid::from_raw(written.trim().parse().expect("a number")).expect("a process")
}

/// Changes a limit of the running daemon, as an administrator may; answers the one before.
fn limited(world: &World, resource: Resource, current: Option<u64>) -> Rlimit {
    let pid = Some(pid(world));
    let maximum = rustix::process::getrlimit(resource).maximum;
    prlimit(pid, resource, Rlimit { current, maximum }).expect("the right to do so")
}

/// Buys what is needed, once, in a process that has everything.
fn goes_on(world: &mut World) {
    world.until_bought("tablet", 1);
    world.stop();
    assert_eq!(world.orders("tablet").len(), 1, "{}", world.state_of_affairs());
    assert_eq!(world.record().unwrap().damage(), Vec::<String>::new());
}

#[test]
fn without_files_to_open_the_daemon_waits_and_goes_on_once_there_are_some() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    // Those that are open stay so; there is none to add.
    let open = std::fs::read_dir(format!("/proc/{}/fd", pid(&world).as_raw_nonzero())).unwrap().count() as u64;
    let before = limited(&world, Resource::Nofile, Some(open.min(8)));
    world.use_up("tablet");
    world.until("the shortage to be told", |world| world.log().contains("oo many open files"));
    assert!(world.orders("tablet").is_empty(), "it bought\n{}", world.state_of_affairs());
    limited(&world, Resource::Nofile, before.current);
    goes_on(&mut world);
}

#[test]
fn without_threads_the_daemon_ends_loudly_or_does_all_its_work() {
    let (mut ended_early, mut worked) = (0, 0);
    for threads in 0..=7 {
        let mut world = World::new().card("tablet", low, AUTO);
        world.write_files();
        let trouble = Trouble::of(&mut world);
        trouble.begins(&[&format!("pthread_create thread EAGAIN {} 0", threads + 1)]);
        world.launch();
        let what = format!("the daemon to end or to have renewed the card with {threads} threads");
        let ended = wait_for(&what, || {
            if !world.keeper().is_running() {
                return Some(true);
            }
            (world.told_of("tablet", "bought") == 1).then_some(false)
        });
        if ended {
            let status = world.keeper().ended();
            assert!(!status.success(), "with {threads} threads: {status}\n{}", world.log());
            assert!(world.orders("tablet").len() <= 1, "{}", world.state_of_affairs());
            assert!(!world.log().is_empty(), "with {threads} threads it ends without a word");
            trouble.ends();
            world.begin();
            ended_early += 1;
        } else {
            worked += 1;
        }
        goes_on(&mut world);
    }
    println!("{ended_early} ended early, {worked} worked");
    assert!(ended_early > 0, "no thread was missed");
}

#[test]
fn without_memory_the_process_ends_and_the_next_one_buys_once() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    // Nothing can be added to what it has.
    limited(&world, Resource::As, Some(1 << 20));
    world.use_up("tablet");
    let long = "a long word ".repeat(16 << 20);
    let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        world.ask(&json!({ "do": "pause", "card": long, "until": null }))
    }));
    assert!(asked.is_err(), "192 MiB took no memory: {asked:?}");
    let ended = world.keeper().ended();
    assert!(!ended.success(), "{ended}");
    assert!(world.orders("tablet").len() <= 1);
    world.begin();
    goes_on(&mut world);
}
