//! What every adapter does with answers that make no sense.

use futures_util::StreamExt;
use serde_json::Value;
use simkeeper::domain::operator::{OperatorError, RefusalKind};
use simkeeper::domain::reading::{AllowanceKind, Reading};
use simkeeper::domain::time::Secs;

use super::case::{Contract, Replies};
use super::fixed::answering;
use super::loopback::answer;
use super::replies::{Reply, Wire};
use super::suite::{Asked, Bench};

/// Places at which each answer is broken off.
const PLACES: usize = 60;
/// Adapters that are tried at once.
const AT_ONCE: usize = 16;
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>";

/// The calls that looking makes.
async fn calls_of(contract: &Contract) -> Vec<String> {
    let bench = Bench::new(contract, &contract.world).await;
    drop(bench.asked(contract).await);
    let mut calls = bench.served.calls();
    calls.sort();
    calls.dedup();
    calls
}

async fn good(contract: &Contract) -> Asked {
    Bench::new(contract, &contract.world).await.asked(contract).await
}

/// A number written as a text is the same number.
pub(crate) async fn numbers_may_come_as_texts(contract: Contract) {
    let expected = good(&contract).await;
    let mut world = contract.world.clone();
    for reply in &mut world.0 {
        if let Ok(mut doc) = serde_json::from_str::<Value>(&reply.body) {
            to_texts(&mut doc);
            reply.body = doc.to_string();
        }
    }
    assert_eq!(Bench::new(&contract, &world).await.asked(&contract).await, expected);
}

