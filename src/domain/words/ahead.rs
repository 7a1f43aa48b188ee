//! English for what was forecast and what a plan was chosen by.

use std::fmt::{self, Display, Formatter};

use super::Spoken;
use crate::domain::capabilities::Stacking;
use crate::domain::cover::Reckoning;
use crate::domain::data::DataSize;
use crate::domain::forecast::{Confidence, Forecast, Habit};
use crate::domain::last_safe::{LastSafe, Loss};
use crate::domain::reading::EndKind;
use crate::domain::time::Secs;

/// The use of data in words.
#[derive(Clone, Copy, Debug)]
pub struct DataUse<'a>(pub &'a Forecast);

impl Display for DataUse<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Forecast::Collecting { .. } => write!(f, "use of data {}", Collecting(self.0)),
            Forecast::Ready(habit) => {
                let Habit { usual, low, high, mean, .. } = habit;
                write!(
                    f,
                    "uses about {} of data a day, {} to {} on most days",
                    Bytes(*usual),
                    Bytes(*low),
                    Bytes(*high)
                )?;
                if (mean - usual).abs() > usual / 5.0 {
                    write!(f, ", {} on average", Bytes(*mean))?;
                }
                if habit.tells_weekdays() {
                    f.write_str(", by day of the week")?;
                }
                write!(f, " (told from {}; {})", Spoken(Secs((habit.days * 86_400.0) as i64)), habit.confidence())
            }
        }
    }
}

/// Why use cannot be told yet.
#[derive(Clone, Copy, Debug)]
pub struct Collecting<'a>(pub &'a Forecast);

impl Display for Collecting<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Forecast::Collecting { seen: Secs::ZERO, needed } => {
                write!(f, "can be told once it was watched for {}", Spoken(*needed))
            }
            Forecast::Collecting { seen, needed } => {
                write!(
                    f,
                    "can be told once it was watched for {}; so far it was for {}",
                    Spoken(*needed),
                    Spoken(*seen)
                )
            }
            Forecast::Ready(_) => f.write_str("is known"),
        }
    }
}

struct Bytes(f64);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        DataSize(self.0.round() as u64).fmt(f)
    }
}

impl Display for Confidence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "hardly known",
            Self::Fair => "fairly known",
            Self::Good => "well known",
        })
    }
}

impl Display for Loss {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunsOut(kind) => write!(f, "its {kind} may run out"),
            Self::Ends(EndKind::Plan) => f.write_str("its plan ends"),
            Self::Ends(EndKind::Credit) => f.write_str("its credit is lost"),
            Self::Ends(EndKind::Number) => f.write_str("its number is taken back"),
        }
    }
}

/// How the moment comes about.
impl Display for LastSafe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let LastSafe { loss, ends, lead, age, hours, .. } = self;
        write!(f, "{loss} {ends}, and an order may take up to {}", Spoken(lead.settling))?;
        if lead.payment > Secs::ZERO {
            write!(f, ", its money {}", Spoken(lead.payment))?;
        }
        if *age >= Secs::MINUTE {
            write!(f, "; the reading is {} old", Spoken(*age))?;
        }
        if *hours > Secs::ZERO {
            write!(f, "; the rule's hours are over {} before", Spoken(*hours))?;
        }
        Ok(())
    }
}

