//! The queue of messages under load and under attack: a message that ends the daemon, ten thousand at once, reports of any
//! size.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as loudly as tests")]

#[expect(dead_code, reason = "each test program uses its part of the world")]
mod world;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use mail_parser::MessageParser;
use serde_json::{Value, json};
use simkeeper::config::Carries;
use simkeeper::daemon::clock::Clock;
use simkeeper::daemon::deliver;
use simkeeper::daemon::live::Post;
use simkeeper::domain::card::Name;
use simkeeper::domain::notice::{DedupKey, Event, Language, NoticeKind, Story};
use simkeeper::domain::time::{Secs, UnixTime};
use simkeeper::notify::{self, Channel, ChannelSettings, MailHeaders, Recipient, SmtpSettings, SmtpTls};
use simkeeper::sandbox::{Call, Class, FaultKind};
use simkeeper::store::notices::{self, NewNotice, NoticeState};
use simkeeper::store::{Connection, Store, StoreError};

use world::files::AUTO;
use world::mailbox::{Sink, free_port};
use world::{World, ending, full, keeper, low};

const NOW: UnixTime = UnixTime::clamped(1_797_336_000);
/// So many at once.
const NOTICES: usize = 10_000;
/// Every hundredth is urgent, and they are the last to be queued.
const URGENT: usize = NOTICES / 100;
/// Rows that one transaction of the queue may change: far fewer than would hold the record for 50 ms.
const ROWS_MAX: usize = 256;
/// A mail for people is smaller than this.
const MAIL_BYTES_MAX: usize = 64 << 10;

/// What `simkeeper notice list --json` prints.
fn listed(world: &World) -> Value {
    let mut command = keeper::program(&["notice", "list", "--json", "--clock", &world.clock().words()]);
    let output = command.arg("--config").arg(world.folder()).arg("--state").arg(world.state()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A message at which the daemon dies: it is set aside after the third time, the others arrive, and a person can have it
/// sent all the same.
#[test]
fn a_message_that_ends_the_daemon_three_times_is_set_aside_and_holds_nothing_up() {
    let mut world = World::new().card("tablet", low, AUTO);
    world.write_files();
    for death in 1..=3 {
        world.environment(vec![("SIMKEEPER_CRASH_AT", "after_claim".into())]);
        world.launch();
        let ended = world.keeper().ended();
        assert!(!ended.success(), "death {death}: {ended}\n{}", world.log());
        let poison = &world.notices()[0];
        assert_eq!((poison.state.as_str(), poison.tries), ("claimed", death), "{poison:?}");
    }
    world.environment(Vec::new());
    world.begin();
    world.until("it to be set aside", |world| world.notices()[0].state == "dead");
    assert!(listed(&world).to_string().contains("ended 3 times while sending it"), "{}", listed(&world));
    world.told(&json!({ "do": "test_notice", "person": "anna" }));
    world.until("another message", |world| {
        world.notices().iter().any(|notice| notice.kind == "test" && notice.state == "sent")
    });
    let poison = world.notices()[0].clone();
    assert_eq!(poison.state, "dead");
    world.told(&json!({ "do": "retry_notice", "id": poison.id }));
    world.until("a person's word to count", |world| world.notices()[0].state == "sent");
    assert_eq!(world.mails().iter().filter(|mail| format!("<{}>", mail.id) == poison.message_id).count(), 1);
}

/// A gateway for texts that takes everything; what it was asked.
fn gateway() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&asked);
    // It ends with the test program.
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut line = String::new();
            let _read = BufReader::new(&socket).read_line(&mut line);
            kept.lock().unwrap().push(line);
            let _sent = socket.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    (port, asked)
}

