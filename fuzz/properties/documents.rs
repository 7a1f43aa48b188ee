//! What operators and their stand-ins answer, through the whole of each adapter: readings, catalogues, wallets, orders,
//! look-ups, lists of cards.
//!
//! Whatever the answers are: nothing panics or goes on for ever, an order leaves at most once, a refusal is one of those
//! that the adapter lists as certain, a look-up that failed is never "nothing there", texts are tame, and no secret is in
//! anything that comes back.

use std::fmt::Debug;

use simkeeper::domain::operator::{BuyAnswer, Found, Order, OrderKey, SentOrder, Terms};
use simkeeper::domain::plan::{Catalogue, Plan};
use simkeeper::domain::reading::Reading;
use simkeeper::operators::Operator;
use simkeeper::operators::scripted::{Scripted, asked, play};
use simkeeper::store::codec::{pack_whole, unpack_whole};

use super::is_tame;
use super::operators::{KINDS, SECRET, card, is_sound_error, now, open, plan, run};

/// No call needs more requests than this, whatever the answers say of further pages.
const REQUESTS_MAX: usize = 1_100;
/// What adapters say in place of a code when nothing of the order was sent.
const NOT_SENT_CODES: [&str; 2] = ["access", "token"];

/// One input: a kind of account in the first line, and answers behind lines such as `=== buy 422 Retry-After: 5`.
struct Script<'a> {
    kind: &'a str,
    answers: Vec<(&'a str, Scripted)>,
}

impl<'a> Script<'a> {
    fn read(data: &'a [u8]) -> Option<Self> {
        let mut parts = split(data, b"\n=== ").into_iter();
        let kind = std::str::from_utf8(parts.next()?).ok()?.trim();
        let answers = parts.filter_map(|part| {
            let (head, body) = part.split_at(part.iter().position(|byte| *byte == b'\n').unwrap_or(part.len()));
            let mut words = std::str::from_utf8(head).ok()?.splitn(3, ' ');
            let (call, status) = (words.next()?, words.next()?.parse().ok()?);
            let header = words.next().and_then(|header| header.split_once(": "));
            let headers = header.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
            Some((call, Scripted { status, headers, body: body.get(1..).unwrap_or_default().to_vec() }))
        });
        KINDS.contains(&kind).then(|| Self { kind, answers: answers.collect() })
    }

    /// From now on these are the answers; which statuses they have.
    fn begin(&self, call: &str) -> Vec<u16> {
        let answers: Vec<Scripted> =
            self.answers.iter().filter(|(of, _)| *of == call).map(|(_, answer)| answer.clone()).collect();
        let statuses = answers.iter().map(|answer| answer.status).collect();
        play(answers);
        statuses
    }
}

pub(crate) fn check(data: &[u8]) {
    let Some(script) = Script::read(data) else { return };
    script.begin("open");
    let operator = &open(script.kind);
    looks(&script, operator);
    let offered = catalogue(&script, operator);
    let usual = plan(script.kind);
    let plan = offered.iter().find(|offer| offer.id == usual.id).or(offered.first()).unwrap_or(&usual);
    buys(&script, operator, plan);
    finds(&script, operator, plan);
    lists(&script, operator);
}

/// What may be seen of answers: no secret, even if the operator quotes it; and no call goes on for ever.
fn seen(answer: &impl Debug) {
    assert!(!format!("{answer:?}").contains(SECRET), "a secret is shown");
    assert!(asked().len() <= REQUESTS_MAX, "{} requests for one call", asked().len());
}

fn looks(script: &Script<'_>, operator: &dyn Operator) {
    script.begin("read");
    let cards = [card(script.kind)];
    let read = run(operator.read(&cards, now(script.kind)));
    assert_eq!(read.len(), 1, "one result for each card");
    seen(&read);
    match &read[0] {
        Ok(reading) => is_sound_reading(reading),
        Err(error) => is_sound_error(error),
    }
    script.begin("wallet");
    let wallet = run(operator.wallet());
    seen(&wallet);
    match wallet {
        Ok(wallet) => assert!(wallet.methods.iter().all(|method| is_tame(method))),
        Err(error) => is_sound_error(&error),
    }
}

fn is_sound_reading(reading: &Reading) {
    assert_eq!(unpack_whole(&pack_whole(reading)).as_ref(), Ok(reading), "it can be kept");
    assert!(reading.assets.iter().chain(&reading.plan).all(|name| is_tame(name)), "{reading:?}");
}

fn catalogue(script: &Script<'_>, operator: &dyn Operator) -> Vec<Plan> {
    script.begin("catalogue");
    let card = card(script.kind);
    let told = run(operator.catalogue(&card, now(script.kind)));
    seen(&told);
    let Catalogue { plans, .. } = match told {
        Ok(catalogue) => catalogue,
        Err(error) => {
            is_sound_error(&error);
            return Vec::new();
        }
    };
    for plan in &plans {
        assert!(is_tame(&plan.name) && is_tame(&plan.id), "{plan:?}");
        assert!(plan.price.ten_thousandths() >= 0, "{plan:?} has a price below nothing");
        assert!(plan.validity_secs.is_none_or(|secs| secs > 0), "{plan:?} is over before it begins");
    }
    script.begin("preflight");
    let preflight = run(operator.preflight(&card, plans.first().unwrap_or(&plan(script.kind)), None));
    seen(&preflight);
    if let Err(error) = preflight {
        is_sound_error(&error);
    }
    plans
}

