//! ModemManager over D-Bus: which modem holds a card, and one exchange with the network.
//!
//! Names and meanings are those of ModemManager's interface files (1.20.4). Connections are made anew for each exchange:
//! they cost little on one machine, and a bus that was started again needs no care.

use std::time::Duration;

use zbus::fdo::ManagedObjects;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, connection};

use super::trouble::Trouble;
use crate::domain::card::tamed;
use crate::domain::identity::{Iccid, masked, same_card};
use crate::domain::time::UnixTime;

const SERVICE: &str = "org.freedesktop.ModemManager1";
const ROOT: &str = "/org/freedesktop/ModemManager1";
const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
const SIM: &str = "org.freedesktop.ModemManager1.Sim";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";
const TIME: &str = "org.freedesktop.ModemManager1.Modem.Time";
const USSD: &str = "org.freedesktop.ModemManager1.Modem.Modem3gpp.Ussd";

/// `MMModem3gppUssdSessionState`: no exchange is open.
const STATE_IDLE: u32 = 1;
/// How long anything may take that does not wait for the network: the usual limit of D-Bus.
const LOCAL_LIMIT: Duration = Duration::from_secs(25);
/// The longest number of a card (ITU-T E.118 allows 19 digits; networks use 20).
const ICCID_MAX: usize = 22;

/// A connection to the bus.
pub(super) struct Bus {
    connection: Connection,
    limit: Duration,
}

impl Bus {
    /// The bus at `address`, or the system's.
    pub(super) async fn open(address: Option<&str>, limit: Duration) -> Result<Self, Trouble> {
        let builder = address.map_or_else(connection::Builder::system, connection::Builder::address);
        let opened = tokio::time::timeout(LOCAL_LIMIT, builder.build()).await;
        let connection = opened
            .map_err(|_| Trouble::NoBus(format!("no answer within {} s", LOCAL_LIMIT.as_secs())))?
            .map_err(|error| Trouble::NoBus(tamed(&error.to_string(), 200)))?;
        Ok(Self { connection, limit })
    }

    /// The modem that holds the card at this moment. Cards are moved between modems, and the code of one card would
    /// otherwise tell the balance of another.
    pub(super) async fn modem_of(self, iccid: &Iccid) -> Result<Modem, Trouble> {
        let objects: ManagedObjects =
            call(&self.connection, ROOT, OBJECTS, "GetManagedObjects", &(), LOCAL_LIMIT).await?;
        let mut seen = Vec::new();
        let mut holders = Vec::new();
        for (path, interfaces) in &objects {
            if !interfaces.keys().any(|name| name.as_str() == MODEM) {
                continue;
            }
            let held = self.iccid_in(path.as_str()).await?;
            if held.as_deref().is_some_and(|held| same_card(held, iccid.digits())) {
                holders.push((path.clone(), interfaces.keys().any(|name| name.as_str() == USSD)));
            }
            seen.push(held.map_or_else(|| "no card".to_owned(), |held| masked(&held)));
        }
        match holders.as_slice() {
            [] => Err(Trouble::NoCard { wanted: masked(iccid.digits()), held: told_held(&mut seen) }),
            [(_, false)] => Err(Trouble::NotReady),
            [(path, true)] => Ok(Modem { path: path.clone(), bus: self }),
            many => Err(Trouble::ManyModems(many.len())),
        }
    }

    /// The number of the card in a modem. A modem that vanishes while it is asked holds none.
    async fn iccid_in(&self, modem: &str) -> Result<Option<String>, Trouble> {
        let sim: OwnedObjectPath = match self.property(modem, MODEM, "Sim").await {
            Ok(sim) => sim,
            Err(Trouble::NotReady) => return Ok(None),
            Err(trouble) => return Err(trouble),
        };
        // No card is told as the path `/`.
        if sim.as_str() == "/" {
            return Ok(None);
        }
        match self.property::<String>(sim.as_str(), SIM, "SimIdentifier").await {
            Ok(number) => Ok(Some(number).filter(|number| !number.is_empty() && number.len() <= ICCID_MAX)),
            Err(Trouble::NotReady) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    async fn property<T>(&self, path: &str, interface: &str, name: &str) -> Result<T, Trouble>
    where
        T: TryFrom<OwnedVariant>,
    {
        let value: OwnedVariant =
            call(&self.connection, path, PROPERTIES, "Get", &(interface, name), LOCAL_LIMIT).await?;
        T::try_from(value)
            .map_err(|_| Trouble::Other(format!("the property {name} is of another type than documented")))
    }
}

fn told_held(seen: &mut [String]) -> String {
    if seen.is_empty() {
        return "ModemManager knows no modem".to_owned();
    }
    seen.sort();
    format!("its modems hold: {}", seen.join(", "))
}

/// A text message.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// `MMSmsState`.
    pub(super) state: u32,
    /// Who sent it.
    pub(super) number: String,
    /// What it says.
    pub(super) text: String,
}

/// One modem, with the card that was asked for.
pub(super) struct Modem {
    path: OwnedObjectPath,
    bus: Bus,
}

impl Modem {
    /// Ends what somebody left open, so that a new exchange can begin: `Initiate` is refused while one is open.
    pub(super) async fn make_idle(&self) -> Result<(), Trouble> {
        if self.state().await? == STATE_IDLE {
            return Ok(());
        }
        self.cancel().await
    }