/// A mail server that drops encryption hears nothing, not even the name of the recipient; what cannot wait arrives by text.
#[test]
fn what_cannot_wait_arrives_by_text_when_no_mail_can_go_encrypted() {
    let (port, (texts, asked)) = (free_port(), gateway());
    let world = World::of(Class::Neither, 600).card("tablet", ending, AUTO);
    let mut world = world.fault(Call::Buy, FaultKind::LostBefore, 1);
    world.machine.tables = format!(
        "[channel.mail]\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"starttls\"\nfrom = \"keeper@example.net\"\n\n\
         [channel.text]\nkind = \"gateway\"\nmethod = \"get\"\nurl = \"http://127.0.0.1:{texts}/send\"\n\
         query = {{ to = \"{{to}}\", text = \"{{text}}\" }}\n"
    );
    world.write_files();
    let file = world.folder().join("simkeeper.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, text.replace("[person.anna]\n", "[person.anna]\nsms = \"+16135550123\"\n")).unwrap();
    // It knows no STARTTLS, as one between us and the server that leaves it out.
    let clear = Sink::start(port, &world.folder().join("clear"), &[]);
    world.begin();
    world.until("the mail to be refused", |world| world.notices().iter().any(|notice| notice.why.is_some()));
    world.until("a text", |_| asked.lock().unwrap().iter().any(|line| line.contains("tablet")));
    let line = asked.lock().unwrap()[0].clone();
    assert!(line.starts_with("GET /send?") && line.contains("16135550123"), "{line}");
    assert_eq!(clear.mails().len(), 0, "nothing in clear");
}

fn named(name: &str) -> Name {
    Name::parse(name).unwrap()
}

fn notice(number: usize) -> NewNotice {
    let kind = if number >= NOTICES - URGENT { NoticeKind::Unknown } else { NoticeKind::Bought };
    let text =
        format!("From: keeper@example.net\r\nTo: anna@example.net\r\nMessage-ID: <{number}@x>\r\n\r\n{number}\r\n");
    NewNotice {
        key: DedupKey { kind, card: None, cycle: 0, step: number.to_string() },
        person: named("anna"),
        channel: named("mail"),
        address: "anna@example.net".to_owned(),
        subject: number.to_string(),
        message_id: format!("<{number}@x>"),
        bytes: text.into_bytes(),
        urgent: kind.is_urgent(),
        resend_costs: false,
        attempt: None,
        created_at: NOW,
        send_at: NOW,
        expires_at: NOW.plus(Secs::DAY),
    }
}

/// What one transaction did.
#[derive(Clone, Debug, Default)]
struct Transaction {
    rows: Vec<i64>,
}

/// Watches the connection that writes: the rows of each transaction, as SQLite itself tells them.
async fn watched(store: &Store) -> Arc<Mutex<Vec<Transaction>>> {
    let seen = Arc::new(Mutex::new(vec![Transaction::default()]));
    let (rows, commits) = (Arc::clone(&seen), Arc::clone(&seen));
    let hook = move |conn: &Connection| -> Result<(), StoreError> {
        conn.update_hook(Some(move |_, _: &str, _: &str, row| {
            rows.lock().unwrap().last_mut().unwrap().rows.push(row)
        }))?;
        Ok(conn.commit_hook(Some(move || {
            commits.lock().unwrap().push(Transaction::default());
            false
        }))?)
    };
    store.write(hook).await.unwrap();
    seen.lock().unwrap().truncate(1);
    seen.lock().unwrap()[0].rows.clear();
    seen
}

async fn queue_all(store: &Store) {
    for begin in (0..NOTICES).step_by(100) {
        let some: Vec<NewNotice> = (begin..begin + 100).map(notice).collect();
        let queue = move |conn: &Connection| some.iter().try_for_each(|one| notices::enqueue(conn, one).map(drop));
        store.write(queue).await.unwrap();
    }
}

fn post(channel: Channel) -> Post {
    Post {
        name: named("mail"),
        channel,
        carries: Carries::Mail,
        from: "keeper@example.net".to_owned(),
        through: None,
        texts: None,
        receipts: false,
        asks: false,
        last_asked: simkeeper::daemon::ask_receipts::LastAsked::default(),
    }
}

