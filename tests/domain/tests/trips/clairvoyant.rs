//! One who knows every byte beforehand: the least money that covers the trip, in steps of ten minutes, reckoned from the
//! first hour to the last and by nothing that the daemon reckons by.

use super::draw::Trip;

const STEP_SECS: i64 = 600;
const STEPS_AN_HOUR: usize = 6;

/// What a plan of which a part is left over when the trip ends must have been good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    /// Three quarters of its time, or all but a day.
    MostOfItsTime,
    /// Half of its time or of its data.
    HalfOfIt,
}

/// The least that the trip can cost, in ten-thousandths; none if no sequence of plans covers it on these terms.
pub(crate) fn least(trip: &Trip, terms: Terms) -> Option<i64> {
    let steps = trip.days as usize * 24 * STEPS_AN_HOUR;
    // What is wanted up to each step.
    let mut wanted = vec![0.0];
    for step in 0..steps {
        wanted.push(wanted[step] + trip.wanted[step / STEPS_AN_HOUR] as f64 / STEPS_AN_HOUR as f64);
    }
    let ends = |place: usize, start: usize| {
        let plan = &trip.plans[place];
        let (lasts, bytes) = (plan.validity().unwrap().0, plan.contents.data_bytes.unwrap() as f64);
        let used_up = wanted.partition_point(|sum| *sum <= wanted[start] + bytes) - 1;
        let part = if terms == Terms::HalfOfIt { 2 } else { 4 };
        let beyond = (start as i64 * STEP_SECS + lasts) - steps as i64 * STEP_SECS;
        let is_needed = terms == Terms::HalfOfIt && (wanted[steps] - wanted[start]) * 2.0 >= bytes;
        let outlasts = beyond > (lasts / part).max(86_400) && !is_needed;
        (used_up.min(start + (lasts / STEP_SECS) as usize).min(steps), outlasts)
    };
    let mut costs = vec![i64::MAX; steps + 1];
    costs[ends(trip.first, 0).0] = 0;
    for start in 0..steps {
        if costs[start] == i64::MAX {
            continue;
        }
        for place in 0..trip.plans.len() {
            let (end, outlasts) = ends(place, start);
            if end > start && !outlasts {
                costs[end] = costs[end].min(costs[start] + trip.plans[place].price.ten_thousandths());
            }
        }
    }
    Some(costs[steps]).filter(|cost| *cost < i64::MAX)
}
