//! A reading from a line and its data bundles.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::refills::id_of;
use super::wire::{BundleDoc, LineDoc};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use crate::domain::time::{End, UnixTime};
use crate::operators::kit::{Loose, time_in};

/// Bytes of one KB: Keepgo has 102400 KB for 100 MB.
const KB: i64 = 1 << 10;
/// KB of one MB.
pub(super) const KB_PER_MB: i64 = 1 << 10;

/// The reading of a line, as it was at `as_of`.
pub(super) fn reading_of(line: &LineDoc, as_of: UnixTime) -> Result<Reading, String> {
    let Some(bundles) = &line.data_bundles else { return Err("the line's data bundles are not told".into()) };
    let staged: Vec<(Stage, &BundleDoc)> =
        bundles.iter().map(|bundle| Ok((stage_of(bundle, as_of)?, bundle))).collect::<Result<_, String>>()?;
    let state = state_of(line);
    let plan_ends = plan_end(&staged)?;
    let mut allowances: Vec<Allowance> = left_of(line, state, plan_ends, &staged)?.into_iter().collect();
    allowances.extend(waiting(line, &staged)?);
    Ok(Reading {
        allowances,
        plan_ends,
        number_ends: number_end(line)?,
        assets: bundles.iter().map(|bundle| bundle.id.0.clone()).collect(),
        plan: plan_in_use(&staged),
        ..Reading::empty(as_of, state)
    })
}

/// Whether Keepgo has shut the line down.
pub(super) fn is_deactivated(line: &LineDoc) -> bool {
    line.status.eq_ignore_ascii_case("Deactivated")
}

/// The card's state, from the three words that Keepgo filters by.
fn state_of(line: &LineDoc) -> CardState {
    match line.status.to_ascii_lowercase().as_str() {
        "registered" => CardState::NotActive,
        "activated" => CardState::Active,
        // A later deactivation date may bring it back, so it is not taken back for ever.
        "deactivated" => CardState::Blocked,
        _ => CardState::Unknown,
    }
}

/// When the line itself ends, whatever data is left on it.
pub(super) fn number_end(line: &LineDoc) -> Result<Option<End>, String> {
    line.deactivation_date.as_deref().map_or(Ok(None), end_of)
}

/// A time or a day; empty or all zeros if there is none.
fn end_of(text: &str) -> Result<Option<End>, String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with("0000-00-00") {
        return Ok(None);
    }
    if text.len() == "2026-12-24".len()
        && let Ok(day) = text.parse::<Date>()
    {
        return Ok(Some(End::on(day, &TimeZone::UTC)));
    }
    time_in(text, &TimeZone::UTC).map(|at| Some(End::at(at)))
}

/// Where a data bundle stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Active,
    Over,
}

/// `Active` is the only word that is known; where another stands, the dates tell.
fn stage_of(bundle: &BundleDoc, now: UnixTime) -> Result<Stage, String> {
    let time = |text: &Option<String>| text.as_deref().map_or(Ok(None), end_of);
    if time(&bundle.terminated_at)?.is_some() {
        return Ok(Stage::Over);
    }
    if bundle.status.as_ref().is_some_and(|status| status.as_str().eq_ignore_ascii_case("Active")) {
        return Ok(Stage::Active);
    }
    let is_used_up = bundle.remaining_usage_kb.as_ref().is_some_and(|left| left.scaled(1) == Ok(0));
    if is_used_up || time(&bundle.expire_at)?.is_some_and(|end| end.at <= now) {
        return Ok(Stage::Over);
    }
    Ok(if time(&bundle.activated_at)?.is_some() { Stage::Active } else { Stage::Waiting })
}

fn in_stage<'a>(staged: &[(Stage, &'a BundleDoc)], stage: Stage) -> Vec<&'a BundleDoc> {
    staged.iter().filter(|(at, _)| *at == stage).map(|(_, bundle)| *bundle).collect()
}

/// When the last of the data in use ends; none if some of it has no end.
fn plan_end(staged: &[(Stage, &BundleDoc)]) -> Result<Option<End>, String> {
    let mut last: Option<End> = None;
    for bundle in in_stage(staged, Stage::Active) {
        let Some(end) = bundle.expire_at.as_deref().map_or(Ok(None), end_of)? else { return Ok(None) };
        last = last.filter(|known| known.at >= end.at).or(Some(end));
    }
    Ok(last)
}

