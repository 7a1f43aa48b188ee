//! What the cards of a world need, and what has become of it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use simkeeper::sandbox::{AcceptedOrder, Call, Fault, FaultKind};

use crate::trial::Trial;
use crate::world::record::{Attempt, Notice, Record};

/// Whether anything has happened.
#[derive(PartialEq, Eq)]
pub(crate) struct Traces {
    log: Option<(u64, SystemTime)>,
    requests: BTreeMap<Call, u64>,
}

/// What the operator took and what the record says, at one moment.
pub(crate) struct Books {
    pub(crate) orders: Vec<AcceptedOrder>,
    pub(crate) attempts: Vec<Attempt>,
}

impl Trial<'_> {
    /// Each card that is at rest needs a renewal again.
    pub(crate) fn need(&mut self) {
        let traces = self.traces();
        if self.traces_at_need.as_ref() == Some(&traces) {
            return;
        }
        self.traces_at_need = Some(traces);
        let books = self.books();
        for card in self.world.names() {
            if !self.is_met(&books, &card) {
                continue;
            }
            let iccid = self.world.iccid(&card);
            if self.faulty && self.dice.below(2) == 0 {
                let fault = self.dice.some_fault();
                self.world.sandbox.fault(Fault::on(&iccid, Call::Buy, fault)).unwrap();
            }
            if self.faulty && self.dice.below(4) == 0 {
                let (call, fault) = self.dice.one_of(&[
                    (Call::Read, FaultKind::StaleReading),
                    (Call::Find, FaultKind::ServerError { status: 502, accepted: false }),
                    (Call::Find, FaultKind::LostAfter),
                    (Call::Preflight, FaultKind::LostBefore),
                    (Call::Catalogue, FaultKind::Html { accepted: false }),
                ]);
                self.world.sandbox.fault(Fault::on(&iccid, call, fault)).unwrap();
            }
            let needs = self.needs.get_mut(&card).unwrap();
            // 50 MB stay each time.
            let used = if *needs == 0 { 950_000_000 } else { 1_000_000_000 };
            *needs += 1;
            self.world.sandbox.use_data(&iccid, used).unwrap();
        }
    }

    /// What everything that happens leaves a trace in: the record's log, and the operator's count of requests. It is far
    /// cheaper to look at than the record, and most looks find nothing new.
    pub(crate) fn traces(&self) -> Traces {
        let log = std::fs::metadata(self.world.state().join("simkeeper.db-wal"));
        let log = log.and_then(|log| Ok((log.len(), log.modified()?))).ok();
        Traces { log, requests: self.world.sandbox.requests() }
    }

    /// The record first: an order that is closed there was taken before.
    pub(crate) fn books(&self) -> Books {
        let record = self.world.record();
        let attempts = record.as_ref().map(Record::attempts).unwrap_or_default();
        Books { orders: self.world.sandbox.accepted_orders(), attempts }
    }

    /// Whether a card's needs are bought for and closed.
    pub(crate) fn is_met(&self, books: &Books, card: &str) -> bool {
        let (iccid, needs) = (self.world.iccid(card), self.needs[card]);
        let of_card = || books.attempts.iter().filter(|attempt| attempt.card == card);
        books.orders.iter().filter(|order| order.card == iccid).count() == needs
            && of_card().filter(|attempt| attempt.state == "done").count() == needs
            && !of_card().any(Attempt::is_open)
    }

    /// The record, opened once for all that is looked for in it, and then the operator's book.
    pub(crate) fn everything(&self) -> (Books, Vec<Notice>) {
        let record = self.world.record();
        let attempts = record.as_ref().map(Record::attempts).unwrap_or_default();
        let notices = record.as_ref().map(Record::notices).unwrap_or_default();
        (Books { orders: self.world.sandbox.accepted_orders(), attempts }, notices)
    }
}
