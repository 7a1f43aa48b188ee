//! The command line, by the real program: what it prints, how it ends, and that it works beside a daemon and without.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a program that does not start is a failed test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

#[path = "cli/ahead.rs"]
mod ahead;

/// How long a condition is waited for.
const DEADLINE: Duration = Duration::from_secs(30);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simkeeper"));
    let ours = ["STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CONFIGURATION_DIRECTORY", "CREDENTIALS_DIRECTORY"];
    for variable in ours.into_iter().chain(["NOTIFY_SOCKET", "JOURNAL_STREAM", "RUST_LOG", "SUDO_USER"]) {
        command.env_remove(variable);
    }
    command.env("USER", "anna").stdin(Stdio::null());
    command
}

/// A folder with files of its own.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        assert_eq!(code(&home.run(&["init", home.path().to_str().unwrap()])), 0);
        home
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        program().args(arguments).arg("--config").arg(self.path()).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let document: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(document["version"], 1, "{arguments:?}");
        document
    }

    fn change(&self, file: &str, old: &str, new: &str) {
        let path = self.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(path, text.replace(old, new)).unwrap();
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn daemon(&self) -> Running {
        let daemon =
            Running(program().arg("run").arg("--config").arg(self.path()).stderr(Stdio::null()).spawn().unwrap());
        wait_for("the socket", || self.path().join("state/control.sock").exists());
        daemon
    }
}

/// A program at work; it ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < DEADLINE, "{what} did not come");
        std::thread::yield_now();
    }
}

