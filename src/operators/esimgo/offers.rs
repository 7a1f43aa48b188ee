//! The bundles on sale for a card's countries, and what one of them costs for a card at this moment.
//!
//! The catalogue is that of the whole organisation: thousands of bundles for all countries. Those for a card are the
//! ones that cover the countries of the bundle it has, or those that its owner names.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::NAME;
use super::bundles::reading_of;
use super::orders::{Purpose, body_of, line_is_for};
use super::session::{Session, card_error, message};
use super::wire::{BundlesDoc, CatalogueDoc, CompatibleDoc, EsimDoc, OfferDoc, OrderDoc};
use crate::domain::card::{Card, tamed};
use crate::domain::money::Currency;
use crate::domain::operator::{OperatorError, RefusalKind};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::{Secs, UnixTime};
use crate::operators::kit::{never, path_part, unknown};

/// Bytes of one MB: the catalogue has 1000 for 1 GB.
const MB: i64 = 1_000_000;
/// The field of a card that names its countries.
const COUNTRIES: &str = "countries";
/// Bundles that are asked for at once.
const PER_PAGE: &str = "100";
/// Pages of a catalogue that are read at most.
const PAGES_MAX: u32 = 100;

/// The countries that the card's owner names: `GB` or `GB, FR`.
pub(super) fn stated_countries(card: &Card) -> Option<BTreeSet<String>> {
    let stated = card.fields.get(COUNTRIES)?;
    let codes = stated.split(',').map(|code| code.trim().to_uppercase()).filter(|code| !code.is_empty());
    Some(codes.collect()).filter(|codes: &BTreeSet<String>| !codes.is_empty())
}

/// The countries of the bundle on a card.
pub(super) async fn countries_of(session: &Session, bundles: &BundlesDoc) -> Result<BTreeSet<String>, OperatorError> {
    let nothing_else = EsimDoc { iccid: None, profile_status: None, state: None, customer_ref: None };
    let plan = reading_of(&nothing_else, bundles, UnixTime::MIN).map_err(unknown)?.plan;
    let offer = match &plan {
        Some(name) => offer_named(session, name).await?,
        None => None,
    };
    let countries = offer.map(|offer| codes_of(&offer)).unwrap_or_default();
    if countries.is_empty() {
        let why = format!(
            "{NAME} does not tell for which countries this card is; add them to the card as `{COUNTRIES}`, such as \"GB\""
        );
        return Err(never(RefusalKind::CardData, why));
    }
    Ok(countries)
}

/// The bundles that cover all these countries.
pub(super) async fn plans(
    session: &Session,
    countries: &BTreeSet<String>,
    currency: Currency,
) -> Result<Vec<Plan>, OperatorError> {
    let (mut plans, mut odd, mut names) = (Vec::new(), None, BTreeSet::new());
    let first = countries.first().map_or("", String::as_str);
    for page in 1..=PAGES_MAX {
        let query = [("countries", first), ("page", &*page.to_string()), ("perPage", PER_PAGE)];
        let (rows, page_count) = match session.get_long("/catalogue", &query).await?.checked()?.json()? {
            CatalogueDoc::Bare(rows) => (rows, None),
            CatalogueDoc::Page { bundles, page_count } => (bundles, page_count),
        };
        let known = names.len();
        for row in &rows {
            // A page that comes again, or overlaps with the one before, adds nothing.
            if row.get("name").and_then(|name| name.as_str()).is_some_and(|name| !names.insert(name.to_owned())) {
                continue;
            }
            match OfferDoc::deserialize(row).map_err(|error| error.to_string()).and_then(|offer| {
                if codes_of(&offer).is_superset(countries) { plan_of(&offer, currency).map(Some) } else { Ok(None) }
            }) {
                Ok(plan) => plans.extend(plan),
                Err(why) => {
                    tracing::warn!(why, "one of eSIM Go's bundles makes no sense and is left out");
                    odd = Some(why);
                }
            }
        }
        let told_last = page_count.and_then(|count| count.whole().ok()).is_some_and(|count| i64::from(page) >= count);
        if told_last || names.len() == known {
            return match odd {
                Some(why) if plans.is_empty() => Err(unknown(why)),
                // The card has a bundle for these countries, so that there is nothing at all would be strange.
                None if names.is_empty() => Err(unknown(format!("the catalogue holds nothing for {first}"))),
                Some(_) | None => Ok(plans),
            };
        }
    }
    Err(unknown(format!("the catalogue for {first} has more than {PAGES_MAX} pages")))
}

