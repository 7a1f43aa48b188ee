//! The documents of eSIM Access, as far as they are needed.

use serde::Deserialize;

use crate::operators::kit::{Flag, Loose};

/// What stands around every answer. Errors come with HTTP 200 and are told here only.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeadDoc {
    /// True or `"true"`.
    pub(super) success: Option<Flag>,
    /// None or `0` with success.
    pub(super) error_code: Option<Loose>,
    pub(super) error_msg: Option<Loose>,
    /// The same under the name that part of the documentation has.
    pub(super) error_message: Option<Loose>,
}

/// What stands inside an answer of success.
#[derive(Debug, Deserialize)]
pub(super) struct Wrapped<T> {
    pub(super) obj: T,
}

/// `/balance/query`.
#[derive(Debug, Deserialize)]
pub(super) struct BalanceDoc {
    pub(super) balance: Loose,
}

/// `/package/list`. The rows are read one by one, so that an odd one does not hide the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PackagesDoc {
    pub(super) package_list: Vec<serde_json::Value>,
}

/// One package on sale. Money in ten-thousandths, data in bytes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferDoc {
    pub(super) package_code: String,
    pub(super) name: Option<String>,
    pub(super) price: Loose,
    pub(super) currency_code: Option<String>,
    pub(super) volume: Option<Loose>,
    pub(super) duration: Option<Loose>,
    pub(super) duration_unit: Option<String>,
    pub(super) data_type: Option<Loose>,
}

/// A page of `/esim/query`; the rows are read one by one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageDoc {
    pub(super) esim_list: Vec<serde_json::Value>,
    pub(super) pager: Option<PagerDoc>,
}

/// Where a page stands among the others.
#[derive(Debug, Deserialize)]
pub(super) struct PagerDoc {
    pub(super) total: Option<Loose>,
}

/// One eSIM.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardDoc {
    /// The eSIM's own number, which is never given out again.
    pub(super) esim_tran_no: Loose,
    pub(super) iccid: Option<String>,
    pub(super) msisdn: Option<String>,
    pub(super) smdp_status: Option<String>,
    pub(super) esim_status: String,
    pub(super) data_type: Option<Loose>,
    pub(super) support_top_up_type: Option<Loose>,
    pub(super) activate_time: Option<String>,
    pub(super) expired_time: Option<String>,
    pub(super) total_volume: Loose,
    pub(super) order_usage: Loose,
    pub(super) package_list: Option<Vec<PackageDoc>>,
}

/// One package that was bought for an eSIM.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PackageDoc {
    pub(super) package_name: Option<String>,
    pub(super) package_code: Option<String>,
    pub(super) slug: Option<String>,
    pub(super) create_time: Option<String>,
    pub(super) esim_tran_no: Option<Loose>,
    pub(super) transaction_id: Option<Loose>,
}

/// `/esim/usage/query`: a bare list, or a list with a name, depending on the revision of the documentation.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum UsagesDoc {
    Bare(Vec<UsageDoc>),
    Named {
        #[serde(rename = "esimUsageList")]
        list: Vec<UsageDoc>,
    },
}

/// What one eSIM has used.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageDoc {
    pub(super) esim_tran_no: Loose,
    pub(super) data_usage: Loose,
}

/// The answer to `/esim/topup`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToppedDoc {
    pub(super) transaction_id: Option<Loose>,
    pub(super) iccid: Option<Loose>,
}

impl PackageDoc {
    /// The package's own id: that of the eSIM or top-up together with the reference it was bought with, since neither
    /// is documented as different for every package; the time where an old answer has neither.
    pub(super) fn asset(&self) -> Option<String> {
        let ids: Vec<&str> =
            [&self.esim_tran_no, &self.transaction_id].into_iter().flatten().map(Loose::as_str).collect();
        if ids.iter().any(|id| !id.is_empty()) { Some(ids.join("/")) } else { self.create_time.clone() }
    }
}
