//! A card at its operator: plans follow each other, each begins when the one before is used up or ends.

use simkeeper_domain::domain::plan::Plan;
use simkeeper_domain::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading};
use simkeeper_domain::domain::time::{End, UnixTime};

struct Package {
    plan: Plan,
    left: u64,
    /// When it began; none while it waits.
    began: Option<UnixTime>,
}

impl Package {
    fn ends(&self) -> Option<UnixTime> {
        Some(self.began?.plus(self.plan.validity()?))
    }
}

#[derive(Default)]
pub(crate) struct SimCard {
    packages: Vec<Package>,
    bought: usize,
    /// When each plan began.
    pub(crate) begun: Vec<(UnixTime, Plan)>,
}

impl SimCard {
    pub(crate) fn buy(&mut self, plan: &Plan) {
        self.bought += 1;
        self.packages.push(Package { plan: plan.clone(), left: plan.contents.data_bytes.unwrap(), began: None });
    }

    /// Uses data at an instant; what could not be had comes back.
    pub(crate) fn use_data(&mut self, mut bytes: u64, now: UnixTime) -> u64 {
        loop {
            self.packages.retain(|package| package.left > 0 && package.ends().is_none_or(|ends| ends > now));
            let Some(present) = self.packages.first_mut() else { return bytes };
            if present.began.is_none() {
                present.began = Some(now);
                self.begun.push((now, present.plan.clone()));
            }
            let taken = bytes.min(present.left);
            present.left -= taken;
            bytes -= taken;
            if bytes == 0 {
                return 0;
            }
        }
    }

    pub(crate) fn reading(&self, now: UnixTime) -> Reading {
        let there = |package: &&Package| package.ends().is_none_or(|ends| ends > now);
        let allowance = |package: &Package| Allowance {
            kind: AllowanceKind::Data,
            remaining: i64::try_from(package.left).unwrap(),
            total: package.plan.contents.data_bytes.map(|total| i64::try_from(total).unwrap()),
            unlimited: false,
            state: if package.began.is_some() { AllowanceState::Active } else { AllowanceState::Queued },
            starts: package.began,
            ends: package.ends().map(End::at),
        };
        let mut allowances: Vec<Allowance> = self.packages.iter().filter(there).map(allowance).collect();
        let present = self.packages.iter().find(there);
        let state = if present.is_some() { CardState::Active } else { CardState::Finished };
        if allowances.is_empty() {
            let none = Allowance {
                kind: AllowanceKind::Data,
                remaining: 0,
                total: Some(0),
                unlimited: false,
                state: AllowanceState::Finished,
                starts: None,
                ends: None,
            };
            allowances.push(none);
        }
        let plan_ends = present.and_then(Package::ends).map(End::at);
        Reading {
            allowances,
            plan_ends,
            plan: present.map(|package| package.plan.id.clone()),
            ..Reading::empty(now, state)
        }
    }
}
