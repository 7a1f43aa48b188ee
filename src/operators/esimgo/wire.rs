//! The documents of eSIM Go, as far as they are needed.

use serde::Deserialize;

use crate::domain::money::{Currency, Money};
use crate::domain::operator::OperatorError;
use crate::operators::kit::{Flag, Loose, unknown};

/// An error.
#[derive(Debug, Deserialize)]
pub(super) struct MessageDoc {
    pub(super) message: String,
}

/// `GET /organisation`: one, or a list with a name that some clients have seen. The API key in it is never taken.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum OrganisationsDoc {
    Named { organisations: Vec<OrganisationDoc> },
    Bare(OrganisationDoc),
}

/// The organisation's money.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrganisationDoc {
    currency: String,
    balance: Loose,
    test_credit: Option<Loose>,
}

impl OrganisationsDoc {
    /// The real money: the balance holds the test credit as well.
    ///
    /// # Errors
    /// There is not exactly one organisation, or the amounts make no sense.
    pub(super) fn money(self) -> Result<Money, OperatorError> {
        let one = match self {
            Self::Bare(one) => one,
            Self::Named { organisations } => match <[OrganisationDoc; 1]>::try_from(organisations) {
                Ok([one]) => one,
                Err(several) => return Err(unknown(format!("the API key is for {} organisations", several.len()))),
            },
        };
        let currency = Currency::parse(&one.currency).map_err(unknown)?;
        let balance = one.balance.money(currency).map_err(unknown)?;
        let Some(test) = one.test_credit else { return Ok(balance) };
        balance.minus(test.money(currency).map_err(unknown)?).map_err(|error| unknown(error.to_string()))
    }
}

/// `GET /esims`.
#[derive(Debug, Deserialize)]
pub(super) struct EsimsDoc {
    pub(super) esims: Vec<EsimDoc>,
}

/// One eSIM.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EsimDoc {
    pub(super) iccid: Option<Loose>,
    /// Where the profile is: released, installed, and so on.
    pub(super) profile_status: Option<String>,
    /// Since v2.5: `Active`, `Suspended`, `Deactivated`.
    pub(super) state: Option<String>,
    pub(super) customer_ref: Option<String>,
}

/// `GET /esims/{iccid}/bundles`.
#[derive(Debug, Deserialize)]
pub(super) struct BundlesDoc {
    pub(super) bundles: Vec<BundleDoc>,
}

/// One bundle on a card; bought twice it has two assignments.
#[derive(Debug, Deserialize)]
pub(super) struct BundleDoc {
    pub(super) name: String,
    pub(super) assignments: Vec<AssignmentDoc>,
}

/// One purchase of a bundle. Quantities in bytes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssignmentDoc {
    pub(super) id: Loose,
    pub(super) call_type_group: Option<String>,
    pub(super) initial_quantity: Option<Loose>,
    pub(super) remaining_quantity: Option<Loose>,
    pub(super) assignment_date_time: Option<String>,
    pub(super) assignment_reference: Option<Loose>,
    pub(super) bundle_state: String,
    pub(super) unlimited: Option<Flag>,
    /// Absent while the bundle has not begun.
    pub(super) start_time: Option<String>,
    pub(super) end_time: Option<String>,
}

/// `GET /catalogue`: a bare list, or a page with its place. The rows are read one by one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CatalogueDoc {
    Bare(Vec<serde_json::Value>),
    Page {
        bundles: Vec<serde_json::Value>,
        #[serde(rename = "pageCount")]
        page_count: Option<Loose>,
    },
}

/// One bundle on sale. Data in MB of 1000² bytes, money in the organisation's currency.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferDoc {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) data_amount: Option<Loose>,
    pub(super) duration: Option<Loose>,
    pub(super) unlimited: Option<Flag>,
    pub(super) price: Option<Loose>,
    pub(super) countries: Option<Vec<CountryDoc>>,
}

/// A country: its code, or more about it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum CountryDoc {
    Code(String),
    More { iso: String },
}

impl CountryDoc {
    pub(super) fn code(&self) -> String {
        let (Self::Code(code) | Self::More { iso: code }) = self;
        code.trim().to_uppercase()
    }
}

/// `GET /esims/{iccid}/compatible/{bundle}`.
#[derive(Debug, Deserialize)]
pub(super) struct CompatibleDoc {
    pub(super) compatible: Flag,
}

/// `GET /orders`: a list, a page, or a single order, depending on the description that one reads.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OrdersDoc {
    List(Vec<OrderDoc>),
    Page { orders: Vec<OrderDoc> },
    One(Box<OrderDoc>),
}

/// An order, done or as a dry run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderDoc {
    pub(super) order: Vec<LineDoc>,
    pub(super) total: Option<Loose>,
    pub(super) currency: Option<String>,
    pub(super) status: Option<String>,
    pub(super) order_reference: Option<String>,
    pub(super) created_date: Option<String>,
    pub(super) assigned: Option<Flag>,
    /// In a dry run: whether it would be taken.
    pub(super) valid: Option<Flag>,
}

/// One line of an order.
#[derive(Debug, Deserialize)]
pub(super) struct LineDoc {
    pub(super) item: Option<String>,
    pub(super) quantity: Option<Loose>,
    pub(super) iccids: Option<Vec<Loose>>,
    pub(super) esims: Option<Vec<EsimDoc>>,
}

impl LineDoc {
    /// The cards it is for, each once; none if it does not tell.
    pub(super) fn cards(&self) -> Option<Vec<&str>> {
        let numbers = self.iccids.as_deref().unwrap_or_default().iter().map(Loose::as_str);
        let esims = self.esims.as_deref().unwrap_or_default();
        let mut cards: Vec<&str> =
            numbers.chain(esims.iter().filter_map(|esim| esim.iccid.as_ref().map(Loose::as_str))).collect();
        cards.retain(|iccid| !iccid.is_empty());
        cards.sort_unstable();
        cards.dedup();
        (!cards.is_empty()).then_some(cards)
    }
}

impl OrderDoc {
    /// What it costs, where that is told.
    pub(super) fn money(&self) -> Option<Money> {
        let currency = Currency::parse(self.currency.as_deref()?).ok()?;
        self.total.as_ref()?.money(currency).ok()
    }
}
