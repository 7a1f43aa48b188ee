//! The documents of the API, as far as they are needed. Every answer carries `ResultCode` and `ErrorCodes`, whatever its
//! status is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operators::kit::{Flag, Loose};

/// What every answer says about itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EnvelopeDoc {
    /// 1 done, 2 partial, 3 passing trouble, 4 bad request, 5 refused or failed.
    pub(super) result_code: Loose,
    pub(super) error_codes: Option<Vec<ErrorDoc>>,
}

/// One error.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ErrorDoc {
    pub(super) code: String,
    pub(super) context: Option<String>,
}

/// `GetBalance`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BalanceDoc {
    pub(super) balance: Loose,
    pub(super) currency_iso: String,
}

/// `GetAccountLookup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LookupDoc {
    pub(super) items: Vec<ProviderDoc>,
}

/// A provider that a number may belong to.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProviderDoc {
    pub(super) provider_code: String,
}

/// `GetProducts`. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProductsDoc {
    pub(super) items: Vec<Value>,
}

/// A product.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProductDoc {
    pub(super) sku_code: String,
    pub(super) provider_code: String,
    pub(super) minimum: PriceDoc,
    pub(super) maximum: PriceDoc,
    pub(super) redemption_mechanism: Option<String>,
    pub(super) benefits: Vec<String>,
    pub(super) validity_period_iso: Option<String>,
    pub(super) default_display_text: Option<String>,
    pub(super) lookup_bills_required: Option<Flag>,
    pub(super) payment_types: Option<Vec<String>>,
    pub(super) setting_definitions: Option<Vec<SettingDoc>>,
}

/// Something that a provider wants to be told beside the number.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SettingDoc {
    pub(super) is_mandatory: Option<Flag>,
}

/// A price: what is sent, what arrives, and Ding's fee for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PriceDoc {
    pub(super) send_value: Loose,
    pub(super) send_currency_iso: String,
    pub(super) receive_value: Option<Loose>,
    pub(super) receive_currency_iso: Option<String>,
    pub(super) distributor_fee: Option<Loose>,
}

/// `EstimatePrices`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EstimatesDoc {
    pub(super) items: Vec<Value>,
}

/// The price of one amount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EstimateDoc {
    pub(super) price: PriceDoc,
    pub(super) batch_item_ref: String,
    pub(super) result_code: Loose,
}

/// The body of `SendTransfer`. `ValidateOnly` must always stand in it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransferAsk {
    pub(super) sku_code: String,
    pub(super) send_value: Value,
    pub(super) send_currency_iso: String,
    pub(super) account_number: String,
    pub(super) distributor_ref: String,
    pub(super) validate_only: bool,
}

/// The answer to `SendTransfer`, and an item of `ListTransferRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransferDoc {
    pub(super) transfer_record: Option<RecordDoc>,
    pub(super) result_code: Loose,
    pub(super) error_codes: Option<Vec<ErrorDoc>>,
}

/// A transfer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordDoc {
    pub(super) transfer_id: Option<TransferIdDoc>,
    pub(super) sku_code: Option<String>,
    pub(super) price: Option<PriceDoc>,
    pub(super) processing_state: Option<String>,
    pub(super) account_number: Option<Loose>,
}

/// Ding's reference and ours.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransferIdDoc {
    pub(super) transfer_ref: Option<Loose>,
    pub(super) distributor_ref: Option<String>,
}

/// `ListTransferRecords`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordsDoc {
    pub(super) items: Vec<TransferDoc>,
    pub(super) there_are_more_items: Flag,
}
