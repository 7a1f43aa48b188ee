//! The documents of the API, as far as they are needed, and what a card's row says.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::domain::card::tamed;
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::money::{Currency, Money};
use crate::domain::operator::{ListedCard, OperatorError};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::{CardLimit, Flag, Loose, limit_id, time_in, unknown};

/// How a time that is none is written.
const NO_TIME: &str = "0000-00-00 00:00:00";

/// Every answer but a list of devices.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope<T> {
    success: Flag,
    data: Option<T>,
    error: Option<String>,
}

impl<T> Envelope<T> {
    /// What it holds, if it says success.
    pub(super) fn sound(self) -> Result<T, OperatorError> {
        match (self.success, self.data) {
            (Flag(true), Some(data)) => Ok(data),
            (Flag(true), None) => Err(unknown("Hologram's answer is empty")),
            (Flag(false), _) => Err(refusal(self.error.as_deref())),
        }
    }
}

fn refusal(error: Option<&str>) -> OperatorError {
    unknown(format!("Hologram says: {}", error.unwrap_or("no")))
}

/// A page of `GET /devices`. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
pub(super) struct DevicesDoc {
    success: Flag,
    #[serde(default)]
    data: Option<Vec<serde_json::Value>>,
    error: Option<String>,
    continues: Option<Flag>,
    lastid: Option<Loose>,
}

impl DevicesDoc {
    /// This document, if it says success.
    pub(super) fn sound(self) -> Result<Self, OperatorError> {
        match (self.success, &self.data) {
            (Flag(true), Some(_)) => Ok(self),
            (Flag(true), None) => Err(unknown("Hologram's answer holds no list")),
            (Flag(false), _) => Err(refusal(self.error.as_deref())),
        }
    }

    /// The device after which the next page begins, if there is one. The address in the answer is not looked at.
    pub(super) fn next(&self) -> Result<Option<String>, OperatorError> {
        if !matches!(self.continues, Some(Flag(true))) {
            return Ok(None);
        }
        let rows = self.data.as_deref().unwrap_or_default();
        let last = rows.last().and_then(|row| Loose::deserialize(row.get("id")?).ok());
        let id = self.lastid.clone().or(last).ok_or_else(|| unknown("Hologram's list goes on, but not after what"))?;
        Ok(Some(id.0))
    }

    /// The cards of all devices that make sense, and whether some did not.
    pub(super) fn links(self) -> (Vec<Link>, bool) {
        let (mut links, mut odd) = (Vec::new(), false);
        for row in self.data.unwrap_or_default() {
            match DeviceDoc::deserialize(row) {
                Ok(device) => {
                    let DeviceDoc { name, phonenumber, links: cards } = device;
                    let cards = cards.cellular.into_iter();
                    links.extend(cards.map(|doc| Link { doc, name: name.clone(), number: phonenumber.clone() }));
                }
                Err(error) => {
                    tracing::warn!(%error, "one of Hologram's devices makes no sense and is left out");
                    odd = true;
                }
            }
        }
        (links, odd)
    }
}

/// A device, which usually holds one card.
#[derive(Debug, Deserialize)]
struct DeviceDoc {
    name: Option<String>,
    phonenumber: Option<Loose>,
    links: LinksDoc,
}

#[derive(Debug, Deserialize)]
struct LinksDoc {
    cellular: Vec<LinkDoc>,
}

/// A card in its plan.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LinkDoc {
    pub(super) id: Loose,
    sim: Loose,
    msisdn: Option<Loose>,
    state: Option<String>,
    whenexpires: Option<String>,
    overagelimit: Option<Loose>,
    plan: Option<PlanDoc>,
    cur_billing_data_used: Option<Loose>,
}

/// A plan: its data in bytes, -1 for no end.
#[derive(Clone, Debug, Deserialize)]
struct PlanDoc {
    id: Option<Loose>,
    data: Option<Loose>,
}

impl LinkDoc {
    /// The bytes that may be used beyond the plan's; below zero if there is no limit.
    pub(super) fn overage(&self) -> Result<Option<i64>, String> {
        self.overagelimit.as_ref().map(Loose::whole).transpose()
    }
}

/// A card, and what its device is called.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) doc: LinkDoc,
    name: Option<String>,
    number: Option<Loose>,
}

/// Data of a billing period, in bytes.
struct Period {
    /// What the plan has and what may be used beyond it; none if there is no limit.
    limit: Option<(i64, i64)>,
    used: i64,
}

impl Link {
    pub(super) fn iccid(&self) -> &str {
        self.doc.sim.as_str()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.doc.state.as_deref() == Some("DEAD")
    }

    /// The limit beyond the plan and what counts against it; none if there is no limit, or not all of it is told.
    pub(super) fn card_limit(&self) -> Result<Option<CardLimit>, String> {
        let Some(Period { limit: Some((plan, overage)), used }) = self.period()? else { return Ok(None) };
        let id = self.doc.id.0.clone();
        Ok(Some(CardLimit { id, limit: overage, used: used.saturating_sub(plan), unit: "B" }))
    }

