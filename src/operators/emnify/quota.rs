//! The data quota of a device: what it says, what a top-up writes over it, and how that is recognised afterwards.
//!
//! A top-up sets an absolute volume and end: the rest that was read, and the plan on top. Reading, adding and writing are
//! three steps that the operator does not join: what the device uses between the reading and the writing is given back
//! to it, and of two writers one is lost. The daemon reads a card just before it orders, so the first is seconds of use,
//! and one account of one daemon should be the only writer.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::wire::QuotaDoc;
use crate::domain::attempt::Snapshot;
use crate::domain::operator::{Found, OperatorError, RefusalKind, SentOrder};
use crate::domain::plan::Plan;
use crate::domain::reading::AllowanceState;
use crate::domain::time::{Secs, UnixTime};
use crate::operators::kit::{never, time_in, unknown};

/// Bytes of one MB. The operator does not define it; the same factor reads and writes.
pub(super) const MB: i64 = 1_000_000;
/// Ends that differ by less are one end.
const SAME: Secs = Secs::MINUTE;
/// An order is made from a reading that is no older than this.
pub(super) const READING_FRESH: Duration = Duration::from_secs(600);

/// A quota as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    /// The device.
    pub(super) endpoint: String,
    /// What is left, in bytes.
    pub(super) left_bytes: i64,
    /// Where it stands.
    pub(super) state: AllowanceState,
    /// When it ends, if ever.
    pub(super) ends: Option<UnixTime>,
    /// Whether the operator fills it up every day.
    pub(super) refills_itself: bool,
    /// At which rest the operator tells its owner, to be kept.
    threshold_percentage: Option<String>,
    /// For what time this holds.
    pub(super) read_at: UnixTime,
}

impl Quota {
    /// From the operator's document.
    pub(super) fn of(doc: &QuotaDoc, endpoint: &str, read_at: UnixTime) -> Result<Self, String> {
        // The ids of the operator's own text; another operator's look-alike API counts from 0, so words come first.
        let word =
            doc.status.as_ref().map(|status| status.word(&[("1", "ACTIVE"), ("2", "EXHAUSTED"), ("3", "EXPIRED")]));
        let ends = doc.expiry_date.as_deref().filter(|text| !text.is_empty());
        let ends = ends.map(|text| time_in(text, &TimeZone::UTC)).transpose()?;
        let state = match word.as_deref() {
            Some("EXHAUSTED") => AllowanceState::Finished,
            Some("EXPIRED") => AllowanceState::Expired,
            // After its end the device is refused data, whatever is left.
            _ if ends.is_some_and(|ends| ends <= read_at) => AllowanceState::Expired,
            _ => AllowanceState::Active,
        };
        Ok(Self {
            endpoint: endpoint.to_owned(),
            left_bytes: doc.volume.scaled(MB)?,
            state,
            ends,
            refills_itself: doc.auto_refill.is_some_and(|flag| flag.0),
            threshold_percentage: doc.threshold_percentage.as_ref().map(|percent| percent.as_str().to_owned()),
            read_at,
        })
    }

    /// The document that adds a plan.
    ///
    /// # Errors
    /// The operator fills the quota up itself, or the plan lacks data or length.
    pub(super) fn topped_up(&self, plan: &Plan) -> Result<String, OperatorError> {
        self.refuse_second_payer()?;
        let (data, length) = sized(plan)?;
        // What had expired is not given back.
        let rest = if self.state == AllowanceState::Expired { 0 } else { self.left_bytes.max(0) };
        let volume = rest.checked_add(data).ok_or_else(|| unknown("the new volume is too large"))?;
        let ends = self.ends.map_or(self.read_at, |ends| ends.max(self.read_at)).plus(length);
        let mut document = serde_json::json!({
            // As the schema has them: ids are texts.
            "status": { "id": "1" },
            "action_on_exhaustion": { "id": "1" },
            "auto_refill": 0,
            "expiry_date": ends.to_string(),
        });
        let numbers =
            [("volume", Some(megabytes(volume))), ("threshold_percentage", self.threshold_percentage.clone())];
        for (name, number) in numbers {
            if let Some(number) = number.and_then(|text| text.parse::<serde_json::Number>().ok()) {
                document[name] = serde_json::Value::Number(number);
            }
        }
        Ok(document.to_string())
    }

