//! `kind = "exec"`: the example of `docs/exec.md` as an operator, and programs that misbehave.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::data::DataSize;
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::operator::{
    BuyAnswer, Class, Doubt, Found, OperatorError, Order, OrderKey, PreparedOrder, RefusalKind, SentOrder,
};
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::Operator;
use simkeeper::operators::exec::{Exec, ExecSettings};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const NOW: UnixTime = UnixTime::clamped(1_795_348_800);
const ICCID: &str = "8944501312167518236";

fn settings(program: impl Into<PathBuf>, args: &[&str]) -> ExecSettings {
    ExecSettings {
        account: "mine".into(),
        program: program.into(),
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        limit: Duration::from_secs(20),
        secrets: BTreeMap::from([("password".to_owned(), "a-secret".into())]),
    }
}

async fn example(folder: &Path) -> Exec {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/operator.py");
    Exec::connect(settings("/usr/bin/env", &["python3", program.to_str().unwrap(), folder.to_str().unwrap()])).await
}

fn card(iccid: &str) -> Card {
    Card {
        iccid: Some(Iccid::parse(iccid).unwrap()),
        ..Card::new(CardId(1), Name::parse("tablet").unwrap(), Name::parse("mine").unwrap())
    }
}

async fn order(exec: &Exec, number: u128) -> PreparedOrder {
    let plan = exec.catalogue(&card(ICCID), NOW).await.unwrap().plans.remove(0);
    let order = Order { key: OrderKey::new(number), plan, payment: "wallet".into(), code: None };
    exec.prepare(&card(ICCID), &order).unwrap()
}

async fn find(exec: &Exec, number: u128) -> Result<Found, OperatorError> {
    let plan = exec.catalogue(&card(ICCID), NOW).await.unwrap().plans.remove(0);
    let sent = SentOrder {
        key: OrderKey::new(number),
        order_id: None,
        plan_id: plan.id,
        price: plan.price,
        before: None,
        first_sent_at: NOW,
    };
    exec.find(&card(ICCID), &sent).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_an_operator() {
    let folder = TempDir::new().unwrap();
    let exec = example(folder.path()).await;
    assert_eq!(exec.capabilities().class(), Class::A);
    let readings = exec.read(&[card(ICCID)], NOW).await;
    assert_eq!(readings[0].as_ref().unwrap().data_left(), Some(DataSize(200_000_000)));
    let stranger = exec.read(&[card("8910300000005271146")], NOW).await.remove(0);
    assert!(matches!(stranger, Err(OperatorError::Unknown { why }) if why.contains("does not know")));
    assert_eq!(exec.wallet().await.unwrap().balance.unwrap().to_string(), "20.00 USD");

    assert_eq!(find(&exec, 1).await, Ok(Found::Nothing));
    let prepared = order(&exec, 1).await;
    assert!(!String::from_utf8_lossy(&prepared.body).contains("a-secret"), "what is stored holds no secret");
    let bought = |answer: BuyAnswer| match answer {
        BuyAnswer::Accepted { order_id, .. } => order_id,
        other => panic!("{other:?}"),
    };
    assert_eq!(bought(exec.buy(&prepared).await).as_deref(), Some("order-1"));
    assert_eq!(bought(exec.buy(&prepared).await).as_deref(), Some("order-1"), "a repeat is the same order");
    assert!(matches!(find(&exec, 1).await, Ok(Found::Accepted { order_id, .. }) if order_id == "order-1"));
    let after = exec.read(&[card(ICCID)], NOW).await.remove(0).unwrap();
    assert_eq!((after.data_left(), after.assets.len()), (Some(DataSize(1_200_000_000)), 1));
    for number in 2..=3 {
        bought(exec.buy(&order(&exec, number).await).await);
    }
    let refused = exec.buy(&order(&exec, 4).await).await;
    assert!(matches!(refused, BuyAnswer::Refused(refusal) if refusal.kind == RefusalKind::WalletEmpty));
    let list = exec.discover(None).await;
    assert!(matches!(list, Err(OperatorError::Never { .. })), "{list:?}");
}

/// A program of the shell, in a file of its own.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("program");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

/// An order is handed to this program.
async fn bought(program: PathBuf, limit: Duration) -> BuyAnswer {
    let exec = Exec::connect(ExecSettings { limit, ..settings(program, &[]) }).await;
    let body = br#"{"key":"00000000000000000000000000000001"}"#.to_vec();
    let order =
        PreparedOrder { key: OrderKey::new(1), path: "exec".into(), content_type: "application/json".into(), body };
    exec.buy(&order).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_misbehaves_leaves_a_doubt_and_never_a_refusal() {
    let folder = TempDir::new().unwrap();
    for (text, doubt) in [
        ("echo broken >&2; exit 3", Doubt::Broken),
        ("exit 0", Doubt::Unreadable),
        ("echo '{\"version\":1,\"result\":\"refu'", Doubt::Unreadable),
        ("echo '{\"version\":7,\"result\":\"refused\"}'", Doubt::Unreadable),
        ("kill -9 $$", Doubt::Broken),
        ("head -c 9000000 /dev/zero", Doubt::Broken),
        ("sleep 600 & sleep 600", Doubt::TimedOut),
    ] {
        let answer = bought(script(folder.path(), text), Duration::from_millis(1_500)).await;
        assert!(matches!(&answer, BuyAnswer::Unknown { doubt: told, .. } if *told == doubt), "{text}: {answer:?}");
    }
    let missing = bought(folder.path().join("nowhere"), Duration::from_secs(5)).await;
    assert!(matches!(&missing, BuyAnswer::NotSent { why } if why.contains("nowhere")), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_says_on_standard_error_is_shown() {
    let folder = TempDir::new().unwrap();
    let program = script(folder.path(), "echo 'the modem is unplugged' >&2; exit 1");
    let exec = Exec::connect(settings(program, &[])).await;
    assert_eq!(exec.capabilities().class(), Class::C, "until it has told, the worst is assumed");
    let reading = exec.read(&[card(ICCID)], NOW).await.remove(0);
    assert!(
        matches!(&reading, Err(OperatorError::Later { why, .. }) if why.contains("the modem is unplugged")),
        "{reading:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_finds_a_bare_environment() {
    let folder = TempDir::new().unwrap();
    let seen = folder.path().join("seen");
    let program = script(folder.path(), &format!("env | cut -d= -f1 | sort > {}; exit 1", seen.display()));
    let exec = Exec::connect(settings(program, &[])).await;
    drop(exec.wallet().await);
    let names = std::fs::read_to_string(seen).unwrap();
    let strange: Vec<&str> = names
        .lines()
        .filter(|name| !["PATH", "HOME", "LANG", "TZ", "PWD", "SHLVL", "_", "OLDPWD"].contains(name))
        .collect();
    assert_eq!(strange, Vec::<&str>::new());
}
