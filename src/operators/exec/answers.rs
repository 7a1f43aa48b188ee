//! The envelope of answers: `{"version": 1, …}` or `{"version": 1, "error": {…}}`; and what the answer to an order means.

use serde::Deserialize;
use serde_json::Value;

use super::VERSION;
use super::wire::{amount, refusal_kind};
use crate::domain::card::tamed;
use crate::domain::operator::{BuyAnswer, Doubt, OperatorError, RefusalKind};
use crate::domain::retry::clamped_wait;
use crate::domain::time::Secs;
use crate::operators::kit::{doubtful, refused, unknown, unproven};

#[derive(Deserialize)]
struct Envelope {
    error: Option<ErrorDoc>,
}

#[derive(Deserialize)]
struct ErrorDoc {
    class: ErrorClass,
    kind: Option<String>,
    retry_after_secs: Option<i64>,
    #[serde(default)]
    message: String,
}

/// What an error lets the daemon do.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ErrorClass {
    Later,
    Never,
    Unknown,
}

impl ErrorDoc {
    fn error(self) -> OperatorError {
        let why = tamed(&self.message, 200);
        match self.class {
            ErrorClass::Later => {
                OperatorError::Later { retry_after: self.retry_after_secs.map(|secs| clamped_wait(Secs(secs))), why }
            }
            ErrorClass::Never => OperatorError::Never {
                kind: self.kind.as_deref().and_then(refusal_kind).unwrap_or(RefusalKind::Other),
                why,
            },
            ErrorClass::Unknown => OperatorError::Unknown { why },
        }
    }
}

/// The answer to a call at which nothing is at stake.
pub(super) fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, OperatorError> {
    let doc = document(bytes).map_err(unknown)?;
    let envelope = Envelope::deserialize(&doc).map_err(|error| unknown(error.to_string()))?;
    if let Some(error) = envelope.error {
        return Err(error.error());
    }
    T::deserialize(doc).map_err(|error| unknown(error.to_string()))
}

fn document(bytes: &[u8]) -> Result<Value, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("the program answered nothing".into());
    }
    let doc: Value = serde_json::from_slice(bytes)
        .map_err(|error| format!("the program's answer is not one JSON document: {error}"))?;
    match doc.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => Ok(doc),
        Some(version) => {
            Err(format!("the program answers in version {version}; this simkeeper speaks version {VERSION}"))
        }
        None => Err(format!("the program's answer lacks \"version\": {VERSION}")),
    }
}

#[derive(Deserialize)]
struct BoughtDoc {
    result: BoughtWord,
    key: Option<String>,
    order_id: Option<String>,
    charged: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum BoughtWord {
    Accepted,
    Pending,
    Refused,
    NotSent,
    Unknown,
}

/// What the answer to an order means. An envelope with an error says nothing about the order.
pub(super) fn bought(bytes: &[u8], key: &str) -> BuyAnswer {
    let read = document(bytes).and_then(|doc| {
        let envelope = Envelope::deserialize(&doc).map_err(|error| error.to_string())?;
        match envelope.error {
            Some(error) => Err(format!("the program answered an order with an error: {}", error.message)),
            None => BoughtDoc::deserialize(doc).map_err(|error| error.to_string()),
        }
    });
    let doc = match read {
        Ok(doc) => doc,
        Err(why) => return doubtful(Doubt::Unreadable, why),
    };
    if doc.key.as_deref() != Some(key) {
        return unproven("the program's answer does not name the key of our order");
    }
    match doc.result {
        BoughtWord::Accepted => match doc.charged.as_deref().map(amount).transpose() {
            Ok(charged) => BuyAnswer::Accepted { order_id: doc.order_id.map(|id| tamed(&id, 80)), charged },
            Err(why) => unproven(why),
        },
        BoughtWord::Pending => match doc.order_id {
            Some(order_id) => BuyAnswer::Pending { order_id: tamed(&order_id, 80) },
            None => unproven("the order is pending, but under no id"),
        },
        BoughtWord::Refused => match doc.kind.as_deref().and_then(refusal_kind) {
            Some(kind) => refused(kind, &doc.code, &doc.message),
            None => doubtful(Doubt::UnlistedCode, format!("refused, but of no known kind: {}", doc.message)),
        },
        BoughtWord::NotSent => BuyAnswer::NotSent { why: tamed(&doc.message, 200) },
        BoughtWord::Unknown => doubtful(Doubt::Unproven, doc.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> BuyAnswer {
        bought(text.as_bytes(), "k")
    }

    #[test]
    fn only_a_whole_answer_about_our_order_decides() {
        let accepted = order(r#"{"version":1,"result":"accepted","key":"k","order_id":"7","charged":"4.50 USD"}"#);
        assert!(matches!(accepted, BuyAnswer::Accepted { order_id: Some(id), charged: Some(_) } if id == "7"));
        let refusal = order(r#"{"version":1,"result":"refused","key":"k","kind":"wallet_empty","code":"11"}"#);
        assert!(matches!(refusal, BuyAnswer::Refused(refusal) if refusal.kind == RefusalKind::WalletEmpty));
        for doubtful in [
            "",
            "{}",
            "not json",
            r#"{"version":2,"result":"refused","key":"k","kind":"wallet_empty"}"#,
            r#"{"version":1,"error":{"class":"never","message":"no"}}"#,
            r#"{"version":1,"result":"accepted","key":"other"}"#,
            r#"{"version":1,"result":"accepted"}"#,
            r#"{"version":1,"result":"accepted","key":"k","charged":"lots"}"#,
            r#"{"version":1,"result":"pending","key":"k"}"#,
            r#"{"version":1,"result":"refused","key":"k","kind":"tired"}"#,
            r#"{"version":1,"result":"refused","key":"k"}"#,
            r#"{"version":1,"result":"perhaps","key":"k"}"#,
            r#"{"version":1,"result":"refused","key":"k","kind":"wallet_empty"} {}"#,
        ] {
            assert!(matches!(order(doubtful), BuyAnswer::Unknown { .. }), "{doubtful}");
        }
    }

    #[test]
    fn errors_say_what_may_be_done() {
        let error = |text: &str| read::<Value>(text.as_bytes()).unwrap_err();
        let later = error(r#"{"version":1,"error":{"class":"later","retry_after_secs":90,"message":"busy"}}"#);
        assert!(matches!(later, OperatorError::Later { retry_after: Some(Secs(90)), .. }));
        let never = error(r#"{"version":1,"error":{"class":"never","kind":"card_dead","message":"gone"}}"#);
        assert!(matches!(never, OperatorError::Never { kind: RefusalKind::CardDead, .. }));
        assert!(matches!(error("{}"), OperatorError::Unknown { .. }));
    }
}
