//! A modem of this machine, by ModemManager over D-Bus: a text is made in the modem, sent, and removed again, since a card
//! holds few. The modem has no key against doubles, so an answer that is lost leaves a doubt.
//!
//! Names and meanings are those of ModemManager's interface files (1.20.4). A connection is made anew for each text.

use std::collections::HashMap;
use std::time::Duration;

use zbus::fdo::ManagedObjects;
use zbus::{Connection, OwnedObjectPath, OwnedVariant, Variant, connection};

use super::{Delivery, Outgoing};
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
/// What errors are called after which the text may have left.
const UNCERTAIN: [&str; 3] = ["Timeout", "Aborted", "Cancelled"];

/// Which modem sends.
#[derive(Clone, Debug)]
pub struct ModemSettings {
    /// The address of the bus; the system's, if there is none.
    pub bus: Option<String>,
    /// The card that sends; without it the one modem that there is.
    pub iccid: Option<Iccid>,
}

/// A modem, ready to send.
#[derive(Debug)]
pub struct Modem {
    settings: ModemSettings,
}

/// What went wrong with one call, for people, and whether it may have had its effect all the same.
struct Trouble {
    why: String,
    uncertain: bool,
}

impl Trouble {
    fn certain(why: impl Into<String>) -> Self {
        Self { why: why.into(), uncertain: false }
    }
}

impl From<zbus::Error> for Trouble {
    fn from(error: zbus::Error) -> Self {
        let why = cut(&error.to_string(), 200);
        let uncertain = match &error {
            zbus::Error::MethodError(name, _, _) => UNCERTAIN.iter().any(|word| name.contains(word)),
            zbus::Error::FDO(error) => matches!(
                **error,
                zbus::fdo::Error::NoReply(_)
                    | zbus::fdo::Error::Timeout(_)
                    | zbus::fdo::Error::TimedOut(_)
                    | zbus::fdo::Error::Disconnected(_)
            ),
            // The bus went away, or the answer was none.
            _ => true,
        };
        Self { why, uncertain }
    }
}

impl Modem {
    pub(super) const fn open(settings: ModemSettings) -> Self {
        Self { settings }
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let text = String::from_utf8_lossy(&message.bytes);
        let made = match self.made(&message.address, &text).await {
            Ok(made) => made,
            // Nothing was sent yet, whatever went wrong.
            Err(trouble) => return Delivery::retry(format!("no modem took the text: {}", trouble.why)),
        };
        let (connection, modem, path) = made;
        let sent: Result<(), Trouble> = call(&connection, path.as_str(), SMS, "Send", &(), NETWORK_LIMIT).await;
        let removed: Result<(), Trouble> =
            call(&connection, modem.as_str(), MESSAGING, "Delete", &path, LOCAL_LIMIT).await;
        if let Err(trouble) = removed {
            tracing::warn!(why = trouble.why, "a text could not be removed from the modem");
        }
        match sent {
            Ok(()) => Delivery::Sent { remote: cut(path.as_str(), 80) },
            Err(Trouble { why, uncertain: true }) => {
                Delivery::Doubtful { why: format!("the modem did not say whether the text was sent: {why}") }
            }
            Err(Trouble { why, uncertain: false }) => {
                Delivery::retry(format!("the modem did not send the text: {why}"))
            }
        }
    }

    /// The text in the modem, not sent yet.
    async fn made(&self, number: &str, text: &str) -> Result<(Connection, OwnedObjectPath, OwnedObjectPath), Trouble> {
        let address = self.settings.bus.as_deref();
        let builder = address.map_or_else(connection::Builder::system, connection::Builder::address);
        let connection = tokio::time::timeout(LOCAL_LIMIT, builder.build())
            .await
            .map_err(|_| Trouble::certain("the message bus (D-Bus) does not answer"))??;
        let modem = self.modem(&connection).await?;
        let properties = HashMap::from([("number", Variant::from(number)), ("text", Variant::from(text))]);
        let path = call(&connection, modem.as_str(), MESSAGING, "Create", &(properties,), LOCAL_LIMIT).await?;
        Ok((connection, modem, path))
    }

    /// The modem that sends: it takes texts, and holds the card that was named.
    async fn modem(&self, connection: &Connection) -> Result<OwnedObjectPath, Trouble> {
        let objects: ManagedObjects = call(connection, ROOT, OBJECTS, "GetManagedObjects", &(), LOCAL_LIMIT).await?;
        let able = objects.iter().filter(|(_, interfaces)| interfaces.keys().any(|name| name.as_str() == MESSAGING));
        let mut found = Vec::new();
        for (path, _) in able {
            let held = match &self.settings.iccid {
                Some(iccid) => holds(connection, path, iccid).await,
                None => true,
            };
            if held {
                found.push(path.clone());
            }
        }
        match (found.as_slice(), &self.settings.iccid) {
            ([one], _) => Ok(one.clone()),
            ([], None) => {
                Err(Trouble::certain("there is none that takes texts; it must be enabled, its card unlocked"))
            }
            ([], Some(iccid)) => Err(Trouble::certain(format!("none holds the card {}", masked(iccid.digits())))),
            (_, None) => Err(Trouble::certain("there are several; name the card that sends: iccid = \"…\"")),
            (_, Some(_)) => Err(Trouble::certain("several say that they hold the card")),
        }
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
    let answer = tokio::time::timeout(limit, sent).await;
    let answer =
        answer.map_err(|_| Trouble { why: format!("no answer within {} s", limit.as_secs()), uncertain: true })?;
    Ok(answer?.body().deserialize()?)
}
