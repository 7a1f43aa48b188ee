//! Reading what text gateways report about a text that they took. Each has its own names for the same three facts; the
//! lists here are those of Twilio, Plivo, Vonage, Alibaba Cloud, SMS Gateway for Android and Kannel, and are short enough
//! that no gateway has to be named.

use std::collections::BTreeMap;

use super::texts::cut;
use crate::domain::receipt::{Fate, Receipt};

/// Where the final word stands: Twilio, Plivo, Vonage, SMS Gateway for Android, Alibaba Cloud, and Kannel as the manual
/// describes it.
const FATE: [&str; 6] = ["MessageStatus", "Status", "status", "event", "success", "dlr"];
/// Where our own id comes back, if it is not in the address: Vonage, Alibaba Cloud. Others follow in [`REMOTE`].
const OURS: [&str; 2] = ["client-ref", "out_id"];
/// Where the gateway's id stands: Twilio, Plivo, Vonage, Alibaba Cloud. SMS Gateway for Android calls a text as we do.
const REMOTE: [&str; 4] = ["MessageSid", "MessageUUID", "messageId", "biz_id"];
/// Where the reason stands: Twilio and Plivo, Vonage, Alibaba Cloud, SMS Gateway for Android.
const WHY: [&str; 4] = ["ErrorCode", "err-code", "err_code", "reason"];
/// No id of ours is longer.
const ID_MAX_CHARS: usize = 64;
/// A gateway's id and its words are cut like those of its answers.
const REMOTE_MAX_CHARS: usize = 80;

/// The receipt that these fields hold, and our id of the text as far as they tell it; none if they tell no final word.
#[must_use]
pub fn receipt(fields: &BTreeMap<String, String>) -> Option<(Option<String>, Receipt)> {
    let (name, word) = FATE.iter().find_map(|name| Some((*name, fields.get(*name)?)))?;
    let fate = fate(name, word)?;
    let first = |names: &[&str]| names.iter().find_map(|name| fields.get(*name)).filter(|text| !text.is_empty());
    let remote = first(&REMOTE).map(|id| cut(id, REMOTE_MAX_CHARS));
    let ours = first(&OURS).cloned().or_else(|| (name == "event").then(|| remote.clone()).flatten());
    let why = (!fate.arrived()).then(|| match first(&WHY) {
        Some(code) => format!("the gateway reports `{}`: {}", cut(word, 40), cut(code, 120)),
        None => format!("the gateway reports `{}`", cut(word, 40)),
    });
    Some((ours.filter(|id| id.len() <= ID_MAX_CHARS), Receipt { fate, remote, why }))
}

/// The final words; any other is one on the way, or about something else.
fn fate(name: &str, word: &str) -> Option<Fate> {
    match (name, word) {
        ("dlr", "1") | ("success", "true") | ("event", "sms:delivered") => Some(Fate::Delivered),
        ("dlr", "2" | "16") | ("success", "false") | ("event", "sms:failed") => Some(Fate::Failed),
        ("MessageStatus" | "Status" | "status", word) => match word {
            "delivered" | "read" => Some(Fate::Delivered),
            "undelivered" | "failed" | "rejected" | "canceled" => Some(Fate::Failed),
            "expired" => Some(Fate::Expired),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Option<(Option<String>, Receipt)> {
        receipt(&fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn final_words_of_all_gateways_are_read() {
        let twilio = [("MessageSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", "30003")];
        let plivo = [("MessageUUID", "u-1"), ("Status", "delivered"), ("ErrorCode", "000"), ("From", "1"), ("To", "2")];
        let vonage = [("messageId", "0A"), ("status", "expired"), ("err-code", "3"), ("client-ref", "ours")];
        let android = [("event", "sms:failed"), ("messageId", "ours"), ("reason", "RESULT_NO_SERVICE")];
        let aliyun = [("success", "false"), ("out_id", "ours"), ("biz_id", "9^0"), ("err_code", "MOBILE_SEND_LIMIT")];
        for (fields, fate, ours, remote, why) in [
            (&twilio[..], Fate::Failed, None, Some("SM1"), Some("`undelivered`: 30003")),
            (&plivo, Fate::Delivered, None, Some("u-1"), None),
            (&vonage, Fate::Expired, Some("ours"), Some("0A"), Some("`expired`: 3")),
            (&android, Fate::Failed, Some("ours"), Some("ours"), Some("`sms:failed`: RESULT_NO_SERVICE")),
            (&aliyun, Fate::Failed, Some("ours"), Some("9^0"), Some("`false`: MOBILE_SEND_LIMIT")),
            (&[("dlr", "1")], Fate::Delivered, None, None, None),
            (&[("dlr", "16")], Fate::Failed, None, None, Some("`16`")),
        ] {
            let (told_ours, told) = read(fields).unwrap_or_else(|| panic!("{fields:?}"));
            assert_eq!((told.fate, told_ours.as_deref(), told.remote.as_deref()), (fate, ours, remote), "{fields:?}");
            let told_why = told.why.unwrap_or_default();
            assert!(why.map_or(told_why.is_empty(), |why| told_why.ends_with(why)), "{fields:?}: {told_why}");
        }
    }

    #[test]
    fn what_is_on_its_way_or_says_nothing_is_no_receipt() {
        for fields in [
            &[("MessageStatus", "sent"), ("MessageSid", "SM1")][..],
            &[("status", "buffered")],
            &[("status", "unknown")],
            &[("event", "sms:received"), ("message", "delivered")],
            &[("dlr", "4")],
            &[("dlr", "8")],
            &[("dlr", "delivered")],
            &[("From", "+1"), ("Body", "delivered")],
            &[],
        ] {
            assert_eq!(read(fields), None, "{fields:?}");
        }
    }
}
