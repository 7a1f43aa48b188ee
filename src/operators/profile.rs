//! `kind = "http"`: an operator that has no adapter of its own, described in one file.
//!
//! The file says which requests to send and where in the answers the facts stand; this module keeps to the rules that
//! all adapters keep to: an order goes out once, names its card, and counts as bought only when the answer proves it.
//! What the file does not declare is assumed as the most careful choice. The format is described in
//! `docs/http-profile.md`.

mod auth;
mod calls;
mod caps;
mod contradictions;
mod field;
mod fields;
mod file;
mod finding;
mod hosts;
mod lists;
mod offers;
mod orders;
mod paging;
mod parse_read;
mod parse_sale;
mod path;
mod place;
mod reading;
mod request;
mod rules;
mod session;
mod source;
mod summary;
mod template;
#[cfg(test)]
mod tests;
mod tree;
mod units;
mod values;
mod when;

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;

pub use file::{Profile, check, check_file};
pub use source::Problem;

use self::session::Session;
use super::http::{HttpSetupError, Way};
use super::kit::{Listing, never};
use super::{Answer, Operator};
use crate::domain::card::Card;
use crate::domain::operator::{
    BuyAnswer, Capabilities, CardPage, Contact, Found, OperatorError, Order, Preflight, PreparedOrder, RefusalKind,
    SentOrder, Terms, Wallet,
};
use crate::domain::plan::{Catalogue, Plan};
use crate::domain::reading::{CardState, Reading};
use crate::domain::time::UnixTime;

/// Why an account cannot be opened by its profile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The account does not give a secret that the profile names.
    #[error("the profile `{profile}` needs the secret `{secret}`; write secrets.{secret} = {{ credential = \"…\" }}")]
    NoSecret {
        /// The profile's name.
        profile: String,
        /// The secret's name.
        secret: String,
    },
    /// The account gives a secret that the profile does not name.
    #[error("the profile `{profile}` names no secret `{secret}`; it names: {known}")]
    StrangeSecret {
        /// The profile's name.
        profile: String,
        /// The secret's name.
        secret: String,
        /// Those it names.
        known: String,
    },
    /// The way to it cannot be prepared.
    #[error(transparent)]
    Setup(#[from] HttpSetupError),
}

/// One account at an operator that a profile describes.
pub struct ProfileOperator {
    session: Session,
    listing: Listing<Value>,
}

impl std::fmt::Debug for ProfileOperator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProfileOperator({})", self.session.profile.name())
    }
}

impl ProfileOperator {
    /// An account. Touches no network.
    ///
    /// # Errors
    /// The secrets are not those that the profile names, or the way cannot be prepared.
    pub fn open(way: &Way, profile: Profile, secrets: BTreeMap<String, SecretString>) -> Result<Self, ProfileError> {
        let name = profile.name().to_owned();
        if let Some(secret) = profile.secrets().iter().find(|secret| !secrets.contains_key(*secret)) {
            return Err(ProfileError::NoSecret { profile: name, secret: secret.clone() });
        }
        if let Some(secret) = secrets.keys().find(|secret| !profile.secrets().contains(secret)) {
            let known = profile.secrets().join(", ");
            return Err(ProfileError::StrangeSecret { profile: name, secret: secret.clone(), known });
        }
        Ok(Self { session: Session::new(way, profile, secrets)?, listing: Listing::default() })
    }

    fn profile(&self) -> &Profile {
        &self.session.profile
    }

    fn sells_nothing(&self) -> OperatorError {
        let why =
            format!("the profile `{}` does not describe [catalogue]: nothing is sold by it", self.profile().name());
        never(RefusalKind::Other, why)
    }
}

impl Operator for ProfileOperator {
    fn capabilities(&self) -> &Capabilities {
        &self.profile().declared.capabilities
    }

    fn terms(&self) -> Terms {
        self.profile().terms()
    }

    fn contact(&self) -> Contact {
        self.session.contact()
    }

    fn read<'a>(&'a self, cards: &'a [Card], now: UnixTime) -> Answer<'a, Vec<Result<Reading, OperatorError>>> {
        Box::pin(async move {
            if self.profile().read.is_empty() && self.profile().read_many.is_none() {
                return cards.iter().map(|_| Ok(Reading::empty(now, CardState::Unknown))).collect();
            }
            reading::read(&self.session, &self.listing, cards, now).await
        })
    }

    fn catalogue<'a>(&'a self, card: &'a Card, now: UnixTime) -> Answer<'a, Result<Catalogue, OperatorError>> {
        Box::pin(async move {
            let at = self.profile().catalogue.as_ref().ok_or_else(|| self.sells_nothing())?;
            let (plans, _) = offers::plans(&self.session, at, card, Some(now)).await?;
            Ok(Catalogue::of(now, plans))
        })
    }

    fn wallet(&self) -> Answer<'_, Result<Wallet, OperatorError>> {
        Box::pin(offers::wallet(&self.session))
    }

    fn preflight<'a>(
        &'a self,
        card: &'a Card,
        plan: &'a Plan,
        code: Option<&'a str>,
    ) -> Answer<'a, Result<Preflight, OperatorError>> {
        Box::pin(async move {
            if let Some(at) = &self.profile().preflight {
                return offers::preflight(&self.session, at, (card, plan), code).await;
            }
            let at = self.profile().catalogue.as_ref().ok_or_else(|| self.sells_nothing())?;
            let (plans, operator_time) = offers::plans(&self.session, at, card, None).await?;
            Ok(Preflight { offer: plans.into_iter().find(|offer| offer.id == plan.id), operator_time })
        })
    }

    fn prepare(&self, card: &Card, order: &Order) -> Result<PreparedOrder, OperatorError> {
        orders::prepared(&self.session, card, order)
    }

    fn buy<'a>(&'a self, order: &'a PreparedOrder) -> Answer<'a, BuyAnswer> {
        Box::pin(orders::buy(&self.session, order))
    }

    fn find<'a>(&'a self, card: &'a Card, order: &'a SentOrder) -> Answer<'a, Result<Found, OperatorError>> {
        Box::pin(finding::find(&self.session, card, order))
    }

    fn discover<'a>(&'a self, page: Option<&'a str>) -> Answer<'a, Result<CardPage, OperatorError>> {
        Box::pin(async move {
            let missing = || never(RefusalKind::Other, "this profile does not describe [discover]");
            offers::cards(&self.session, page).await?.ok_or_else(missing)
        })
    }
}
