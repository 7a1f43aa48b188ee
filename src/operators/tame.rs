//! What operators say, made fit to be kept and shown. Every account of the daemon goes through here, so that no adapter
//! has to think of texts that control a terminal, turn the direction of what follows, or never end.
//!
//! A text that is shown becomes one short line. A word that goes back to the operator as it is (a plan's id, a way to
//! pay, a field of a card) cannot be changed, so that what carries an unfit one is left out. An operator that quotes our
//! own secrets in its answer does not bring them into logs, mails and the record either.

use std::sync::Arc;

use secrecy::SecretString;

use super::kit::blotted;
use super::{Answer, Operator};
use crate::domain::card::{Card, disturbs, tamed};
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, OperatorError, Order, Preflight, PreparedOrder, Refusal,
    SentOrder, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::Reading;
use crate::domain::time::UnixTime;

/// Characters of an id that are kept; the longest that an operator documents has 64.
const ID_LONGEST: usize = 200;
/// Characters of a text for people that are kept.
const TEXT_LONGEST: usize = 300;

/// An operator whose answers are all tame.
pub struct Tame {
    operator: Arc<dyn Operator>,
    secrets: Vec<SecretString>,
}

impl Tame {
    /// Stands before an operator that was given these secrets.
    #[must_use]
    pub fn new(operator: Arc<dyn Operator>, secrets: Vec<SecretString>) -> Self {
        Self { operator, secrets }
    }

    /// A text for people: one short line without our secrets.
    fn line(&self, text: String) -> String {
        let text = blotted(text, &self.secrets);
        let fits = !text.chars().any(disturbs) && text.chars().count() <= TEXT_LONGEST;
        if fits { text } else { tamed(&text, TEXT_LONGEST) }
    }

    /// An id as it is, unless it is none that anybody would write.
    fn id(&self, id: String) -> String {
        let id = blotted(id, &self.secrets);
        if is_word(&id) { id } else { tamed(&id, ID_LONGEST) }
    }

    fn is_word(&self, word: &str) -> bool {
        is_word(word) && blotted(word.to_owned(), &self.secrets) == word
    }

    /// A plan whose id cannot be shown could be neither ruled on nor agreed to.
    fn plan(&self, mut plan: Plan) -> Option<Plan> {
        if !self.is_word(&plan.id) {
            tracing::warn!(plan.id = self.line(tamed(&plan.id, 80)), "a plan with an unfit id is left out");
            return None;
        }
        plan.name = self.line(plan.name);
        Some(plan)
    }

    fn reading(&self, mut reading: Reading) -> Reading {
        reading.assets = reading.assets.into_iter().map(|asset| self.id(asset)).collect();
        reading.plan = reading.plan.map(|plan| self.id(plan));
        reading
    }

    fn error(&self, error: OperatorError) -> OperatorError {
        match error {
            OperatorError::Later { retry_after, why } => OperatorError::Later { retry_after, why: self.line(why) },
            OperatorError::Never { kind, why } => OperatorError::Never { kind, why: self.line(why) },
            OperatorError::Unknown { why } => OperatorError::Unknown { why: self.line(why) },
        }
    }

    fn refusal(&self, refused: Refusal) -> Refusal {
        let Refusal { kind, code, text } = refused;
        Refusal { kind, code: self.id(code), text: self.line(text) }
    }

    fn bought(&self, answer: BuyAnswer) -> BuyAnswer {
        match answer {
            BuyAnswer::Accepted { order_id, charged } => {
                BuyAnswer::Accepted { order_id: order_id.map(|id| self.id(id)), charged }
            }
            BuyAnswer::Pending { order_id } => BuyAnswer::Pending { order_id: self.id(order_id) },
            BuyAnswer::Refused(refused) => BuyAnswer::Refused(self.refusal(refused)),
            BuyAnswer::NotSent { why } => BuyAnswer::NotSent { why: self.line(why) },
            BuyAnswer::Unknown { doubt, detail, retry_after } => {
                BuyAnswer::Unknown { doubt, detail: self.line(detail), retry_after }
            }
        }
    }

    fn found(&self, found: Found) -> Found {
        match found {
            Found::Accepted { order_id, charged } => Found::Accepted { order_id: self.id(order_id), charged },
            Found::Pending { order_id } => Found::Pending { order_id: self.id(order_id) },
            Found::Refused(refused) => Found::Refused(self.refusal(refused)),
            Found::Reversed { order_id, why } => Found::Reversed { order_id: self.id(order_id), why: self.line(why) },
            Found::Nothing => Found::Nothing,
        }
    }

