//! The documents of the API, as far as they are needed. Quantities of a line are in KB, those of a refill in MB; dates
//! are `YYYY-MM-DD HH:MM:SS` in UTC.

use serde::Deserialize;

use crate::operators::kit::{Flag, Loose, told};

/// What every answer begins with.
#[derive(Debug, Deserialize)]
pub(super) struct AckDoc {
    pub(super) ack: String,
    pub(super) message: Option<serde_json::Value>,
}

/// `GET /line/{iccid}/get_details`.
#[derive(Debug, Deserialize)]
pub(super) struct DetailsDoc {
    pub(super) sim_card: LineDoc,
}

/// A line, alone or as a row of the list.
#[derive(Debug, Deserialize)]
pub(super) struct LineDoc {
    pub(super) iccid: Loose,
    pub(super) status: String,
    /// The end of the line itself; empty if there is none.
    pub(super) deactivation_date: Option<String>,
    pub(super) allowed_usage_kb: Option<Loose>,
    pub(super) remaining_usage_kb: Option<Loose>,
    pub(super) auto_refill_turned_on: Option<Flag>,
    pub(super) notes: Option<String>,
    pub(super) data_bundles: Option<Vec<BundleDoc>>,
}

/// What one refill put on a line.
#[derive(Debug, Deserialize)]
pub(super) struct BundleDoc {
    pub(super) id: Loose,
    pub(super) status: Option<Loose>,
    pub(super) allowed_usage_kb: Option<Loose>,
    pub(super) remaining_usage_kb: Option<Loose>,
    /// Whole days; none if it has no end.
    pub(super) validity: Option<Loose>,
    pub(super) activated_at: Option<String>,
    pub(super) terminated_at: Option<String>,
    pub(super) expire_at: Option<String>,
}

/// `GET /lines`.
#[derive(Debug, Deserialize)]
pub(super) struct LinesDoc {
    pub(super) sim_cards: LinesPageDoc,
}

/// A page of lines. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
pub(super) struct LinesPageDoc {
    pub(super) items: Vec<serde_json::Value>,
    pub(super) last_page: Option<Loose>,
}

/// `GET /line/{iccid}/available_refills`.
#[derive(Debug, Deserialize)]
pub(super) struct RefillsDoc {
    pub(super) available_refills: Vec<serde_json::Value>,
}

/// One refill on sale.
#[derive(Debug, Deserialize)]
pub(super) struct RefillDoc {
    pub(super) title: Option<String>,
    pub(super) amount_mb: Loose,
    /// Whole days; null if what is bought has no end.
    #[serde(default, deserialize_with = "told")]
    pub(super) amount_days: Option<Option<Loose>>,
    pub(super) price_usd: Loose,
}

/// The answer to a refill.
#[derive(Debug, Deserialize)]
pub(super) struct RefilledDoc {
    pub(super) ack: String,
    pub(super) data_bundle_id: Option<Loose>,
    pub(super) transaction_id: Option<Loose>,
}

/// `GET /line/{iccid}/transactions`.
#[derive(Debug, Deserialize)]
pub(super) struct TransactionsDoc {
    pub(super) transactions: TransactionsPageDoc,
}

/// A page of transactions.
#[derive(Debug, Deserialize)]
pub(super) struct TransactionsPageDoc {
    pub(super) data: Vec<TransactionDoc>,
    pub(super) last_page: Option<Loose>,
}

/// One payment.
#[derive(Debug, Deserialize)]
pub(super) struct TransactionDoc {
    pub(super) transaction_id: Loose,
    pub(super) created_at: String,
    pub(super) status: String,
    pub(super) amount: Option<Loose>,
    pub(super) currency: Option<String>,
    pub(super) refill_amount_mb: Option<Loose>,
}

/// `GET /account_balance`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    pub(super) account_balance: Loose,
}
