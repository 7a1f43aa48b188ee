//! What every adapter does with good answers.

use std::sync::Arc;

use simkeeper::domain::operator::{BuyAnswer, Found, OperatorError, Preflight, Wallet};
use simkeeper::domain::plan::Catalogue;
use simkeeper::domain::reading::Reading;
use simkeeper::operators::Operator;

use super::case::{Bought, Contract, Replies, Seen, Way};
use super::replies::Served;

/// An adapter in front of a world.
pub(crate) struct Bench {
    /// The operator's side.
    pub(crate) served: Served,
    /// The adapter.
    pub(crate) operator: Arc<dyn Operator>,
}

impl Bench {
    /// With the usual limits.
    pub(crate) async fn new(contract: &Contract, world: &Replies) -> Self {
        Self::on(contract, world, |_| ()).await
    }

    /// With a way of its own.
    pub(crate) async fn on(contract: &Contract, world: &Replies, change: impl Fn(&mut Way)) -> Self {
        let served = world.serve().await;
        let mut way = Way { unpaced: true, ..Way::to(&served.server.address) };
        change(&mut way);
        let operator = (contract.open)(&way).unwrap();
        Self { served, operator }
    }

    /// Everything that can be asked without spending anything.
    pub(crate) async fn asked(&self, contract: &Contract) -> Asked {
        let card = &contract.card;
        Asked {
            reading: self.operator.read(std::slice::from_ref(card), contract.now).await.remove(0),
            catalogue: self.operator.catalogue(card, contract.now).await,
            wallet: self.operator.wallet().await,
            preflight: self.operator.preflight(card, &contract.plan, None).await,
        }
    }

    /// The order of the contract, after the reading and the last look that go before every order.
    pub(crate) async fn bought(&self, contract: &Contract) -> BuyAnswer {
        drop(self.asked(contract).await);
        let prepared = self.operator.prepare(&contract.card, &contract.order()).unwrap();
        self.operator.buy(&prepared).await
    }
}

/// The answers to what can be asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) reading: Result<Reading, OperatorError>,
    pub(crate) catalogue: Result<Catalogue, OperatorError>,
    pub(crate) wallet: Result<Wallet, OperatorError>,
    pub(crate) preflight: Result<Preflight, OperatorError>,
}

/// The card is read, its plans are listed at their price, the wallet is known, and the last look sees the same plan.
pub(crate) async fn reads_what_is_there(contract: Contract) {
    let bench = Bench::new(&contract, &contract.world).await;
    let asked = bench.asked(&contract).await;
    (contract.reading)(&asked.reading.unwrap());
    let catalogue = asked.catalogue.unwrap();
    (contract.catalogue)(&catalogue);
    assert_eq!(catalogue.plans.iter().find(|plan| plan.id == contract.plan.id), Some(&contract.plan));
    if let Some(check) = contract.wallet {
        check(&asked.wallet.unwrap());
    }
    assert_eq!(asked.preflight.unwrap().offer.as_ref(), Some(&contract.plan));
    assert_eq!(bench.served.count(contract.buy_call), 0, "looking spends nothing");
}

/// Every way that an order can end ends as documented, and no order is sent twice.
pub(crate) async fn orders_end_as_documented(contract: Contract) {
    assert!(contract.buys.len() >= 3, "done, refused and in doubt are the least");
    for case in &contract.buys {
        let bench = Bench::new(&contract, &case.world).await;
        let answer = bench.bought(&contract).await;
        assert_eq!(outcome(&answer), case.expected, "{}: {answer:?}", case.name);
        assert!(bench.served.count(contract.buy_call) <= 1, "{}: sent more than once", case.name);
    }
}

/// Every look-up finds what is there.
pub(crate) async fn look_ups_find_what_is_there(contract: Contract) {
    for case in &contract.finds {
        let bench = Bench::new(&contract, &case.world).await;
        let found = bench.operator.find(&contract.card, &contract.sent(case.order_id)).await;
        assert_eq!(seen(&found), case.expected, "{}: {found:?}", case.name);
        assert_eq!(bench.served.count(contract.buy_call), 0, "{}: a look-up spends nothing", case.name);
    }
}