    fn page(&self, mut page: CardPage) -> CardPage {
        for card in &mut page.cards {
            card.label = card.label.take().map(|label| self.line(label));
            card.fields.retain(|name, value| self.is_word(name) && self.is_word(value));
        }
        page
    }
}

/// Whether a word is short and disturbs nothing.
fn is_word(word: &str) -> bool {
    !word.chars().any(disturbs) && word.chars().count() <= ID_LONGEST
}

impl std::fmt::Debug for Tame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tame")
    }
}

impl Operator for Tame {
    fn capabilities(&self) -> &Capabilities {
        self.operator.capabilities()
    }

    fn terms(&self) -> Terms {
        self.operator.terms()
    }

    fn contact(&self) -> Contact {
        self.operator.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(async move {
            let answers = self.operator.read(cards, now).await.into_iter();
            answers.map(|answer| answer.map(|it| self.reading(it)).map_err(|error| self.error(error))).collect()
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let Catalogue { fetched_at, plans, .. } =
                self.operator.catalogue(card, now).await.map_err(|error| self.error(error))?;
            let plans = plans.into_iter().filter_map(|plan| self.plan(plan)).collect();
            // What an operator does with its plans is declared once, not in each of its catalogues.
            Ok(Catalogue { fetched_at, plans, stacking: self.capabilities().stacking })
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(async move {
            let mut wallet = self.operator.wallet().await.map_err(|error| self.error(error))?;
            wallet.methods.retain(|method| self.is_word(method));
            Ok(wallet)
        })
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            let told = self.operator.preflight(card, plan, code).await.map_err(|error| self.error(error))?;
            Ok(Preflight { offer: told.offer.and_then(|offer| self.plan(offer)), ..told })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        self.operator.prepare(card, order).map_err(|error| self.error(error))
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(async move { self.bought(self.operator.buy(order).await) })
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(async move {
            let told = self.operator.find(card, order).await;
            told.map(|found| self.found(found)).map_err(|error| self.error(error))
        })
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(async move {
            let told = self.operator.discover(page).await;
            told.map(|page| self.page(page)).map_err(|error| self.error(error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::{Currency, Money};
    use crate::domain::plan::Contents;
    use crate::operators::http::Way;

    fn tame() -> Tame {
        let operator = crate::operators::esimgo::EsimGo::open(&Way::to("http://127.0.0.1:9"), "unused".into());
        Tame::new(Arc::new(operator.unwrap()), vec!["open sesame".into(), "abc".into()])
    }

    fn named(id: &str, name: &str) -> Plan {
        let price = Money::zero(Currency::USD);
        Plan { id: id.into(), name: name.into(), contents: Contents::default(), validity_secs: None, price }
    }

    #[test]
    fn what_goes_back_to_the_operator_is_kept_as_it_is_or_left_out() {
        assert_eq!(tame().plan(named("a  b:€ 旅", "n")), Some(named("a  b:€ 旅", "n")));
        for id in ["a\r\nb", "a\u{1b}[31m", "a\u{202e}b", "a\u{0}", "open sesame", &"x".repeat(201)] {
            assert_eq!(tame().plan(named(id, "n")), None, "{id:?}");
            assert!(tame().is_word(&tame().id(id.to_owned()).replace('…', "")), "{id:?}");
        }
    }

    #[test]
    fn texts_are_one_short_line() {
        let long = format!("3 GB\r\n\u{1b}]0;{}\u{7}", "x".repeat(1 << 20));
        let shown = tame().plan(named("p", &long)).unwrap().name;
        assert!(shown.starts_with("3 GB ]0;xxx") && shown.chars().count() == TEXT_LONGEST + 1, "{shown}");
        assert_eq!(tame().line("plain, with two  spaces".into()), "plain, with two  spaces");
    }

    #[test]
    fn our_own_secrets_are_blotted_out_of_what_an_operator_quotes() {
        let why = "no access with `open sesame`, abc".to_owned();
        let told = tame().error(OperatorError::Unknown { why });
        assert_eq!(told, OperatorError::Unknown { why: "no access with `[secret]`, abc".into() });
    }
}
