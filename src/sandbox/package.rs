//! A package: what one order put on a card, and how much of it is gone.

use crate::domain::money::Money;
use crate::domain::plan::Plan;
use crate::domain::time::{Secs, UnixTime};

/// An amount and how much of it is gone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    pub(super) total: u64,
    pub(super) used: u64,
}

impl Meter {
    const fn of(total: u64) -> Self {
        Self { total, used: 0 }
    }

    pub(super) const fn left(self) -> u64 {
        self.total.saturating_sub(self.used)
    }

    /// Takes as much of `wanted` as is left.
    fn draw(&mut self, wanted: &mut u64) {
        let taken = self.left().min(*wanted);
        self.used += taken;
        *wanted -= taken;
    }
}

/// What one order put on a card.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) plan: String,
    pub(super) starts: UnixTime,
    pub(super) ends: UnixTime,
    pub(super) data: Option<Meter>,
    pub(super) voice: Option<Meter>,
    pub(super) sms: Option<Meter>,
    pub(super) unlimited: bool,
    pub(super) credit: Option<i64>,
    /// By so much it made what was there before last longer.
    pub(super) lengthens: Secs,
}

/// Where a package stands, in the words of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PackageState {
    Queued,
    Active,
    Finished,
    Expired,
}

impl Package {
    pub(super) fn bought(id: String, plan: &Plan, starts: UnixTime, ends: UnixTime) -> Self {
        let contents = &plan.contents;
        Self {
            id,
            plan: plan.id.clone(),
            starts,
            ends,
            data: contents.data_bytes.map(Meter::of),
            voice: contents.voice_secs.map(Meter::of),
            sms: contents.sms.map(Meter::of),
            unlimited: contents.unlimited_data,
            credit: contents.credit.map(Money::ten_thousandths),
            lengthens: Secs::ZERO,
        }
    }

    /// Whether it holds something to use, and not only credit that went into the card's own.
    pub(super) const fn has_meters(&self) -> bool {
        self.data.is_some() || self.voice.is_some() || self.sms.is_some() || self.unlimited
    }

    fn used_up(&self) -> bool {
        let meters = [self.data, self.voice, self.sms];
        !self.unlimited && self.has_meters() && meters.into_iter().flatten().all(|meter| meter.left() == 0)
    }

    fn touched(&self) -> bool {
        [self.data, self.voice, self.sms].into_iter().flatten().any(|meter| meter.used > 0)
    }

    pub(super) fn state(&self, now: UnixTime) -> PackageState {
        if now >= self.ends {
            PackageState::Expired
        } else if self.used_up() {
            PackageState::Finished
        } else if now < self.starts && !self.touched() {
            PackageState::Queued
        } else {
            PackageState::Active
        }
    }
}

pub(super) fn draw(meter: Option<&mut Meter>, wanted: &mut u64) {
    if let Some(meter) = meter {
        meter.draw(wanted);
    }
}
