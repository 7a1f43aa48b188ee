//! The daemon has one door: its Unix socket. Nothing of it can be reached over a network, no link and no page can act, and
//! no other user of the machine is let in. There is nothing that an operator could call back.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::files::AUTO;
use crate::world::mailbox::debian;
use crate::world::{World, full, keeper, low};

/// The numbers of the sockets that a process has open.
fn sockets_of(pid: u32) -> BTreeSet<String> {
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let targets = links.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
    let number =
        |target: std::path::PathBuf| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    targets.filter_map(number).collect()
}

/// Lines of one of the kernel's tables of sockets, in words.
fn table(pid: u32, name: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default();
    text.lines().skip(1).map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_daemon_listens_on_its_unix_socket_alone() {
    let mut world = World::new().card("tablet", low, AUTO).start();
    world.until_bought("tablet", 1);
    let pid = world.keeper().id();
    let ours = sockets_of(pid);
    for name in ["tcp", "tcp6"] {
        // The tenth word is the socket's number; state 0A is LISTEN.
        let listening: Vec<_> =
            table(pid, name).into_iter().filter(|line| line[3] == "0A" && ours.contains(&line[9])).collect();
        assert!(listening.is_empty(), "{name}: {listening:?}");
    }
    for name in ["udp", "udp6", "raw", "raw6"] {
        let open: Vec<_> = table(pid, name).into_iter().filter(|line| ours.contains(&line[9])).collect();
        assert!(open.is_empty(), "{name}: {open:?}");
    }
    // Of a Unix socket that listens the flags say so, the seventh word is its number, and the eighth its path.
    let listens = |line: &Vec<String>| line[3] == "00010000" && ours.contains(&line[6]);
    let paths: Vec<_> =
        table(pid, "unix").into_iter().filter(listens).filter_map(|line| line.get(7).cloned()).collect();
    assert_eq!(paths, [keeper::socket_of(world.folder()).display().to_string()]);
}

/// Sends these bytes to the daemon's socket; status and body of the answer.
fn said(world: &World, bytes: &[u8]) -> (u16, String) {
    let mut socket = UnixStream::connect(keeper::socket_of(world.folder())).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // It may hang up before it has read everything.
    let _sent = socket.write_all(bytes);
    let mut answer = Vec::new();
    let _read = socket.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, text)
}

