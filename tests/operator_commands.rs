//! `operator …` and `card import --from`, by the real program: against the sandbox, and against Airalo's own documents.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a program that does not start is a failed test")]

#[path = "loopback/fixed.rs"]
mod fixed;
mod loopback;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loopback::{Server, answer};
use serde_json::{Value, json};
use simkeeper::daemon::clock::Clock;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::time::Secs;
use simkeeper::sandbox::{Running, Sandbox, Settings, serve};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

/// How long a condition is waited for.
const DEADLINE: Duration = Duration::from_secs(60);
const AIRALO_CARD: &str = "8944465400000267221";
const SHIPPED_PROFILE: &str = "docs/examples/operators.d/esimgo.toml";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simkeeper"));
    let ours = ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"];
    for variable in ours.into_iter().chain(["NOTIFY_SOCKET", "JOURNAL_STREAM", "RUST_LOG", "SUDO_USER"]) {
        command.env_remove(variable);
    }
    command.env("USER", "anna").stdin(Stdio::null());
    command
}

/// A folder with files, and what serves for them.
struct Home {
    folder: tempfile::TempDir,
    runtime: Runtime,
}

impl Home {
    fn new(machine: &str, rules: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let home = Self { folder: tempfile::tempdir().unwrap(), runtime };
        home.write("simkeeper.toml", &format!("currency = \"USD\"\n[channel.mail]\nkind = \"maildir\"\n{machine}"));
        home.write("rules.toml", rules);
        home
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn secret(&self, name: &str) {
        self.write(name, "a-secret");
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        program().args(arguments).arg("--config").arg(self.path()).output().unwrap()
    }

    /// The document of a command that ends with this code.
    fn json(&self, arguments: &[&str], code: i32) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A daemon; it ends with the test.
struct Daemon(Child);

impl Daemon {
    fn start(home: &Home) -> Self {
        let child = program().arg("run").arg("--config").arg(home.path()).stderr(Stdio::null()).spawn();
        let daemon = Self(child.unwrap());
        wait_for("the socket", || home.path().join("state/control.sock").exists());
        daemon
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "{what} did not come");
        std::thread::yield_now();
    }
}

/// A home with an account at a sandbox of so many cards, whose clock is off by so many seconds.
fn with_sandbox(cards: u32, off_secs: i64, discover: bool) -> (Home, Running) {
    let home = Home::new("", "");
    let wallet = Money::new(1_000_000, Currency::USD);
    let settings = Settings { fleet: cards, wallet, ..Settings::default() };
    let running = home.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = move || Clock::System.now().plus(Secs(off_secs));
        serve(listener, settings, Arc::new(clock)).await.unwrap()
    });
    home.write(
        "simkeeper.toml",
        &format!(
            "currency = \"USD\"\n[channel.mail]\nkind = \"maildir\"\n[operator.try]\nkind = \"sandbox\"\nbase_url = \"{}\"\nzone = \"Europe/Berlin\"\ndiscover = {discover}\n",
            running.base_url()
        ),
    );
    (home, running)
}

#[test]
fn an_operator_that_asks_for_fewer_calls_is_left_alone_for_as_long_as_it_says() {
    let home = Home::new("", "");
    let busy = answer("429 Too Many Requests", "Retry-After: 90\r\nConnection: close\r\n", "");
    let server = home.runtime.block_on(fixed::answering(busy));
    home.write(
        "simkeeper.toml",
        &format!("currency = \"USD\"\n[channel.mail]\nkind = \"maildir\"\n[operator.try]\nkind = \"sandbox\"\nbase_url = \"{}\"\n", server.address),
    );
    let tested = home.json(&["operator", "test", "try"], 5);
    assert!(step(&tested, "wallet")["advice"].as_str().unwrap().contains("wait 1m 30s"), "{tested}");
    assert_eq!(results(&tested)["sign-in"], "skipped", "a busy operator says nothing about the key: {tested}");
}

/// Step by step what came of it.
fn results(tested: &Value) -> BTreeMap<String, String> {
    let steps = tested["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["step"].as_str().unwrap().to_owned(), step["result"].as_str().unwrap().to_owned())).collect()
}

fn step<'a>(tested: &'a Value, name: &str) -> &'a Value {
    let steps = tested["steps"].as_array().unwrap();
    steps.iter().find(|step| step["step"].as_str().unwrap().starts_with(name)).unwrap()
}

