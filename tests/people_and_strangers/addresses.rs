//! Where the daemon may be led: to the operator's own hosts over https, and nowhere else. Neither a file, nor a redirect,
//! nor a variable of the environment leads it to another machine or into the private network.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use simkeeper::sandbox::{Call, FaultKind};

use crate::world::files::AUTO;
use crate::world::{World, full, low};

/// A place on this machine where nobody should come by; counts who does.
fn trap() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, visits) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&visits);
    // It ends with the test program; it waits for visitors who must not come.
    std::thread::spawn(move || {
        while listener.accept().is_ok() {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, visits)
}

#[test]
fn an_account_at_somebody_elses_address_is_refused() {
    for address in [
        "https://169.254.169.254/latest",
        "https://127.0.0.1/v2",
        "https://10.0.0.1/v2",
        "https://[fd00::1]/v2",
        "http://169.254.169.254/latest",
        "http://partners-api.airalo.com/v2",
        "https://partners-api.airalo.com.evil.example/v2",
        "https://partners-api.airalo.com@evil.example/v2",
    ] {
        let mut world = World::new().card("tablet", low, AUTO).card("router", full, AUTO).at("led");
        for name in ["id", "word"] {
            use std::os::unix::fs::PermissionsExt;
            let path = world.folder().join(name);
            std::fs::write(&path, "a word\n").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        let folder = world.folder().display().to_string();
        world.machine.tables.push_str(&format!(
            "[operator.led]\nkind = \"airalo\"\nclient_id = {{ file = \"{folder}/id\" }}\n\
             client_secret = {{ file = \"{folder}/word\" }}\nbase_url = \"{address}\"\n"
        ));
        world.real_time = true;
        world.write_files();
        world.launch();
        let ended = world.keeper().ended();
        assert!(!ended.success(), "{address}: {}", world.log());
        let reasons = ["is not on this machine", "is not a host of this operator", "holds no user and no password"];
        assert!(reasons.iter().any(|reason| world.log().contains(reason)), "{address}: {}", world.log());
    }
}

#[test]
fn proxies_of_the_environment_see_nothing_of_the_daemon() {
    let (port, visits) = trap();
    let mut world = World::new().card("tablet", low, AUTO);
    let proxy = format!("http://127.0.0.1:{port}");
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "REQUEST_METHOD"];
    world.environment(names.iter().map(|name| (*name, proxy.clone().into())).collect());
    let mut world = world.start();
    world.until_bought("tablet", 1);
    assert_eq!((world.orders("tablet").len(), visits.load(Ordering::SeqCst)), (1, 0));
}

#[test]
fn a_redirect_leads_nowhere_and_leaves_a_doubt() {
    let (port, visits) = trap();
    for status in [301, 302, 303, 307, 308] {
        let to = Some(format!("http://127.0.0.1:{port}/v1/orders"));
        let world = World::new().card("tablet", low, AUTO);
        let mut world = world.fault(Call::Buy, FaultKind::Redirect { status, to }, 1).start();
        world.until_bought("tablet", 1);
        assert_eq!((world.orders("tablet").len(), visits.load(Ordering::SeqCst)), (1, 0), "{status}");
    }
}
