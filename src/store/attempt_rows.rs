//! An attempt's columns: a state written into those that belong to it, and read back from them.

use rusqlite::types::ToSql;
use rusqlite::{Connection, Row};

use super::error::StoreError;
use super::fields::{Fields, to_json};
use super::words::Word;
use crate::domain::attempt::{Approval, Attempt, AttemptId, AttemptState, Cause, GivenUp, Sent, StateName, Tally};
use crate::domain::card::CardId;
use crate::domain::money::Money;
use crate::domain::operator::{OrderKey, Refusal};
use crate::domain::time::UnixTime;

/// The columns that a move writes, in the order of [`StateColumns::values`]; all of them, so that what belongs to the
/// state before is empty afterwards. The order, the charge and the tally stay where the new state has no word on them.
pub(super) const SET_STATE: &str = "state = ?1, next_at = ?2, \
     order_key = coalesce(?3, order_key), first_sent_at = coalesce(?4, first_sent_at), \
     send_count = coalesce(?5, send_count), order_id = iif(?6, ?7, order_id), charged = iif(?8, ?9, charged), \
     charged_currency = iif(?8, ?10, charged_currency), accepted_at = coalesce(?11, accepted_at), \
     lookups = coalesce(?12, lookups), clean_negatives = coalesce(?13, clean_negatives), doubt = ?14, question = ?15, \
     asked_at = ?16, closed_at = ?17, refusal_kind = ?18, refusal_code = ?19, refusal_text = ?20, given_up = ?21, \
     given_up_by = ?22, given_up_reason = ?23, reversed_why = ?24, approval = ?25, approval_at = ?26, \
     approval_why = ?27, approval_by = ?28, version = version + 1";

/// What a state puts into the columns.
#[derive(Default)]
struct StateColumns<'a> {
    next_at: Option<UnixTime>,
    sent: Option<&'a Sent>,
    /// Outer none: the column stays as it is.
    order_id: Option<Option<&'a str>>,
    charged: Option<Option<Money>>,
    accepted_at: Option<UnixTime>,
    tally: Option<Tally>,
    doubt: Option<&'static str>,
    question: Option<&'static str>,
    asked_at: Option<UnixTime>,
    closed_at: Option<UnixTime>,
    refusal: Option<&'a Refusal>,
    given_up: Option<&'a GivenUp>,
    reversed_why: Option<&'a str>,
}

impl<'a> StateColumns<'a> {
    fn of(state: &'a AttemptState) -> Self {
        let base = Self { next_at: state.next_at(), sent: state.sent(), ..Self::default() };
        match state {
            AttemptState::Planned { .. } | AttemptState::Sending { .. } => base,
            AttemptState::Pending { order_id, tally, .. } => {
                Self { order_id: Some(Some(order_id)), tally: Some(*tally), ..base }
            }
            AttemptState::Accepted { order_id, charged, accepted_at, .. } => Self {
                order_id: Some(order_id.as_deref()),
                charged: Some(*charged),
                accepted_at: Some(*accepted_at),
                ..base
            },
            AttemptState::Unknown { order_id, doubt, tally, .. } => {
                Self { order_id: Some(order_id.as_deref()), doubt: Some(doubt.word()), tally: Some(*tally), ..base }
            }
            AttemptState::Human { order_id, question, asked_at, tally, .. } => Self {
                order_id: Some(order_id.as_deref()),
                question: Some(question.word()),
                asked_at: Some(*asked_at),
                tally: Some(*tally),
                ..base
            },
            AttemptState::Done { at, order_id, charged } => {
                Self { order_id: Some(order_id.as_deref()), charged: Some(*charged), closed_at: Some(*at), ..base }
            }
            AttemptState::Refused { at, refusal } => Self { closed_at: Some(*at), refusal: Some(refusal), ..base },
            AttemptState::Absent { at } => Self { closed_at: Some(*at), ..base },
            AttemptState::Abandoned { at, why } => Self { closed_at: Some(*at), given_up: Some(why), ..base },
            AttemptState::Reversed { at, why } => Self { closed_at: Some(*at), reversed_why: Some(why), ..base },
        }
    }
}