impl Display for Reckoning {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let length = Spoken(self.until.since(self.from));
        let data = DataSize(self.data_bytes);
        match self.purchases {
            1 => write!(f, "it is the cheapest way to have data for {length} until {}: {}", self.until, self.cost)?,
            more => write!(
                f,
                "it begins the cheapest way to have data for {length} until {}: {} for {more} purchases",
                self.until, self.cost
            )?,
        }
        if self.is_assumed {
            f.write_str("; how much is used is assumed, since too little was seen")?;
        } else {
            write!(f, "; about {data} are expected to be used")?;
        }
        if let Some((plan, cost)) = &self.runner_up {
            write!(f, "; to begin with {plan} would cost {cost}")?;
        }
        f.write_str(match self.stacking {
            Stacking::Beside => {
                "; each plan's time begins with its purchase, so what passes until it is needed is not counted"
            }
            Stacking::Extends => "; data and time of each plan are added to what is left of the one before",
            Stacking::Queues | Stacking::Unknown => "",
        })?;
        if self.leaves_over {
            f.write_str(
                "; a part is likely to be left over when the last day is over, but no other plan lasts as long",
            )?;
        }
        if !self.is_whole {
            f.write_str("; the limits or the plans on sale do not reach to the last day")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::last_safe::Lead;
    use crate::domain::reading::AllowanceKind;
    use crate::domain::testing::{NOW, usd};

    #[test]
    fn it_says_what_it_costs_and_what_another_way_would() {
        let one = Reckoning {
            purchases: 1,
            cost: usd(9),
            from: NOW,
            until: NOW.plus(Secs::days(9)),
            is_whole: true,
            data_bytes: 2_300_000_000,
            runner_up: Some(("1 GB".into(), usd(14))),
            is_assumed: false,
            leaves_over: false,
            stacking: Stacking::Queues,
        };
        assert_eq!(
            one.to_string(),
            "it is the cheapest way to have data for 9d until 2026-12-24T12:00:00Z: 9.00 USD; about 2.3 GB are expected to be used; to begin with 1 GB would cost 14.00 USD"
        );
        let three = Reckoning { purchases: 3, runner_up: None, is_whole: false, is_assumed: true, ..one };
        assert_eq!(
            three.to_string(),
            "it begins the cheapest way to have data for 9d until 2026-12-24T12:00:00Z: 9.00 USD for 3 purchases; how much is used is assumed, since too little was seen; the limits or the plans on sale do not reach to the last day"
        );
        let more = Reckoning { leaves_over: true, ..three };
        assert!(more.to_string().contains("; a part is likely to be left over"), "{more}");
        let told = |stacking| Reckoning { stacking, ..more.clone() }.to_string();
        assert_eq!(told(Stacking::Unknown), more.to_string());
        assert!(told(Stacking::Beside).contains("; each plan's time begins with its purchase"));
        assert!(told(Stacking::Extends).contains("; data and time of each plan are added to what is left"));
    }

    #[test]
    fn the_last_safe_moment_says_how_it_comes_about() {
        let lead = Lead { settling: Secs::hours(73), payment: Secs::DAY };
        let loss = Loss::Ends(EndKind::Number);
        let last = LastSafe { at: NOW, loss, ends: NOW, lead, age: Secs::ZERO, hours: Secs::hours(4) };
        assert_eq!(
            last.to_string(),
            "its number is taken back 2026-12-15T12:00:00Z, and an order may take up to 3d 1h, its money 1d; the rule's hours are over 4h before"
        );
        let loss = Loss::RunsOut(AllowanceKind::Data);
        let used =
            LastSafe { loss, lead: Lead { payment: Secs::ZERO, ..lead }, age: Secs::HOUR, hours: Secs::ZERO, ..last };
        assert_eq!(
            used.to_string(),
            "its data may run out 2026-12-15T12:00:00Z, and an order may take up to 3d 1h; the reading is 1h old"
        );
    }

    #[test]
    fn use_is_told_as_people_say_it() {
        let even =
            Habit { usual: 320e6, low: 150e6, high: 900e6, mean: 330e6, spread: 100e6, weekdays: [1.0; 7], days: 12.5 };
        let told = |habit: Habit| DataUse(&Forecast::Ready(habit)).to_string();
        assert_eq!(
            told(even.clone()),
            "uses about 320 MB of data a day, 150 MB to 900 MB on most days (told from 12d 12h; well known)"
        );
        let weekends = Habit { mean: 500e6, weekdays: [0.6, 0.6, 0.6, 0.6, 0.6, 2.0, 2.0], spread: 900e6, ..even };
        assert_eq!(
            told(weekends),
            "uses about 320 MB of data a day, 150 MB to 900 MB on most days, 500 MB on average, by day of the week (told from 12d 12h; hardly known)"
        );
        let little = Forecast::Collecting { seen: Secs::hours(5), needed: Secs::DAY };
        let told = |forecast| DataUse(&forecast).to_string();
        assert_eq!(told(little), "use of data can be told once it was watched for 1d; so far it was for 5h");
        assert_eq!(told(Forecast::unseen()), "use of data can be told once it was watched for 1d");
    }
}