    /// Refuses a quota that fills up by itself: two payers would pay for one need.
    pub(super) fn refuse_second_payer(&self) -> Result<(), OperatorError> {
        if !self.refills_itself {
            return Ok(());
        }
        let why = "emnify fills this card's quota up every day by itself (auto_refill); switch that off or retire the card here";
        Err(never(RefusalKind::Other, why))
    }

    /// Whether this is what an order has written, what was there before, or neither.
    ///
    /// # Errors
    /// Neither: somebody else wrote.
    pub(super) fn found(&self, order: &SentOrder, plan: &Plan) -> Result<Found, OperatorError> {
        let (_, length) = sized(plan)?;
        let before = order.before.clone().unwrap_or_default();
        let Some(ends) = self.ends else { return Err(changed("the quota has no end")) };
        if ours(ends, &before, order.first_sent_at, length) {
            let order_id = format!("quota of {} until {ends}", self.endpoint);
            return Ok(Found::Accepted { order_id, charged: None });
        }
        let left = u64::try_from(self.left_bytes).unwrap_or(0);
        let same_end = before.plan_ends.is_some_and(|old| same(old, ends));
        if same_end && before.data_left.is_some_and(|old| left <= old) {
            return Ok(Found::Nothing);
        }
        Err(changed("its end or volume is neither what it was before nor what we wrote"))
    }
}

/// Whether an end is the one that an order writes. A quota that had ended begins at its reading, which was no more than
/// [`READING_FRESH`] before the order.
fn ours(ends: UnixTime, before: &Snapshot, sent_at: UnixTime, length: Secs) -> bool {
    let begins = ends.minus(length);
    let fresh = Secs(i64::try_from(READING_FRESH.as_secs()).unwrap_or(0));
    let at_reading = begins >= sent_at.minus(fresh).minus(SAME) && begins <= sent_at.plus(SAME);
    match before.plan_ends {
        Some(old) if old > sent_at.plus(SAME) => same(old, begins),
        Some(old) => same(old, begins) || at_reading,
        None => at_reading,
    }
}

const fn same(one: UnixTime, other: UnixTime) -> bool {
    one.since(other).0.abs() <= SAME.0
}

fn changed(how: &str) -> OperatorError {
    unknown(format!("the quota was changed by somebody else: {how}"))
}

/// Data in bytes and length of a plan.
///
/// # Errors
/// It lacks one of them; without a length nothing would prove that it was bought.
pub(super) fn sized(plan: &Plan) -> Result<(i64, Secs), OperatorError> {
    let data = plan.contents.data_bytes.and_then(|bytes| i64::try_from(bytes).ok()).filter(|bytes| *bytes > 0);
    data.zip(plan.validity().filter(|length| length.0 > 0)).ok_or_else(|| {
        let why = format!("the plan `{}` cannot be bought: emnify needs its data and validity", plan.id);
        never(RefusalKind::PlanGone, why)
    })
}

