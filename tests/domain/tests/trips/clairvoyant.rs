//! One who knows every byte beforehand: the least money that covers the trip, in steps of ten minutes, reckoned from the
//! first hour to the last and by nothing that the daemon reckons by.

use super::draw::Trip;

const STEP_SECS: i64 = 600;
const STEPS_AN_HOUR: usize = 6;

/// The least that the trip can cost, in ten-thousandths; none if no sequence of plans covers it.
pub(crate) fn least(trip: &Trip) -> Option<i64> {
    let steps = trip.days as usize * 24 * STEPS_AN_HOUR;
    // What is wanted up to each step.
    let mut wanted = vec![0.0];
    for step in 0..steps {
        wanted.push(wanted[step] + trip.wanted[step / STEPS_AN_HOUR] as f64 / STEPS_AN_HOUR as f64);
    }
    let ends = |place: usize, start: usize| {
        let plan = &trip.plans[place];
        let lasts = plan.validity().unwrap().0;
        let most = wanted[start] + plan.contents.data_bytes.unwrap() as f64;
        let used_up = wanted.partition_point(|sum| *sum <= most) - 1;
        let outlasts = start as i64 * STEP_SECS + lasts > steps as i64 * STEP_SECS + (lasts / 4).max(86_400);
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