fn to_texts(doc: &mut Value) {
    match doc {
        Value::Number(number) => *doc = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(to_texts),
        Value::Object(fields) => fields.values_mut().for_each(to_texts),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// A page, nothing, half a document, another document: an error, and never a reading that differs from the right one.
pub(crate) async fn nonsense_is_never_a_reading(contract: Contract) {
    let expected = good(&contract).await;
    for call in calls_of(&contract).await {
        for (what, change) in nonsense() {
            let world = contract.world.clone().changed(&call, &*change);
            let bench = Bench::on(&contract, &world, |way| {
                way.read_limit = Some(std::time::Duration::from_millis(400));
                way.body_bytes_max = Some(200_000);
            })
            .await;
            let asked = bench.asked(&contract).await;
            let place = format!("{call}: {what}");
            same_or_error(&asked.reading, &expected.reading, &place, &contract, &call);
            same_or_error(&asked.catalogue, &expected.catalogue, &place, &contract, &call);
            same_or_error(&asked.wallet, &expected.wallet, &place, &contract, &call);
            same_or_error(&asked.preflight, &expected.preflight, &place, &contract, &call);
        }
    }
}

/// Wherever an answer ends too early: an error, or the right reading where the call does not matter for it.
pub(crate) async fn a_reading_may_break_off_anywhere(contract: Contract) {
    let (contract, expected) = (&contract, &good(&contract).await.reading);
    for call in calls_of(contract).await {
        let Some(body) = contract.world.0.iter().find(|reply| reply.call == call).map(|reply| reply.body.clone())
        else {
            continue;
        };
        let (call, body) = (&call, &body);
        let ends = (0..body.len()).step_by((body.len() / PLACES).max(1));
        let tries = futures_util::stream::iter(ends).map(|end| async move {
            for wire in [Wire::BrokenAfter(end), Wire::Whole] {
                let world = contract.world.clone().changed(call, |reply| {
                    if wire == Wire::Whole && body.is_char_boundary(end) {
                        reply.body.truncate(end);
                    }
                    reply.wire = wire.clone();
                });
                let bench = Bench::new(contract, &world).await;
                let reading = bench.operator.read(std::slice::from_ref(&contract.card), contract.now).await.remove(0);
                same_or_error(&reading, expected, &format!("{call} ends after {end} bytes"), contract, call);
            }
        });
        tries.buffer_unordered(AT_ONCE).collect::<()>().await;
    }
}

fn same_or_error<T: PartialEq + std::fmt::Debug>(
    got: &Result<T, OperatorError>,
    expected: &Result<T, OperatorError>,
    place: &str,
    contract: &Contract,
    call: &str,
) {
    if got.is_ok() && !contract.dispensable.contains(&call) {
        assert_eq!(got, expected, "{place}");
    }
}

type Change = Box<dyn Fn(&mut Reply)>;

fn nonsense() -> Vec<(&'static str, Change)> {
    let body = |text: &'static str| -> Change { Box::new(move |reply| reply.body = text.to_owned()) };
    let wire = |wire: Wire| -> Change { Box::new(move |reply| reply.wire = wire.clone()) };
    vec![
        (
            "a page",
            Box::new(|reply| {
                reply.headers.push("Content-Type: text/html".into());
                reply.body = PAGE.into();
            }),
        ),
        ("nothing", body("")),
        ("null", body("null")),
        ("a list", body("[]")),
        ("an object", body("{}")),
        ("a word", body("\"ok\"")),
        (
            "half a document",
            Box::new(|reply| {
                let mut half = reply.body.len() / 2;
                while !reply.body.is_char_boundary(half) {
                    half -= 1;
                }
                reply.body.truncate(half);
            }),
        ),
        (
            "more than allowed",
            Box::new(|reply| reply.body = format!("{}{}", reply.body.trim_end(), " ".repeat(300_000))),
        ),
        ("broken off", wire(Wire::BrokenAfter(1))),
        ("closed", wire(Wire::Closed)),
        ("stalled", wire(Wire::Stalled)),
        ("a fault", Box::new(|reply| reply.status = "500 Internal Server Error".into())),
    ]
}

/// Each field of each document is taken out once: what is told then is the same, or nothing, or an error.
pub(crate) async fn a_missing_field_is_never_a_smaller_number(contract: Contract) {
    let expected = good(&contract).await;
    for call in calls_of(&contract).await {
        let bodies: Vec<String> =
            contract.world.0.iter().filter(|reply| reply.call == call).map(|reply| reply.body.clone()).collect();
        let Some(body) = bodies.first() else { continue };
        for (place, without) in each_field_out(body) {
            let world = contract.world.clone().changed(&call, |reply| reply.body.clone_from(&without));
            let asked = Bench::new(&contract, &world).await.asked(&contract).await;
            let place = format!("{call} without {place}");
            if let (Ok(got), Ok(right)) = (&asked.reading, &expected.reading) {
                no_less(got, right, &place);
            }
            if let (Ok(got), Ok(right)) = (&asked.catalogue, &expected.catalogue) {
                for plan in &got.plans {
                    let same = right.plans.iter().find(|other| other.id == plan.id);
                    assert!(same.is_none_or(|same| same.price == plan.price), "{place}: {plan:?}");
                }
            }
            if let (Ok(got), Ok(right)) = (&asked.wallet, &expected.wallet) {
                assert!(got.balance.is_none() || got.balance == right.balance, "{place}: {got:?}");
            }
            if let (Ok(got), Ok(right)) = (&asked.preflight, &expected.preflight) {
                let price = |offer: &Option<simkeeper::domain::plan::Plan>| offer.as_ref().map(|plan| plan.price);
                assert!(got.offer.is_none() || price(&got.offer) == price(&right.offer), "{place}: {got:?}");
            }
        }
    }
}

/// What is told is what was told, or nothing.
fn no_less(got: &Reading, right: &Reading, place: &str) {
    let kinds: Vec<AllowanceKind> = right.allowances.iter().map(|allowance| allowance.kind).collect();
    for kind in kinds {
        let (left, whole) = (got.left(kind), right.left(kind));
        let fine = !left.known || left.unlimited || whole.unlimited || left.remaining >= whole.remaining;
        assert!(fine, "{place}: {kind:?} {} of {}", left.remaining, whole.remaining);
    }
    let earlier = got.ends().find(|(kind, end)| right.ends().any(|(other, was)| other == *kind && end.at < was.at));
    assert!(earlier.is_none(), "{place}: {earlier:?}");
}

/// The document without each of its fields in turn; of lists, the first three items.
pub(crate) fn each_field_out(body: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if let Ok(doc) = serde_json::from_str::<Value>(body) {
        let mut pointers = Vec::new();
        collect(&doc, String::new(), &mut pointers);
        for pointer in pointers {
            let mut without = doc.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let key = key.replace("~1", "/").replace("~0", "~");
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&key);
            found.push((pointer, without.to_string()));
        }
    } else if let Ok(doc) = roxmltree::Document::parse(body) {
        // The items of a list are no fields: a list may have any number of them.
        let elements = |node: roxmltree::Node<'_, '_>| node.children().filter(roxmltree::Node::is_element).count();
        let is_item = |node: &roxmltree::Node<'_, '_>| {
            let alike = |other: roxmltree::Node<'_, '_>| !other.is_element() || other.tag_name() == node.tag_name();
            elements(*node) > 0 && node.parent().is_some_and(|parent| parent.children().all(alike))
        };
        let fields = doc.root_element().descendants().filter(|node| node.is_element() && !is_item(node));
        for node in fields.skip(1) {
            let range = node.range();
            found.push((node.tag_name().name().to_owned(), format!("{}{}", &body[..range.start], &body[range.end..])));
        }
    }
    found
}

fn collect(doc: &Value, at: String, found: &mut Vec<String>) {
    match doc {
        Value::Object(fields) => {
            for (key, value) in fields {
                let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                found.push(place.clone());
                collect(value, place, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().take(3).enumerate() {
                collect(item, format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// 429 with `Retry-After`, 503 and a refused sign-in each let the daemon do the right thing.
pub(crate) async fn an_operator_that_asks_to_wait_is_waited_for(contract: Contract) {
    let first = first_read_call(&contract).await;
    let Some(call) = first else { return };
    let read = async |status: &str| {
        let status = status.to_owned();
        let world = contract.world.clone().changed(&call, |reply| {
            reply.status.clone_from(&status);
            reply.headers.push("Retry-After: 77".into());
            reply.body = r#"{"message":"no"}"#.into();
        });
        let bench = Bench::new(&contract, &world).await;
        bench.operator.read(std::slice::from_ref(&contract.card), contract.now).await.remove(0)
    };
    let busy = read("429 Too Many Requests").await;
    assert!(matches!(busy, Err(OperatorError::Later { retry_after: Some(Secs(77)), .. })), "{busy:?}");
    let down = read("503 Service Unavailable").await;
    assert!(matches!(down, Err(OperatorError::Later { .. })), "{down:?}");
    let refused = read("401 Unauthorized").await;
    assert!(matches!(refused, Err(OperatorError::Never { kind: RefusalKind::Access, .. })), "{refused:?}");
    let denied = read("403 Forbidden").await;
    assert!(matches!(denied, Err(OperatorError::Never { .. } | OperatorError::Unknown { .. })), "{denied:?}");
}

/// The first call of a reading that is not for a token; none where cards cannot be read.
async fn first_read_call(contract: &Contract) -> Option<String> {
    let bench = Bench::new(contract, &contract.world).await;
    drop(bench.operator.read(std::slice::from_ref(&contract.card), contract.now).await);
    let calls = bench.served.calls();
    calls.into_iter().find(|call| contract.token_call != Some(call.as_str()))
}

/// Neither a redirect nor an address in a document leads the adapter away from its operator.
pub(crate) async fn other_hosts_are_never_contacted(contract: Contract) {
    let bait = answering(answer("200 OK", "Connection: close\r\n", "{}")).await;
    let mut lured = contract.world.clone();
    for reply in &mut lured.0 {
        if let Ok(mut doc) = serde_json::from_str::<Value>(&reply.body) {
            lure(&mut doc, &bait.address);
            reply.body = doc.to_string();
        }
    }
    visit(&contract, &lured).await;
    for call in calls_of(&contract).await {
        let world = contract.world.clone().changed(&call, |reply| {
            reply.status = "302 Found".into();
            reply.headers.push(format!("Location: {}/elsewhere", bait.address));
        });
        visit(&contract, &world).await;
    }
    let moved = contract.world.clone().changed(contract.buy_call, |reply| {
        reply.status = "307 Temporary Redirect".into();
        reply.headers.push(format!("Location: {}/elsewhere", bait.address));
    });
    visit(&contract, &moved).await;
    assert_eq!(bait.requests(), Vec::<String>::new(), "another host was contacted");
}

/// Everything that an adapter can be asked, and one order.
async fn visit(contract: &Contract, world: &Replies) {
    let bench = Bench::new(contract, world).await;
    drop(bench.asked(contract).await);
    drop(bench.operator.discover(None).await);
    if let Ok(prepared) = bench.operator.prepare(&contract.card, &contract.order()) {
        drop(bench.operator.buy(&prepared).await);
    }
    drop(bench.operator.find(&contract.card, &contract.sent(contract.order_id)).await);
}

/// Puts another address where the document has one.
fn lure(doc: &mut Value, bait: &str) {
    match doc {
        Value::String(text) if text.starts_with("http") => {
            let path = text.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
            *text = format!("{bait}/{path}");
        }
        Value::Array(items) => items.iter_mut().for_each(|item| lure(item, bait)),
        Value::Object(fields) => fields.values_mut().for_each(|value| lure(value, bait)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
