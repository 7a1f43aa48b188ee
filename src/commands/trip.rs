//! "Does what is left last until the trip is over?", for `status` and `explain`.

use serde_json::{Value, json};

use super::output::relative;
use crate::daemon::case::Case;
use crate::domain::forecast::{Forecast, Reaches, lasting};
use crate::domain::reading::AllowanceKind;
use crate::domain::rule::Rule;
use crate::domain::time::{UnixTime, day_after};

/// How each thing on a card was used.
pub(super) type Uses = [(AllowanceKind, Forecast)];

/// Whether each thing lasts; none where nothing can be told yet.
type Answers = Vec<(AllowanceKind, Option<Reaches>)>;

/// Whether each thing on a card lasts until its rule's last day is over, and when that is.
fn answers(case: &Case, rule: &Rule, uses: &Uses) -> Option<(UnixTime, Answers)> {
    let (reading, zone) = (case.poll.recent.latest.as_ref()?, &case.card.zone);
    let end = day_after(rule.until?, zone);
    let reaches = |(kind, used): &(AllowanceKind, Forecast)| {
        let left = reading.left(*kind);
        let lasts = match used.habit() {
            Some(habit) => lasting(*kind, reading, habit, zone).map(|lasting| lasting.reaches(end)),
            None if left.known && !left.unlimited && left.remaining <= 0 => Some(Reaches::No(reading.as_of)),
            None => None,
        };
        (*kind, lasts)
    };
    Some((end, uses.iter().map(reaches).collect()))
}

/// The trip and the answers, a line each.
pub(super) fn lines(case: &Case, rule: &Rule, uses: &Uses, now: UnixTime) -> Vec<String> {
    let Some((end, answers)) = answers(case, rule, uses).filter(|(end, _)| *end > now) else { return Vec::new() };
    let name = rule.trip.as_ref().map_or_else(
        || "The last day is over".to_owned(),
        |trip| match trip.places.as_slice() {
            [] => format!("The trip {} is over", trip.name),
            places => format!("The trip {} ({}) is over", trip.name, places.join(", ")),
        },
    );
    let mut lines = vec![format!("{name} {} ({end})", relative(end, now))];
    lines.extend(answers.iter().map(|(kind, reaches)| {
        let lasts = match reaches {
            Some(Reaches::Surely) => "lasts until then".to_owned(),
            Some(Reaches::Likely) => "lasts until then, unless more is used than usual".to_owned(),
            Some(Reaches::No(at)) if *at <= now => "is gone".to_owned(),
            Some(Reaches::No(at)) => format!("does not last until then: it is gone {}", relative(*at, now)),
            None => "cannot be told yet: too little was seen of its use".to_owned(),
        };
        format!("  {kind}: {lasts}")
    }));
    lines
}

/// The same for programs.
pub(super) fn document(case: &Case, rule: &Rule, uses: &Uses) -> Option<Value> {
    let (end, answers) = answers(case, rule, uses)?;
    let lasts: Vec<Value> = answers.iter().map(|(kind, reaches)| json!({ "kind": kind, "reaches": reaches })).collect();
    Some(json!({ "trip": rule.trip, "over_at": end, "lasts": lasts }))
}