/// A request for what a person is asked about, with other words before its body.
fn request(first_line: &str, headers: &str) -> Vec<u8> {
    let body = json!({ "by": "eve", "request": { "do": "approve", "id": 1 } }).to_string();
    format!("{first_line} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[test]
fn no_link_and_no_page_can_agree_to_a_purchase() {
    const POST: &str = "POST /v1/do";
    const JSON: &str = "Content-Type: application/json\r\n";
    let mut world = World::new().card("tablet", low, &AUTO.replace("auto", "ask")).start();
    let mail = world.until_mail(&["tablet", "simkeeper approve 1"]);
    assert!(!mail.text.contains("http:") && !mail.text.contains("https:"), "nothing to click: {mail:?}");
    let host = format!("Host: simkeeper\r\n{JSON}");
    for (what, first_line, headers, status) in [
        ("a link", "GET /v1/do", host.as_str(), 405),
        ("a link with words", "GET /v1/do?do=approve&id=1", &host, 405),
        ("a scanner", "HEAD /v1/do", &host, 405),
        ("a link to somewhere else", "GET /approve/1", &host, 404),
        ("a form", POST, "Host: simkeeper\r\nContent-Type: application/x-www-form-urlencoded\r\n", 415),
        ("a form of plain text", POST, "Host: simkeeper\r\nContent-Type: text/plain\r\n", 415),
        ("no type", POST, "Host: simkeeper\r\n", 415),
        ("a page of another site", POST, &format!("{host}Origin: https://evil.example\r\n"), 403),
        ("a page of no site", POST, &format!("{host}Origin: null\r\n"), 403),
        ("a browser", POST, &format!("{host}Sec-Fetch-Site: cross-site\r\n"), 403),
        ("a browser that was here before", POST, &format!("{host}Cookie: a=b\r\n"), 403),
        ("a page that tells where it is", POST, &format!("{host}Referer: https://evil.example/\r\n"), 403),
        ("a name that was rebound", POST, &format!("Host: evil.example\r\n{JSON}"), 403),
        ("an address", POST, &format!("Host: 127.0.0.1:80\r\n{JSON}"), 403),
        ("two names", POST, &format!("Host: simkeeper\r\nHost: evil.example\r\n{JSON}"), 403),
        ("no name", POST, JSON, 403),
    ] {
        let (told, text) = said(&world, &request(first_line, headers));
        assert!(told == status || (told == 400 && status == 403), "{what}: {text}");
    }
    let (_, text) = said(&world, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert!(!text.contains("done"), "{text}");
    world.until_read_again(3);
    assert_eq!(world.orders("tablet").len(), 0, "nobody agreed");
    assert!(world.log().contains("looks like a browser's"), "{}", world.log());
    world.told(&json!({ "do": "approve", "id": 1 }));
    world.until_bought("tablet", 1);
}

#[test]
fn a_request_that_is_none_changes_nothing_and_the_next_one_is_answered() {
    let mut world = World::new().card("tablet", low, &AUTO.replace("auto", "ask")).start();
    world.until_mail(&["tablet", "simkeeper approve 1"]);
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"by\":\"a\"}",
        "{\"by\":1,\"request\":{\"do\":\"approve\",\"id\":1}}",
        "{\"by\":\"a\",\"request\":{\"do\":\"buy everything\"}}",
        "{\"by\":\"a\",\"request\":{\"do\":\"approve\",\"id\":1.5}}",
        "{\"by\":\"a\",\"request\":{\"do\":\"approve\"}}",
        &"[".repeat(100_000),
        "\u{0}\u{0}",
    ] {
        let head = "POST /v1/do HTTP/1.1\r\nHost: simkeeper\r\nContent-Type: application/json\r\nConnection: close\r\n";
        let (status, text) = said(&world, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        assert!(matches!(status, 400 | 422), "{body:.60}: {text}");
    }
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 0);
    world.told(&json!({ "do": "refuse", "id": 1, "reason": "no" }));
}

/// Asks as another user of the machine; what the daemon answered, or what the system said.
fn asked_by_nobody(world: &World) -> String {
    let script = "import socket, sys\n\
        s = socket.socket(socket.AF_UNIX)\n\
        body = '{\"by\":\"eve\",\"request\":{\"do\":\"approve\",\"id\":1}}'\n\
        try:\n    s.connect(sys.argv[1])\nexcept OSError as error:\n    print(error); sys.exit()\n\
        s.sendall(('POST /v1/do HTTP/1.1\\r\\nHost: simkeeper\\r\\nConnection: close\\r\\nContent-Type: application/json\\r\\n'\n\
            'Content-Length: %d\\r\\n\\r\\n%s' % (len(body), body)).encode())\n\
        print(s.makefile().read())\n";
    let mut command = Command::new(debian("python3"));
    command.args(["-c", script]).arg(keeper::socket_of(world.folder())).current_dir("/").stdin(Stdio::null());
    let output = command.uid(65_534).gid(65_534).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Only root can become somebody else; elsewhere what the file system says is all that can be looked at.
#[test]
fn another_user_of_the_machine_is_not_let_in() {
    let mut world = World::new().card("tablet", low, &AUTO.replace("auto", "ask")).start();
    world.until_mail(&["tablet", "simkeeper approve 1"]);
    let socket = keeper::socket_of(world.folder());
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    if rustix::process::geteuid().is_root() {
        let told = asked_by_nobody(&world);
        assert!(told.contains("Permission denied"), "the file system keeps others out: {told}");
        // Somebody opens every door of the file system by mistake: the daemon still asks the kernel who is there.
        for (path, mode) in [(world.folder().to_owned(), 0o755), (world.state(), 0o755), (socket, 0o666)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let told = asked_by_nobody(&world);
        assert!(told.contains(" 403 ") && told.contains("only root and the daemon's own user"), "{told}");
        assert!(world.log().contains("a request of another user was turned away"), "{}", world.log());
    }
    world.until_read_again(2);
    assert_eq!(world.orders("tablet").len(), 0);
}

/// There is no address to send a callback to; one that comes over the only door says nothing that counts.
#[test]
fn a_forged_callback_reaches_nobody() {
    let mut world = World::new().card("tablet", full, AUTO).start();
    world.until_read_again(1);
    let order: Value = json!({ "event": "order.completed", "reference": "0".repeat(32), "status": "done" });
    for path in ["/callback", "/webhook", "/v1/orders", "/v1/do"] {
        let body = order.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: simkeeper\r\nContent-Type: application/json\r\nConnection: close\r\n"
        );
        let (status, text) = said(&world, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        assert!(matches!(status, 404 | 422), "{path}: {text}");
    }
    assert_eq!((world.attempts("tablet").len(), world.notices().len()), (0, 0));
}
