//! What can go wrong between here and the network, in words that say what to do about it.

use crate::domain::card::tamed;
use crate::domain::operator::{Doubt, OperatorError, RefusalKind};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// The bus cannot be reached.
    #[error("the message bus (D-Bus) cannot be reached: {0}")]
    NoBus(String),
    /// Nobody serves modems.
    #[error("ModemManager is not running on this machine; install it, then `systemctl start ModemManager`")]
    NoModemManager,
    /// The card is in none of the modems.
    #[error("no modem of this machine holds the card {wanted}; {held}")]
    NoCard {
        /// The card, shortened.
        wanted: String,
        /// What the modems hold.
        held: String,
    },
    /// More than one modem claims to hold it.
    #[error("{0} modems say that they hold the card; nothing is dialled until one of them is gone")]
    ManyModems(usize),
    /// The interface is there only while the modem is enabled and its card unlocked.
    #[error("the modem takes no USSD at this moment; it must be enabled (`mmcli -m N --enable`) and its card unlocked")]
    NotReady,
    /// The same for text messages.
    #[error("the modem gives no text messages at this moment; it must be enabled and its card unlocked")]
    NoMessages,
    /// The text message that should hold the answer did not come.
    #[error("the code was taken, but no text message came in time from {0}")]
    NoMessage(String),
    /// Another exchange is open.
    #[error("another exchange with the network is under way in this modem")]
    Busy,
    /// Polkit says no.
    #[error("ModemManager does not let this user dial; the service needs the Polkit rule that docs/ussd.md shows")]
    Forbidden,
    /// ModemManager throws the text away that came with the end (`+CUSD: 2`).
    #[error(
        "the network ended the exchange, and ModemManager gives no text then; if it does so every time, this code \
         cannot be read through ModemManager"
    )]
    Ended,
    /// `+CUSD: 4`.
    #[error("the network takes no USSD here; networks of LTE alone often do not")]
    Unsupported,
    /// No answer in time.
    #[error("no answer within {0} s")]
    Silent(u64),
    /// The way broke while we waited.
    #[error("the way to ModemManager broke: {0}")]
    Broken(String),
    /// A menu that the person did not describe.
    #[error("this is not the menu that the account describes, so that nothing was answered to it: {0}")]
    OtherMenu(String),
    /// Anything else.
    #[error("ModemManager says: {0}")]
    Other(String),
}

impl Trouble {
    /// From an error of the bus or of ModemManager.
    pub(super) fn of(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, text, _) => Self::named(&name, text.as_deref().unwrap_or_default()),
            zbus::Error::FDO(error) => Self::standard(*error),
            zbus::Error::InputOutput(error) => Self::Broken(tamed(&error.to_string(), 200)),
            other => Self::Other(tamed(&other.to_string(), 200)),
        }
    }

    fn standard(error: zbus::fdo::Error) -> Self {
        use zbus::fdo::Error;
        match error {
            Error::ServiceUnknown(_) | Error::NameHasNoOwner(_) => Self::NoModemManager,
            Error::AccessDenied(_) | Error::AuthFailed(_) => Self::Forbidden,
            Error::UnknownMethod(_)
            | Error::UnknownObject(_)
            | Error::UnknownInterface(_)
            | Error::UnknownProperty(_) => Self::NotReady,
            // GLib says so of an interface that is not there when one of its properties is asked for.
            Error::InvalidArgs(text) if text.contains("o such interface") => Self::NotReady,
            Error::ZBus(inner) => Self::of(inner),
            other => Self::Broken(tamed(&other.to_string(), 200)),
        }
    }

    /// ModemManager's own errors, by the names of its interface description.
    fn named(name: &str, text: &str) -> Self {
        match name.strip_prefix("org.freedesktop.ModemManager1.Error.").unwrap_or(name) {
            "Core.WrongState" => Self::Busy,
            "Core.Unauthorized" => Self::Forbidden,
            "Core.Aborted" => Self::Ended,
            "MobileEquipment.NotSupported" => Self::Unsupported,
            other => Self::Other(tamed(&format!("{text} ({other})"), 200)),
        }
    }

    /// Whether a code that met this was certainly not sent to the network: the call itself was turned away.
    pub(super) const fn was_turned_away(&self) -> bool {
        matches!(self, Self::NoModemManager | Self::NotReady | Self::Busy | Self::Forbidden)
    }

    /// What remains in doubt after a code that may have been sent.
    pub(super) const fn doubt(&self) -> Doubt {
        match self {
            Self::Silent(_) => Doubt::TimedOut,
            Self::NoBus(_) | Self::Broken(_) => Doubt::Broken,
            Self::Ended | Self::OtherMenu(_) => Doubt::Unreadable,
            Self::NoModemManager
            | Self::NoCard { .. }
            | Self::ManyModems(_)
            | Self::NotReady
            | Self::NoMessages
            | Self::NoMessage(_)
            | Self::Busy
            | Self::Forbidden
            | Self::Unsupported
            | Self::Other(_) => Doubt::UnlistedCode,
        }
    }

    /// What it means for a reading.
    pub(super) fn into_error(self) -> OperatorError {
        let why = self.to_string();
        match self {
            Self::Forbidden => OperatorError::Never { kind: RefusalKind::Access, why },
            Self::Ended | Self::OtherMenu(_) => OperatorError::Unknown { why },
            Self::NoBus(_)
            | Self::NoModemManager
            | Self::NoCard { .. }
            | Self::ManyModems(_)
            | Self::NotReady
            | Self::NoMessages
            | Self::NoMessage(_)
            | Self::Busy
            | Self::Unsupported
            | Self::Silent(_)
            | Self::Broken(_)
            | Self::Other(_) => OperatorError::Later { retry_after: None, why },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_call_that_was_turned_away_left_nothing_behind() {
        let named = |name: &str| Trouble::named(&format!("org.freedesktop.ModemManager1.Error.{name}"), "text");
        for (name, turned_away) in [
            ("Core.WrongState", true),
            ("Core.Unauthorized", true),
            ("Core.Aborted", false),
            ("Core.Failed", false),
            ("Core.Timeout", false),
            ("MobileEquipment.NotSupported", false),
            ("MobileEquipment.Unknown", false),
            ("Serial.ResponseTimeout", false),
        ] {
            assert_eq!(named(name).was_turned_away(), turned_away, "{name}");
        }
        assert!(!Trouble::standard(zbus::fdo::Error::NoReply(String::new())).was_turned_away());
        assert!(!Trouble::standard(zbus::fdo::Error::Disconnected(String::new())).was_turned_away());
        assert!(!Trouble::Silent(1).was_turned_away());
    }
}
