//! The two files of a world, in the words of their owner.

use std::fmt::Write as _;
use std::path::Path;

/// Renews by itself when data runs low or the plan ends.
pub(crate) const AUTO: &str = "mode = \"auto\"\n\
    renew_when = { data_below = \"500 MB\", plan_ends_within = \"36h\" }\n\
    buy = [\"data-1gb-7d\"]";

/// A card of `rules.toml` and the rule of the same name.
#[derive(Clone, Debug)]
pub(crate) struct CardLines {
    pub(crate) name: String,
    pub(crate) iccid: String,
    /// The one that reads it first, then those that also sell.
    pub(crate) accounts: Vec<&'static str>,
    pub(crate) rule: String,
}

/// What `simkeeper.toml` says beside the address of the sandbox.
#[derive(Clone, Debug)]
pub(crate) struct MachineLines {
    /// Lines of `[operator.try]`.
    pub(crate) account: String,
    /// Tables of their own: channels, further accounts.
    pub(crate) tables: String,
    /// How often cards are read.
    pub(crate) poll: &'static str,
    /// Lines of `[person.anna]`, beside her mail address.
    pub(crate) person: String,
}

impl Default for MachineLines {
    fn default() -> Self {
        Self { account: "time_limit = \"3s\"\n".to_owned(), tables: String::new(), poll: "10m", person: String::new() }
    }
}

pub(crate) fn write(folder: &Path, base_url: &str, machine: &MachineLines, cards: &[CardLines]) {
    let MachineLines { account, tables, poll, person } = machine;
    let machine = format!(
        "currency = \"USD\"\n\n[operator.try]\nkind = \"sandbox\"\nbase_url = \"{base_url}\"\nsupport = \"help@example.net\"\n\
         {account}\n{tables}\n[person.anna]\nmail = \"anna@example.net\"\n{person}\n[schedule]\npoll = \"{poll}\"\n"
    );
    std::fs::write(folder.join("simkeeper.toml"), machine).expect("written");
    write_rules(folder, &rules(cards));
}

pub(crate) fn rules(cards: &[CardLines]) -> String {
    let mut text = String::new();
    for CardLines { name, iccid, accounts, rule } in cards {
        let named: Vec<String> = accounts.iter().map(|account| format!("\"{account}\"")).collect();
        let accounts = if named.len() == 1 { named.concat() } else { format!("[{}]", named.join(", ")) };
        let written = write!(
            text,
            "[card.{name}]\noperator = {accounts}\niccid = \"{iccid}\"\nnotify = [\"anna\"]\nrule = \"{name}\"\n\n\
             [rule.{name}]\n{rule}\n\n"
        );
        written.expect("text takes text");
    }
    text
}

/// Puts a file in its place in one step, as editors do.
pub(crate) fn write_rules(folder: &Path, text: &str) {
    let part = folder.join("rules.toml.part");
    std::fs::write(&part, text).expect("written");
    std::fs::rename(part, folder.join("rules.toml")).expect("renamed");
}
