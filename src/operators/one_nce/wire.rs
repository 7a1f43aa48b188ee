//! The documents of the API, as far as they are needed, and what they say about a card.

use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::domain::card::tamed;
use crate::domain::identity::{Iccid, Msisdn};
use crate::domain::operator::ListedCard;
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::{Loose, time_in};

/// Bytes of one MB: it has 1024 kilobytes.
const MB: i64 = 1 << 20;

/// A card: `GET /v1/sims/{iccid}`, and a row of `GET /v1/sims`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct SimDoc {
    iccid: Option<Loose>,
    iccid_with_luhn: Option<Loose>,
    msisdn: Option<Loose>,
    status: Option<String>,
    label: Option<String>,
    current_quota: Option<Loose>,
    quota_status: Option<LevelDoc>,
    #[serde(rename = "current_quota_SMS")]
    current_sms: Option<Loose>,
    #[serde(rename = "quota_status_SMS")]
    sms_status: Option<LevelDoc>,
}

/// How much of a bundle is left, in three steps, and when they were reached.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct LevelDoc {
    id: Option<Loose>,
    threshold_reached_date: Option<String>,
    quota_exceeded_date: Option<String>,
}

/// How much of a bundle is left, as a row of the list tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// More than 20 %.
    Plenty,
    /// Less than 20 %.
    Low,
    /// Nothing.
    Nothing,
}

impl LevelDoc {
    fn level(&self) -> Option<Level> {
        match self.id.as_ref()?.as_str() {
            "0" => Some(Level::Plenty),
            "1" => Some(Level::Low),
            "2" => Some(Level::Nothing),
            _ => None,
        }
    }
}

impl SimDoc {
    /// The number, without its check digit where both forms are told. Of the longer one the check digit is not always
    /// right.
    pub(super) fn iccid(&self) -> Option<&str> {
        self.iccid.as_ref().or(self.iccid_with_luhn.as_ref()).map(Loose::as_str)
    }

    pub(super) fn state(&self) -> CardState {
        match self.status.as_deref() {
            Some("Enabled") => CardState::Active,
            Some("Disabled") => CardState::Blocked,
            _ => CardState::Unknown,
        }
    }

    /// Whether the row tells all that matters: more than 20 % is left of data and texts, or nothing at all.
    pub(super) fn suffices(&self) -> bool {
        let clear = |level: &Option<LevelDoc>| {
            matches!(level.as_ref().and_then(LevelDoc::level), Some(Level::Plenty | Level::Nothing))
        };
        self.current_quota.is_some() && clear(&self.quota_status) && clear(&self.sms_status)
    }

    /// What the row alone says about data and texts: that nothing is left. "More than 20 %" is no number, and one put in
    /// its place would make each exact reading look like a top-up.
    pub(super) fn allowances(&self) -> Result<Vec<Allowance>, String> {
        let of = |kind, level: &Option<LevelDoc>, whole: &Option<Loose>, factor| {
            let (Some(level), Some(whole)) = (level.as_ref().and_then(LevelDoc::level), whole) else { return Ok(None) };
            let total = whole.scaled(factor)?;
            Ok::<_, String>(match level {
                Level::Nothing => Some(allowance(kind, 0, Some(total), AllowanceState::Finished, None)),
                Level::Plenty | Level::Low => None,
            })
        };
        let data = of(AllowanceKind::Data, &self.quota_status, &self.current_quota, MB)?;
        let sms = of(AllowanceKind::Sms, &self.sms_status, &self.current_sms, 1)?;
        Ok(data.into_iter().chain(sms).collect())
    }

    /// The card in a list for people.
    pub(super) fn listed(&self) -> ListedCard {
        ListedCard {
            iccid: self.iccid().and_then(|iccid| Iccid::parse(iccid).ok()),
            msisdn: self.msisdn.as_ref().and_then(|number| Msisdn::parse(number.as_str()).ok()),
            label: self.label.as_deref().map(|label| tamed(label, 80)).filter(|label| !label.is_empty()),
            fields: std::collections::BTreeMap::new(),
        }
    }
}

/// `GET /v2/sims/{iccid}/quota/data` and `…/sms`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct QuotaDoc {
    status: Option<QuotaStatusDoc>,
    volume: Loose,
    total_volume: Option<Loose>,
    accumulated_total_volume: Option<Loose>,
    expiry_date: Option<String>,
}

/// The word counts: the number beside it means different things in the vendor's own text and example.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct QuotaStatusDoc {
    description: Option<String>,
}

impl QuotaDoc {
    pub(super) fn ends(&self) -> Result<Option<UnixTime>, String> {
        self.expiry_date.as_deref().map(|time| time_in(time, &TimeZone::UTC)).transpose()
    }

    fn state(&self) -> AllowanceState {
        match self.status.as_ref().and_then(|status| status.description.as_deref()) {
            Some("EXHAUSTED") => AllowanceState::Finished,
            Some("EXPIRED") => AllowanceState::Expired,
            _ => AllowanceState::Active,
        }
    }

    fn allowance(&self, kind: AllowanceKind, factor: i64) -> Result<Allowance, String> {
        // "Can be negative", the vendor says of what is left: use is counted after the fact. Nothing is left then.
        let remaining = self.volume.scaled(factor)?.max(0);
        let total = self.total_volume.as_ref().map(|total| total.scaled(factor)).transpose()?;
        Ok(allowance(kind, remaining, total, self.state(), self.ends()?))
    }

    /// All volume that was ever added, and until when: a purchase changes one of them at least, use changes neither.
    pub(super) fn bought(&self) -> Option<String> {
        let added = self.accumulated_total_volume.as_ref()?.scaled(MB).ok()?;
        let ends = self.ends().ok()??;
        Some(format!("{} MB until {ends}", added / MB))
    }
}

