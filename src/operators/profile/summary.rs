//! What follows from a profile, in words for its author: the class, what is assumed, what the account must give.

use std::collections::BTreeSet;

use super::file::Profile;
use super::rules::Class;
use crate::domain::operator::Class as Safety;
use crate::domain::operator::{Capabilities, Terms};

impl Profile {
    /// What it declares, and what is assumed where it declares nothing.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.declared.capabilities
    }

    /// What it says for people and for checks.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let certain = self.rules.iter().filter(|rule| rule.certain && !matches!(rule.class, Class::Unknown));
        let mut final_codes: Vec<String> = certain.map(|rule| rule.shown.clone()).collect();
        final_codes.dedup();
        Terms {
            hosts: self.hosts.clone(),
            final_codes,
            payment_methods: self.declared.payment_methods.clone(),
            needs: self.needs(),
        }
    }

    /// What the cards must have: what is sent of them, and what answers are compared with.
    fn needs(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.declared.needs.iter().cloned().collect();
        let requests = self.read.iter().map(|step| &step.request).chain(self.buy.iter().map(|buy| &buy.request));
        let requests = requests.chain(self.catalogue.iter().filter_map(|at| at.request.as_ref()));
        let requests = requests.chain(self.find.iter().map(|at| &at.request));
        let compared = self.read.iter().flat_map(|step| {
            let of_list = step.list.iter().flat_map(|list| &list.when);
            step.must.iter().chain(of_list)
        });
        let compared =
            compared.chain(self.catalogue.iter().filter_map(|at| at.list.as_ref()).flat_map(|list| &list.when));
        let compared = compared.chain(self.buy.iter().flat_map(|buy| &buy.success.when));
        let compared = compared.chain(self.find.iter().chain(&self.find_by_id).flat_map(|find| &find.when));
        let compared = compared.flat_map(super::when::Condition::names);
        for name in requests.flat_map(super::request::Request::names).chain(compared) {
            if ["iccid", "msisdn", "imei", "eid"].contains(&name) {
                names.insert(name.to_owned());
            } else if let Some(field) = name.strip_prefix("field.") {
                names.insert(format!("fields.{field}"));
            }
        }
        names.into_iter().collect()
    }

    /// What follows from the profile, as the program shows it to its author.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut lines =
            vec![format!("{}: {}", self.name, if self.about.is_empty() { "no `about`" } else { &self.about })];
        lines.push(format!("  talks to   {}", self.hosts.join(", ")));
        let secrets = if self.secrets.is_empty() { "none".to_owned() } else { self.secrets.join(", ") };
        lines.push(format!("  secrets    {secrets}"));
        lines.push(format!("  cards need {}", self.needs().join(", ")));
        lines.push(format!("  describes  {}", self.described().join(", ")));
        if self.buy.is_none() {
            lines.push("  buys       nothing: cards are read, and people are told".to_owned());
        } else {
            lines.push(format!("  class      {}", self.class_in_words()));
            lines.push(format!("  paid by    {}", self.declared.payment_methods.join(", ")));
            let codes = self.terms().final_codes;
            let codes = if codes.is_empty() {
                "none; every refusal is looked up or asked about".to_owned()
            } else {
                codes.join(", ")
            };
            lines.push(format!("  certain    {codes}"));
        }
        if self.buy.as_ref().is_some_and(|buy| buy.success.echoes_nothing) {
            lines.push("  note       an order's answer is believed although it names nothing of ours".to_owned());
        }
        if !self.declared.assumed.is_empty() {
            lines.push("  not declared, and so assumed:".to_owned());
            lines.extend(self.declared.assumed.iter().map(|(key, what)| format!("    {key:<15}{what}")));
        }
        lines.join("\n")
    }

    fn described(&self) -> Vec<&'static str> {
        let parts = [
            ("read", !self.read.is_empty()),
            ("read_many", self.read_many.is_some()),
            ("wallet", self.wallet.is_some()),
            ("catalogue", self.catalogue.is_some()),
            ("preflight", self.preflight.is_some()),
            ("buy", self.buy.is_some()),
            ("find", self.find.is_some()),
            ("find_by_id", self.find_by_id.is_some()),
            ("discover", self.discover.is_some()),
        ];
        parts.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }

    const fn class_in_words(&self) -> &'static str {
        match self.declared.capabilities.class() {
            Safety::A => "A: a repeat with the same key is harmless",
            Safety::B => "B: a repeat pays twice; a lost answer is settled by looking the order up",
            Safety::C => {
                "C: a repeat pays twice and nothing can be looked up; a lost answer is settled by readings and people"
            }
        }
    }
}