/// All arrive, the urgent ones first although they were queued last, each once; and no transaction touches more than a
/// handful of rows, so that nobody waits for the record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_messages_at_once_leave_steadily_and_urgent_ones_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state"), NOW).unwrap();
    queue_all(&store).await;
    let mails = folder.path().join("mail");
    let channel = Channel::open(ChannelSettings::Maildir { folder: mails.clone() }).unwrap();
    let post = post(channel);
    let seen = watched(&store).await;
    deliver(&store, &Clock::stepped(NOW, Duration::ZERO), &post).await.unwrap();
    let transactions: Vec<Transaction> = seen.lock().unwrap().clone();

    let most = transactions.iter().map(|transaction| transaction.rows.len()).max().unwrap();
    assert!(most <= ROWS_MAX, "{most} rows in one transaction");
    assert!(transactions.len() >= NOTICES / ROWS_MAX, "{} transactions", transactions.len());
    // Each row is changed twice: claimed, and settled. The first time is in the order of leaving.
    let mut order: Vec<i64> = Vec::new();
    let mut times = std::collections::BTreeMap::<i64, usize>::new();
    for row in transactions.iter().flat_map(|transaction| &transaction.rows) {
        *times.entry(*row).or_default() += 1;
        if times[row] == 1 {
            order.push(*row);
        }
    }
    assert!(times.len() == NOTICES && times.values().all(|count| *count == 2), "{} rows", times.len());
    let first = i64::try_from(NOTICES - URGENT).unwrap();
    assert!(order[..URGENT].iter().all(|row| *row > first), "urgent ones leave first: {:?}", &order[..URGENT]);
    assert!(order[URGENT..].is_sorted(), "the others leave in their order");
    assert_eq!(std::fs::read_dir(mails.join("new")).unwrap().count(), NOTICES);
    let gauges = store.read(notices::gauges).await.unwrap();
    assert_eq!((gauges.depth, gauges.dead), (0, 0));
    store.close().await;
}

/// What a process left on its way may have ended it: of that no two messages are on their way together again, and nothing
/// else waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_its_way_when_a_process_ended_leaves_one_at_a_time_beside_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state"), NOW).unwrap();
    let left = |conn: &Connection| {
        (1..=12).try_for_each(|number| notices::enqueue(conn, &notice(number)).map(drop))?;
        let claimed = notices::claim(conn, &named("mail"), 99, NOW)?;
        notices::recover(conn, NOW)?;
        (13..=40).try_for_each(|number| notices::enqueue(conn, &notice(number)).map(drop))?;
        Ok(claimed.len())
    };
    assert_eq!(store.write(left).await.unwrap(), 12);
    let mails = folder.path().join("mail");
    let post = post(Channel::open(ChannelSettings::Maildir { folder: mails.clone() }).unwrap());
    let seen = watched(&store).await;
    deliver(&store, &Clock::stepped(NOW, Duration::ZERO), &post).await.unwrap();
    let transactions: Vec<Transaction> = seen.lock().unwrap().clone();
    let (mut claimed, mut under_way) = (std::collections::BTreeSet::new(), 0);
    for row in transactions.iter().flat_map(|transaction| &transaction.rows).filter(|row| **row <= 12) {
        // The first change is the claim, the second the settlement.
        under_way += if claimed.insert(*row) { 1 } else { -1 };
        assert!(under_way <= 1, "{row} beside another");
    }
    assert!(transactions[0].rows.len() > 12, "the others wait for nothing: {:?}", transactions[0].rows);
    assert_eq!(std::fs::read_dir(mails.join("new")).unwrap().count(), 40);
    store.close().await;
}

/// A server that takes one mail and says nothing more costs the mail that it took no second sending, should the process end;
/// and of those that wait few are claimed, so that few would be suspected of the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_is_settled_while_the_server_is_silent_about_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("state"), NOW).unwrap();
    store
        .write(|conn| (1..=60).try_for_each(|number| notices::enqueue(conn, &notice(number)).map(drop)))
        .await
        .unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let (mut first, _) = listener.accept().await.unwrap();
        let answers = ["220 hello", "250 hello", "250 ok", "250 ok", "354 go", "250 kept"];
        let ends: [&[u8]; 6] = [b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\r\n.\r\n", b"never"];
        for (answer, end) in answers.into_iter().zip(ends) {
            first.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
            let mut heard = Vec::new();
            while end != b"never" && !heard.ends_with(end) {
                assert!(first.read_buf(&mut heard).await.unwrap() > 0);
            }
        }
        let mut silent = vec![first];
        while let Ok((socket, _)) = listener.accept().await {
            silent.push(socket);
        }
    });
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: SmtpTls::None,
        login: None,
        ca_file: None,
        connections: 8,
        step_timeout: Duration::from_secs(20),
    };
    let post = post(Channel::open(ChannelSettings::Smtp(settings)).unwrap());
    let clock = Clock::stepped(NOW, Duration::ZERO);
    let look = async {
        loop {
            let states = store.read(|conn| notices::list(conn, None, None, 99)).await.unwrap();
            let of = |state: NoticeState| states.iter().filter(|notice| notice.state == state).count();
            if of(NoticeState::Sent) > 0 {
                return (of(NoticeState::Sent), of(NoticeState::Claimed));
            }
        }
    };
    let seen = tokio::select! {
        seen = look => seen,
        ended = deliver(&store, &clock, &post) => panic!("{ended:?}"),
    };
    assert_eq!(seen, (1, 16), "one was taken, and as many as before are on their way");
    server.abort();
    store.close().await;
}

