//! Readings: up to 500 cards in one call, parsed in one pass that copies no text. A card whose part of the answer makes
//! no sense is set aside alone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BATCH_BYTES_MAX, READ_BATCH, SandboxOperator, iccid, listed_error, money, refusal_kind};
use crate::domain::card::{Card, tamed};
use crate::domain::operator::{OperatorError, Proof};
use crate::domain::reading::{Allowance, AllowanceKind, AllowanceState, CardState, Reading, Renewable};
use crate::domain::time::{End, UnixTime};
use crate::operators::Operator;
use crate::operators::http::Call;

const PATH: &str = "/v1/cards/read";

type Read = Result<Reading, OperatorError>;

#[derive(Serialize)]
struct Request<'a> {
    iccids: Vec<&'a str>,
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    cards: Vec<CardWire<'a>>,
}

#[derive(Deserialize)]
struct LooseBatch {
    cards: Vec<Value>,
}

#[derive(Deserialize)]
struct CardWire<'a> {
    iccid: &'a str,
    #[serde(borrow)]
    error: Option<CardError<'a>>,
    as_of: Option<i64>,
    state: Option<&'a str>,
    renewable: Option<bool>,
    plan: Option<&'a str>,
    plan_ends: Option<i64>,
    credit: Option<&'a str>,
    currency: Option<&'a str>,
    credit_ends: Option<i64>,
    number_ends: Option<i64>,
    #[serde(borrow, default)]
    packages: Vec<PackageWire<'a>>,
}

#[derive(Deserialize)]
struct CardError<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Deserialize)]
struct PackageWire<'a> {
    id: &'a str,
    state: &'a str,
    starts: i64,
    ends: i64,
    /// What is left and what there was.
    data: Option<[i64; 2]>,
    voice: Option<[i64; 2]>,
    sms: Option<[i64; 2]>,
    #[serde(default)]
    unlimited: bool,
}

impl SandboxOperator {
    pub(super) async fn read_cards(&self, cards: &[Card], now: UnixTime) -> Vec<Read> {
        self.learn().await;
        if self.capabilities().proof == Proof::Order {
            // It only sells: nothing is known of any card.
            return cards.iter().map(|_| Ok(Reading::empty(now, CardState::Unknown))).collect();
        }
        let mut readings = Vec::with_capacity(cards.len());
        for batch in cards.chunks(READ_BATCH) {
            readings.append(&mut self.read_batch(batch, now).await);
        }
        readings
    }

    /// One result per card; a card without an ICCID is not asked about.
    async fn read_batch(&self, cards: &[Card], now: UnixTime) -> Vec<Read> {
        let asked: Vec<&str> = cards.iter().filter_map(|card| iccid(card).ok()).collect();
        let mut answers = match self.ask(&asked, now).await {
            Ok(answers) => answers.into_iter(),
            Err(error) => return cards.iter().map(|card| Err(iccid(card).err().unwrap_or(error.clone()))).collect(),
        };
        let missing = || OperatorError::Unknown { why: "the answer leaves this card out".into() };
        cards.iter().map(|card| iccid(card).and_then(|_| answers.next().unwrap_or_else(|| Err(missing())))).collect()
    }

    async fn ask(&self, iccids: &[&str], now: UnixTime) -> Result<Vec<Read>, OperatorError> {
        if iccids.is_empty() {
            return Ok(Vec::new());
        }
        let body = serde_json::to_vec(&Request { iccids: iccids.to_vec() })
            .map_err(|error| OperatorError::Unknown { why: error.to_string() })?;
        let call = Call::post(PATH, "application/json", &body).bearer(&self.key).body_bytes_max(BATCH_BYTES_MAX);
        let answer = self.http.read(call).await?;
        if !answer.is_success() {
            return Err(listed_error(&answer).unwrap_or_else(|| answer.error()));
        }
        if answer.cut {
            let why = format!("the answer is longer than {BATCH_BYTES_MAX} bytes");
            return Err(OperatorError::Unknown { why });
        }
        parsed(iccids, &answer.body, now)
    }
}

/// The readings in the order of `iccids`.
fn parsed(iccids: &[&str], body: &[u8], now: UnixTime) -> Result<Vec<Read>, OperatorError> {
    match serde_json::from_slice::<Batch<'_>>(body) {
        Ok(batch) => placed(iccids, batch.cards.iter().map(|card| (card.iccid, card.reading(now)))),
        Err(_) => parsed_loosely(iccids, body, now),
    }
}