#[test]
fn kinds_are_listed_with_their_keys() {
    let home = Home::new("", "");
    let kinds = home.json(&["operator", "kinds"], 0);
    let kinds = kinds["kinds"].as_array().unwrap();
    assert!(kinds.len() >= 10);
    let airalo = kinds.iter().find(|kind| kind["kind"] == "airalo").unwrap();
    assert_eq!(airalo["class"], "B");
    assert_eq!(airalo["needs"], json!(["iccid"]));
    assert_eq!((&airalo["keys"][0]["name"], &airalo["keys"][0]["must"]), (&json!("client_id"), &json!(true)));
    let shown = out(&home.run(&["operator", "kinds"]));
    assert!(shown.contains("B: found again by look-up") && shown.contains("sandbox"), "{shown}");
    let one = out(&home.run(&["operator", "kinds", "airalo"]));
    assert!(one.contains("client_secret") && one.contains("needed") && one.contains("discover"), "{one}");
    let missing = home.run(&["operator", "kinds", "nobody"]);
    assert_eq!(missing.status.code(), Some(6));
    assert!(err(&missing).contains("there are 1nce"), "{}", err(&missing));
}

#[test]
fn an_account_is_tried_step_by_step_and_nothing_is_bought() {
    let (home, sandbox) = with_sandbox(3, 0, false);
    let tested = home.json(&["operator", "test", "try"], 0);
    assert_eq!(tested["ok"], true);
    let results = results(&tested);
    for name in ["secrets", "sign-in", "permissions", "wallet", "reading", "catalogue", "clock"] {
        assert_eq!(results[name], "ok", "{name}: {tested}");
    }
    assert!(step(&tested, "wallet")["said"].as_str().unwrap().starts_with("100.00 USD"), "{tested}");
    assert!(step(&tested, "reading")["said"].as_str().unwrap().starts_with("…0006: "), "{tested}");
    let calls = serde_json::to_value(sandbox.sandbox.requests()).unwrap();
    assert!(calls["read"].as_u64() == Some(1) && calls["catalogue"].as_u64() == Some(1), "{calls}");
    assert!(["buy", "preflight", "find"].iter().all(|call| calls[call].as_u64().unwrap_or(0) == 0), "{calls}");
    assert!(sandbox.sandbox.accepted_orders().is_empty());
    assert!(!home.path().join("state").exists(), "a trial leaves nothing behind");
    let shown = out(&home.run(&["operator", "test", "try"]));
    assert!(shown.starts_with("STEP") && shown.contains("nothing was bought"), "{shown}");
    assert_eq!(home.run(&["operator", "test", "nobody"]).status.code(), Some(6));
    assert_eq!(home.run(&["operator", "test", "try", "--card", "nobody"]).status.code(), Some(6));
}

#[test]
fn each_failure_on_the_way_is_told_with_advice() {
    let (home, sandbox) = with_sandbox(3, 600, false);
    let tested = home.json(&["operator", "test", "try"], 5);
    assert_eq!((&tested["ok"], results(&tested)["clock"].as_str()), (&json!(false), "failed"));
    assert!(step(&tested, "clock")["advice"].as_str().unwrap().contains("nothing is bought"), "{tested}");

    home.secret("key");
    let machine = fs::read_to_string(home.path().join("simkeeper.toml")).unwrap();
    let key = |file: &str| format!("{machine}key = {{ file = \"{}\" }}\n", home.path().join(file).display());
    home.write("simkeeper.toml", &key("key"));
    let tested = home.json(&["operator", "test", "try"], 5);
    assert_eq!(results(&tested)["sign-in"], "failed", "a wrong key: {tested}");
    assert!(step(&tested, "sign-in")["advice"].as_str().unwrap().contains("secrets"), "{tested}");

    home.write("simkeeper.toml", &key("no-such-file"));
    let tested = home.json(&["operator", "test", "try"], 5);
    assert_eq!(results(&tested)["secrets"], "failed", "{tested}");

    home.write("simkeeper.toml", &machine);
    home.runtime.block_on(sandbox.stop());
    let tested = home.json(&["operator", "test", "try"], 5);
    assert_eq!(step(&tested, "connection")["result"], "failed", "{tested}");
    assert_eq!(results(&tested)["wallet"], "skipped");
}