/// What is left on the line, if it tells.
fn left_of(
    line: &LineDoc,
    state: CardState,
    ends: Option<End>,
    staged: &[(Stage, &BundleDoc)],
) -> Result<Option<Allowance>, String> {
    let Some(remaining) = &line.remaining_usage_kb else { return Ok(None) };
    let remaining = remaining.scaled(KB)?;
    let total = line.allowed_usage_kb.as_ref().map(|allowed| allowed.scaled(KB)).transpose()?;
    let has_amount =
        |bundle: &&BundleDoc| bundle.allowed_usage_kb.as_ref().is_some_and(|allowed| allowed.scaled(1) != Ok(0));
    let active = in_stage(staged, Stage::Active);
    if total.unwrap_or(0) == 0 && remaining == 0 && !active.is_empty() && !active.iter().any(has_amount) {
        // 0 of 0 beside data in use: a plan that is not counted, of which nothing is known.
        return Ok(None);
    }
    let state = match state {
        CardState::NotActive | CardState::NotInstalled => AllowanceState::Queued,
        CardState::Active
        | CardState::Finished
        | CardState::Expired
        | CardState::Blocked
        | CardState::Recycled
        | CardState::Unknown => AllowanceState::Active,
    };
    let (kind, unlimited) = (AllowanceKind::Data, false);
    Ok(Some(Allowance { kind, remaining, total, unlimited, state, starts: None, ends }))
}

/// Bundles that were bought and have not begun: they count as well, unless the line's own number has them already.
fn waiting(line: &LineDoc, staged: &[(Stage, &BundleDoc)]) -> Result<Vec<Allowance>, String> {
    let queued = in_stage(staged, Stage::Waiting);
    let Some(on_line) = &line.remaining_usage_kb else { return Ok(Vec::new()) };
    let left = |bundle: &BundleDoc| bundle.remaining_usage_kb.as_ref().map_or(Ok(0), |left| left.scaled(KB));
    let mut sum: i64 = 0;
    for bundle in in_stage(staged, Stage::Active).iter().chain(&queued) {
        sum = sum.saturating_add(left(bundle)?);
    }
    if on_line.scaled(KB)? >= sum {
        return Ok(Vec::new());
    }
    let allowance = |bundle: &&BundleDoc| {
        Ok(Allowance {
            kind: AllowanceKind::Data,
            remaining: left(bundle)?,
            total: Some(left(bundle)?),
            unlimited: false,
            state: AllowanceState::Queued,
            starts: None,
            ends: None,
        })
    };
    queued.iter().map(allowance).collect()
}

