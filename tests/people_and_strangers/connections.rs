//! An operator to whom no connection can be trusted, or made at all: told of the card and in the log, asked again later,
//! and nothing is bought meanwhile.

use std::os::unix::fs::PermissionsExt;

use crate::world::files::AUTO;
use crate::world::mailbox::Certificate;
use crate::world::{World, full, keeper, low};

/// The line of the log that says why a card could not be read.
fn why(world: &mut World, card: &str) -> String {
    world.until("a reading to fail", |world| world.record().is_some_and(|record| record.failures(card) >= 1));
    let log = world.log();
    let line = log.lines().find(|line| line.contains("a card could not be read") && line.contains(card));
    line.unwrap_or_else(|| panic!("{log}")).to_owned()
}

#[test]
fn an_operator_whose_certificate_is_wrong_is_told_nothing() {
    for (certificate, words) in [
        (Certificate::OtherName, "not valid for name"),
        (Certificate::Expired, "expired"),
        (Certificate::Strangers, "UnknownIssuer"),
    ] {
        let mut world = World::new().card("tablet", low, AUTO).secured_by(certificate).start();
        let line = why(&mut world, "tablet");
        assert!(line.contains(words), "{certificate:?}: {line}");
        assert_eq!((world.orders("tablet").len(), world.attempts("tablet").len()), (0, 0), "{certificate:?}");
    }
}

/// The names of `.invalid` are nobody's for ever (RFC 2606).
#[test]
fn an_operator_whose_name_is_nowhere_keeps_its_cards_waiting() {
    let mut world = World::new().card("stick", full, "mode = \"watch\"\n").at("away");
    let token = world.folder().join("token");
    std::fs::write(&token, "marker-4711").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    world.real_time = true;
    let mut world = world
        .tables(&format!(
            "[operator.away]\nkind = \"tmf654\"\nbase_url = \"https://operator.invalid/v4\"\nversion = \"4.1\"\n\
             card_by = \"iccid\"\ncurrency = \"USD\"\ntoken = {{ file = \"{}\" }}\n",
            token.display()
        ))
        .start();
    let line = why(&mut world, "stick");
    assert!(line.contains("resolve") || line.contains("lookup") || line.contains("dns"), "{line}");
    assert!(!world.log().contains("marker-4711"));
    assert!(keeper::is_ready(world.folder()), "it goes on");
}
