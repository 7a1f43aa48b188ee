//! The documents of the DVS API, as far as they are needed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operators::kit::{Flag, Loose};

/// A field that must be there and may be null: what is missing is not "never".
fn told<'de, D: serde::Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(field)
}

/// One row of `GET /balances`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    pub(super) unit_type: Option<String>,
    pub(super) unit: String,
    pub(super) available: Loose,
}

/// One row of `POST /lookup/mobile-number`.
#[derive(Debug, Deserialize)]
pub(super) struct OperatorDoc {
    pub(super) id: Loose,
    pub(super) identified: Option<Flag>,
}

/// What a product asks for: alternatives, each a list of fields.
pub(super) type Fields = Option<Vec<Vec<String>>>;

/// A product.
#[derive(Debug, Deserialize)]
pub(super) struct ProductDoc {
    pub(super) id: Loose,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) service: IdDoc,
    pub(super) validity: Option<ValidityDoc>,
    pub(super) required_credit_party_identifier_fields: Fields,
    pub(super) required_debit_party_identifier_fields: Fields,
    pub(super) required_sender_fields: Fields,
    pub(super) required_beneficiary_fields: Fields,
    pub(super) required_statement_identifier_fields: Fields,
    pub(super) required_additional_identifier_fields: Fields,
    pub(super) accepted_calculation_modes: Option<Vec<String>>,
    pub(super) destination: Option<DestinationDoc>,
    pub(super) prices: PricesDoc,
    pub(super) rates: Option<RatesDoc>,
    pub(super) benefits: Option<Vec<BenefitDoc>>,
}

/// Something with a number.
#[derive(Debug, Deserialize)]
pub(super) struct IdDoc {
    pub(super) id: Loose,
}

/// How long a product lasts; −1 for ever, none if it is not known.
#[derive(Debug, Deserialize)]
pub(super) struct ValidityDoc {
    pub(super) unit: String,
    pub(super) quantity: Option<Loose>,
}

/// One amount, or the ends of a range.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Span {
    One(Loose),
    Range { min: Loose, max: Loose, increment: Option<Loose> },
}

/// What arrives.
#[derive(Debug, Deserialize)]
pub(super) struct DestinationDoc {
    pub(super) unit: String,
    pub(super) amount: Span,
}

/// Prices: wholesale is what the account pays.
#[derive(Debug, Deserialize)]
pub(super) struct PricesDoc {
    pub(super) wholesale: WholesaleDoc,
}

/// What the account pays.
#[derive(Debug, Deserialize)]
pub(super) struct WholesaleDoc {
    pub(super) unit: Option<String>,
    pub(super) amount: Span,
    pub(super) fee: Option<Loose>,
}

/// Units received for each unit paid.
#[derive(Debug, Deserialize)]
pub(super) struct RatesDoc {
    pub(super) wholesale: Option<Loose>,
}

/// What a product puts on the card.
#[derive(Debug, Deserialize)]
pub(super) struct BenefitDoc {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) unit_type: Option<String>,
    pub(super) unit: String,
    pub(super) amount: BenefitAmountDoc,
}

/// How much of it.
#[derive(Debug, Deserialize)]
pub(super) struct BenefitAmountDoc {
    pub(super) base: Span,
}

/// One row of `POST /lookup/credit-party-benefits`.
#[derive(Debug, Deserialize)]
pub(super) struct LeftDoc {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) unit: String,
    pub(super) amount: Loose,
    #[serde(deserialize_with = "told")]
    pub(super) expiration_date: Option<String>,
}

/// `POST /lookup/credit-party-status`.
#[derive(Debug, Deserialize)]
pub(super) struct StateDoc {
    #[serde(deserialize_with = "told")]
    pub(super) installation_date: Option<String>,
    #[serde(deserialize_with = "told")]
    pub(super) activation_date: Option<String>,
}

/// The body of `POST /async/transactions`. `auto_confirm` is always false.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct OrderAsk {
    pub(super) external_id: String,
    pub(super) product_id: u64,
    pub(super) auto_confirm: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calculation_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) destination: Option<DestinationAsk>,
    pub(super) credit_party_identifier: PartyDoc,
}

/// The amount that is to arrive.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct DestinationAsk {
    pub(super) unit_type: String,
    pub(super) unit: String,
    pub(super) amount: Value,
}

/// Who gets it: a phone number with `+`, or an ICCID.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct PartyDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mobile_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) account_number: Option<String>,
}

/// A transaction.
#[derive(Debug, Deserialize)]
pub(super) struct TransactionDoc {
    pub(super) id: Loose,
    pub(super) external_id: Option<String>,
    pub(super) confirmation_expiration_date: Option<String>,
    pub(super) status: StatusDoc,
    pub(super) product: Option<IdDoc>,
    pub(super) prices: Option<PricesDoc>,
    pub(super) credit_party_identifier: Option<PartyDoc>,
    pub(super) requested_values: Option<RequestedDoc>,
    pub(super) metadata: Option<MetadataDoc>,
}

/// Where a transaction stands; new statuses are added over time, and their classes stay.
#[derive(Debug, Deserialize)]
pub(super) struct StatusDoc {
    pub(super) message: Option<String>,
    pub(super) class: ClassDoc,
}

/// The class of a status.
#[derive(Debug, Deserialize)]
pub(super) struct ClassDoc {
    pub(super) message: String,
}

/// What was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct RequestedDoc {
    pub(super) destination: Option<DestinationDoc>,
}

/// What is told about an eSIM.
#[derive(Debug, Deserialize)]
pub(super) struct MetadataDoc {
    pub(super) activation_type: Option<String>,
}

/// Errors.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorsDoc {
    pub(super) errors: Vec<ErrorDoc>,
}

/// One error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorDoc {
    pub(super) code: Loose,
    #[serde(default)]
    pub(super) message: String,
}
