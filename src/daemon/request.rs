//! What people ask of the daemon over the control socket, and what it answers: one JSON document each way. Without a
//! daemon the same requests are carried out by the command itself.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::money::Money;

/// A request and who makes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asked {
    /// The person's name on this machine.
    pub by: String,
    /// What is asked.
    pub request: Request,
}

/// What is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Request {
    /// Shows what a renewal of a card would buy now.
    Preview {
        /// The card's name.
        card: String,
    },
    /// Renews a card now, with the plan and price that were previewed.
    Renew {
        /// The card's name.
        card: String,
        /// The plan's id.
        plan: String,
        /// Its price.
        price: Money,
    },
    /// Agrees to a purchase.
    Approve {
        /// The attempt.
        id: i64,
    },
    /// Does not agree to a purchase.
    Refuse {
        /// The attempt.
        id: i64,
        /// Why.
        reason: String,
    },
    /// Answers a question by the code that a person was sent.
    Answer {
        /// The code, as it was typed.
        code: String,
        /// Whether it is bought.
        yes: bool,
        /// Why not.
        reason: String,
    },
    /// Says what became of an order.
    Settle {
        /// The attempt.
        id: i64,
        /// What became of it.
        outcome: Outcome,
        /// How the person knows.
        reason: String,
    },
    /// Pauses a card.
    Pause {
        /// The card's name.
        card: String,
        /// Until when, as RFC 3339; without an end if nothing is said.
        until: Option<String>,
    },
    /// Ends a pause, a skip, and a quarantine after a restore.
    Resume {
        /// The card's name.
        card: String,
    },
    /// Tells nothing about a card for a while, or again.
    Silence {
        /// The card's name.
        card: String,
        /// Until when, as RFC 3339; none ends the silence.
        until: Option<String>,
        /// Whether urgent messages are held back, too.
        urgent: bool,
    },
    /// Leaves the next renewal out, or pauses after it.
    Skip {
        /// The card's name.
        card: String,
        /// Whether to stop after the next renewal instead.
        after_next: bool,
    },
    /// Adds cards that commands keep.
    AddCards {
        /// The cards.
        cards: Vec<CardWords>,
    },
    /// Adds the cards that an account's operator lists.
    ImportFrom {
        /// The account.
        account: String,
        /// Labels for cards that are added.
        labels: Vec<String>,
        /// Whether it is only looked at.
        dry_run: bool,
    },
    /// Stops keeping a card; its history stays.
    Retire {
        /// The card's name.
        card: String,
    },
    /// Tries a notice again now.
    RetryNotice {
        /// The notice.
        id: i64,
    },
    /// Takes in hand what a notice tells, or everything that is told of a card: nobody is told again.
    Acknowledge {
        /// The notice.
        id: Option<i64>,
        /// The card's name.
        card: Option<String>,
    },
    /// Sends a trial message to a person through the queue.
    TestNotice {
        /// The person.
        person: String,
    },
    /// Copies the record.
    Backup,
}

/// A card in a person's words, as in a file of cards.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CardWords {
    /// Its name.
    pub name: String,
    /// The account.
    pub operator: String,
    /// Further accounts that may sell for it, in order.
    pub sellers: Vec<String>,
    /// The number of the card.
    pub iccid: Option<String>,
    /// Its phone number.
    pub msisdn: Option<String>,
    /// The device.
    pub imei: Option<String>,
    /// The chip.
    pub eid: Option<String>,
    /// Labels.
    pub labels: Vec<String>,
    /// Who has it.
    pub contact: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
    /// Who is told.
    pub notify: Vec<String>,
    /// The rule.
    pub rule: Option<String>,
}

/// What became of an order, by a person's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was taken.
    Bought,
    /// It was not taken.
    NotBought,
    /// Whatever it was, leave it be.
    Abandon,
}

/// What the daemon answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Reply {
    /// Done, in words.
    Done {
        /// What was done.
        said: String,
        /// The attempt it began, if one.
        attempt: Option<i64>,
        /// The notices it queued.
        notices: Vec<i64>,
    },
    /// What a renewal would buy.
    Preview {
        /// The plan's id.
        plan: String,
        /// Its name.
        name: String,
        /// Its price.
        price: Money,
        /// What the wallet holds, where the operator tells.
        wallet: Option<Money>,
        /// The gates that are closed at present, in words.
        closed: Vec<String>,
    },
    /// What an operator's list came to.
    Discovered(Discovered),
    /// A copy of the record was made and proved.
    Copied {
        /// Where it lies.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// SHA-256 of its bytes, in hexadecimal digits.
        sha256: String,
    },
    /// Not done, and why.
    Refused {
        /// What stands in the way.
        why: Refusal,
        /// In words, with what would be right.
        said: String,
    },
}

/// What an operator's list of cards came to.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Discovered {
    /// All of it in a sentence.
    pub said: String,
    /// The cards, as many as can be told.
    pub cards: Vec<FoundWords>,
    /// How many are not told one by one.
    pub left_out: usize,
    /// How many were not known.
    pub new: usize,
    /// How many were known.
    pub known: usize,
    /// How many a person has to look at.
    pub odd: usize,
    /// How many were added.
    pub added: usize,
}

/// A listed card in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FoundWords {
    /// The name under which it is known or added.
    pub name: Option<String>,
    /// What it is to us.
    pub standing: StandingWord,
    /// Its number.
    pub iccid: Option<String>,
    /// Its phone number.
    pub msisdn: Option<String>,
    /// The operator's label.
    pub label: Option<String>,
    /// What is odd about it.
    pub why: Option<String>,
}

/// What a listed card is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandingWord {
    /// Not known.
    New,
    /// Known.
    Known,
    /// Known, and no longer kept.
    Retired,
    /// A person has to look at it.
    Odd,
}

/// What stands in the way of a request; commands end with a code for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such card, attempt, notice or person.
    NotFound,
    /// The request is not right as it stands.
    Wrong,
    /// The state of the thing does not allow it, a limit or a gate says no.
    NotNow,
    /// It failed.
    Failed,
}
