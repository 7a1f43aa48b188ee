//! Why somebody is asked, and why an entry of a list is not taken.

use std::fmt::{self, Display, Formatter};

use crate::domain::attempt::AskWhy;
use crate::domain::choose::Passed;

impl Display for AskWhy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mode => f.write_str("the rule asks before each purchase"),
            Self::Dearer { before } => write!(f, "it is dearer than last time, when it cost {before}"),
            Self::Above { limit } => write!(f, "it costs more than {limit}, above which the rule asks"),
            Self::NoRate { limit } => {
                write!(f, "its price cannot be held against {limit}, above which the rule asks: no rate is stated")
            }
            Self::Differs => f.write_str("the plan is not quite what was decided"),
        }
    }
}

impl Display for Passed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOnSale => "it is not on sale for this card at present",
            Self::NoPlanKnown => "no plan of this card is known yet",
            Self::OutlastsTrip => "it would outlast the rule's last day by more than `outlast` allows, which is a quarter of its length if not set",
            Self::NotEnough => "it would not lift the card above what the rule watches for",
            Self::BoughtOnce => {
                "it would not lift the card above what the rule watches for, and was bought once already"
            }
            Self::NothingCovers => "no plan on sale is of use until the rule's last day within its limits",
            Self::MostIsLeftOver => {
                "most of each plan on sale would be left over when the rule's last day is over; an `outlast` of 100% would buy it all the same"
            }
        })
    }
}