/// A notice that has no text is in the list with its reason, and cannot be sent.
#[tokio::test]
async fn a_message_without_a_text_is_set_aside_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), NOW).unwrap();
    let set_aside = |conn: &Connection| {
        let id = notices::enqueue(conn, &NewNotice { bytes: Vec::new(), ..notice(1) })?.unwrap();
        notices::set_aside(conn, id, "its text could not be made", NOW)?;
        let claimed = notices::claim(conn, &named("mail"), 10, NOW)?;
        let again = notices::retry(conn, id, NOW)?;
        Ok((claimed.len(), again, notices::by_id(conn, id)?.unwrap()))
    };
    let (claimed, again, shown) = store.write(set_aside).await.unwrap();
    assert_eq!((claimed, again, shown.state), (0, false, NoticeState::Dead));
    assert_eq!(shown.why.as_deref(), Some("its text could not be made"));
    store.close().await;
}

/// Ten thousand cards, each with a mistake, in one file: one message, of a size that every server takes, which says how
/// many there are and that some are left out.
#[test]
fn a_file_with_ten_thousand_mistakes_is_one_short_message() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    let mut rules = String::new();
    for number in 0..NOTICES {
        write!(rules, "[card.c{number}]\noperator = \"nobody\"\niccid = \"{number}\"\n\n").unwrap();
    }
    world::files::write_rules(world.folder(), &rules);
    world.hang_up();
    let mail = world.until_mail(&["errors; old rules stay"]);
    let count: usize = mail.subject.split(' ').find_map(|word| word.parse().ok()).unwrap();
    assert!(count >= NOTICES, "{}", mail.subject);
    assert!(mail.text.len() < MAIL_BYTES_MAX && mail.text.contains('…'), "{} bytes", mail.text.len());
    small_mails(&world.state().join("mail/new"));
    // The old rules are at work, and what people see stays short too.
    world.use_up("tablet");
    world.until_bought("tablet", 1);
    assert!(listed(&world).to_string().len() < MAIL_BYTES_MAX);
}

fn small_mails(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let length = entry.unwrap().metadata().unwrap().len();
        assert!(length < MAIL_BYTES_MAX as u64, "{length} bytes");
    }
}

/// A report of 50 MiB becomes a mail and a text message of the usual size.
#[test]
fn a_message_of_fifty_megabytes_is_cut_where_everybody_sees_it() {
    let line = "rules.toml:1:1: this line is one of very many, each with ünïcödé and <tags> & more\n";
    let event = Event::RulesProblem {
        file: format!("/etc/{}/rules.toml", "x".repeat(1 << 20)),
        count: 650_000,
        report: line.repeat((50 << 20) / line.len()),
    };
    let story = Story { card: None, at: NOW, event, course: None, retold: None };
    let headers = MailHeaders {
        message_id: "<1@example.net>".to_owned(),
        from: "keeper@example.net".to_owned(),
        thread: None,
        date: NOW,
    };
    for language in Language::ALL {
        let recipient = Recipient {
            person: named("anna"),
            address: "anna@example.net".to_owned(),
            language,
            zone: TimeZone::UTC,
            answers: simkeeper::domain::approval::Answering::ByNumber,
        };
        let mail = notify::mail(&story, &recipient, &headers).unwrap();
        assert!(mail.bytes.len() < MAIL_BYTES_MAX, "{} bytes", mail.bytes.len());
        let parsed = MessageParser::default().parse(&mail.bytes).unwrap();
        let text = parsed.body_text(0).unwrap();
        assert!(text.contains("650000") && text.contains('…') && text.contains("simkeeper check"), "{text}");
        assert!(notify::text_message(&story, &recipient).bytes.len() <= 160);
    }
}