    fn period(&self) -> Result<Option<Period>, String> {
        let plan = self.doc.plan.as_ref().and_then(|plan| plan.data.as_ref()).map(Loose::whole).transpose()?;
        let used = self.doc.cur_billing_data_used.as_ref().map(Loose::whole).transpose()?;
        Ok(match (plan, self.doc.overage()?, used) {
            (Some(plan), Some(overage), Some(used)) => {
                Some(Period { limit: (plan >= 0 && overage >= 0).then_some((plan, overage)), used })
            }
            _ => None,
        })
    }

    /// What the card's row says.
    pub(super) fn reading(&self, as_of: UnixTime, now: UnixTime) -> Result<Reading, String> {
        let (period, limit) = (self.period()?, self.card_limit()?);
        let state = self.state(limit.as_ref());
        let mut reading = Reading { as_of, ..Reading::empty(now, state) };
        reading.renewable = if state == CardState::Recycled { Renewable::OneOff } else { Renewable::Yes };
        // The end of the billing period, at which the plan renews itself; of a plan that was given up, its end.
        let told = self.doc.whenexpires.as_deref().filter(|time| *time != NO_TIME);
        reading.plan_ends = told.map(|time| time_in(time, &TimeZone::UTC)).transpose()?.map(End::at);
        if let Some(period) = period {
            let stopped = state == CardState::Finished;
            reading.allowances.push(Allowance {
                kind: AllowanceKind::Data,
                remaining: limit.as_ref().map_or(0, CardLimit::left),
                total: period.limit.map(|(plan, overage)| plan.saturating_add(overage)),
                unlimited: period.limit.is_none(),
                state: if stopped { AllowanceState::Finished } else { AllowanceState::Active },
                starts: None,
                ends: reading.plan_ends,
            });
        }
        reading.assets.extend(limit.map(|limit| limit_id(limit.limit)));
        reading.assets.extend(self.plan_id());
        Ok(reading)
    }

    fn plan_id(&self) -> Option<String> {
        Some(format!("plan={}", tamed(self.doc.plan.as_ref()?.id.as_ref()?.as_str(), 40)))
    }

    /// A card that reached its limit is paused by the operator, and one that its owner paused says the same word: what
    /// is left tells them apart.
    fn state(&self, limit: Option<&CardLimit>) -> CardState {
        match self.doc.state.as_deref().unwrap_or_default() {
            "LIVE" => CardState::Active,
            // The number is given up; a limit does not bring it back.
            "DEAD" => CardState::Recycled,
            "INACTIVE" => CardState::NotActive,
            "PAUSED-PENDING-USER" => CardState::Blocked,
            // On its way to somewhere.
            word if word.contains("PENDING") => CardState::Unknown,
            word if word.starts_with("PAUSED") && limit.is_some_and(|limit| limit.left() == 0) => CardState::Finished,
            word if word.starts_with("PAUSED") => CardState::Blocked,
            _ => CardState::Unknown,
        }
    }

    /// The card in a list for people.
    pub(super) fn listed(&self) -> ListedCard {
        let number = self.doc.msisdn.as_ref().or(self.number.as_ref());
        ListedCard {
            iccid: Iccid::parse(self.iccid()).ok(),
            msisdn: number.and_then(|number| Msisdn::parse(number.as_str()).ok()),
            label: self.name.as_deref().map(|name| tamed(name, 80)).filter(|name| !name.is_empty()),
            fields: [("linkid".to_owned(), tamed(self.doc.id.as_str(), 40))].into(),
        }
    }
}

/// `GET /organizations/{orgid}/balance`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    balance: Loose,
    pub(super) orgid: Option<Loose>,
}

impl BalanceDoc {
    /// The balance: `96.05`, `-3.95`, or `$2.13` as one description writes it.
    pub(super) fn balance(&self, currency: Currency) -> Result<Money, String> {
        let text = self.balance.as_str();
        let (sign, number) = text.strip_prefix('-').map_or(("", text), |number| ("-", number));
        Loose(format!("{sign}{}", number.strip_prefix('$').unwrap_or(number))).money(currency)
    }
}

#[derive(Serialize, Deserialize)]
struct LimitBody {
    limit: i64,
}