/// Writes a state and the approval with a statement that begins with [`SET_STATE`]; `more` are its further parameters.
pub(super) fn write_state(
    conn: &Connection,
    sql: &str,
    state: &AttemptState,
    approval: &Approval,
    more: &[&dyn ToSql],
) -> Result<usize, StoreError> {
    let columns = StateColumns::of(state);
    let secs = |at: Option<UnixTime>| at.map(UnixTime::secs);
    let charged = columns.charged.flatten();
    let (given_up, given_up_by, given_up_reason) = given_up_columns(columns.given_up);
    let (approval, approval_at, approval_why, approval_by) = approval_columns(approval)?;
    let values: [&dyn ToSql; 28] = [
        &state.name().as_str(),
        &secs(columns.next_at),
        &columns.sent.map(|sent| sent.key.as_str()),
        &columns.sent.map(|sent| sent.first_sent_at.secs()),
        &columns.sent.map(|sent| sent.send_count),
        &columns.order_id.is_some(),
        &columns.order_id.flatten(),
        &columns.charged.is_some(),
        &charged.map(Money::ten_thousandths),
        &charged.map(|money| money.currency().code().to_owned()),
        &secs(columns.accepted_at),
        &columns.tally.map(|tally| tally.lookups),
        &columns.tally.map(|tally| tally.clean_negatives),
        &columns.doubt,
        &columns.question,
        &secs(columns.asked_at),
        &secs(columns.closed_at),
        &columns.refusal.map(|refusal| refusal.kind.word()),
        &columns.refusal.map(|refusal| refusal.code.as_str()),
        &columns.refusal.map(|refusal| refusal.text.as_str()),
        &given_up,
        &given_up_by,
        &given_up_reason,
        &columns.reversed_why,
        &approval,
        &approval_at,
        &approval_why,
        &approval_by,
    ];
    let all: Vec<&dyn ToSql> = values.iter().chain(more).copied().collect();
    Ok(conn.prepare_cached(sql)?.execute(all.as_slice())?)
}

type Texts<'a> = (Option<&'static str>, Option<&'a str>, Option<&'a str>);

fn given_up_columns(why: Option<&GivenUp>) -> Texts<'_> {
    match why {
        None => (None, None, None),
        Some(GivenUp::Gate(reason)) => (Some("gate"), None, Some(reason)),
        Some(GivenUp::Person { by, reason }) => (Some("person"), Some(by), Some(reason)),
        Some(GivenUp::NotNeeded) => (Some("not_needed"), None, None),
    }
}

/// Word, instant, reason in JSON, and person.
pub(super) type ApprovalColumns<'a> = (&'static str, Option<i64>, Option<String>, Option<&'a str>);

pub(super) fn approval_columns(approval: &Approval) -> Result<ApprovalColumns<'_>, StoreError> {
    Ok(match approval {
        Approval::NotNeeded => ("not_needed", None, None, None),
        Approval::Asked { at, why } => ("asked", Some(at.secs()), Some(to_json(why)?), None),
        Approval::Given { by, at } => ("given", Some(at.secs()), None, Some(by)),
    })
}

/// Word, rule, line and person.
pub(super) type CauseColumns<'a> = (&'static str, Option<&'a str>, Option<u32>, Option<&'a str>);

pub(super) fn cause_columns(cause: &Cause) -> CauseColumns<'_> {
    match cause {
        Cause::Rule { rule, line } => ("rule", Some(rule.as_str()), Some(*line), None),
        Cause::Person { by } => ("person", None, None, Some(by)),
        Cause::Journal => ("journal", None, None, None),
    }
}

/// An attempt from a row with all columns of the table.
pub(super) fn attempt_of(row: &Row<'_>) -> Result<Attempt, StoreError> {
    let row = Fields::of("attempt", "id", row)?;
    Ok(Attempt {
        id: AttemptId(row.id()),
        card: CardId(row.get("card")?),
        cycle: row.count("cycle")?,
        number: row.count("number")?,
        account: row.name("account")?,
        cause: cause_of(&row)?,
        plan: row.json("plan")?,
        reckoning: row.maybe_json("reckoning")?,
        payment: row.get("payment")?,
        code: row.get("code")?,
        created_at: row.time("created_at")?,
        approval: approval_of(&row)?,
        before: row.maybe_json("before")?,
        state: state_of(&row)?,
        version: row.get("version")?,
    })
}

