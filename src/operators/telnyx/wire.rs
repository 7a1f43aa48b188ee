//! The documents of the API, as far as they are needed, and what a card's row says.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::domain::card::tamed;
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::ListedCard;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::UnixTime;
use crate::operators::kit::{CardLimit, Loose, MEGABYTE, limit_id};

/// Every answer of success is wrapped like this.
#[derive(Debug, Deserialize)]
pub(super) struct Wrapped<T> {
    pub(super) data: T,
}

/// A page of `GET /sim_cards`. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
pub(super) struct PageDoc {
    pub(super) data: Vec<serde_json::Value>,
    meta: Option<MetaDoc>,
}

#[derive(Debug, Deserialize)]
struct MetaDoc {
    total_pages: Option<Loose>,
}

impl PageDoc {
    /// How many pages there are, where it tells.
    pub(super) fn pages(&self) -> Option<i64> {
        self.meta.as_ref()?.total_pages.as_ref()?.whole().ok()
    }

    /// The rows that make sense.
    pub(super) fn cards(self) -> Vec<SimDoc> {
        let read = |row: serde_json::Value| match SimDoc::deserialize(row) {
            Ok(doc) => Some(doc),
            Err(error) => {
                tracing::warn!(%error, "one of Telnyx's cards makes no sense and is left out");
                None
            }
        };
        self.data.into_iter().filter_map(read).collect()
    }
}

/// A card. Its PIN and PUK are never asked for.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct SimDoc {
    pub(super) id: String,
    pub(super) iccid: Loose,
    status: Option<StatusDoc>,
    msisdn: Option<Loose>,
    #[serde(default)]
    tags: Option<Vec<String>>,
    data_limit: Option<AmountDoc>,
    current_billing_period_consumed_data: Option<AmountDoc>,
}

#[derive(Clone, Debug, Deserialize)]
struct StatusDoc {
    value: String,
}

/// An amount of data in a unit of its own.
#[derive(Clone, Debug, Deserialize)]
struct AmountDoc {
    amount: Loose,
    unit: Option<String>,
}

/// The units that are documented: name, bytes, decimal places of the bytes. Whether Telnyx counts by 1000 or 1024 is
/// not documented; by 1000 less is left.
const UNITS: [(&str, i64, u32); 2] = [("MB", MEGABYTE, 6), ("GB", 1_000 * MEGABYTE, 9)];

fn unit_of(name: &str) -> Result<(&'static str, i64, u32), String> {
    let known = UNITS.into_iter().find(|(unit, ..)| *unit == name);
    known.ok_or_else(|| format!("`{}` is neither MB nor GB", tamed(name, 20)))
}

impl SimDoc {
    /// The card's own limit in bytes, and its unit. A limit of nothing on a card that is not stopped by it is none.
    fn own_limit(&self) -> Result<Option<(i64, &'static str)>, String> {
        let Some(AmountDoc { amount, unit }) = &self.data_limit else { return Ok(None) };
        let (unit, factor, _) = unit_of(unit.as_deref().ok_or("a data limit has no unit")?)?;
        let limit = amount.scaled(factor)?;
        let stopped = self.state() == CardState::Finished;
        Ok((limit > 0 || stopped).then_some((limit, unit)))
    }

    /// The card's own limit in bytes.
    pub(super) fn limit_bytes(&self) -> Result<Option<i64>, String> {
        Ok(self.own_limit()?.map(|(limit, _)| limit))
    }

    /// The limit and what counts against it, where both are told.
    pub(super) fn card_limit(&self) -> Result<Option<CardLimit>, String> {
        let (Some((limit, unit)), Some(used)) = (self.own_limit()?, &self.current_billing_period_consumed_data) else {
            return Ok(None);
        };
        // The unit of the usage, unlike that of the limit, has a documented default.
        let (_, factor, _) = unit_of(used.unit.as_deref().unwrap_or("MB"))?;
        Ok(Some(CardLimit { id: self.id.clone(), limit, used: used.amount.scaled(factor)?, unit }))
    }

