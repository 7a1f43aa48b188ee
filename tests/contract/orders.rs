//! What every adapter does when the answer to an order, or to a look-up, goes wrong.

use std::time::Duration;

use futures_util::StreamExt;
use simkeeper::domain::operator::{BuyAnswer, Doubt, Found, PreparedOrder};

use super::broken::each_field_out;
use super::case::{Bought, Contract, Replies, Seen, Way};
use super::replies::{Reply, Wire};
use super::suite::{Bench, outcome, seen};

/// Orders that are tried at once; each has its own operator.
const AT_ONCE: usize = 16;

/// The order, with its answer changed; it is sent once at most.
async fn bought(contract: &Contract, change: impl Fn(&mut Reply)) -> BuyAnswer {
    let world = contract.world.clone().changed(contract.buy_call, change);
    let bench = Bench::on(contract, &world, |way| way.buy_limit = Some(Duration::from_millis(400))).await;
    let answer = bench.bought(contract).await;
    assert!(bench.served.count(contract.buy_call) <= 1, "an order is sent once");
    answer
}

/// The same order once more, by an adapter that has looked before; the answer to it is changed.
async fn sent(contract: &Contract, bench: &Bench, prepared: &PreparedOrder, change: impl Fn(&mut Reply)) -> BuyAnswer {
    bench.served.answers_from_now(contract.world.clone().changed(contract.buy_call, change));
    let before = bench.served.count(contract.buy_call);
    let answer = bench.operator.buy(prepared).await;
    assert_eq!(bench.served.count(contract.buy_call), before + 1, "an order is sent once");
    answer
}

/// Whatever happens to the answer once the order has left: it was taken for all we know.
pub(crate) async fn a_broken_answer_to_an_order_is_never_a_refusal(contract: Contract) {
    let id = contract.order_id;
    let fine = |answer: &BuyAnswer, what: &str| {
        let right = match outcome(answer) {
            Bought::Unknown(_) => true,
            Bought::Accepted(told) => told == id,
            Bought::Pending(told) => Some(told) == id,
            Bought::Refused(_) | Bought::NotSent => false,
        };
        assert!(right, "{what}: {answer:?}");
    };
    let whole = contract.world.0.iter().find(|reply| reply.call == contract.buy_call).unwrap().body.clone();
    let (contract, whole) = (&contract, &whole);
    // What goes before an order is the same however its answer ends: asked again for each byte, it would take minutes and
    // every free port of this machine.
    let lanes = futures_util::stream::iter(0..AT_ONCE).map(|first| async move {
        let bench = Bench::on(contract, &contract.world, |way| way.buy_limit = Some(Duration::from_millis(400))).await;
        drop(bench.asked(contract).await);
        let prepared = &bench.operator.prepare(&contract.card, &contract.order()).unwrap();
        for end in (first..whole.len()).step_by(AT_ONCE) {
            fine(&sent(contract, &bench, prepared, |reply| reply.wire = Wire::BrokenAfter(end)).await, "broken off");
            if whole.is_char_boundary(end) {
                let answer = sent(contract, &bench, prepared, |reply| reply.body.truncate(end)).await;
                fine(&answer, &format!("the first {end} bytes"));
            }
        }
    });
    lanes.buffer_unordered(AT_ONCE).collect::<()>().await;
    for (place, without) in each_field_out(whole) {
        let answer = bought(contract, |reply| reply.body.clone_from(&without)).await;
        fine(&answer, &format!("without {place}"));
    }
    for status in ["500 Internal Server Error", "502 Bad Gateway", "302 Found", "429 Too Many Requests", "418 Teapot"] {
        let answer = bought(contract, |reply| {
            reply.status = status.to_owned();
            reply.body = "{}".into();
        })
        .await;
        assert!(matches!(answer, BuyAnswer::Unknown { .. }), "{status}: {answer:?}");
    }
    let page = bought(contract, |reply| reply.body = "<html>please wait</html>".into()).await;
    assert!(matches!(page, BuyAnswer::Unknown { .. }) || whole.is_empty(), "a page: {page:?}");
    let closed = bought(contract, |reply| reply.wire = Wire::Closed).await;
    assert!(matches!(closed, BuyAnswer::Unknown { doubt: Doubt::Broken, .. }), "{closed:?}");
    let silent = bought(contract, |reply| reply.wire = Wire::Silent).await;
    assert!(matches!(silent, BuyAnswer::Unknown { doubt: Doubt::TimedOut, .. }), "{silent:?}");
}

/// Without a connection nothing was sent, and that is certain.
pub(crate) async fn an_order_that_cannot_be_sent_is_known_as_such(contract: Contract) {
    // Bound and never listening: nobody else gets the port meanwhile, and every connection to it is refused.
    let closed = tokio::net::TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = closed.local_addr().unwrap().port();
    let bench = Bench::new(&contract, &contract.world).await;
    drop(bench.asked(&contract).await);
    let prepared = bench.operator.prepare(&contract.card, &contract.order()).unwrap();
    let nowhere = (contract.open)(&Way::to(format!("http://127.0.0.1:{port}"))).unwrap();
    let answer = nowhere.buy(&prepared).await;
    assert!(matches!(answer, BuyAnswer::NotSent { .. }), "{answer:?}");
    drop(closed);
}

/// A look-up that did not get a whole answer knows nothing. In particular it does not know that there is nothing.
pub(crate) async fn a_broken_look_up_is_never_nothing(contract: Contract) {
    for case in contract.finds.iter().filter(|case| matches!(case.expected, Seen::Accepted(_) | Seen::Pending(_))) {
        let look = async |world: &Replies| {
            let bench = Bench::on(&contract, world, |way| way.read_limit = Some(Duration::from_millis(400))).await;
            let found = bench.operator.find(&contract.card, &contract.sent(case.order_id)).await;
            (found, bench.served.calls())
        };
        let (_, mut calls) = look(&case.world).await;
        calls.sort();
        calls.dedup();
        for call in calls {
            let body = case.world.0.iter().find(|reply| reply.call == call).map(|reply| reply.body.clone());
            let Some(body) = body else { continue };
            let mut worlds: Vec<(String, Replies)> = ["", "{}", "[]", "null", "<html></html>"]
                .into_iter()
                .map(|text| (format!("`{text}`"), case.world.clone().changed(&call, |reply| reply.body = text.into())))
                .collect();
            for (place, without) in each_field_out(&body) {
                let world = case.world.clone().changed(&call, |reply| reply.body.clone_from(&without));
                worlds.push((format!("without {place}"), world));
            }
            for (what, wire) in [("broken off", Wire::BrokenAfter(body.len() / 2)), ("closed", Wire::Closed)] {
                worlds.push((what.into(), case.world.clone().changed(&call, |reply| reply.wire = wire.clone())));
            }
            worlds
                .push(("a fault".into(), case.world.clone().changed(&call, |reply| reply.status = "500 Oops".into())));
            for (what, world) in worlds {
                // A list that is empty on purpose looks the same as one that lost its rows.
                let empty_list = what == "`[]`" && body.trim_start().starts_with('[');
                let (found, _) = look(&world).await;
                let lost = matches!(found, Ok(Found::Nothing | Found::Refused(_) | Found::Reversed { .. }));
                let unlike =
                    matches!(seen(&found), Seen::Accepted(_) | Seen::Pending(_)) && seen(&found) != case.expected;
                assert!(!lost || empty_list, "{}: {call} {what}: {found:?}", case.name);
                assert!(
                    !unlike || contract.token_call == Some(call.as_str()),
                    "{}: {call} {what}: {found:?}",
                    case.name
                );
            }
        }
    }
}
