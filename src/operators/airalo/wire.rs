//! The documents of the Partners API, as far as they are needed. Numbers come as numbers or as text, depending on the
//! call, so both are taken everywhere.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::operators::kit::{Flag, Loose, told};

/// Every answer of success is wrapped like this.
#[derive(Debug, Deserialize)]
pub(super) struct Wrapped<T> {
    pub(super) data: T,
}

/// `POST /token`.
#[derive(Deserialize)]
pub(super) struct TokenDoc {
    pub(super) access_token: String,
    pub(super) expires_in: Option<Loose>,
}

/// `GET /sims/{iccid}/usage`. Data in MB of 1024² bytes, calls in minutes.
#[derive(Debug, Deserialize)]
pub(super) struct UsageDoc {
    pub(super) remaining: Loose,
    pub(super) total: Loose,
    pub(super) expired_at: Option<String>,
    pub(super) is_unlimited: Option<Flag>,
    pub(super) status: String,
    pub(super) remaining_voice: Option<Loose>,
    pub(super) remaining_text: Option<Loose>,
    pub(super) total_voice: Option<Loose>,
    pub(super) total_text: Option<Loose>,
}

/// One row of `GET /sims/{iccid}/packages`.
#[derive(Debug, Deserialize)]
pub(super) struct HistoryDoc {
    pub(super) id: Loose,
    pub(super) status: String,
    pub(super) activated_at: Option<String>,
    pub(super) expired_at: Option<String>,
    pub(super) package: PackageDoc,
}

/// The package of a history row.
#[derive(Debug, Deserialize)]
pub(super) struct PackageDoc {
    pub(super) id: String,
    pub(super) amount: Option<Loose>,
    pub(super) is_unlimited: Option<Flag>,
    pub(super) data: Option<String>,
}

/// `GET /sims/{iccid}/topups`. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
pub(super) struct TopupsDoc {
    pub(super) pricing: Option<PricingDoc>,
    pub(super) data: Vec<serde_json::Value>,
}

/// How the account is charged.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PricingDoc {
    pub(super) model: Option<String>,
    pub(super) discount_percentage: Option<Loose>,
}

/// One top-up on sale.
#[derive(Debug, Deserialize)]
pub(super) struct OfferDoc {
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) price: Loose,
    pub(super) amount: Option<Loose>,
    pub(super) day: Option<Loose>,
    pub(super) is_unlimited: Option<Flag>,
    pub(super) title: Option<String>,
    pub(super) voice: Option<Loose>,
    pub(super) text: Option<Loose>,
    pub(super) net_price: Option<Loose>,
    pub(super) prices: Option<PricesDoc>,
}

/// The same price in many currencies.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PricesDoc {
    #[serde(default)]
    pub(super) net_price: BTreeMap<String, Loose>,
    #[serde(default)]
    pub(super) recommended_retail_price: BTreeMap<String, Loose>,
}

/// `GET /balance`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    pub(super) balances: BalancesDoc,
}

/// An object, although its name says several.
#[derive(Debug, Deserialize)]
pub(super) struct BalancesDoc {
    #[serde(rename = "availableBalance")]
    pub(super) available: AmountDoc,
}

/// An amount of money.
#[derive(Debug, Deserialize)]
pub(super) struct AmountDoc {
    pub(super) amount: Loose,
    pub(super) currency: String,
}

/// An order: the answer to `POST /orders/topups`, and a row of `GET /orders`.
#[derive(Debug, Deserialize)]
pub(super) struct OrderDoc {
    pub(super) id: Loose,
    pub(super) package_id: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// Null for an order without one.
    #[serde(default, deserialize_with = "told")]
    pub(super) description: Option<Option<String>>,
    pub(super) quantity: Option<Loose>,
    pub(super) currency: Option<String>,
    pub(super) price: Option<Loose>,
    pub(super) net_price: Option<Loose>,
    pub(super) unit_paid_price: Option<Loose>,
    pub(super) total_amount_paid: Option<Loose>,
    pub(super) pricing_model: Option<String>,
    pub(super) status: Option<StatusDoc>,
}

impl OrderDoc {
    /// The description, if it has one.
    pub(super) fn described(&self) -> Option<&str> {
        self.description.as_ref()?.as_deref()
    }
}

/// Where an order stands.
#[derive(Debug, Deserialize)]
pub(super) struct StatusDoc {
    pub(super) slug: String,
}

/// A page of `GET /orders`.
#[derive(Debug, Deserialize)]
pub(super) struct OrdersDoc {
    pub(super) data: Vec<OrderDoc>,
    pub(super) meta: Option<PageDoc>,
}

/// Where a page stands among the others.
#[derive(Debug, Deserialize)]
pub(super) struct PageDoc {
    pub(super) last_page: Option<Loose>,
}

/// A refusal with a code.
#[derive(Debug, Deserialize)]
pub(super) struct CodeDoc {
    pub(super) code: Loose,
    #[serde(default)]
    pub(super) reason: String,
}

/// A refusal of parameters: field → what is wrong with it.
#[derive(Debug, Deserialize)]
pub(super) struct FieldsDoc {
    pub(super) data: BTreeMap<String, String>,
    pub(super) meta: MessageDoc,
}

/// A message.
#[derive(Debug, Deserialize)]
pub(super) struct MessageDoc {
    pub(super) message: String,
}

/// What answers an order that is worked on later: `POST /orders-async` is documented to say this.
#[derive(Debug, Deserialize)]
pub(super) struct RequestDoc {
    pub(super) request_id: String,
}

/// A page of `GET /sims`.
#[derive(Debug, Deserialize)]
pub(super) struct SimsDoc {
    pub(super) data: Vec<SimDoc>,
    pub(super) meta: Option<PageDoc>,
}

/// One eSIM of the account.
#[derive(Debug, Deserialize)]
pub(super) struct SimDoc {
    pub(super) iccid: Loose,
    pub(super) recycled: Option<Flag>,
    pub(super) simable: Option<SimableDoc>,
}

/// The order that an eSIM came with.
#[derive(Debug, Deserialize)]
pub(super) struct SimableDoc {
    pub(super) package: Option<String>,
}