fn key() -> OrderKey {
    OrderKey::new(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef)
}

fn buys(script: &Script<'_>, operator: &dyn Operator, plan: &Plan) {
    let payment = if script.kind == "1nce" { "creditcard" } else { "wallet" };
    let order = Order { key: key(), plan: plan.clone(), payment: payment.into(), code: None };
    let prepared = match operator.prepare(&card(script.kind), &order) {
        Ok(prepared) => prepared,
        Err(error) => return is_sound_error(&error),
    };
    assert_eq!(operator.prepare(&card(script.kind), &order).as_ref(), Ok(&prepared), "the same order, the same bytes");
    let statuses = script.begin("buy");
    let answer = run(operator.buy(&prepared));
    seen(&answer);
    let requests = asked();
    // Some adapters keep in the path what goes into the query or another part of the request.
    let path = prepared.path.split('?').next().unwrap_or_default();
    let is_order = |request: &str| !request.starts_with("GET ") && request.ends_with(path);
    let sent: Vec<usize> = (0..requests.len()).filter(|at| is_order(&requests[*at])).collect();
    let is_program = script.kind == "exec";
    assert!(sent.len() <= 1 && (!is_program || requests.len() <= 1), "an order leaves once: {requests:?}");
    // Where an order is made and then confirmed, the answers to both count.
    let two_phase = operator.capabilities().two_phase.is_some();
    let status = sent.first().map(|at| statuses.get(*at).copied().unwrap_or(404));
    match answer {
        BuyAnswer::Accepted { order_id, .. } => {
            assert!(order_id.is_none_or(|id| is_tame(&id)));
            assert!(
                is_program || two_phase || status.is_some_and(|status| (200..300).contains(&status)),
                "taken with {status:?}"
            );
        }
        BuyAnswer::Pending { order_id } => {
            assert!(is_tame(&order_id));
            assert!(
                is_program || two_phase || status.is_some_and(|status| (200..300).contains(&status)),
                "taken with {status:?}"
            );
        }
        BuyAnswer::Refused(refusal) => {
            assert!(is_tame(&refusal.code) && is_tame(&refusal.text), "{refusal:?}");
            is_listed(&refusal.code, &operator.terms(), script.kind, sent.is_empty() || two_phase);
        }
        BuyAnswer::NotSent { why } => {
            assert!(is_tame(&why));
            assert!(is_program || two_phase || sent.is_empty(), "it was sent: {requests:?}");
        }
        BuyAnswer::Unknown { detail, .. } => assert!(is_tame(&detail), "{detail:?}"),
    }
}

/// A refusal is certain only by a code that the adapter lists or that begins with a listed one, as some have kinds, or because nothing was sent.
fn is_listed(code: &str, terms: &Terms, kind: &str, nothing_sent: bool) {
    let listed = terms.final_codes.iter().any(|listed| code.starts_with(listed.as_str()));
    // DT One reserves first, and what is not confirmed is not taken.
    let reserved = kind.starts_with("dtone") && code == "price";
    let before = nothing_sent && NOT_SENT_CODES.contains(&code);
    // A program names the kind of its refusal itself; its codes are its own. A profile may go by the words of an answer
    // that has no code.
    let own = kind == "exec" || kind.starts_with("profile") && code.starts_with("HTTP ");
    assert!(listed || before || reserved || own, "`{code}` is not among {:?}", terms.final_codes);
}

fn finds(script: &Script<'_>, operator: &dyn Operator, plan: &Plan) {
    for order_id in [None, Some("174".to_owned())] {
        let statuses = script.begin("find");
        let sent = SentOrder {
            key: key(),
            order_id,
            plan_id: plan.id.clone(),
            price: plan.price,
            before: None,
            first_sent_at: now(script.kind),
        };
        let found = run(operator.find(&card(script.kind), &sent));
        seen(&found);
        let given = || (0..asked().len()).map(|at| statuses.get(at).copied().unwrap_or(404));
        match found {
            Ok(Found::Accepted { order_id, .. } | Found::Pending { order_id }) => assert!(is_tame(&order_id)),
            Ok(Found::Refused(refusal)) => assert!(is_tame(&refusal.code) && is_tame(&refusal.text)),
            Ok(Found::Reversed { order_id, why }) => assert!(is_tame(&order_id) && is_tame(&why)),
            Ok(Found::Nothing) => {
                let failed = given().find(|status| matches!(status, 300..=399 | 429 | 500..));
                assert!(script.kind == "exec" || failed.is_none(), "nothing there, by an answer {failed:?}");
            }
            Err(error) => is_sound_error(&error),
        }
    }
}

fn lists(script: &Script<'_>, operator: &dyn Operator) {
    script.begin("discover");
    let page = run(operator.discover(None));
    seen(&page);
    match page {
        Ok(page) => {
            for card in &page.cards {
                assert!(card.label.as_deref().is_none_or(is_tame), "{card:?}");
                assert!(card.fields.values().all(|value| is_tame(value)), "{card:?}");
            }
        }
        Err(error) => is_sound_error(&error),
    }
}

fn split<'a>(data: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(mark.len()).position(|window| window == mark) {
        parts.push(&rest[..at]);
        rest = &rest[at + mark.len()..];
    }
    parts.push(rest);
    parts
}