/// A sandbox of its own, and the home's account at it.
fn sandbox(home: &Home) -> Running {
    let child = program().args(["sandbox", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn();
    let mut running = Running(child.unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
    home.change("simkeeper.toml", "http://127.0.0.1:7460", url);
    running
}

#[test]
fn a_beginner_is_led_from_init_to_status() {
    let home = Home::new();
    let checked = home.run(&["check"]);
    assert_eq!(code(&checked), 0, "{}", err(&checked));
    assert!(out(&checked).contains("are right: 1 account, 1 card, 1 rule, 1 person"), "{}", out(&checked));
    let again = home.run(&["init", home.path().to_str().unwrap()]);
    assert_eq!(code(&again), 4);
    assert!(err(&again).contains("is there already"));
    let status = home.run(&["status"]);
    assert_eq!(code(&status), 0);
    assert!(out(&status).contains("Next: simkeeper run"), "{}", out(&status));

    let nothing = tempfile::tempdir().unwrap();
    let status = program().arg("status").arg("--config").arg(nothing.path()).output().unwrap();
    assert_eq!(code(&status), 3);
    assert!(err(&status).contains("simkeeper init"), "{}", err(&status));
}

#[test]
fn broken_files_end_with_3_and_their_place() {
    let broken = [
        ("rules.toml", "renew_when", "renew_wen", "did you mean"),
        ("rules.toml", "500 MB", "500 mb", "500 MB"),
        ("rules.toml", "500 MB", "1,5 GB", "1.5 GB"),
        ("rules.toml", "36h", "36 hours", "36h"),
        ("rules.toml", "15 USD", "15 usd", "USD"),
        ("rules.toml", "operator = \"try\"", "operator = \"tri\"", "try"),
        ("rules.toml", "mode = \"watch\"", "mode = \"atuo\"", "auto"),
        ("rules.toml", "notify = [\"me\"]", "notify = [\"you\"]", "you"),
        ("simkeeper.toml", "currency = \"USD\"", "currency = \"usd\"", "USD"),
        ("simkeeper.toml", "kind = \"sandbox\"", "kind = \"sandbax\"", "sandbox"),
        ("simkeeper.toml", "quiet = \"22:00-07:00\"", "quiet = \"22-7\"", "quiet"),
    ];
    for (file, old, new, hint) in broken {
        let home = Home::new();
        home.change(file, old, new);
        let checked = home.run(&["check"]);
        assert_eq!(code(&checked), 3, "{new}");
        let place =
            err(&checked).lines().find_map(|line| line.split_once(&format!("{file}:")).map(|(_, at)| at.to_owned()));
        let place = place.unwrap_or_else(|| panic!("{new}: {}", err(&checked)));
        let numbers: Vec<&str> = place.trim().split(':').collect();
        assert!(numbers.len() >= 2 && numbers.iter().take(2).all(|n| n.parse::<u32>().is_ok()), "{new}: {place}");
        assert!(err(&checked).contains(hint), "{new}: {}", err(&checked));
        assert_eq!(code(&home.run(&["run"])), 3, "{new}: what fails the check does not start");
        let problems = home.json(&["check"]);
        assert_eq!(problems["ok"], false);
        assert!(problems["problems"][0]["line"].is_u64() && problems["problems"][0]["column"].is_u64());
    }
}

#[test]
fn each_command_teaches_by_an_example() {
    let commands = [
        "init", "check", "run", "status", "explain", "plan", "replay", "rehearse", "spend", "card", "operator",
        "renew", "approve", "refuse", "settle", "pause", "resume", "silence", "skip", "history", "notice", "backup",
        "restore", "verify", "schema", "sandbox", "demo",
    ];
    for command in commands {
        let help = program().args([command, "--help"]).output().unwrap();
        assert_eq!(code(&help), 0);
        assert!(out(&help).contains("Example:\n  simkeeper "), "{command}: {}", out(&help));
    }
    let overview = program().arg("--help").output().unwrap();
    assert!(out(&overview).contains("Exit codes: 0 done"));
}

#[test]
fn errors_are_json_when_that_is_asked_for() {
    let home = Home::new();
    for (arguments, exit, word) in [
        (vec!["explain", "nobody"], 6, "not_found"),
        (vec!["fly"], 2, "command_line"),
        (vec!["renew", "first", "--yes"], 2, "command_line"),
    ] {
        let output = home.run(&[arguments.as_slice(), &["--json"]].concat());
        assert_eq!(code(&output), exit, "{arguments:?}");
        let error: Value = serde_json::from_str(&err(&output)).unwrap_or_else(|error| panic!("{error}: {output:?}"));
        assert_eq!(error["version"], 1);
        assert_eq!(error["error"]["code"], word, "{arguments:?}");
        assert!(error["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn schemas_are_printed() {
    for file in ["machine", "rules"] {
        let output = program().args(["schema", file]).output().unwrap();
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(schema["properties"].is_object(), "{file}");
    }
}

#[test]
fn a_file_of_cards_is_added_whole_or_not_at_all() {
    let home = Home::new();
    let wrong = home.write(
        "wrong.csv",
        "name,operator,iccid\nr1,try,8999900000000000014\nr2,nobody,8999900000000000022\nr3,try,12\n",
    );
    let output = home.run(&["card", "import", wrong.to_str().unwrap()]);
    assert_eq!(code(&output), 3);
    for place in ["wrong.csv:3: simkeeper.toml names no account", "wrong.csv:4: `12`", "no card was added; 2 lines"] {
        assert!(err(&output).contains(place), "{place}: {}", err(&output));
    }
    let mut fleet = String::from("name,operator,iccid,labels\n");
    for number in 0..3_000 {
        fleet.push_str(&format!("r{number},try,{:019},router;north\n", 8_900_000_000_000_000_000_u64 + number));
    }
    let fleet = home.write("fleet.csv", &fleet);
    let output = home.run(&["card", "import", fleet.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("3000 cards added"), "{}", out(&output));
    let again = home.run(&["card", "import", fleet.to_str().unwrap()]);
    assert_eq!(code(&again), 3);
    assert!(err(&again).contains("fleet.csv:2: there is a card named `r0` already"), "{}", err(&again));
    let found = home.json(&["card", "find", "r2999"]);
    assert_eq!(found["cards"][0]["name"], "r2999");
    assert_eq!(code(&home.run(&["card", "find", "zebra"])), 6);
    assert_eq!(home.json(&["status"])["cards"].as_array().unwrap().len(), 3_001);
}

#[test]
fn wishes_work_without_a_daemon_and_are_remembered() {
    let home = Home::new();
    let paused = home.run(&["pause", "first", "--until", "7d"]);
    assert_eq!(code(&paused), 0, "{}", err(&paused));
    let status = home.json(&["status", "first"]);
    assert_eq!(status["card"]["wishes"]["pause"]["by"], "anna");
    assert!(out(&home.run(&["status"])).contains("paused"));
    assert_eq!(code(&home.run(&["resume", "first"])), 0);
    assert!(home.json(&["status", "first"])["card"]["wishes"]["pause"].is_null());
    assert_eq!(code(&home.run(&["skip", "first"])), 0);
    assert_eq!(home.json(&["card", "show", "first"])["card"]["wishes"]["skip_next"], true);
    assert_eq!(code(&home.run(&["silence", "first", "--until", "7d", "--all"])), 0);
    let status = home.json(&["status", "first"]);
    assert_eq!(status["card"]["silence"]["by"], "anna");
    assert!(out(&home.run(&["status"])).contains("silenced"));
    assert_eq!(code(&home.run(&["silence", "first", "--lift"])), 0);
    assert!(home.json(&["status", "first"])["card"]["silence"].is_null());
    let acts = home.json(&["history", "first"]);
    let acts: Vec<&str> = acts["people"].as_array().unwrap().iter().map(|act| act["what"].as_str().unwrap()).collect();
    assert_eq!(acts, ["pause", "resume", "skip", "silence", "end silence"]);
    for (arguments, exit) in [
        (&["pause", "nobody"][..], 6),
        (&["pause", "first", "--until", "soon"], 2),
        (&["pause", "first", "--until", "2020-01-01"], 2),
        (&["approve", "99"], 6),
        (&["settle", "99", "bought", "--reason", "seen"], 6),
        (&["notice", "retry", "99"], 6),
        (&["notice", "acknowledge", "99"], 6),
        (&["notice", "acknowledge", "--card", "nobody"], 6),
        (&["notice", "acknowledge"], 2),
        (&["silence", "first"], 2),
        (&["silence", "first", "--lift"], 4),
        (&["silence", "nobody", "--until", "7d"], 6),
        (&["card", "retire", "first"], 2),
        (&["status", "nobody"], 6),
    ] {
        assert_eq!(code(&home.run(arguments)), exit, "{arguments:?}");
    }
    assert_eq!(code(&home.run(&["backup"])), 0);
    assert_eq!(fs::read_dir(home.path().join("state/backups")).unwrap().count(), 1);
}

#[test]
fn commands_work_beside_a_running_daemon() {
    let home = Home::new();
    let _sandbox = sandbox(&home);
    let _daemon = home.daemon();
    let second = home.run(&["run"]);
    assert_eq!(code(&second), 7);
    assert!(err(&second).contains("another simkeeper"), "{}", err(&second));
    wait_for("the first reading", || home.json(&["status", "first"])["card"]["reading"].is_object());
    let status = home.run(&["status"]);
    assert!(out(&status).contains("first") && out(&status).contains("messages: "), "{}", out(&status));
    let explained = home.json(&["explain", "first"]);
    assert_eq!(explained["card"]["name"], "first");
    assert_eq!(explained["reasons"].as_array().unwrap().len(), 2, "both conditions are shown");
    assert!(out(&home.run(&["explain", "first"])).contains("rules.toml:"));
    assert!(home.json(&["plan", "--days", "30"])["plan"].is_array());
    assert!(home.json(&["history", "first"])["readings"].as_array().is_some_and(|readings| !readings.is_empty()));
    let tested = home.json(&["notice", "test", "me"]);
    assert_eq!(tested["notices"][0]["state"], "sent");
    assert_eq!(code(&home.run(&["notice", "test", "nobody"])), 6);
    assert!(out(&home.run(&["notice", "list"])).contains("sent"));
    assert_eq!(code(&home.run(&["pause", "first"])), 0);
    let by = home.json(&["card", "show", "first"])["card"]["wishes"]["pause"]["by"].clone();
    assert!(by.as_str().unwrap().starts_with("anna (uid "), "{by}");
    home.write("rules.toml", "[card.first]\nrul = 1\n");
    assert_eq!(code(&home.run(&["check"])), 3);
    let status = home.run(&["status"]);
    assert_eq!(code(&status), 0, "looking goes on while a file is being mended: {}", err(&status));
    assert!(out(&status).contains("first") && err(&status).contains("simkeeper check"), "{}", err(&status));
}

#[test]
fn a_renewal_wants_the_price_that_was_seen() {
    for beside_a_daemon in [true, false] {
        let home = Home::new();
        let _sandbox = sandbox(&home);
        let _daemon = beside_a_daemon.then(|| home.daemon());
        assert_eq!(code(&home.run(&["renew", "first"])), 2, "nobody can be asked");
        let wrong = home.run(&["renew", "first", "--yes", "--price", "1 USD"]);
        assert_eq!(code(&wrong), 4, "{}", err(&wrong));
        assert!(err(&wrong).contains("nothing was bought"), "{}", err(&wrong));
        assert!(home.json(&["history"])["attempts"].as_array().unwrap().is_empty());
        let (_, price) = out(&wrong)
            .lines()
            .next()
            .unwrap()
            .rsplit_once(" for ")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let other = home.run(&["renew", "first", "--yes", "--price", &price, "--plan", "another"]);
        assert_eq!(code(&other), 4);
        let bought = home.run(&["renew", "first", "--yes", "--price", &price]);
        assert_eq!(code(&bought), 0, "{}{}", out(&bought), err(&bought));
        let history = home.json(&["history", "first"]);
        let attempts = history["attempts"].as_array().unwrap();
        assert_eq!(attempts.len(), 1);
        assert_eq!(attempts[0]["attempt"]["plan"]["price"], price.as_str());
        assert!(attempts[0]["events"].as_array().is_some_and(|events| events.len() >= 3));
        let again = home.run(&["renew", "first", "--yes", "--price", &price]);
        assert_eq!(code(&again), 4, "one at a time: {}", err(&again));
    }
}

#[test]
fn a_fast_clock_never_spends_real_money() {
    let home = Home::new();
    let clock = "600@1793491200000@2026-12-01T00:00:00Z";
    assert_eq!(code(&home.run(&["check", "--clock", clock])), 0);
    let secret = home.write("secret", "x");
    fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let account = format!(
        "\n[operator.real]\nkind = \"airalo\"\nclient_id = {{ file = \"{0}\" }}\nclient_secret = {{ file = \"{0}\" }}\n",
        secret.display()
    );
    let text = fs::read_to_string(home.path().join("simkeeper.toml")).unwrap();
    home.write("simkeeper.toml", &(text + &account));
    for command in ["check", "run", "backup"] {
        let output = home.run(&[command, "--clock", clock]);
        assert_eq!(code(&output), 2, "{command}: {}", err(&output));
        assert!(err(&output).contains("never spends real money"), "{}", err(&output));
    }
}

#[test]
fn every_message_can_be_seen_before_it_is_sent() {
    let home = Home::new();
    let text = out(&home.run(&["notice", "preview", "bought"]));
    for part in
        ["Subject: canada-trip: renewed for 12.50 USD", "Nothing to do", "Text message (", " of 160 characters)"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(out(&home.run(&["notice", "preview", "asked", "--language", "zh-CN"])).contains("请您决定"));
    let previews = home.json(&["notice", "preview", "test"]);
    assert_eq!(previews["previews"][0]["kind"], "test");
    assert_eq!(code(&home.run(&["notice", "preview", "bought", "--language", "zh"])), 2);
    assert_eq!(code(&home.run(&["notice", "preview", "sold"])), 2);
    assert_eq!(code(&home.run(&["notice", "preview"])), 2);

    let gallery = home.path().join("gallery");
    let to = gallery.to_str().unwrap();
    let written = home.json(&["notice", "preview", "--all", "--to", to])["messages"].as_u64().unwrap();
    let page = fs::read_to_string(gallery.join("index.html")).unwrap().replace("&#x2f;", "/");
    let files = ["en", "zh-CN"].map(|language| {
        let names = fs::read_dir(gallery.join(language)).unwrap().map(|entry| entry.unwrap().path());
        let (pictures, files): (Vec<_>, Vec<_>) = names.partition(|path| path.extension().unwrap() == "png");
        assert!(!pictures.is_empty(), "{language}");
        files.len() as u64
    });
    assert_eq!(files[0], files[1]);
    assert_eq!(files[0] + files[1], 4 * written);
    assert_eq!(page.matches("<iframe").count() as u64, written);
    for kind in simkeeper::domain::notice::NoticeKind::ALL {
        assert!(page.contains(&format!("src=\"zh-CN/{}-", kind.as_str())), "{}", kind.as_str());
    }
}

#[test]
fn a_program_is_told_through_the_real_queue() {
    let home = Home::new();
    let machine = fs::read_to_string(home.path().join("simkeeper.toml")).unwrap();
    let got = home.path().join("got");
    let channel = "[channel.script]\nkind = \"exec\"\nprogram = \"/usr/bin/tee\"\n";
    home.write("simkeeper.toml", &format!("{machine}\n{channel}args = [\"{}\"]\n", got.display()));
    let told = home.json(&["notice", "test", "script"]);
    assert_eq!((&told["notices"][0]["state"], &told["notices"][0]["remote"]), (&"sent".into(), &"exit 0".into()));
    let document: Value = serde_json::from_slice(&fs::read(got).unwrap()).unwrap();
    assert_eq!((&document["version"], &document["kind"]), (&1.into(), &"test".into()));
    assert_eq!(code(&home.run(&["notice", "test", "stranger"])), 6);
}