/// Bytes as MB, exactly.
fn megabytes(bytes: i64) -> String {
    let (whole, part) = (bytes / MB, bytes % MB);
    if part == 0 { whole.to_string() } else { format!("{whole}.{part:06}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Money;
    use crate::domain::operator::OrderKey;
    use crate::domain::plan::Contents;

    const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

    fn plan() -> Plan {
        Plan {
            id: "500MB".into(),
            name: "500 MB".into(),
            contents: Contents { data_bytes: Some(500_000_000), ..Contents::default() },
            validity_secs: Some(Secs::days(30).0),
            price: Money::parse("2 EUR").unwrap(),
        }
    }

    fn quota(text: &str) -> Quota {
        Quota::of(&serde_json::from_str(text).unwrap(), "7", NOW).unwrap()
    }

    fn written(text: &str) -> serde_json::Value {
        serde_json::from_str(&quota(text).topped_up(&plan()).unwrap()).unwrap()
    }

    fn order(before: Option<Snapshot>) -> SentOrder {
        SentOrder {
            key: OrderKey::new(1),
            order_id: None,
            plan_id: "500MB".into(),
            price: Money::parse("2 EUR").unwrap(),
            before,
            first_sent_at: NOW,
        }
    }

    #[test]
    fn the_rest_and_the_plan_are_written_together() {
        let doc = written(
            r#"{"status":{"id":1},"volume":"348.123456","expiry_date":"2026-12-01T00:00:00Z","threshold_percentage":20}"#,
        );
        assert_eq!(doc["volume"].to_string(), "848.123456");
        assert_eq!(doc["expiry_date"], "2026-12-31T00:00:00Z");
        assert_eq!(doc["threshold_percentage"].to_string(), "20");
        assert_eq!((&doc["status"]["id"], &doc["auto_refill"]), (&"1".into(), &0.into()));
    }

    #[test]
    fn what_had_expired_is_not_given_back_and_nothing_is_ever_owed() {
        let old = r#"{"status":{"id":"3"},"volume":100,"expiry_date":"2026-11-01T00:00:00Z"}"#;
        assert_eq!(written(old)["volume"].to_string(), "500");
        assert_eq!(written(old)["expiry_date"], "2026-12-22T12:00:00Z");
        let used = r#"{"status":{"id":2,"description":"EXHAUSTED"},"volume":-3,"expiry_date":"2026-12-01T00:00:00Z"}"#;
        assert_eq!(written(used)["volume"].to_string(), "500");
    }

    #[test]
    fn states_are_told_by_word_number_or_text() {
        for (status, expected) in [
            (r#"{"id":1}"#, AllowanceState::Active),
            (r#"{"id":"2"}"#, AllowanceState::Finished),
            (r#"{"id":3}"#, AllowanceState::Expired),
            // Another operator's look-alike counts from 0; words go before ids.
            (r#"{"id":1,"description":"Exhausted"}"#, AllowanceState::Finished),
            (r#"{"id":9}"#, AllowanceState::Active),
        ] {
            let text = format!(r#"{{"status":{status},"volume":1,"expiry_date":"2026-12-01T00:00:00Z"}}"#);
            assert_eq!(quota(&text).state, expected, "{status}");
        }
        let over = r#"{"status":{"id":1},"volume":1,"expiry_date":"2026-11-22T12:00:00Z"}"#;
        assert_eq!(quota(over).state, AllowanceState::Expired);
    }

    #[test]
    fn there_is_never_a_second_payer() {
        let refilled = quota(r#"{"volume":1,"expiry_date":"2026-12-01T00:00:00Z","auto_refill":"1"}"#);
        assert!(matches!(refilled.topped_up(&plan()), Err(OperatorError::Never { .. })));
        let own = quota(r#"{"volume":1,"expiry_date":"2026-12-01T00:00:00Z","auto_refill":0}"#);
        assert!(own.topped_up(&plan()).is_ok());
        assert!(own.topped_up(&Plan { validity_secs: None, ..plan() }).is_err());
        assert!(own.topped_up(&Plan { contents: Contents::default(), ..plan() }).is_err());
    }

    #[test]
    fn a_quota_is_ours_as_before_or_somebody_elses() {
        let ends = UnixTime::parse("2026-12-01T00:00:00Z").unwrap();
        let before = Snapshot { plan_ends: Some(ends), data_left: Some(348_000_000), ..Snapshot::default() };
        let found = |ends: &str, volume: u32, before: &Snapshot| {
            let text = format!(r#"{{"volume":{volume},"expiry_date":"{ends}"}}"#);
            quota(&text).found(&order(Some(before.clone())), &plan())
        };
        assert!(matches!(found("2026-12-31T00:00:00Z", 848, &before), Ok(Found::Accepted { .. })));
        assert!(matches!(found("2026-12-31T00:00:30Z", 200, &before), Ok(Found::Accepted { .. })));
        assert_eq!(found("2026-12-01T00:00:00Z", 347, &before), Ok(Found::Nothing));
        assert!(found("2026-12-01T00:00:00Z", 848, &before).is_err(), "more data and the same end");
        assert!(found("2026-12-22T12:00:00Z", 848, &before).is_err(), "another end");
        // Ended before the order: the new one begins at the reading before it.
        let over = Snapshot { plan_ends: Some(NOW.minus(Secs::DAY)), ..before };
        assert!(matches!(found("2026-12-22T11:55:00Z", 500, &over), Ok(Found::Accepted { .. })));
        assert!(found("2026-12-22T13:00:00Z", 500, &over).is_err());
        assert_eq!(found("2026-11-21T12:00:00Z", 100, &over), Ok(Found::Nothing));
    }
}