    /// What the card's row says, with its limit as [`SimDoc::card_limit`] has it. The cycle's end is not told.
    pub(super) fn reading(&self, limit: Option<&CardLimit>, as_of: UnixTime, now: UnixTime) -> Reading {
        let state = self.state();
        let mut reading = Reading { as_of, renewable: Renewable::Yes, ..Reading::empty(now, state) };
        if let Some(limit) = limit {
            let stopped = state == CardState::Finished;
            reading.allowances.push(Allowance {
                kind: AllowanceKind::Data,
                remaining: if stopped { 0 } else { limit.left() },
                total: Some(limit.limit),
                unlimited: false,
                state: if stopped { AllowanceState::Finished } else { AllowanceState::Active },
                starts: None,
                ends: None,
            });
            reading.assets.push(limit_id(limit.limit));
        }
        reading
    }

    fn state(&self) -> CardState {
        match self.status.as_ref().map_or("", |status| status.value.as_str()) {
            "enabled" => CardState::Active,
            "data_limit_exceeded" => CardState::Finished,
            "registering" => CardState::NotActive,
            // Switched off, or about to be, by the owner; or kept from another device.
            "disabled" | "disabling" | "standby" | "setting_standby" | "unauthorized_imei" => CardState::Blocked,
            // `enabling` is on its way to somewhere; other words are not documented.
            _ => CardState::Unknown,
        }
    }

    /// The card in a list for people.
    pub(super) fn listed(&self) -> ListedCard {
        let tags = self.tags.as_deref().unwrap_or_default().join(", ");
        ListedCard {
            iccid: Iccid::parse(self.iccid.as_str()).ok(),
            msisdn: self.msisdn.as_ref().and_then(|number| Msisdn::parse(number.as_str()).ok()),
            label: Some(tamed(&tags, 80)).filter(|tags| !tags.is_empty()),
            fields: [("sim_card_id".to_owned(), tamed(&self.id, 80))].into(),
        }
    }
}

/// `GET /balance`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    balance: Loose,
    available_credit: Option<Loose>,
    pub(super) currency: String,
}

impl BalanceDoc {
    /// What can be spent: the balance and what the account may owe, where that is told.
    pub(super) fn to_spend(&self, currency: Currency) -> Result<Option<Money>, String> {
        let told = self.available_credit.as_ref().map(|credit| credit.money(currency)).transpose()?;
        // Read even where it is not needed: an answer without a balance is not this document.
        self.balance.money(currency)?;
        Ok(told)
    }
}

#[derive(Serialize, Deserialize)]
struct LimitBody {
    data_limit: LimitAmount,
}

#[derive(Serialize, Deserialize)]
struct LimitAmount {
    amount: String,
    unit: String,
}

