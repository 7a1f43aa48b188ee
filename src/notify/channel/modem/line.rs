//! A connection to ModemManager, and the modem on it that sends. It is made anew for each text and each question: that costs
//! little on one machine, and a bus that was started again needs no care.

use std::collections::HashMap;
use std::time::Duration;

use zbus::fdo::ManagedObjects;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, connection};

use super::ModemSettings;
use crate::domain::identity::{Iccid, masked, same_card};
use crate::notify::texts::cut;

const SERVICE: &str = "org.freedesktop.ModemManager1";
const ROOT: &str = "/org/freedesktop/ModemManager1";
const OBJECTS: &str = "org.freedesktop.DBus.ObjectManager";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const MODEM: &str = "org.freedesktop.ModemManager1.Modem";
const SIM: &str = "org.freedesktop.ModemManager1.Sim";
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";

/// How long anything may take that does not wait for the network: the usual limit of D-Bus.
const LOCAL_LIMIT: Duration = Duration::from_secs(25);
/// How long a network may take over a text.
const NETWORK_LIMIT: Duration = Duration::from_secs(120);
/// What errors are called after which a text may have left.
const UNCERTAIN: [&str; 3] = ["Timeout", "Aborted", "Cancelled"];
/// And those after which it may be asked for in fewer words.
const NOT_UNDERSTOOD: [&str; 2] = ["InvalidArgs", "Unsupported"];

/// What went wrong with one call.
pub(super) struct Trouble {
    /// For people.
    pub(super) why: String,
    /// What the call did all the same.
    pub(super) effect: Effect,
}

/// What a call did that failed.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    /// Nothing.
    None,
    /// Nothing, since a word of it is not known there.
    NotUnderstood,
    /// Nobody knows.
    Unknown,
}

impl Trouble {
    fn certain(why: impl Into<String>) -> Self {
        Self { why: why.into(), effect: Effect::None }
    }
}

impl From<zbus::Error> for Trouble {
    fn from(error: zbus::Error) -> Self {
        Self { why: cut(&error.to_string(), 200), effect: effect(&error) }
    }
}

fn effect(error: &zbus::Error) -> Effect {
    match error {
        zbus::Error::MethodError(name, _, _) if UNCERTAIN.iter().any(|word| name.contains(word)) => Effect::Unknown,
        zbus::Error::MethodError(name, _, _) if NOT_UNDERSTOOD.iter().any(|word| name.contains(word)) => {
            Effect::NotUnderstood
        }
        zbus::Error::MethodError(..) => Effect::None,
        zbus::Error::FDO(error) => match **error {
            zbus::fdo::Error::NoReply(_)
            | zbus::fdo::Error::Timeout(_)
            | zbus::fdo::Error::TimedOut(_)
            | zbus::fdo::Error::Disconnected(_) => Effect::Unknown,
            zbus::fdo::Error::InvalidArgs(_) => Effect::NotUnderstood,
            _ => Effect::None,
        },
        // The bus went away, or the answer was none.
        _ => Effect::Unknown,
    }
}

/// A modem that takes texts, and the connection to it.
#[derive(Debug)]
pub(super) struct Line {
    connection: Connection,
    modem: OwnedObjectPath,
}

impl Line {
    /// The modem that sends: it takes texts, and holds the card that was named.
    pub(super) async fn open(settings: &ModemSettings) -> Result<Self, Trouble> {
        let builder = settings.bus.as_deref().map_or_else(connection::Builder::system, connection::Builder::address);
        let connection = tokio::time::timeout(LOCAL_LIMIT, builder.build())
            .await
            .map_err(|_| Trouble::certain("the message bus (D-Bus) does not answer"))??;
        let modem = modem(&connection, settings.iccid.as_ref()).await?;
        Ok(Self { connection, modem })
    }