fn cause_of(row: &Fields<'_>) -> Result<Cause, StoreError> {
    match row.get::<String>("cause")?.as_str() {
        "rule" => Ok(Cause::Rule { rule: row.name("cause_rule")?, line: row.count("cause_line")? }),
        "person" => Ok(Cause::Person { by: row.need("cause_by")? }),
        "journal" => Ok(Cause::Journal),
        other => Err(row.unreadable("cause", format!("`{other}` is not known"))),
    }
}

fn approval_of(row: &Fields<'_>) -> Result<Approval, StoreError> {
    match row.get::<String>("approval")?.as_str() {
        "not_needed" => Ok(Approval::NotNeeded),
        "asked" => Ok(Approval::Asked { at: row.time("approval_at")?, why: row.json("approval_why")? }),
        "given" => Ok(Approval::Given { by: row.need("approval_by")?, at: row.time("approval_at")? }),
        other => Err(row.unreadable("approval", format!("`{other}` is not known"))),
    }
}

fn state_of(row: &Fields<'_>) -> Result<AttemptState, StoreError> {
    let next_at = || row.time("next_at");
    let at = || row.time("closed_at");
    let order_id = || row.get::<Option<String>>("order_id");
    let charged = || row.maybe_money("charged", "charged_currency");
    Ok(match row.word("state")? {
        StateName::Planned => AttemptState::Planned { next_at: next_at()? },
        StateName::Sending => AttemptState::Sending { sent: sent_of(row)? },
        StateName::Pending => AttemptState::Pending {
            sent: sent_of(row)?,
            order_id: row.need("order_id")?,
            tally: tally_of(row)?,
            next_at: next_at()?,
        },
        StateName::Accepted => AttemptState::Accepted {
            sent: sent_of(row)?,
            order_id: order_id()?,
            charged: charged()?,
            accepted_at: row.time("accepted_at")?,
            next_at: next_at()?,
        },
        StateName::Unknown => AttemptState::Unknown {
            sent: sent_of(row)?,
            order_id: order_id()?,
            doubt: row.word("doubt")?,
            tally: tally_of(row)?,
            next_at: next_at()?,
        },
        StateName::Human => AttemptState::Human {
            sent: sent_of(row)?,
            order_id: order_id()?,
            question: row.word("question")?,
            asked_at: row.time("asked_at")?,
            tally: tally_of(row)?,
            next_at: next_at()?,
        },
        StateName::Done => AttemptState::Done { at: at()?, order_id: order_id()?, charged: charged()? },
        StateName::Refused => AttemptState::Refused { at: at()?, refusal: refusal_of(row)? },
        StateName::Absent => AttemptState::Absent { at: at()? },
        StateName::Abandoned => AttemptState::Abandoned { at: at()?, why: given_up_of(row)? },
        StateName::Reversed => AttemptState::Reversed { at: at()?, why: row.need("reversed_why")? },
    })
}

fn sent_of(row: &Fields<'_>) -> Result<Sent, StoreError> {
    let key = row.maybe("order_key", |text| OrderKey::stored(text).ok_or("it is no key"))?;
    Ok(Sent {
        key: key.ok_or_else(|| row.unreadable("order_key", "it is empty"))?,
        first_sent_at: row.time("first_sent_at")?,
        send_count: row.count("send_count")?,
    })
}

fn tally_of(row: &Fields<'_>) -> Result<Tally, StoreError> {
    Ok(Tally { lookups: row.count("lookups")?, clean_negatives: row.count("clean_negatives")? })
}

fn refusal_of(row: &Fields<'_>) -> Result<Refusal, StoreError> {
    Ok(Refusal { kind: row.word("refusal_kind")?, code: row.need("refusal_code")?, text: row.need("refusal_text")? })
}

fn given_up_of(row: &Fields<'_>) -> Result<GivenUp, StoreError> {
    match row.need::<String>("given_up")?.as_str() {
        "gate" => Ok(GivenUp::Gate(row.need("given_up_reason")?)),
        "person" => Ok(GivenUp::Person { by: row.need("given_up_by")?, reason: row.need("given_up_reason")? }),
        "not_needed" => Ok(GivenUp::NotNeeded),
        other => Err(row.unreadable("given_up", format!("`{other}` is not known"))),
    }
}

/// The price of a plan, for the plain columns beside its JSON.
pub(super) fn price_columns(price: Money) -> (i64, String) {
    (price.ten_thousandths(), price.currency().code().to_owned())
}
