//! Going up to a newer schema and back with orders in every state: the real program opens a record of the first schema,
//! and what was open is taken up where it stood.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::world::files::AUTO;
use crate::world::{World, full};

/// "simk".
const APPLICATION_ID: i64 = 0x7369_6d6b;
const FIRST_SCHEMA: &str = include_str!("../../migrations/0001_record.sql");

/// The states, with what the schema asks of each.
const STATES: [(&str, &str); 11] = [
    ("planned", "next_at = DUE"),
    ("sending", "order_key = KEY, first_sent_at = AT, send_count = 1"),
    ("pending", "order_key = KEY, first_sent_at = AT, send_count = 1, order_id = 'o', next_at = DUE"),
    ("accepted", "order_key = KEY, first_sent_at = AT, send_count = 1, accepted_at = AT, next_at = DUE"),
    ("unknown", "order_key = KEY, first_sent_at = AT, send_count = 2, doubt = 'timed_out', next_at = DUE"),
    (
        "human",
        "order_key = KEY, first_sent_at = AT, send_count = 1, question = 'no_evidence', asked_at = AT, next_at = DUE",
    ),
    ("done", "order_key = KEY, first_sent_at = AT, send_count = 1, accepted_at = AT, closed_at = AT"),
    (
        "refused",
        "order_key = KEY, first_sent_at = AT, send_count = 1, refusal_kind = 'other', refusal_code = 'c', refusal_text = 't', closed_at = AT",
    ),
    ("absent", "order_key = KEY, first_sent_at = AT, send_count = 1, closed_at = AT"),
    ("abandoned", "given_up = 'gate', closed_at = AT"),
    ("reversed", "order_key = KEY, first_sent_at = AT, send_count = 1, reversed_why = 'refunded', closed_at = AT"),
];

/// An instant of November 2026.
const AT: &str = "1795000000";

/// Two hours after the world begins.
const DUE: &str = "1796090000";

