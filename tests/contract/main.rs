//! One suite over every adapter: what it must do with good answers, and what it must never do with bad ones. The
//! answers are recorded or documented ones, served over real HTTP on this machine.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../loopback/fixed.rs"]
mod fixed;
#[path = "../loopback/mod.rs"]
mod loopback;

mod broken;
mod case;
mod orders;
mod replies;
mod suite;

mod airalo;
mod dingconnect;
mod dtone;
mod dtone_esim;
mod emnify;
mod esimaccess;
mod esimgo;
mod hologram;
mod keepgo;
mod one_nce;
mod profile_esimgo;
mod profile_mobimatter;
mod profile_reloadly;
mod profile_zendit;
mod reloadly;
mod telnyx;
mod things_mobile;
mod tmf654;
mod tmf654_v4_0;

use std::collections::BTreeSet;

use simkeeper::domain::operator::Terms;
use simkeeper::operators::KINDS;

/// The contracts of this suite, by the kind they are about.
fn all() -> Vec<case::Contract> {
    vec![
        airalo::contract(),
        dingconnect::contract(),
        dtone::contract(),
        dtone_esim::contract(),
        emnify::contract(),
        esimaccess::contract(),
        esimgo::contract(),
        hologram::contract(),
        keepgo::contract(),
        one_nce::contract(),
        profile_esimgo::contract(),
        profile_mobimatter::contract(),
        profile_reloadly::contract(),
        profile_zendit::contract(),
        reloadly::contract(),
        telnyx::contract(),
        things_mobile::contract(),
        tmf654::contract(),
        tmf654_v4_0::contract(),
    ]
}

/// An adapter without a contract is not one of ours.
#[test]
fn every_kind_has_its_contract() {
    let kinds: BTreeSet<&str> = KINDS.iter().map(|kind| kind.name).collect();
    let kept: BTreeSet<&str> = all().iter().map(|contract| contract.kind).collect();
    let missing: Vec<_> = kinds.difference(&kept).collect();
    assert!(missing.is_empty(), "without a contract: {missing:?}");
    let sorted: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    assert!(sorted.is_sorted(), "kinds stand in the order of their names");
}

/// What an adapter declares must be what its operator object says, and must make sense.
#[test]
fn every_kind_declares_what_it_does() {
    for contract in all() {
        let operator = (contract.open)(&case::Way::to("http://127.0.0.1:9")).unwrap();
        assert!(!operator.terms().hosts.is_empty(), "{}: no host is declared", contract.kind);
        if let Some(kind) = KINDS.iter().find(|kind| kind.name == contract.kind) {
            assert_eq!(*operator.capabilities(), kind.capabilities, "{}", contract.kind);
            let (told, general) = (operator.terms(), (kind.terms)());
            // Of a standard, hosts and needs are those of the account.
            let told =
                if general.hosts.is_empty() { Terms { hosts: Vec::new(), needs: Vec::new(), ..told } } else { told };
            assert_eq!(told, general, "{}", contract.kind);
        }
        let stranger = (contract.open)(&case::Way::to("https://operator.example"));
        assert!(stranger.is_err(), "{}: a host that is not declared is refused", contract.kind);
    }
}