#[test]
fn the_cards_of_an_account_are_brought_in_once() {
    let (home, _sandbox) = with_sandbox(700, 0, false);
    home.write("rules.toml", &format!("[card.mine]\noperator = \"try\"\niccid = \"{}\"\n", Sandbox::fleet_iccid(0)));
    let looked = home.json(&["card", "import", "--from", "try", "--dry-run"], 0);
    assert_eq!((&looked["new"], &looked["known"], &looked["added"]), (&json!(699), &json!(1), &json!(0)));
    let brought = home.run(&["card", "import", "--from", "try", "--label", "trip"]);
    assert_eq!(brought.status.code(), Some(0), "{}", err(&brought));
    assert!(out(&brought).contains("699 cards of try added, 1 known already, 0 odd"), "{}", out(&brought));
    assert!(out(&brought).contains("only read"), "{}", out(&brought));
    let last = Sandbox::fleet_iccid(699);
    let found = home.json(&["card", "find", &last], 0);
    assert_eq!(found["cards"].as_array().unwrap().len(), 1);
    let card = &found["cards"][0];
    assert_eq!(card["name"].as_str().unwrap(), format!("try …{}", &last[15..]));
    assert_eq!((&card["labels"], &card["zone"]), (&json!(["trip"]), &json!("Europe/Berlin")));
    assert_eq!((&card["keeper"], &card["rule"]), (&json!("command"), &Value::Null));
    let again = home.json(&["card", "import", "--from", "try"], 0);
    assert_eq!((&again["new"], &again["known"], &again["added"]), (&json!(0), &json!(700), &json!(0)));
    let name = card["name"].as_str().unwrap().to_owned();
    assert_eq!(home.run(&["card", "retire", &name]).status.code(), Some(0));
    let again = home.json(&["card", "import", "--from", "try"], 0);
    assert_eq!(again["added"], 0, "what a person retired does not come back by itself");
    assert_eq!(home.run(&["card", "import", "--from", "nobody"]).status.code(), Some(6));
    assert_eq!(home.run(&["card", "import"]).status.code(), Some(2));
    assert_eq!(home.run(&["card", "import", "x.csv", "--from", "try"]).status.code(), Some(2));
}

#[test]
fn a_daemon_brings_in_what_is_listed_and_buys_for_none_of_it() {
    let (home, sandbox) = with_sandbox(3, 0, true);
    let _daemon = Daemon::start(&home);
    let cards = || home.json(&["status"], 0)["cards"].clone();
    wait_for("the cards", || {
        let cards = cards();
        cards.as_array().is_some_and(|cards| cards.len() == 3 && cards.iter().all(|card| !card["reading"].is_null()))
    });
    assert!(cards().as_array().unwrap().iter().all(|card| card["rule"].is_null()));
    let found = home.json(&["card", "find", "discovered"], 0);
    assert_eq!(found["cards"].as_array().unwrap().len(), 3);
    assert!(sandbox.sandbox.accepted_orders().is_empty());
    let told = home.path().join("state/mail/new");
    wait_for("the message", || fs::read_dir(&told).is_ok_and(|mails| mails.count() > 0));
    let through = home.json(&["card", "import", "--from", "try", "--dry-run"], 0);
    assert_eq!((&through["known"], &through["new"]), (&json!(3), &json!(0)));
    let listed = home.json(&["operator", "list"], 0);
    let account = &listed["accounts"][0];
    assert_eq!(
        (&account["name"], &account["cards"], &account["state"]),
        (&json!("try"), &json!(3), &json!("no trouble known"))
    );
    assert!(out(&home.run(&["operator", "list"])).contains("127.0.0.1:"));
}

#[test]
fn plans_are_shown_with_the_one_that_the_rule_would_buy() {
    let (home, sandbox) = with_sandbox(3, 0, false);
    let rule = "[rule.cheap]\nmode = \"auto\"\nrenew_when = { data_below = \"500 MB\" }\nbuy = { cheapest = { data = \"1 GB\" } }\nlimits = { per_renewal = \"50 USD\", per_month = \"90 USD\" }\n";
    let card = format!("[card.mine]\noperator = \"try\"\niccid = \"{}\"\nrule = \"cheap\"\n", Sandbox::fleet_iccid(0));
    home.write("rules.toml", &format!("{card}{rule}"));
    let told = home.json(&["operator", "catalogue", "try", "--card", "mine"], 0);
    let plans = told["plans"].as_array().unwrap();
    let bought: Vec<&Value> = plans.iter().filter(|plan| plan["rule_buys"] == true).collect();
    assert_eq!(bought.len(), 1, "{told}");
    assert_eq!((&told["buys"], &told["rule"]), (&bought[0]["id"], &json!("cheap")));
    assert!(bought[0]["price_per_gb"].is_string(), "{told}");
    let shown = out(&home.run(&["operator", "catalogue", "try", "--card", "mine"]));
    assert!(shown.contains("PER GB") && shown.lines().any(|line| line.starts_with('>')), "{shown}");
    assert_eq!(home.run(&["operator", "catalogue", "try", "--card", "nobody"]).status.code(), Some(6));
    assert!(sandbox.sandbox.accepted_orders().is_empty());
}

fn file(name: &str) -> String {
    fs::read_to_string(format!("tests/data/airalo/{name}.json")).unwrap()
}