/// The body that sets a limit.
pub(super) fn limit_body(bytes: i64) -> Vec<u8> {
    format!(r#"{{"limit":{bytes}}}"#).into_bytes()
}

/// The limit in such a body.
pub(super) fn limit_in(body: &[u8]) -> Option<i64> {
    serde_json::from_slice::<LimitBody>(body).ok().map(|body| body.limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

    fn link(state: &str, overage: &str, plan: &str, used: &str) -> Link {
        let text = format!(
            r#"{{"success":true,"data":[{{"id":1,"name":"Pump","phonenumber":null,"links":{{"cellular":[{{"id":4321,
            "sim":"8901260882277048945","msisdn":"882285100000018","state":"{state}","whenexpires":"2026-12-05 01:00:00",
            "overagelimit":{overage},"plan":{plan},"cur_billing_data_used":{used}}}]}}}}]}}"#
        );
        serde_json::from_str::<DevicesDoc>(&text).unwrap().links().0.remove(0)
    }

    const PLAN: &str = r#"{"id":127,"data":1000000}"#;

    fn left(link: &Link) -> (CardState, Option<(i64, Option<i64>, bool)>) {
        let reading = link.reading(NOW, NOW).unwrap();
        let data = reading.allowances.first().map(|data| (data.remaining, data.total, data.unlimited));
        (reading.state, data)
    }

    #[test]
    fn what_is_left_is_the_plan_and_the_limit_beyond_it_less_what_is_used() {
        let data = |overage, plan, used| left(&link("LIVE", overage, plan, used)).1;
        assert_eq!(data("500000", PLAN, "400000"), Some((1_100_000, Some(1_500_000), false)));
        assert_eq!(data("\"500000\"", PLAN, "\"1400000\""), Some((100_000, Some(1_500_000), false)));
        assert_eq!(data("500000", PLAN, "1600000"), Some((0, Some(1_500_000), false)), "counted after the fact");
        assert_eq!(data("-1", PLAN, "5"), Some((0, None, true)), "no limit");
        assert_eq!(data("5", r#"{"data":-1}"#, "5"), Some((0, None, true)));
        for (overage, plan, used) in [("null", PLAN, "5"), ("5", "null", "5"), ("5", PLAN, "null")] {
            assert_eq!(data(overage, plan, used), None, "what is not told is not a number");
        }
        let raised = link("LIVE", "500000", PLAN, "400000").card_limit().unwrap().unwrap();
        assert_eq!(raised.raised("limit+100MB").unwrap(), 100_500_000, "the plan's own data does not count");
        let assets = link("LIVE", "500000", PLAN, "400000").reading(NOW, NOW).unwrap().assets;
        assert_eq!(assets, ["limit=500000", "plan=127"]);
    }

    #[test]
    fn a_pause_by_the_limit_is_not_a_pause_by_the_owner() {
        for (word, used, state) in [
            ("LIVE", "0", CardState::Active),
            ("PAUSED", "0", CardState::Blocked),
            ("PAUSED", "1500000", CardState::Finished),
            ("PAUSED-SYS", "1500000", CardState::Finished),
            ("PAUSED-PENDING-USER", "1500000", CardState::Blocked),
            ("LIVE-PENDING", "0", CardState::Unknown),
            ("DEAD", "0", CardState::Recycled),
            ("DEAD-PENDING", "0", CardState::Unknown),
            ("INACTIVE", "0", CardState::NotActive),
            ("TESTING", "0", CardState::Unknown),
        ] {
            assert_eq!(left(&link(word, "500000", PLAN, used)).0, state, "{word}");
        }
        let dead = link("DEAD", "5", PLAN, "0").reading(NOW, NOW).unwrap();
        assert_eq!(dead.renewable, Renewable::OneOff);
        assert_eq!(dead.plan_ends.unwrap().at.to_string(), "2026-12-05T01:00:00Z");
    }

    #[test]
    fn balances_come_with_and_without_a_sign_of_dollars() {
        let balance = |text: &str| {
            let doc: BalanceDoc = serde_json::from_str(&format!(r#"{{"balance":"{text}"}}"#)).unwrap();
            doc.balance(Currency::USD).map(|money| money.number())
        };
        assert_eq!(balance("96.05").unwrap(), "96.05");
        assert_eq!(balance("$2.13").unwrap(), "2.13");
        assert_eq!(balance("-$3.95").unwrap(), "-3.95");
        assert_eq!(balance("-3.95").unwrap(), "-3.95");
        assert!(balance("a lot").is_err());
    }

    #[test]
    fn a_list_goes_on_after_its_last_device_and_nowhere_else() {
        let next = |text: &str| serde_json::from_str::<DevicesDoc>(text).unwrap().next();
        let row = r#""data":[{"id":7},{"id":5}]"#;
        assert_eq!(next(&format!(r#"{{"success":true,{row}}}"#)), Ok(None));
        let told =
            format!(r#"{{"success":true,{row},"continues":true,"links":{{"next":"https://elsewhere.example"}}}}"#);
        assert_eq!(next(&told), Ok(Some("5".into())));
        assert_eq!(next(&format!(r#"{{"success":true,{row},"continues":true,"lastid":"3"}}"#)), Ok(Some("3".into())));
        assert!(next(r#"{"success":true,"data":[],"continues":true}"#).is_err());
    }
}