/// The same, card by card, when something in the answer is not as it should be.
fn parsed_loosely(iccids: &[&str], body: &[u8], now: UnixTime) -> Result<Vec<Read>, OperatorError> {
    let unreadable = |error: serde_json::Error| OperatorError::Unknown { why: tamed(&error.to_string(), 200) };
    let batch: LooseBatch = serde_json::from_slice(body).map_err(unreadable)?;
    let texts: Vec<(String, String)> = batch
        .cards
        .iter()
        .map(|card| (card["iccid"].as_str().unwrap_or_default().to_owned(), card.to_string()))
        .collect();
    let readings = texts.iter().map(|(iccid, text)| {
        let read = serde_json::from_str::<CardWire<'_>>(text).map_err(unreadable).and_then(|card| card.reading(now));
        (iccid.as_str(), read)
    });
    placed(iccids, readings)
}

/// Each reading at the place of its card. An answer about other cards than were asked for is none.
fn placed<'a>(
    iccids: &[&str],
    readings: impl ExactSizeIterator<Item = (&'a str, Read)>,
) -> Result<Vec<Read>, OperatorError> {
    if readings.len() != iccids.len() {
        let why = format!("{} cards were asked for and {} answered", iccids.len(), readings.len());
        return Err(OperatorError::Unknown { why });
    }
    let other = || Err(OperatorError::Unknown { why: "the answer is about another card".into() });
    let at_place = |(asked, (answered, read)): (&&str, (&str, Read))| if *asked == answered { read } else { other() };
    Ok(iccids.iter().zip(readings).map(at_place).collect())
}

impl CardWire<'_> {
    fn reading(&self, now: UnixTime) -> Read {
        if let Some(error) = &self.error {
            let why = tamed(error.message, 200);
            return Err(match refusal_kind(error.code) {
                Some(kind) => OperatorError::Never { kind, why },
                None => OperatorError::Unknown { why },
            });
        }
        let as_of = self.as_of.ok_or_else(|| OperatorError::Unknown { why: "it does not say for when".into() })?;
        let mut allowances = Vec::with_capacity(self.packages.len() + 1);
        for package in &self.packages {
            package.add_to(&mut allowances)?;
        }
        if let (Some(credit), Some(currency)) = (self.credit, self.currency) {
            allowances.push(self.credit_allowance(credit, currency)?);
        }
        Ok(Reading {
            read_at: now,
            as_of: UnixTime::clamped(as_of),
            state: card_state(self.state.unwrap_or_default()),
            renewable: match self.renewable {
                Some(true) => Renewable::Yes,
                Some(false) => Renewable::OneOff,
                None => Renewable::Unknown,
            },
            allowances,
            plan_ends: self.plan_ends.map(end),
            credit_ends: self.credit_ends.map(end),
            number_ends: self.number_ends.map(end),
            assets: self.packages.iter().map(|package| package.id.to_owned()).collect(),
            plan: self.plan.map(str::to_owned),
        })
    }

    fn credit_allowance(&self, credit: &str, currency: &str) -> Result<Allowance, OperatorError> {
        let credit = money(credit, currency)?;
        Ok(Allowance {
            kind: AllowanceKind::Credit(credit.currency()),
            remaining: credit.ten_thousandths(),
            total: None,
            unlimited: false,
            state: AllowanceState::Active,
            starts: None,
            ends: self.credit_ends.map(end),
        })
    }
}

impl PackageWire<'_> {
    /// One allowance for each thing that the package holds. One that only added credit holds nothing of its own.
    fn add_to(&self, allowances: &mut Vec<Allowance>) -> Result<(), OperatorError> {
        let state = match self.state {
            "queued" => AllowanceState::Queued,
            "active" => AllowanceState::Active,
            "finished" => AllowanceState::Finished,
            "expired" => AllowanceState::Expired,
            other => {
                let why = format!("a package is said to be `{}`", tamed(other, 40));
                return Err(OperatorError::Unknown { why });
            }
        };
        let allowance = |kind, [remaining, total]: [i64; 2]| {
            let unlimited = self.unlimited && kind == AllowanceKind::Data;
            Allowance {
                kind,
                remaining,
                total: (!unlimited).then_some(total),
                unlimited,
                state,
                starts: Some(UnixTime::clamped(self.starts)),
                ends: Some(end(self.ends)),
            }
        };
        let data = self.data.or_else(|| self.unlimited.then_some([0, 0]));
        let meters = [(AllowanceKind::Data, data), (AllowanceKind::Voice, self.voice), (AllowanceKind::Sms, self.sms)];
        let told = meters.into_iter().filter_map(|(kind, pair)| pair.map(|pair| allowance(kind, pair)));
        allowances.extend(told);
        Ok(())
    }
}

fn card_state(word: &str) -> CardState {
    match word {
        "not_installed" => CardState::NotInstalled,
        "not_active" => CardState::NotActive,
        "active" => CardState::Active,
        "finished" => CardState::Finished,
        "expired" => CardState::Expired,
        "blocked" => CardState::Blocked,
        "recycled" => CardState::Recycled,
        _ => CardState::Unknown,
    }
}

const fn end(secs: i64) -> End {
    End::at(UnixTime::clamped(secs))
}