/// Airalo's documents on this machine: a list with one card that can be used, and what belongs to it.
fn airalo(home: &Home, wallet: &'static str) -> Server {
    let mut list: Value = serde_json::from_str(&file("sim_list")).unwrap();
    let row = list["data"][1].clone();
    list["data"] = json!([row]);
    list["data"][0]["iccid"] = json!(AIRALO_CARD);
    list["meta"]["last_page"] = json!(1);
    let list = Mutex::new(list.to_string());
    let server = home.runtime.block_on(Server::start(move |mut socket, request| {
        let path = request.split([' ', '?']).nth(1).unwrap_or_default();
        let (status, body) = match path.rsplit('/').next().unwrap_or_default() {
            "token" => ("200 OK", file("token")),
            "balance" if wallet == "refused" => ("401 Unauthorized", file("token_error_401")),
            "balance" => ("200 OK", file("balance").replace("\"amount\":0", wallet).replace("\"amount\": 0", wallet)),
            "sims" => ("200 OK", list.lock().unwrap().clone()),
            "usage" => ("200 OK", file("usage")),
            "packages" => ("200 OK", file("sim_package_history")),
            "topups" => ("200 OK", file("topup_packages")),
            _ => ("404 Not Found", file("usage_error_404")),
        };
        let bytes = answer(status, "Content-Type: application/json\r\nConnection: close\r\n", &body);
        Box::pin(async move { drop(socket.write_all(bytes.as_bytes()).await) })
    }));
    home.secret("id");
    let secret = home.path().join("id");
    home.write(
        "simkeeper.toml",
        &format!(
            "currency = \"USD\"\n[channel.mail]\nkind = \"maildir\"\n[operator.travel]\nkind = \"airalo\"\nclient_id = {{ file = \"{0}\" }}\nclient_secret = {{ file = \"{0}\" }}\nbase_url = \"{1}/v2\"\n",
            secret.display(),
            server.address
        ),
    );
    server
}

#[test]
fn a_real_adapter_is_tried_and_its_cards_are_brought_in() {
    let home = Home::new("", "");
    let server = airalo(&home, "\"amount\":25");
    let tested = home.json(&["operator", "test", "travel"], 0);
    let results = results(&tested);
    for name in ["sign-in", "permissions", "wallet", "reading", "catalogue"] {
        assert_eq!(results[name], "ok", "{name}: {tested}");
    }
    let brought = home.json(&["card", "import", "--from", "travel"], 0);
    assert_eq!((&brought["added"], &brought["cards"][0]["iccid"]), (&json!(1), &json!(AIRALO_CARD)));
    assert_eq!(brought["cards"][0]["name"], brought["cards"][0]["label"], "the operator's own name for it");
    let paths: Vec<String> =
        server.requests().iter().map(|request| request.lines().next().unwrap_or_default().to_owned()).collect();
    // An empty line is the look whether somebody answers, which says nothing.
    let reads = |line: &String| line.is_empty() || line.starts_with("GET ") || line.starts_with("POST /v2/token ");
    assert!(paths.len() >= 6 && paths.iter().all(reads), "only what costs nothing is asked: {paths:?}");
}

#[test]
fn a_right_that_is_missing_is_told_apart_from_a_wrong_key() {
    let home = Home::new("", "");
    let _server = airalo(&home, "refused");
    let tested = home.json(&["operator", "test", "travel"], 5);
    let results = results(&tested);
    assert_eq!((results["sign-in"].as_str(), results["permissions"].as_str()), ("ok", "failed"), "{tested}");
    assert!(step(&tested, "permissions")["said"].as_str().unwrap().contains("the wallet"), "{tested}");
}

#[test]
fn a_profile_is_checked_with_line_and_column() {
    let home = Home::new("", "");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIPPED_PROFILE);
    let good = home.run(&["operator", "check", shipped.to_str().unwrap()]);
    assert_eq!(good.status.code(), Some(0), "{}", err(&good));
    assert!(out(&good).contains("talks to"), "{}", out(&good));
    let text = fs::read_to_string(&shipped).unwrap();
    home.write("wrong.toml", &text.replace("format = 1", "format = 9"));
    let path = home.path().join("wrong.toml");
    let wrong = home.run(&["operator", "check", path.to_str().unwrap()]);
    assert_eq!(wrong.status.code(), Some(3));
    assert!(err(&wrong).contains("wrong.toml:") && err(&wrong).contains("format = 1"), "{}", err(&wrong));
    assert_eq!(home.json(&["operator", "check", path.to_str().unwrap()], 3)["ok"], false);
    assert_eq!(home.run(&["operator", "check", "no-such-file.toml"]).status.code(), Some(6));
}
