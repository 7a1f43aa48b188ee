//! A message bus of its own, a ModemManager on it made of python-dbusmock, and what the tests ask for.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::identity::Iccid;
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::{OperatorError, Order, OrderKey, PreparedOrder};
use simkeeper::domain::reading::Reading;
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::Operator;
use simkeeper::operators::ussd::{TopUp, Ussd, UssdSettings, VoucherList};

pub(crate) const NOW: UnixTime = UnixTime::clamped(1_800_000_000);
pub(crate) const READ: &str = "*100#";

/// A child process that ends with the test.
pub(crate) struct Running(Child);

impl Running {
    /// Starts a program that needs no waiting for.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program and reads the first line that it prints, which says that it is ready.
fn started(command: &mut Command) -> (Running, String) {
    let mut running = Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty(), "{command:?} did not start; tests/run installs what it needs (tests/packages.txt)");
    (running, line.trim().to_owned())
}

/// A machine with modems.
pub(crate) struct World {
    mock: Option<Running>,
    _bus: Running,
    pub(crate) address: String,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// A machine with these modems.
    pub(crate) fn new(modems: &Value) -> Self {
        let mut world = Self::without_modem_manager();
        world.write(modems);
        let parameters = json!({ "world": world.file() }).to_string();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/modem_manager.py");
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-m", "dbusmock", "--template"]).arg(template).args(["--parameters", &parameters]);
        let log = world.folder.path().join("mock.log");
        command.arg("--logfile").arg(log).env("DBUS_SYSTEM_BUS_ADDRESS", &world.address);
        let (mock, ready) = started(&mut command);
        assert_eq!(ready, "READY");
        world.mock = Some(mock);
        world
    }

    /// A machine with one modem, which holds `iccid` and answers every code alike.
    pub(crate) fn answering(answer: &Value) -> Self {
        Self::new(&json!([{ "iccid": iccid(1), "answers": { "*": answer } }]))
    }

    /// A bus on which nobody serves modems.
    pub(crate) fn without_modem_manager() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("bus.conf");
        let socket = folder.path().join("bus");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \"busconfig.dtd\">\n\
             <busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n",
            socket.display()
        );
        std::fs::write(&settings, text).unwrap();
        let mut command = Command::new("/usr/bin/dbus-daemon");
        command.arg("--nofork").arg("--print-address").arg(format!("--config-file={}", settings.display()));
        let log = std::fs::File::create(folder.path().join("bus.log")).unwrap();
        let (bus, address) = started(command.stderr(log));
        Self { mock: None, _bus: bus, address, folder }
    }

    /// What the modems answer from now on.
    pub(crate) fn write(&self, modems: &Value) {
        std::fs::write(self.file(), json!({ "modems": modems }).to_string()).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("world.json")
    }

    /// The calls that reached the modems, in their order, such as `0 Initiate *100#`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("world.json.calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Settings that read `Balance: 5.20 EUR`.
    pub(crate) fn settings(&self) -> UssdSettings {
        UssdSettings {
            bus: Some(self.address.clone()),
            read: READ.into(),
            menu: vec![],
            no_balance: vec![],
            balance: vec!["Balance: (?P<credit>[0-9.]+) EUR".into()],
            currency: Currency::EUR,
            currency_words: vec![],
            decimal_comma: false,
            data_unit: None,
            ends: None,
            zone: TimeZone::UTC,
            limit: Duration::from_secs(20),
            sms: None,
            top_up: None,
        }
    }

    /// Settings that also top up with these vouchers.
    pub(crate) fn with_vouchers(&self, vouchers: &str) -> UssdSettings {
        let path = self.folder.path().join("vouchers");
        std::fs::write(&path, vouchers).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let worth = Money::parse("10 EUR").unwrap();
        let price = Money::parse("9.50 EUR").unwrap();
        let top_up = TopUp {
            code: "*104*{voucher}#".into(),
            success: vec!["(?i)credited with".into()],
            refused: vec!["not valid".into(), "already used".into()],
            lists: vec![VoucherList { worth, price, path, guarded: true }],
            used: self.folder.path().join("sent"),
        };
        UssdSettings { top_up: Some(top_up), ..self.settings() }
    }

    pub(crate) fn ussd(&self) -> Ussd {
        Ussd::new(self.settings()).unwrap()
    }

    /// What is in the book of vouchers that were sent.
    pub(crate) fn book(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("sent")).unwrap_or_default()
    }
}

/// Numbers of cards.
pub(crate) fn iccid(number: u32) -> String {
    format!("894412345678901{number:04}")
}

pub(crate) fn card(number: u32) -> Card {
    Card {
        iccid: Some(Iccid::parse(&iccid(number)).unwrap()),
        ..Card::new(CardId(i64::from(number)), Name::parse("router").unwrap(), Name::parse("modem").unwrap())
    }
}

pub(crate) async fn read(ussd: &Ussd) -> Result<Reading, OperatorError> {
    ussd.read(&[card(1)], NOW).await.remove(0)
}

/// The order of the only plan on sale, under the key of this number.
pub(crate) async fn order(ussd: &Ussd, key: u128) -> Order {
    let plan = ussd.catalogue(&card(1), NOW).await.unwrap().plans.remove(0);
    Order { key: OrderKey::new(key), plan, payment: "voucher".into(), code: None }
}

pub(crate) async fn prepared(ussd: &Ussd, key: u128) -> PreparedOrder {
    let order = order(ussd, key).await;
    ussd.prepare(&card(1), &order).unwrap()
}
