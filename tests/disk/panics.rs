//! A defect of the daemon's own at every named point: the task that had it is taken up again from the record, or the
//! process ends. Never a daemon that looks well to its supervisor while a part of it is dead.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use simkeeper::daemon::crash::POINTS;

use crate::world::files::AUTO;
use crate::world::{PATIENCE, World, low};

#[test]
fn a_defect_at_any_point_is_taken_up_from_the_record_and_each_need_is_bought_for_once() {
    for point in POINTS {
        // An operator that settles an unsent order without a person and at once; the kills go through all classes.
        let mut world = World::new().card("tablet", low, AUTO);
        world.environment(vec![("SIMKEEPER_CRASH_AT", format!("panic@{point}:1").into())]);
        world.write_files();
        world.begin();
        world
            .until(&format!("a defect at {point}"), |world| world.log().contains("a defect of simkeeper ended a task"));
        let ended = renewed_or_ended(&mut world, point);
        if ended {
            // Whoever holds the journal of orders cannot go on with half a line.
            let status = world.keeper().ended();
            assert!(!status.success(), "{point}: {status}\n{}", world.log());
            world.environment(vec![]);
            world.begin();
            world.until_attempt("tablet", "done");
        }
        assert_eq!(world.orders("tablet").len(), 1, "{point}\n{}", world.state_of_affairs());
        // It goes on with everything: the card is read, and notices leave.
        world.until_read_again(2);
        world.until(&format!("every notice to leave after a defect at {point}"), |world| {
            !world.notices().is_empty() && world.notices().iter().all(|notice| notice.state == "sent")
        });
        world.stop();
    }
}

/// Waits until the tablet is renewed or the process has ended; says whether it was the latter.
fn renewed_or_ended(world: &mut World, point: &str) -> bool {
    let begun = Instant::now();
    loop {
        if world.attempts("tablet").last().is_some_and(|attempt| attempt.state == "done") {
            return false;
        }
        if !world.keeper().is_running() {
            return true;
        }
        assert!(begun.elapsed() < PATIENCE, "neither after a defect at {point}\n{}", world.state_of_affairs());
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_round_that_ends_by_a_defect_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let supervisor = UnixDatagram::bind(&socket).unwrap();
    supervisor.set_nonblocking(true).unwrap();
    let mut world = World::new().card("tablet", low, AUTO);
    world.environment(vec![
        ("SIMKEEPER_CRASH_AT", "panic@round:3".into()),
        ("NOTIFY_SOCKET", socket.into()),
        ("WATCHDOG_USEC", "1000000".into()),
    ]);
    world.write_files();
    world.launch();
    let ended = world.keeper().ended();
    assert!(ended.code().is_some_and(|code| code != 0), "{ended}\n{}", world.log());
    assert!(world.log().contains("a part of the daemon has ended before its time"), "{}", world.log());
    world.environment(vec![]);
    world.begin();
    world.until_bought("tablet", 1);
    assert_eq!(world.orders("tablet").len(), 1);
}
