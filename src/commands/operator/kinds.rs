//! `operator kinds`: every kind of account, what its operator can do, and which keys it has.

use serde_json::{Value, json};

use super::speak;
use crate::commands::Context;
use crate::commands::exit::{Exit, Stop};
use crate::commands::output::table;
use crate::config::{KindInfo, account_kinds};
use crate::domain::operator::{Capabilities, Terms};
use crate::operators::KINDS;

/// Kinds whose operators differ by what the owner writes, and who says what they can do.
const DESCRIBED: [(&str, &str); 4] = [
    ("exec", "what its program declares (docs/exec.md)"),
    ("http", "what its profile declares"),
    ("sandbox", "what it plays, by `simkeeper sandbox --class`"),
    ("ussd", "what the codes and vouchers allow (docs/ussd.md)"),
];

/// A kind, with what is known of its operator.
struct Known {
    info: KindInfo,
    declared: Option<(&'static Capabilities, Terms)>,
}

impl Known {
    fn all() -> Vec<Self> {
        let declared = |word: &str| KINDS.iter().find(|kind| kind.name == word);
        account_kinds()
            .into_iter()
            .map(|info| Self { declared: declared(info.word).map(|kind| (&kind.capabilities, (kind.terms)())), info })
            .collect()
    }

    /// Who says what it can do, where simkeeper does not know it beforehand.
    fn says(&self) -> &'static str {
        DESCRIBED.iter().find(|(word, _)| *word == self.info.word).map_or("", |(_, says)| says)
    }

    fn row(&self) -> Vec<String> {
        let about = self.info.about.trim_end_matches('.').to_owned();
        let Some((can, _)) = &self.declared else {
            return vec![self.info.word.to_owned(), about, self.says().to_owned()];
        };
        vec![
            self.info.word.to_owned(),
            about,
            speak::class(can.class()).to_owned(),
            speak::lookup(can.lookup),
            speak::proof(can.proof).to_owned(),
            can.read_batch.to_string(),
            speak::yes(can.takes_codes).to_owned(),
            speak::yes(can.discovers).to_owned(),
        ]
    }

    fn document(&self) -> Value {
        let mut document = json!({
            "kind": self.info.word, "about": self.info.about, "keys": self.info.keys,
            "class": null, "class_words": null, "capabilities": null, "hosts": null, "payment_methods": null,
            "needs": null, "final_codes": null,
        });
        if let (Some((can, terms)), Some(fields)) = (&self.declared, document.as_object_mut()) {
            fields.insert("class".to_owned(), json!(can.class()));
            fields.insert("class_words".to_owned(), json!(speak::class(can.class())));
            fields.insert("capabilities".to_owned(), json!(can));
            fields.insert("hosts".to_owned(), json!(terms.hosts));
            fields.insert("payment_methods".to_owned(), json!(terms.payment_methods));
            fields.insert("needs".to_owned(), json!(terms.needs));
            fields.insert("final_codes".to_owned(), json!(terms.final_codes));
        }
        document
    }

    fn in_full(&self) -> String {
        let mut facts = vec![("what it is", self.info.about.trim_end_matches('.').to_owned())];
        match &self.declared {
            Some((can, terms)) => {
                facts.extend(speak::capabilities(can));
                facts.push(("a card needs", listed(&terms.needs)));
                facts.push(("payment methods", listed(&terms.payment_methods)));
                facts.push(("hosts", listed(&terms.hosts)));
            }
            None => facts.push(("what it can do", self.says().to_owned())),
        }
        let facts = facts.into_iter().map(|(what, value)| vec![what.to_owned(), value]).collect();
        let keys = self.info.keys.iter().map(|key| {
            let need = if key.must { "needed" } else { "" };
            vec![key.name.to_owned(), need.to_owned(), key.about.trim_end_matches('.').to_owned()]
        });
        let heading = format!("\nKeys of an account, below [operator.NAME] with kind = \"{}\":", self.info.word);
        let keys = table(&["KEY", "", "MEANING"], keys.collect());
        format!("{}\n{heading}\n{keys}", table(&["KIND", self.info.word], facts))
    }
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

/// Shows all kinds, or one in full.
pub(in crate::commands) fn show(context: &Context, word: Option<&str>) -> anyhow::Result<Exit> {
    let mut all = Known::all();
    if let Some(word) = word {
        let words: Vec<&str> = all.iter().map(|known| known.info.word).collect();
        let missing = format!("there is no kind `{word}`; there are {}", words.join(", "));
        all.retain(|known| known.info.word == word);
        if all.is_empty() {
            return Err(Stop::not_found(missing));
        }
    }
    if context.output.json {
        let kinds: Vec<Value> = all.iter().map(Known::document).collect();
        context.output.document(json!({ "kinds": kinds }))?;
        return Ok(Exit::Done);
    }
    match (word, all.first()) {
        (Some(_), Some(known)) => context.output.say(&known.in_full())?,
        (_, _) => {
            let headings = ["KIND", "WHAT IT IS", "LOST ANSWER", "LOOK-UP", "PROOF", "BATCH", "CODES", "LISTS CARDS"];
            context.output.say(&table(&headings, all.iter().map(Known::row).collect()))?;
            context.output.hint("\n`simkeeper operator kinds KIND` shows one in full, with the keys of its account")?;
        }
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_the_file_is_an_adapter_or_described_by_its_owner_and_the_other_way_round() {
        let of_file: BTreeSet<&str> = account_kinds().into_iter().map(|kind| kind.word).collect();
        let adapters = KINDS.iter().map(|kind| kind.name);
        let known: BTreeSet<&str> = adapters.chain(DESCRIBED.map(|(word, _)| word)).collect();
        assert_eq!(of_file, known);
        assert!(Known::all().iter().all(|known| known.declared.is_some() == known.says().is_empty()));
    }
}