    /// Puts a text into the modem; nothing is sent yet.
    pub(super) async fn create(&self, words: HashMap<&str, Variant<'_>>) -> Result<OwnedObjectPath, Trouble> {
        self.messaging("Create", &(words,)).await
    }

    /// Sends a text that is in the modem.
    pub(super) async fn send(&self, text: &OwnedObjectPath) -> Result<(), Trouble> {
        call(&self.connection, text.as_str(), SMS, "Send", &(), NETWORK_LIMIT).await
    }

    /// Removes a message from the modem and its card, since a card holds few.
    pub(super) async fn remove(&self, message: &OwnedObjectPath) {
        let removed: Result<(), Trouble> = self.messaging("Delete", message).await;
        if let Err(trouble) = removed {
            tracing::warn!(why = trouble.why, "a message could not be removed from the modem");
        }
    }

    /// The messages that the modem and its card hold.
    pub(super) async fn messages(&self) -> Result<Vec<OwnedObjectPath>, Trouble> {
        self.messaging("List", &()).await
    }

    /// All that is known of one message; nothing of one that vanished meanwhile.
    pub(super) async fn message(&self, path: &OwnedObjectPath) -> HashMap<String, OwnedVariant> {
        let known = call(&self.connection, path.as_str(), PROPERTIES, "GetAll", &(SMS,), LOCAL_LIMIT).await;
        known.unwrap_or_default()
    }

    async fn messaging<B, R>(&self, method: &str, body: &B) -> Result<R, Trouble>
    where
        B: serde::Serialize + zbus::wire::DynamicType,
        R: serde::de::DeserializeOwned + zbus::wire::Type,
    {
        call(&self.connection, self.modem.as_str(), MESSAGING, method, body, LOCAL_LIMIT).await
    }
}

async fn modem(connection: &Connection, iccid: Option<&Iccid>) -> Result<OwnedObjectPath, Trouble> {
    let objects: ManagedObjects = call(connection, ROOT, OBJECTS, "GetManagedObjects", &(), LOCAL_LIMIT).await?;
    let able = objects.iter().filter(|(_, interfaces)| interfaces.keys().any(|name| name.as_str() == MESSAGING));
    let mut found = Vec::new();
    for (path, _) in able {
        let held = match iccid {
            Some(iccid) => holds(connection, path, iccid).await,
            None => true,
        };
        if held {
            found.push(path.clone());
        }
    }
    match (found.as_slice(), iccid) {
        ([one], _) => Ok(one.clone()),
        ([], None) => Err(Trouble::certain("there is none that takes texts; it must be enabled, its card unlocked")),
        ([], Some(iccid)) => Err(Trouble::certain(format!("none holds the card {}", masked(iccid.digits())))),
        (_, None) => Err(Trouble::certain("there are several; name the card that sends: iccid = \"…\"")),
        (_, Some(_)) => Err(Trouble::certain("several say that they hold the card")),
    }
}

/// Whether a modem holds this card; one that cannot say so does not.
async fn holds(connection: &Connection, modem: &OwnedObjectPath, iccid: &Iccid) -> bool {
    let sim = property(connection, modem.as_str(), MODEM, "Sim").await;
    let Some(sim) = sim.and_then(|sim| OwnedObjectPath::try_from(sim).ok()) else { return false };
    let number = property(connection, sim.as_str(), SIM, "SimIdentifier").await;
    number.and_then(|number| String::try_from(number).ok()).is_some_and(|held| same_card(&held, iccid.digits()))
}

async fn property(connection: &Connection, path: &str, interface: &str, name: &str) -> Option<OwnedVariant> {
    call(connection, path, PROPERTIES, "Get", &(interface, name), LOCAL_LIMIT).await.ok()
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
    let answer = tokio::time::timeout(limit, sent)
        .await
        .map_err(|_| Trouble { why: format!("no answer within {} s", limit.as_secs()), effect: Effect::Unknown })?;
    Ok(answer?.body().deserialize()?)
}