/// The bytes of an order hold our key or at least the card, and no secret; the same order has the same bytes.
pub(crate) async fn orders_are_prepared_in_silence(contract: Contract) {
    let bench = Bench::new(&contract, &contract.world).await;
    drop(bench.asked(&contract).await);
    let before = bench.served.calls().len();
    let prepared = bench.operator.prepare(&contract.card, &contract.order()).unwrap();
    assert_eq!(bench.operator.prepare(&contract.card, &contract.order()).unwrap(), prepared);
    assert_eq!(bench.served.calls().len(), before, "preparing touches no network");
    let text = format!("{} {}", prepared.path, String::from_utf8_lossy(&prepared.body));
    assert!(!text.contains("a-secret"), "{text}");
    let mut nobody = contract.card.clone();
    (nobody.iccid, nobody.msisdn) = (None, None);
    nobody.fields.clear();
    let refused = bench.operator.prepare(&nobody, &contract.order());
    assert!(matches!(refused, Err(OperatorError::Never { .. } | OperatorError::Later { .. })), "{refused:?}");
}

/// A token that ends between two readings is replaced, once, and nobody notices.
pub(crate) async fn a_token_may_end_in_the_middle(contract: Contract) {
    let Some(token_call) = contract.token_call else { return };
    let read_call = {
        let bench = Bench::new(&contract, &contract.world).await;
        drop(bench.operator.read(std::slice::from_ref(&contract.card), contract.now).await);
        let calls = bench.served.calls();
        calls.into_iter().find(|call| call != token_call)
    };
    // Of a number nothing is asked.
    let Some(read_call) = read_call else { return };
    let mut world = contract.world.clone();
    let refused = Replies::new().on_status(&read_call, "401 Unauthorized", r#"{"message":"token expired"}"#);
    world.0.splice(0..0, refused.0);
    let bench = Bench::new(&contract, &world).await;
    let reading = bench.operator.read(std::slice::from_ref(&contract.card), contract.now).await.remove(0);
    (contract.reading)(&reading.unwrap());
    assert_eq!(bench.served.count(token_call), 2, "a refused token is replaced once");
}

/// What an answer comes to, as far as cases say.
pub(crate) fn outcome(answer: &BuyAnswer) -> Bought {
    let known = |id: &str| -> &'static str { Box::leak(id.to_owned().into_boxed_str()) };
    match answer {
        BuyAnswer::Accepted { order_id, .. } => Bought::Accepted(order_id.as_deref().map(known)),
        BuyAnswer::Pending { order_id } => Bought::Pending(known(order_id)),
        BuyAnswer::Refused(refusal) => Bought::Refused(refusal.kind),
        BuyAnswer::NotSent { .. } => Bought::NotSent,
        BuyAnswer::Unknown { doubt, .. } => Bought::Unknown(*doubt),
    }
}

/// What a look-up comes to, as far as cases say.
pub(crate) fn seen(found: &Result<Found, OperatorError>) -> Seen {
    let known = |id: &str| -> &'static str { Box::leak(id.to_owned().into_boxed_str()) };
    match found {
        Ok(Found::Accepted { order_id, .. }) => Seen::Accepted(known(order_id)),
        Ok(Found::Pending { order_id }) => Seen::Pending(known(order_id)),
        Ok(Found::Refused(refusal)) => Seen::Refused(refusal.kind),
        Ok(Found::Reversed { .. }) => Seen::Reversed,
        Ok(Found::Nothing) => Seen::Nothing,
        Err(_) => Seen::Error,
    }
}

/// All checks of the suite over one adapter.
macro_rules! contract {
    ($($check:ident::$name:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            super::$check::$name(contract()).await;
        }
    )+};
    () => {
        super::suite::contract! {
            suite::reads_what_is_there
            suite::orders_end_as_documented
            suite::look_ups_find_what_is_there
            suite::orders_are_prepared_in_silence
            suite::a_token_may_end_in_the_middle
            broken::numbers_may_come_as_texts
            broken::nonsense_is_never_a_reading
            broken::a_reading_may_break_off_anywhere
            broken::a_missing_field_is_never_a_smaller_number
            broken::an_operator_that_asks_to_wait_is_waited_for
            broken::other_hosts_are_never_contacted
            orders::a_broken_answer_to_an_order_is_never_a_refusal
            orders::an_order_that_cannot_be_sent_is_known_as_such
            orders::a_broken_look_up_is_never_nothing
        }
    };
}
pub(crate) use contract;