/// The body that sets a limit, in this unit. Amounts are written with a point, as the operator writes them.
pub(super) fn limit_body(bytes: i64, unit: &str) -> Vec<u8> {
    let places = UNITS.iter().find(|(name, ..)| *name == unit).map_or(6, |(.., places)| *places);
    let mut amount = Decimal::new(bytes, places).normalize().to_string();
    if !amount.contains('.') {
        amount.push_str(".0");
    }
    let unit = if places == 9 { "GB" } else { "MB" };
    format!(r#"{{"data_limit":{{"amount":"{amount}","unit":"{unit}"}}}}"#).into_bytes()
}

/// The limit in such a body.
pub(super) fn limit_in(body: &[u8]) -> Option<i64> {
    let LimitBody { data_limit } = serde_json::from_slice(body).ok()?;
    let (_, factor, _) = unit_of(&data_limit.unit).ok()?;
    Loose(data_limit.amount).scaled(factor).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::reading::AllowanceKind;

    const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

    fn card(status: &str, limit: &str, used: &str) -> SimDoc {
        let text = format!(
            r#"{{"id":"a","iccid":"89310410106543789301","status":{{"value":"{status}"}},"data_limit":{limit},"current_billing_period_consumed_data":{used}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn left(doc: &SimDoc) -> (CardState, Option<i64>) {
        let reading = doc.reading(doc.card_limit().unwrap().as_ref(), NOW, NOW);
        (reading.state, reading.allowances.first().map(|data| data.remaining))
    }

    const LIMIT: &str = r#"{"amount":"2048.1","unit":"MB"}"#;

    #[test]
    fn what_is_left_is_the_limit_less_what_is_used_and_never_below_nothing() {
        let used = |amount: &str| format!(r#"{{"amount":"{amount}","unit":"MB"}}"#);
        assert_eq!(left(&card("enabled", LIMIT, &used("48.1"))), (CardState::Active, Some(2_000_000_000)));
        assert_eq!(left(&card("enabled", LIMIT, &used("2049.0"))), (CardState::Active, Some(0)));
        let stopped = card("data_limit_exceeded", LIMIT, &used("2048.0"));
        assert_eq!(left(&stopped), (CardState::Finished, Some(0)), "stopped, whatever the numbers say");
        let in_gigabytes = card("enabled", r#"{"amount":"2.5","unit":"GB"}"#, r#"{"amount":500}"#);
        assert_eq!(left(&in_gigabytes), (CardState::Active, Some(2_000_000_000)));
        assert_eq!(
            in_gigabytes.reading(in_gigabytes.card_limit().unwrap().as_ref(), NOW, NOW).assets,
            ["limit=2500000000"]
        );
    }

    #[test]
    fn what_is_not_told_is_not_a_number() {
        assert_eq!(left(&card("enabled", "null", LIMIT)), (CardState::Active, None));
        assert_eq!(left(&card("enabled", LIMIT, "null")), (CardState::Active, None));
        let nothing = r#"{"amount":"0.0","unit":"MB"}"#;
        assert_eq!(left(&card("enabled", nothing, nothing)), (CardState::Active, None), "no limit of its own");
        assert_eq!(left(&card("data_limit_exceeded", nothing, nothing)), (CardState::Finished, Some(0)));
        for odd in [r#"{"amount":"1"}"#, r#"{"amount":"1","unit":"TB"}"#, r#"{"amount":"much","unit":"MB"}"#] {
            assert!(card("enabled", odd, LIMIT).card_limit().is_err(), "{odd}");
        }
    }

    #[test]
    fn every_documented_state_has_a_meaning() {
        for (word, state) in [
            ("enabled", CardState::Active),
            ("data_limit_exceeded", CardState::Finished),
            ("registering", CardState::NotActive),
            ("enabling", CardState::Unknown),
            ("disabling", CardState::Blocked),
            ("disabled", CardState::Blocked),
            ("setting_standby", CardState::Blocked),
            ("standby", CardState::Blocked),
            ("unauthorized_imei", CardState::Blocked),
            ("levitating", CardState::Unknown),
        ] {
            assert_eq!(left(&card(word, "null", "null")).0, state, "{word}");
        }
        assert!(card("enabled", LIMIT, LIMIT).reading(None, NOW, NOW).left(AllowanceKind::Data) == Default::default());
    }

    #[test]
    fn a_limit_is_written_in_the_unit_it_has() {
        for (bytes, unit, text) in [
            (2_148_100_000, "MB", r#"{"data_limit":{"amount":"2148.1","unit":"MB"}}"#),
            (2_100_000_000, "GB", r#"{"data_limit":{"amount":"2.1","unit":"GB"}}"#),
            (3_000_000_000, "GB", r#"{"data_limit":{"amount":"3.0","unit":"GB"}}"#),
            (100_000_000, "MB", r#"{"data_limit":{"amount":"100.0","unit":"MB"}}"#),
        ] {
            let body = limit_body(bytes, unit);
            assert_eq!(String::from_utf8_lossy(&body), text);
            assert_eq!(limit_in(&body), Some(bytes));
        }
    }
}
