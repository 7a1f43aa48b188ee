//! An operator of the world, in the place of an adapter: what it answers is the world's, what the daemon asks is the
//! daemon's.

use simkeeper::domain::card::Card;
use simkeeper::domain::operator::{
    BuyAnswer, Capabilities, Doubt, Found, OperatorError, Order, OrderKey, Preflight, PreparedOrder, Refusal,
    RefusalKind, SentOrder, Terms, Wallet,
};
use simkeeper::domain::plan::{Catalogue, Plan};
use simkeeper::domain::reading::Reading;
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::operators::{Answer, Operator};

use super::files;
use super::stage::{Scene, Stage};
use super::wrong::Wrong;
use crate::faults::Site;
use crate::world::{Call, World};

const HOUR: i64 = 3_600;

/// An operator's seat.
pub(super) struct Seat {
    stage: Stage,
    operator: usize,
    capabilities: Capabilities,
    wrong: Option<Wrong>,
}

impl Seat {
    pub(super) fn new(stage: &Stage, operator: usize, wrong: Option<Wrong>) -> Self {
        let mut capabilities = *stage.scene().world.capabilities(operator);
        // One call for all its cards, as fleets are read, so that their readings share a transaction.
        capabilities.read_batch = 64;
        // An accepted order is read for as often as the operator answers anew; every minute of a day tells nothing more.
        capabilities.cached_for = capabilities.cached_for.max(Secs::HOUR);
        Self { stage: stage.clone(), operator, capabilities, wrong }
    }

    /// A call that the world answers; the time that it takes is over when its answer is there.
    async fn call<T>(&self, ask: impl FnOnce(&mut World, usize, i64, UnixTime) -> Call<T>) -> T {
        self.stage.alive().await;
        let now = self.stage.clock.now();
        let Call { answer, takes_secs } = {
            let mut scene = self.stage.scene();
            let at = scene.at;
            ask(&mut scene.world, self.operator, at, now)
        };
        self.stage.pass(takes_secs);
        answer
    }

    /// The machine may fall asleep while an order is on its way.
    fn fall_asleep(&self) {
        let sleeps = {
            let mut scene = self.stage.scene();
            let lane = scene.world.cards.len();
            scene.dice.percent(5) && scene.world.faults.fires(Site::Sleeps, lane, 2, self.operator)
        };
        if sleeps {
            self.stage.pass(8 * HOUR);
        }
    }
}

/// The place of a card, by the name that its owner gave it.
fn place(card: &Card) -> usize {
    files::card_of(card.name.as_str()).unwrap_or_else(|| World::place(card))
}

/// The world's own card, since rows of a record that was made anew are other rows.
fn theirs(scene: &Scene, card: &Card) -> Card {
    scene.world.card(place(card)).clone()
}

impl Operator for Seat {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn terms(&self) -> Terms {
        Terms { hosts: Vec::new(), final_codes: Vec::new(), payment_methods: Vec::new(), needs: Vec::new() }
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(async move {
            let mut answers = Vec::with_capacity(cards.len());
            for card in cards {
                answers.push(self.call(|world, operator, at, _| world.read(operator, place(card), at, now)).await);
            }
            answers
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(self.call(move |world, operator, at, _| world.catalogue(operator, place(card), at, now)))
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(self.call(|world, operator, at, _| {
            let own =
                world.cards.iter().position(|truth| world.operator(truth.card.account.as_str()) == Some(operator));
            world.wallet(operator, own.unwrap_or(0), at)
        }))
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        let lies = self.wrong == Some(Wrong::ClockBelieved);
        Box::pin(self.call(move |world, operator, at, now| {
            let mut call = world.preflight(operator, place(card), plan, code, at);
            if let (true, Ok(offer)) = (lies, &mut call.answer) {
                offer.operator_time = Some(now);
            }
            call
        }))
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        let card = theirs(&self.stage.scene(), card);
        Ok(World::prepare(&card, order))
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move {
            self.stage.alive().await;
            // What is on record in this moment is all that a loss of power would leave.
            self.stage.scene().catch_up();
            self.fall_asleep();
            let answer = self.call(|world, operator, at, _| world.buy(operator, order, at)).await;
            if self.wrong == Some(Wrong::SendsTwice) && matches!(answer, BuyAnswer::Unknown { .. }) {
                let again = PreparedOrder { key: turned(&order.key), ..order.clone() };
                return self.call(|world, operator, at, _| world.buy(operator, &again, at)).await;
            }
            if self.wrong == Some(Wrong::ErrorsAreRefusals) { refusal_of(answer) } else { answer }
        })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let found = self.call(move |world, operator, at, _| world.find(operator, place(card), order, at)).await;
            let lies = self.wrong == Some(Wrong::FailedLookupIsNothing);
            if lies && found.is_err() { Ok(Found::Nothing) } else { found }
        })
    }
}

/// A wrong adapter's new key for the same order.
fn turned(key: &OrderKey) -> OrderKey {
    OrderKey::new(!u128::from_str_radix(key.as_str(), 16).unwrap_or(0))
}

/// A wrong adapter's word for an error of an order.
fn refusal_of(answer: BuyAnswer) -> BuyAnswer {
    match answer {
        BuyAnswer::Unknown { doubt: Doubt::ServerError | Doubt::TimedOut, .. } => BuyAnswer::Refused(Refusal {
            kind: RefusalKind::Passing,
            code: "error".to_owned(),
            text: "it did not work".to_owned(),
        }),
        answer => answer,
    }
}
