//! Stories whose every text came from outside, and the people who are told them.

use simkeeper::domain::attempt::Snapshot;
use simkeeper::domain::card::Name;
use simkeeper::domain::digest::{Comes, Digest, Trouble};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::notice::{Event, FailedWhy, Language, Story};
use simkeeper::domain::plan::Plan;
use simkeeper::domain::record::RecordProblem;
use simkeeper::domain::time::UnixTime;
use simkeeper::notify::{Recipient, samples};

use super::bytes::{Bytes, zones};

/// One of the sample stories with other texts, amounts and times in it.
pub(crate) fn story(bytes: &mut Bytes<'_>) -> Story {
    let mut story = bytes.one_of(&samples());
    story.at = UnixTime::clamped(bytes.number());
    if let Some(card) = &mut story.card {
        (card.name, card.account) = (name(bytes), name(bytes));
        // A number is digits and dots, whoever told it.
        card.number = bytes.perhaps(|bytes| simkeeper::domain::card::tamed(&bytes.text(), 40));
    }
    spoil(&mut story.event, bytes);
    story
}

/// Somebody who is told it.
pub(crate) fn recipient(bytes: &mut Bytes<'_>) -> Recipient {
    Recipient {
        person: name(bytes),
        address: "anna@example.net".to_owned(),
        language: bytes.one_of(&Language::ALL),
        zone: bytes.one_of(&zones()),
        answers: simkeeper::domain::approval::Answering::ByNumber,
    }
}

/// A name that people gave, or one that cannot be given made into one.
pub(crate) fn name(bytes: &mut Bytes<'_>) -> Name {
    let text = bytes.text();
    let tame = simkeeper::domain::card::tamed(&text, 40);
    Name::parse(&text).or_else(|_| Name::parse(&tame)).unwrap_or_else(|_| Name::parse("canada").unwrap())
}

fn spoil(event: &mut Event, bytes: &mut Bytes<'_>) {
    match event {
        Event::DueSoon { now, .. } => snapshot(now, bytes),
        Event::LastSafe { last, now, .. } => {
            (last.at, last.ends) = (time(bytes), time(bytes));
            snapshot(now, bytes);
        }
        Event::Bought { plan, charged, order_id, before, after, cause, month_left, .. } => {
            spoil_plan(plan, bytes);
            *charged = money(bytes);
            *order_id = bytes.perhaps(Bytes::text);
            snapshot(before, bytes);
            snapshot(after, bytes);
            if let Some((rule, _)) = cause {
                *rule = name(bytes);
            }
            *month_left = bytes.perhaps(money);
        }
        Event::Failed { plan, why, next_try, support, .. } => {
            if let Some(plan) = plan {
                spoil_plan(plan, bytes);
            }
            match why {
                FailedWhy::Refused(refusal) => (refusal.code, refusal.text) = (bytes.text(), bytes.text()),
                FailedWhy::NotSent(text) | FailedWhy::Reversed(text) => *text = bytes.text(),
                FailedWhy::NeverArrived | FailedWhy::Held(_) | FailedWhy::NoPlan | FailedWhy::Unanswered => {}
            }
            *next_try = bytes.perhaps(time);
            *support = self::support(bytes);
        }
        Event::Unknown { plan, sent_at, .. } | Event::SettledLate { plan, sent_at, .. } => {
            spoil_plan(plan, bytes);
            *sent_at = time(bytes);
        }
        Event::Asked { plan, unanswered, ends, support, reminders, .. } => {
            spoil_plan(plan, bytes);
            if let Some((at, _)) = unanswered {
                *at = time(bytes);
            }
            *ends = bytes.perhaps(time);
            *support = self::support(bytes);
            *reminders = u32::from(bytes.byte());
        }
        Event::Paused { by, until, .. } => (*by, *until) = (bytes.text(), bytes.perhaps(time)),
        Event::RulesProblem { file, report, .. } => (*file, *report) = (bytes.text(), bytes.text()),
        Event::WalletLow(low) => {
            (low.account, low.balance) = (name(bytes), money(bytes));
            low.support = support(bytes);
        }
        Event::RecordProblem(problem) => match problem {
            RecordProblem::Damaged { why } => *why = bytes.text(),
            RecordProblem::JournalLost => {}
            RecordProblem::CopyOld { newest } => *newest = bytes.perhaps(time),
        },
        Event::CardsFound { account, rule, .. } => (*account, *rule) = (name(bytes), bytes.perhaps(name)),
        Event::Held { messages } => {
            for message in messages {
                (message.at, message.subject) = (time(bytes), bytes.text());
            }
        }
        Event::Digest(digest) => spoil_digest(digest, bytes),
        Event::Test { channel } => *channel = bytes.text(),
    }
}

fn spoil_digest(digest: &mut Digest, bytes: &mut Bytes<'_>) {
    (digest.since, digest.next) = (time(bytes), time(bytes));
    (digest.cards, digest.waiting) = (usize::from(bytes.byte()), usize::from(bytes.byte()));
    digest.spent.money = vec![money(bytes)];
    for row in &mut digest.troubles.rows {
        row.card = name(bytes);
        match &mut row.trouble {
            Trouble::Decide { plan, price, .. } => (*plan, *price) = (bytes.text(), money(bytes)),
            Trouble::Unread { read_at, account } => (*read_at, *account) = (bytes.perhaps(time), name(bytes)),
            Trouble::Settle(_)
            | Trouble::Blocked
            | Trouble::CannotRenew
            | Trouble::Watched
            | Trouble::Paused
            | Trouble::Unknown => {}
        }
    }
    for row in &mut digest.ends.rows {
        (row.card, row.ends, row.last_safe) = (name(bytes), time(bytes), bytes.perhaps(time));
    }
    for row in &mut digest.bought.rows {
        (row.card, row.plan, row.charged, row.at) = (name(bytes), bytes.text(), money(bytes), time(bytes));
    }
    for row in &mut digest.coming.rows {
        (row.card, row.at) = (name(bytes), time(bytes));
        if let Comes::Buys { plan, price } | Comes::Asks { plan, price } | Comes::OverLimit { plan, price } =
            &mut row.comes
        {
            (*plan, *price) = (bytes.text(), money(bytes));
        }
    }
}

/// Whom to ask: a line of the owner's file, which is tamed when it is taken over.
fn support(bytes: &mut Bytes<'_>) -> Option<String> {
    bytes.perhaps(|bytes| simkeeper::domain::card::tamed(&bytes.text(), 200))
}

fn spoil_plan(plan: &mut Plan, bytes: &mut Bytes<'_>) {
    (plan.id, plan.name, plan.price) = (bytes.text(), bytes.text(), money(bytes));
    plan.contents.data_bytes = bytes.perhaps(|bytes| bytes.number().unsigned_abs());
    plan.validity_secs = bytes.perhaps(Bytes::number);
}

fn snapshot(snapshot: &mut Snapshot, bytes: &mut Bytes<'_>) {
    snapshot.assets = vec![bytes.text()];
    snapshot.plan_ends = bytes.perhaps(time);
    snapshot.data_left = bytes.perhaps(|bytes| bytes.number().unsigned_abs());
    snapshot.credit = bytes.perhaps(money);
}

fn money(bytes: &mut Bytes<'_>) -> Money {
    Money::new(bytes.number(), bytes.one_of(&[Currency::USD, Currency::EUR]))
}

fn time(bytes: &mut Bytes<'_>) -> UnixTime {
    UnixTime::clamped(bytes.number())
}