/// Every attempt as its columns have it.
fn attempts(database: &Path) -> Vec<BTreeMap<String, Value>> {
    let conn = Connection::open(database).unwrap();
    let mut statement = conn.prepare("SELECT * FROM attempt ORDER BY id").unwrap();
    let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
    let rows =
        statement.query_map([], |row| names.iter().map(|name| Ok((name.clone(), row.get(name.as_str())?))).collect());
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// A record as the first schema had it: a card for each state, with one attempt in that state.
fn record_of_the_first_schema(world: &World) {
    std::fs::create_dir(world.state()).unwrap();
    let conn = Connection::open(world.state().join("simkeeper.db")).unwrap();
    conn.pragma_update(None, "journal_mode", "WAL").unwrap();
    conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    conn.execute_batch(FIRST_SCHEMA).unwrap();
    conn.pragma_update(None, "user_version", 1).unwrap();
    let uuid = "0b8a1f0e-54a1-4c55-9f0e-6d1f4a6f3c11";
    conn.execute("INSERT INTO installation VALUES (1, ?1, 1795000000, 1795000000)", [uuid]).unwrap();
    let mut journal = simkeeper::store::journal::OrderJournal::open(&world.state().join("orders.journal")).unwrap();
    for (place, (state, values)) in (1_u32..).zip(STATES) {
        let iccid = world.iccid(state);
        let card = "INSERT INTO card (id, name, account, iccid, fields, labels, zone, notify, rule, keeper) \
             VALUES (?1, ?2, 'try', ?3, '{}', '[]', 'UTC', '[\"anna\"]', ?2, 'file')";
        conn.execute(card, (place, state, iccid)).unwrap();
        conn.execute("INSERT INTO poll (card, next_poll_at) VALUES (?1, 1795000000)", [place]).unwrap();
        let key = format!("{place:032x}");
        let values = values.replace("KEY", &format!("'{key}'")).replace("DUE", DUE).replace("AT", AT);
        let plan = serde_json::to_string(&plan()).unwrap();
        let attempt = "INSERT INTO attempt (id, card, cycle, number, account, cause, cause_by, plan, plan_id, price, currency, \
             payment, created_at, approval, state, next_at) VALUES \
             (?1, ?1, 1, 1, 'try', 'person', 'anna', ?2, 'data-1gb-7d', 50000, 'USD', 'wallet', 1795000000, 'not_needed', \
             'planned', 1796090000)";
        conn.execute(attempt, (place, &plan)).unwrap();
        let next = if values.contains("next_at") { "" } else { ", next_at = NULL" };
        conn.execute(&format!("UPDATE attempt SET state = '{state}', {values}{next} WHERE id = {place}"), []).unwrap();
        if values.contains("order_key") {
            // Each sending is on record before its line is written.
            let sent = "INSERT INTO attempt_event (attempt, at, transition, from_state, to_state, what) \
                 VALUES (?1, 1795000000, 'T4', 'planned', 'sending', 'sent')";
            conn.execute(sent, [place]).unwrap();
            let line = line(u64::from(place), state, &key, journal.next_sequence());
            journal.append(&line).unwrap();
        }
    }
}

fn plan() -> simkeeper::domain::plan::Plan {
    simkeeper::domain::plan::Plan {
        id: "data-1gb-7d".to_owned(),
        name: "1 GB".to_owned(),
        contents: simkeeper::domain::plan::Contents::default(),
        validity_secs: Some(604_800),
        price: crate::world::usd(5),
    }
}

fn line(attempt: u64, card: &str, key: &str, sequence: u64) -> simkeeper::store::journal::JournalLine {
    use simkeeper::domain::attempt::AttemptId;
    use simkeeper::domain::card::{CardId, Name};
    use simkeeper::domain::operator::OrderKey;
    use simkeeper::domain::time::UnixTime;

    let id = i64::try_from(attempt).unwrap();
    simkeeper::store::journal::JournalLine {
        sequence,
        attempt: AttemptId(id),
        card: CardId(id),
        card_name: Name::parse(card).unwrap(),
        account: Name::parse("try").unwrap(),
        key: OrderKey::stored(key).unwrap(),
        plan_id: "data-1gb-7d".to_owned(),
        price: crate::world::usd(5),
        at: UnixTime::clamped(AT.parse().unwrap()),
    }
}

#[test]
fn orders_in_every_state_survive_an_upgrade_and_the_way_back_is_told() {
    // Slowly enough that nothing that waits for the second hour of this world comes due.
    let mut world = World::of(crate::world::KEYED, 30);
    for (state, _) in STATES {
        world = world.card(state, full, AUTO);
    }
    world.write_files();
    record_of_the_first_schema(&world);
    let database = world.state().join("simkeeper.db");
    let before = attempts(&database);
    assert_eq!(before.len(), STATES.len());
    world.begin();
    // What was on its way is what nobody knows; that alone has moved.
    world.until_attempt("sending", "unknown");
    world.stop();
    let copy = world.state().join("backups/before-upgrade-from-schema-1.db");
    assert_eq!(attempts(&copy), before, "the copy that was made before");
    for (old, mut new) in before.iter().zip(attempts(&database)) {
        // A column that came with the upgrade holds nothing yet.
        new.retain(|column, value| old.contains_key(column) || *value != Value::Null);
        let Value::Text(state) = &old["state"] else { panic!("{old:?}") };
        if matches!(state.as_str(), "done" | "refused" | "absent" | "abandoned" | "reversed" | "planned" | "human") {
            assert_eq!(*old, new, "{state}");
        }
        for column in ["id", "card", "order_key", "plan", "price", "first_sent_at", "created_at"] {
            assert_eq!(old[column], new[column], "{column} of {state}");
        }
    }
    for (state, _) in STATES {
        assert!(world.orders(state).is_empty(), "{state} was ordered again\n{}", world.state_of_affairs());
    }
    assert_eq!(world.record().unwrap().damage(), Vec::<String>::new());
    // The program before this one finds a newer record than it knows.
    let newer = Connection::open(&database).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    world.launch();
    assert!(!world.keeper().ended().success());
    assert!(world.log().contains("made by a newer simkeeper"), "{}", world.log());
    assert_eq!(attempts(&database).len(), STATES.len());
}