    /// Sends a code; the network's text.
    pub(super) async fn initiate(&self, code: &str) -> Result<String, Trouble> {
        self.ussd("Initiate", &code, self.bus.limit).await
    }

    /// Answers a menu; the network's text.
    pub(super) async fn respond(&self, reply: &str) -> Result<String, Trouble> {
        self.ussd("Respond", &reply, self.bus.limit).await
    }

    /// Ends an exchange that a menu or a missing answer left open. What comes of it changes nothing: the next exchange
    /// begins with the same.
    pub(super) async fn close(&self) {
        let ended = tokio::time::timeout(self.bus.limit, self.make_idle()).await;
        if let Err(trouble) = ended.unwrap_or(Err(Trouble::Silent(self.bus.limit.as_secs()))) {
            tracing::debug!(%trouble, "an exchange with the network could not be ended");
        }
    }

    /// What time the network says it is (`GetNetworkTime`, ISO 8601), where it does. A time without its distance from
    /// UTC is none.
    pub(super) async fn network_time(&self) -> Option<UnixTime> {
        let told: Result<String, Trouble> =
            call(&self.bus.connection, self.path.as_str(), TIME, "GetNetworkTime", &(), LOCAL_LIMIT).await;
        match told {
            Ok(text) => UnixTime::parse(&text).ok(),
            Err(trouble) => {
                tracing::debug!(%trouble, "the network tells no time");
                None
            }
        }
    }

    /// The messages that the modem and its card hold.
    pub(super) async fn messages(&self) -> Result<Vec<OwnedObjectPath>, Trouble> {
        self.messaging("List", &()).await
    }

    /// One message. One that vanished meanwhile, or is in the making, has no state that counts.
    pub(super) async fn message(&self, path: &OwnedObjectPath) -> Result<Message, Trouble> {
        let path = path.as_str();
        let state = match self.bus.property(path, SMS, "State").await {
            Err(Trouble::NotReady) => return Ok(Message::default()),
            state => state?,
        };
        let number = self.bus.property(path, SMS, "Number").await?;
        Ok(Message { state, number, text: self.bus.property(path, SMS, "Text").await? })
    }

    /// Removes a message from the modem and its card.
    pub(super) async fn delete(&self, path: &OwnedObjectPath) -> Result<(), Trouble> {
        self.messaging("Delete", path).await
    }

    async fn messaging<B, R>(&self, method: &str, body: &B) -> Result<R, Trouble>
    where
        B: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        let answer = call(&self.bus.connection, self.path.as_str(), MESSAGING, method, body, LOCAL_LIMIT).await;
        answer.map_err(|trouble| if trouble == Trouble::NotReady { Trouble::NoMessages } else { trouble })
    }

    async fn state(&self) -> Result<u32, Trouble> {
        self.bus.property(self.path.as_str(), USSD, "State").await
    }

    async fn cancel(&self) -> Result<(), Trouble> {
        self.ussd("Cancel", &(), LOCAL_LIMIT).await
    }

    async fn ussd<B, R>(&self, method: &str, body: &B, limit: Duration) -> Result<R, Trouble>
    where
        B: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        call(&self.bus.connection, self.path.as_str(), USSD, method, body, limit).await
    }
}

/// One call, no longer than `limit`.
async fn call<B, R>(
    connection: &Connection,
    path: &str,
    interface: &str,
    method: &str,
    body: &B,
    limit: Duration,
) -> Result<R, Trouble>
where
    B: serde::Serialize + zbus::wire::DynamicType,
    R: serde::de::DeserializeOwned + zbus::wire::Type,
{
    let sent = connection.call_method(Some(SERVICE), path, Some(interface), method, body);
    let answer = tokio::time::timeout(limit, sent).await.map_err(|_| Trouble::Silent(limit.as_secs()))?;
    answer.map_err(Trouble::of)?.body().deserialize().map_err(Trouble::of)
}
