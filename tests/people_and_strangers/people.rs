//! Two people decide about the same thing in the same moment: the first word counts, and the second person is told.

use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};
use simkeeper::sandbox::{Call, Class, FaultKind};

use crate::world::files::AUTO;
use crate::world::{World, ending, keeper, low};

/// Both ask at once; what they are answered, in the order of their requests.
fn at_once(world: &World, requests: [Value; 2]) -> [Value; 2] {
    let (folder, start) = (world.folder(), &Barrier::new(2));
    let asked = requests.map(|request| (folder, request));
    thread::scope(|scope| {
        let asking = asked.map(|(folder, request)| {
            scope.spawn(move || {
                start.wait();
                keeper::ask(folder, &request)
            })
        });
        asking.map(|one| one.join().unwrap())
    })
}

/// Which of the two was first; the other one was told.
fn the_first(answers: &[Value; 2]) -> usize {
    let done = |answer: &Value| answer["answer"] == "done";
    let first = answers.iter().position(done).unwrap_or_else(|| panic!("nobody was first: {answers:?}"));
    let second = &answers[1 - first];
    assert_eq!((&second["answer"], &second["why"]), (&json!("refused"), &json!("not_now")), "{answers:?}");
    assert!(second["said"].as_str().is_some_and(|said| !said.is_empty()), "{answers:?}");
    first
}

#[test]
fn of_two_people_who_settle_differently_at_once_the_first_wins_and_the_second_is_told() {
    for _ in 0..3 {
        let world = World::of(Class::Neither, 600).card("tablet", ending, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::LostBefore, 1).start();
        let asked = world.until_attempt("tablet", "human");
        let settle = |outcome: &str| json!({ "do": "settle", "id": asked.id, "outcome": outcome, "reason": outcome });
        let answers = at_once(&world, [settle("not_bought"), settle("abandon")]);
        let state = ["absent", "abandoned"][the_first(&answers)];
        assert_eq!(world.attempts("tablet")[0].state, state, "{answers:?}");
        // Both are remembered as having said something; one changed something.
        let late = world.ask(&settle("bought"));
        assert_eq!((&late["answer"], &late["why"]), (&json!("refused"), &json!("not_now")), "{late}");
        assert_eq!(world.attempts("tablet")[0].state, state);
    }
}

/// A no counts as long as nothing was sent, also right behind a yes; who comes too late is told.
#[test]
fn of_a_yes_and_a_no_at_once_one_counts() {
    for _ in 0..3 {
        let mut world = World::new().card("tablet", low, &AUTO.replace("auto", "ask")).start();
        world.until_mail(&["tablet", "simkeeper approve 1"]);
        let yes = json!({ "do": "approve", "id": 1 });
        let no = json!({ "do": "refuse", "id": 1, "reason": "the trip is off" });
        let [yes, no] = at_once(&world, [yes, no]);
        if no["answer"] == "done" {
            world.until_attempt("tablet", "abandoned");
            world.until_read_again(3);
            assert_eq!(world.orders("tablet").len(), 0, "{yes} {no}");
        } else {
            assert_eq!((&yes["answer"], &no["why"]), (&json!("done"), &json!("not_now")), "{yes} {no}");
            world.until_bought("tablet", 1);
            assert_eq!(world.orders("tablet").len(), 1, "{yes} {no}");
        }
    }
}
