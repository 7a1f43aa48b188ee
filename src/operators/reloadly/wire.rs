//! The documents of the Airtime API, as far as they are needed. Phone numbers and serials come as numbers or as text.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operators::kit::{Flag, Loose};

/// `POST /oauth/token`.
#[derive(Deserialize)]
pub(super) struct TokenDoc {
    pub(super) access_token: String,
    pub(super) expires_in: Option<Loose>,
}

/// `GET /accounts/balance`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BalanceDoc {
    pub(super) balance: Loose,
    pub(super) currency_code: String,
}

/// One row of `GET /countries`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CountryDoc {
    pub(super) iso_name: Option<String>,
    pub(super) calling_codes: Option<Vec<String>>,
}

/// An operator with what it sells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperatorDoc {
    pub(super) id: Option<Loose>,
    pub(super) operator_id: Option<Loose>,
    pub(super) name: String,
    pub(super) bundle: Option<Flag>,
    pub(super) data: Option<Flag>,
    pub(super) pin: Option<Flag>,
    pub(super) supports_local_amounts: Option<Flag>,
    pub(super) denomination_type: String,
    pub(super) sender_currency_code: String,
    pub(super) destination_currency_code: String,
    pub(super) commission: Option<Loose>,
    pub(super) international_discount: Option<Loose>,
    pub(super) local_discount: Option<Loose>,
    pub(super) min_amount: Option<Loose>,
    pub(super) max_amount: Option<Loose>,
    pub(super) local_min_amount: Option<Loose>,
    pub(super) local_max_amount: Option<Loose>,
    pub(super) fx: Option<FxDoc>,
    pub(super) fees: Option<FeesDoc>,
    pub(super) fixed_amounts: Option<Vec<Loose>>,
    /// An object, and an empty list where there are none.
    pub(super) fixed_amounts_descriptions: Option<Value>,
    pub(super) local_fixed_amounts: Option<Vec<Loose>>,
    pub(super) local_fixed_amounts_descriptions: Option<Value>,
    pub(super) suggested_amounts: Option<Vec<Loose>>,
    /// What arrives for each suggested amount; an object, and an empty list where there are none.
    pub(super) suggested_amounts_map: Option<Value>,
}

/// The rate of the moment: units received for each unit sent.
#[derive(Debug, Deserialize)]
pub(super) struct FxDoc {
    pub(super) rate: Option<Loose>,
}

/// Fees, where an account has them: in the sender's currency and in percent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeesDoc {
    pub(super) international: Option<Loose>,
    pub(super) international_percentage: Option<Loose>,
    pub(super) local: Option<Loose>,
    pub(super) local_percentage: Option<Loose>,
}

/// The body of `POST /topups`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TopupAsk {
    pub(super) operator_id: u64,
    pub(super) amount: Value,
    pub(super) use_local_amount: bool,
    pub(super) custom_identifier: String,
    pub(super) recipient_phone: PhoneAsk,
}

/// The number that is topped up.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhoneAsk {
    pub(super) country_code: String,
    pub(super) number: String,
}

/// A transaction: the answer to `POST /topups`, and a row of the reports.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TransactionDoc {
    pub(super) transaction_id: Loose,
    pub(super) status: Option<String>,
    pub(super) custom_identifier: Option<String>,
    pub(super) recipient_phone: Option<Loose>,
    pub(super) operator_id: Option<Loose>,
    pub(super) discount: Option<Loose>,
    pub(super) fee: Option<Loose>,
    pub(super) requested_amount: Option<Loose>,
    pub(super) requested_amount_currency_code: Option<String>,
}

/// `GET /topups/{id}/status`: with the transaction inside (library), or flat (description).
#[derive(Debug, Deserialize)]
pub(super) struct StatusDoc {
    pub(super) status: Option<String>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) transaction: Option<TransactionDoc>,
    #[serde(rename = "customIdentifier")]
    pub(super) custom_identifier: Option<String>,
}

/// A page of `GET /topups/reports/transactions`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageDoc {
    pub(super) content: Vec<TransactionDoc>,
    pub(super) last: Option<Flag>,
    pub(super) number: Option<Loose>,
    pub(super) total_pages: Option<Loose>,
}

/// An error.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorDoc {
    pub(super) error_code: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}