/// What a bundle would cost for a card at this moment; none if it is gone, does not fit the card, or would be refused.
pub(super) async fn offer_now(
    session: &Session,
    iccid: &str,
    bundle: &str,
    currency: Currency,
) -> Result<Option<Plan>, OperatorError> {
    let name = path_part(bundle, "the name of a bundle")?;
    let fits: CompatibleDoc = session.of_card(iccid, &format!("/compatible/{name}"), &[]).await?;
    if !fits.compatible.0 {
        return Ok(None);
    }
    let Some(offer) = offer_named(session, bundle).await? else { return Ok(None) };
    let plan = plan_of(&offer, currency).map_err(unknown)?;
    let body = body_of(Purpose::Validate, bundle, iccid).map_err(unknown)?;
    let answer = session.dry_run("/orders", &body).await?;
    if answer.status == 400 {
        // Without codes nobody can say why; the operator's own words are all there is.
        return Err(never(RefusalKind::Other, format!("{NAME} would refuse the order: {}", message(&answer))));
    }
    let dry: OrderDoc = answer.checked()?.json()?;
    if !dry.valid.ok_or_else(|| unknown("the dry run does not say whether the order is valid"))?.0 {
        return Ok(None);
    }
    if !matches!(&dry.order[..], [line] if line_is_for(line, bundle)) {
        return Err(unknown("the dry run is about another order than ours"));
    }
    let price = dry.money().ok_or_else(|| unknown("the dry run tells no price"))?;
    if price.currency() != currency {
        return Err(unknown("the dry run is in another currency than the organisation's"));
    }
    Ok(Some(Plan { price, ..plan }))
}

/// A bundle of the catalogue, by its exact name; none if it is gone.
async fn offer_named(session: &Session, name: &str) -> Result<Option<OfferDoc>, OperatorError> {
    let name = path_part(name, "the name of a bundle")?;
    let answer = session.get(&format!("/catalogue/bundle/{name}"), &[]).await?;
    match answer.status {
        404 => Ok(None),
        200..=299 => {
            let offer: OfferDoc = answer.json()?;
            // Names are told apart by upper and lower case.
            if offer.name == name { Ok(Some(offer)) } else { Err(unknown("the answer is about another bundle")) }
        }
        400 => Err(card_error(&answer)),
        _ => Err(answer.error()),
    }
}

fn codes_of(offer: &OfferDoc) -> BTreeSet<String> {
    offer.countries.as_deref().unwrap_or_default().iter().map(super::wire::CountryDoc::code).collect()
}

fn plan_of(offer: &OfferDoc, currency: Currency) -> Result<Plan, String> {
    let unlimited_data = offer.unlimited.is_some_and(|flag| flag.0);
    // Of an unlimited bundle the amount carries no meaning.
    let amount = offer.data_amount.as_ref().filter(|_| !unlimited_data);
    let told = offer.price.as_ref().ok_or_else(|| format!("`{}` tells no price", tamed(&offer.name, 80)))?;
    let price = told.money(currency)?;
    if price.ten_thousandths() < 0 {
        return Err(format!("`{}` costs less than nothing", tamed(&offer.name, 80)));
    }
    let days = offer.duration.as_ref().map(|days| days.scaled(1)).transpose()?.filter(|days| *days > 0);
    Ok(Plan {
        id: offer.name.clone(),
        name: tamed(offer.description.as_deref().unwrap_or(&offer.name), 120),
        contents: Contents {
            data_bytes: amount.map(|amount| amount.counted(MB)).transpose()?,
            unlimited_data,
            ..Contents::default()
        },
        validity_secs: days.map(|days| Secs::days(days).0),
        price,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan(row: &serde_json::Value) -> Result<Plan, String> {
        plan_of(&OfferDoc::deserialize(row).unwrap(), Currency::USD)
    }

    #[test]
    fn a_gigabyte_of_the_catalogue_has_a_thousand_megabytes() {
        let row = json!({ "name": "esim_1GB_7D_GB_V2", "description": "eSIM, 1GB, 7 Days, United Kingdom, V2",
            "dataAmount": 1000, "duration": 7, "price": 1.36, "unlimited": false });
        let plan_ = plan(&row).unwrap();
        assert_eq!((plan_.contents.data_bytes, plan_.validity_secs), (Some(1_000_000_000), Some(7 * 86_400)));
        assert_eq!(plan_.price.to_string(), "1.36 USD");
        let unlimited = plan(&json!({ "name": "u", "dataAmount": -1, "price": "2", "unlimited": true })).unwrap();
        assert_eq!((unlimited.contents.unlimited_data, unlimited.contents.data_bytes), (true, None));
        for odd in [
            json!({ "name": "a", "dataAmount": -1, "price": 1 }),
            json!({ "name": "a" }),
            json!({ "name": "a", "price": -1 }),
            json!({ "name": "a", "price": 1e308 }),
        ] {
            assert!(plan(&odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn countries_are_codes_or_more() {
        let offer =
            OfferDoc::deserialize(json!({ "name": "a", "countries": ["gb", { "iso": "FR", "name": "France" }] }));
        assert_eq!(codes_of(&offer.unwrap()), BTreeSet::from(["FR".to_owned(), "GB".to_owned()]));
    }
}