/// The newest bundle in use, by the id of the refill that it came from.
fn plan_in_use(staged: &[(Stage, &BundleDoc)]) -> Option<String> {
    let active = in_stage(staged, Stage::Active);
    let all = staged.iter().map(|(_, bundle)| *bundle).collect();
    let of = if active.is_empty() { all } else { active };
    let bundle = of.into_iter().max_by_key(|bundle| bundle.id.whole().unwrap_or(0))?;
    let kb = bundle.allowed_usage_kb.as_ref().map(Loose::whole)?.ok().filter(|kb| *kb > 0 && kb % KB_PER_MB == 0)?;
    let days = bundle.validity.as_ref().map(Loose::whole).transpose().ok()?;
    Some(id_of(kb / KB_PER_MB, days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::DataSize;

    const NOW: UnixTime = UnixTime::clamped(1_795_348_800);

    fn line(remaining: i64, fields: &str, bundles: &str) -> Result<Reading, String> {
        let text = format!(
            r#"{{"iccid":"89","status":"Activated","allowed_usage_kb":{remaining},"remaining_usage_kb":{remaining}{fields},"data_bundles":[{bundles}]}}"#
        );
        reading_of(&serde_json::from_str(&text).unwrap(), NOW)
    }

    fn bundle(id: u32, status: &str, left: i64, more: &str) -> String {
        format!(
            r#"{{"id":{id},"status":"{status}","allowed_usage_kb":1048576,"remaining_usage_kb":{left},"validity":30{more}}}"#
        )
    }

    const BEGUN: &str = r#","activated_at":"2026-11-01 00:00:00","expire_at":"2026-12-01 00:00:00""#;

    #[test]
    fn three_ends_are_kept_apart() {
        let ends = |fields: &str, bundles: &str| {
            let reading = line(5, fields, bundles).unwrap();
            let shown = |end: Option<End>| end.map(|end| end.at.to_string());
            (shown(reading.plan_ends), shown(reading.number_ends))
        };
        let at = |text: &str| Some(text.to_owned());
        let active = bundle(1, "Active", 5, BEGUN);
        assert_eq!(ends("", &active), (at("2026-12-01T00:00:00Z"), None));
        let line_end = r#","deactivation_date":"2027-06-30 08:00:00""#;
        assert_eq!(ends(line_end, &active), (at("2026-12-01T00:00:00Z"), at("2027-06-30T08:00:00Z")));
        for (date, expected) in [("2027-06-30", at("2027-07-01T00:00:00Z")), ("", None), ("0000-00-00 00:00:00", None)]
        {
            assert_eq!(ends(&format!(r#","deactivation_date":"{date}""#), ""), (None, expected), "{date}");
        }
        let for_ever = bundle(2, "Active", 5, r#","activated_at":"2026-11-01 00:00:00""#);
        assert_eq!(ends("", &format!("{active},{for_ever}")), (None, None), "some of the data has no end");
        assert!(line(5, r#","deactivation_date":"soon""#, "").is_err());
    }

    #[test]
    fn bundles_that_wait_count_once() {
        const GB: i64 = 1 << 20;
        let active = bundle(1, "Active", GB, BEGUN);
        let queued = bundle(2, "Assigned", GB, "");
        let both = format!("{active},{queued}");
        let left = |remaining| line(remaining, "", &both).unwrap().data_left();
        assert_eq!(left(GB), Some(DataSize(2 << 30)), "the line has the one in use only");
        assert_eq!(left(2 * GB), Some(DataSize(2 << 30)), "the line has both");
        for over in [
            bundle(2, "Finished", 0, BEGUN),
            bundle(2, "Expired", GB, r#","activated_at":"2026-10-01 00:00:00","expire_at":"2026-11-01 00:00:00""#),
            bundle(2, "Active", GB, r#","terminated_at":"2026-11-01 00:00:00""#),
        ] {
            let reading = line(GB, "", &format!("{active},{over}")).unwrap();
            assert_eq!(reading.data_left(), Some(DataSize(1 << 30)), "{over}");
            assert_eq!(reading.assets, ["1", "2"]);
        }
    }

    #[test]
    fn the_plan_is_named_by_what_the_refill_was() {
        let plan = |bundles: &str| line(5, "", bundles).unwrap().plan;
        let active = bundle(7, "Active", 5, BEGUN);
        assert_eq!(plan(&active).as_deref(), Some("1024-30"));
        assert_eq!(plan(&format!("{active},{}", bundle(8, "Assigned", 5, ""))).as_deref(), Some("1024-30"));
        assert_eq!(plan(r#"{"id":1,"allowed_usage_kb":102400,"validity":null}"#).as_deref(), Some("100-lifetime"));
        assert_eq!(plan(r#"{"id":1,"allowed_usage_kb":1000,"validity":10}"#), None);
        assert_eq!(plan(""), None);
    }

    #[test]
    fn what_is_not_counted_is_not_zero() {
        let endless = r#"{"id":1,"status":"Active","allowed_usage_kb":0,"remaining_usage_kb":0,"validity":7}"#;
        assert_eq!(line(0, "", endless).unwrap().allowances, []);
        assert_eq!(line(0, "", "").unwrap().data_left(), Some(DataSize(0)));
        assert_eq!(line(0, "", &bundle(1, "Active", 0, BEGUN)).unwrap().data_left(), Some(DataSize(0)));
        let untold = r#"{"iccid":"89","status":"Activated","remaining_usage_kb":5}"#;
        assert!(reading_of(&serde_json::from_str(untold).unwrap(), NOW).is_err(), "without bundles there is no proof");
    }

    #[test]
    fn states_have_three_words() {
        for (word, state) in [
            ("Registered", CardState::NotActive),
            ("activated", CardState::Active),
            ("Deactivated", CardState::Blocked),
            ("Sleeping", CardState::Unknown),
        ] {
            let text = format!(r#"{{"iccid":"89","status":"{word}","data_bundles":[]}}"#);
            assert_eq!(reading_of(&serde_json::from_str(&text).unwrap(), NOW).unwrap().state, state);
        }
    }
}