fn allowance(
    kind: AllowanceKind,
    remaining: i64,
    total: Option<i64>,
    state: AllowanceState,
    ends: Option<UnixTime>,
) -> Allowance {
    Allowance { kind, remaining, total, unlimited: false, state, starts: None, ends: ends.map(End::at) }
}

/// A reading of a card that was asked for by itself.
pub(super) fn reading_of(
    sim: &SimDoc,
    data: &QuotaDoc,
    sms: Option<&QuotaDoc>,
    now: UnixTime,
) -> Result<Reading, String> {
    let state = match (sim.state(), data.state()) {
        (_, AllowanceState::Expired) => CardState::Expired,
        (CardState::Active, AllowanceState::Finished) => CardState::Finished,
        (state, _) => state,
    };
    let sms = sms.map(|sms| sms.allowance(AllowanceKind::Sms, 1)).transpose()?;
    Ok(Reading {
        renewable: Renewable::Yes,
        allowances: [data.allowance(AllowanceKind::Data, MB)?].into_iter().chain(sms).collect(),
        plan_ends: data.ends()?.map(End::at),
        assets: data.bought().into_iter().collect(),
        plan: Some(super::TOPUP.to_owned()),
        ..Reading::empty(now, state)
    })
}

/// A card of which the operator says only that it is expired (422): it can be extended.
pub(super) fn expired(now: UnixTime) -> Reading {
    Reading {
        renewable: Renewable::Yes,
        plan: Some(super::EXTENSION.to_owned()),
        ..Reading::empty(now, CardState::Expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::DataSize;
    use crate::domain::reading::{Left, oddity};

    const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

    fn quota(text: &str) -> QuotaDoc {
        serde_json::from_str(text).unwrap()
    }

    fn sim(status: &str, data: &str, sms: &str) -> SimDoc {
        let level = |id: &str| format!(r#"{{"id":{id},"threshold_reached_date":null,"quota_exceeded_date":null}}"#);
        let text = format!(
            r#"{{"iccid":"8988303000123456789","iccid_with_luhn":"89883030001234567890","status":"{status}",
            "current_quota":500,"quota_status":{},"current_quota_SMS":250,"quota_status_SMS":{},"label":"DX-137-B12"}}"#,
            level(data),
            level(sms),
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_quota_is_read_by_its_word_and_below_zero_nothing_is_left() {
        let of = |text: &str| reading_of(&sim("Enabled", "0", "0"), &quota(text), None, NOW).unwrap();
        let active = of(r#"{"id":1,"status":{"id":0,"description":"ACTIVE"},"volume":"435.5","total_volume":500,
            "accumulated_total_volume":1000,"expiry_date":"2029-01-01T00:00:00.000Z"}"#);
        assert_eq!(active.state, CardState::Active, "its number says exhausted, its word does not");
        assert_eq!(active.data_left(), Some(DataSize((435 << 20) + (1 << 19))));
        assert_eq!(active.plan_ends.unwrap().at.to_string(), "2029-01-01T00:00:00Z");
        assert_eq!(active.assets, ["1000 MB until 2029-01-01T00:00:00Z"]);
        let overdrawn = of(r#"{"status":{"id":1,"description":"EXHAUSTED"},"volume":-3.25,"total_volume":500}"#);
        assert_eq!((overdrawn.state, overdrawn.data_left()), (CardState::Finished, Some(DataSize(0))));
        assert_eq!(oddity(&overdrawn, None), None, "it is acted upon");
        let over =
            of(r#"{"status":{"description":"EXPIRED"},"volume":3,"expiry_date":"2026-01-01T00:00:00.000+0000"}"#);
        assert_eq!((over.state, over.data_left()), (CardState::Expired, Some(DataSize(0))));
        assert_eq!(over.plan_ends.unwrap().at.to_string(), "2026-01-01T00:00:00Z", "an offset without a colon");
        assert!(serde_json::from_str::<QuotaDoc>(r#"{"status":{"description":"ACTIVE"}}"#).is_err(), "not told");
        assert!(reading_of(&sim("Enabled", "0", "0"), &quota(r#"{"volume":"much"}"#), None, NOW).is_err());
    }

    #[test]
    fn a_row_suffices_unless_something_is_low() {
        for (data, sms, suffices) in [
            ("0", "0", true),
            ("2", "2", true),
            ("1", "0", false),
            ("0", "1", false),
            ("0", "null", false),
            ("7", "0", false),
        ] {
            assert_eq!(sim("Enabled", data, sms).suffices(), suffices, "{data} {sms}");
        }
        let left = |data: &str, kind| {
            let reading = Reading { allowances: sim("Enabled", data, "0").allowances().unwrap(), ..expired(NOW) };
            reading.left(kind)
        };
        let known = |remaining, total| Left { known: true, remaining, total: Some(total), unlimited: false };
        assert!(!left("0", AllowanceKind::Data).known, "more than 20 % is no number");
        assert_eq!(left("2", AllowanceKind::Data), known(0, 500 << 20));
        assert!(!left("0", AllowanceKind::Sms).known);
        assert!(!left("1", AllowanceKind::Data).known);
        assert_eq!(sim("Disabled", "0", "0").state(), CardState::Blocked);
        assert_eq!(sim("Parked", "0", "0").state(), CardState::Unknown);
    }

    #[test]
    fn a_card_is_listed_under_its_shorter_number() {
        let listed = sim("Enabled", "0", "0").listed();
        assert_eq!(listed.iccid.unwrap().digits(), "8988303000123456789");
        assert_eq!(listed.label.as_deref(), Some("DX-137-B12"));
    }
}
