//! `operator catalogue`: what is on sale for a card, and which plan its rule would buy now. Asks the operator; buys
//! nothing.

use serde_json::{Value, json};

use super::{account, card, record, speak};
use crate::commands::Context;
use crate::commands::cli::CatalogueArgs;
use crate::commands::client::block_on;
use crate::commands::exit::{Exit, Stop};
use crate::commands::output::table;
use crate::commands::view::files;
use crate::config::Config;
use crate::daemon::case::{Case, Standing};
use crate::daemon::open::accounts::operator;
use crate::domain::card::{Card, CardId, tamed};
use crate::domain::choose::{Occasion, choose};
use crate::domain::forecast::Forecast;
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::UnixTime;
use crate::domain::words::Spoken;
use crate::operators::tls;
use crate::store::Store;

/// Shows the plans of an account for a card.
pub(in crate::commands) fn show(context: &Context, args: &CatalogueArgs) -> anyhow::Result<Exit> {
    let config = files(context)?;
    let (account, store) = (account(&config, &args.account)?, record(context)?);
    let card = card(store.as_ref(), &config, &args.card)?;
    let now = context.clock.now();
    tls::install_provider();
    let catalogue = block_on(async {
        let operator = operator(account, &context.places.surroundings()).await?;
        operator.catalogue(&card, now).await.map_err(|error| {
            let advice = super::advice::about_answer(&error);
            Stop::with(Exit::Failed, format!("the plans for `{}` cannot be read: {error}; {advice}", card.name))
        })
    })?;
    let choice = Choice::of(store.as_ref(), &config, &card, &catalogue, now)?;
    if context.output.json {
        let plans: Vec<Value> = catalogue.plans.iter().map(|plan| document(plan, &choice)).collect();
        context.output.document(json!({
            "account": account.name, "card": card.name, "fetched_at": catalogue.fetched_at,
            "rule": choice.rule, "buys": choice.plan, "plans": plans,
        }))?;
        return Ok(Exit::Done);
    }
    if catalogue.plans.is_empty() {
        context.output.say(&format!("{} sells nothing for `{}` at present", account.name, card.name))?;
        return Ok(Exit::Done);
    }
    let rows = catalogue.plans.iter().map(|plan| row(plan, &choice)).collect();
    context.output.say(&table(&["", "ID", "NAME", "HOLDS", "LASTS", "PRICE", "PER GB"], rows))?;
    context.output.hint(&choice.words(&card))?;
    Ok(Exit::Done)
}

/// What the card's rule would buy now.
struct Choice {
    rule: Option<String>,
    plan: Option<String>,
}

impl Choice {
    fn of(
        store: Option<&Store>,
        config: &Config,
        card: &Card,
        catalogue: &Catalogue,
        now: UnixTime,
    ) -> anyhow::Result<Self> {
        let Some(rule) = config.rules.rule_of(card) else {
            return Ok(Self { rule: None, plan: None });
        };
        let case = match store {
            // A card that only the file names has no row.
            Some(store) if card.id != CardId(0) => {
                let case =
                    |conn: &_| Case::gather(conn, card.clone(), Some(rule), Standing::default(), |_| Vec::new(), now);
                Some(store.read_blocking(case)?)
            }
            Some(_) | None => None,
        };
        let data_use = match (store, &case) {
            (Some(store), Some(case)) => store.read_blocking(|conn| case.data_use(conn, rule, now))?,
            (None, _) | (_, None) => Forecast::unseen(),
        };
        // Without a reading the card's own plan is not known, and a plan begins now.
        let reading = case.as_ref().and_then(|case| case.poll.recent.latest.clone());
        let reading = reading.unwrap_or_else(|| Reading::empty(now, CardState::Unknown));
        let last = case.as_ref().and_then(Case::last_plan);
        let spends = case.as_ref().map_or(&[][..], |case| &case.ledger.spends);
        let occasion = Occasion { card, rule, reading: &reading, last_plan: last, data_use: &data_use, spends, now };
        let chosen = choose(&occasion, catalogue);
        Ok(Self { rule: Some(rule.name.to_string()), plan: chosen.plan.map(|plan| plan.id.clone()) })
    }

    fn is(&self, plan: &Plan) -> bool {
        self.plan.as_deref() == Some(plan.id.as_str())
    }

    fn words(&self, card: &Card) -> String {
        match (&self.rule, &self.plan) {
            (None, _) => format!("no rule decides for `{}`: it is only read", card.name),
            (Some(rule), Some(_)) => format!("> is what the rule `{rule}` would buy now, if it were due"),
            (Some(rule), None) => {
                format!(
                    "no plan of the list of `{rule}` is on sale and ends in time; see `simkeeper explain {}`",
                    card.name
                )
            }
        }
    }
}

fn row(plan: &Plan, choice: &Choice) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    vec![
        if choice.is(plan) { ">".to_owned() } else { String::new() },
        tamed(&plan.id, 80),
        tamed(&plan.name, 60),
        speak::contents(&plan.contents),
        text(plan.validity().map(|lasts| Spoken(lasts).to_string())),
        plan.price.to_string(),
        text(speak::price_per_gb(plan).map(|price| price.to_string())),
    ]
}

fn document(plan: &Plan, choice: &Choice) -> Value {
    json!({
        "id": plan.id, "name": plan.name, "contents": plan.contents, "validity_secs": plan.validity_secs,
        "price": plan.price, "price_per_gb": speak::price_per_gb(plan), "rule_buys": choice.is(plan),
    })
}
