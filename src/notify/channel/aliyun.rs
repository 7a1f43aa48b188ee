//! Alibaba Cloud's SMS service (`SendSms`): one signed GET, and words in the body whatever the status is. Texts go through
//! an approved template, of which ours fills one place. It has no key against doubles, so an answer that is lost leaves a
//! doubt; `OutId` brings our id back in its receipts.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha1::Sha1;

use super::http::{self, Answer};
use super::{Delivery, NotifyError, Outgoing};
use crate::domain::template::percent_encoded;
use crate::notify::texts::cut;

/// Where the API lives.
const BASE: &str = "https://dysmsapi.aliyuncs.com/";

/// An access key, and the template that texts go through.
#[derive(Debug)]
pub struct AliyunSettings {
    /// The access key's id.
    pub account: String,
    /// The access key's secret.
    pub secret: SecretString,
    /// The code of the approved template, `SMS_…`.
    pub template: String,
    /// The name of its place that the text fills.
    pub place: String,
    /// Another address than Alibaba Cloud's own, for tests.
    pub base_url: Option<String>,
}

/// Alibaba Cloud, ready to send.
#[derive(Debug)]
pub struct Aliyun {
    client: Client,
    url: Url,
    settings: AliyunSettings,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answered {
    code: Option<String>,
    message: Option<String>,
    biz_id: Option<String>,
}

impl Aliyun {
    pub(super) fn open(settings: AliyunSettings) -> Result<Self, NotifyError> {
        let url = http::checked_url("base_url", settings.base_url.as_deref().unwrap_or(BASE))?;
        Ok(Self { client: http::client()?, url, settings })
    }

    pub(super) async fn send(&self, message: &Outgoing) -> Delivery {
        let Some(query) = self.query(message) else {
            return Delivery::Dead { why: "the request could not be signed".to_owned() };
        };
        let mut url = self.url.clone();
        url.set_query(Some(&query));
        match http::sent(self.client.get(url)).await {
            Ok(answer) => judged(&answer),
            Err(delivery) => delivery,
        }
    }

    /// The parameters and their signature. The nonce is made of notice and time: should anything between here and there
    /// send the same request twice, the second is refused.
    fn query(&self, message: &Outgoing) -> Option<String> {
        let text = String::from_utf8_lossy(&message.bytes);
        let (nonce, filled) =
            (format!("{}-{}", message.id, message.sent_at.secs()), json!({ &self.settings.place: text }));
        let (filled, time) = (filled.to_string(), message.sent_at.to_string());
        let parameters = BTreeMap::from([
            ("AccessKeyId", self.settings.account.as_str()),
            ("Action", "SendSms"),
            ("Format", "JSON"),
            ("OutId", &message.id),
            ("PhoneNumbers", message.address.trim_start_matches('+')),
            ("SignName", &message.from),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &nonce),
            ("SignatureVersion", "1.0"),
            ("TemplateCode", &self.settings.template),
            ("TemplateParam", &filled),
            ("Timestamp", &time),
            ("Version", "2017-05-25"),
        ]);
        signed(&parameters, self.settings.secret.expose_secret())
    }
}

/// The query of `parameters` with its signature: HMAC-SHA1 over the sorted and encoded query, encoded once more.
fn signed(parameters: &BTreeMap<&str, &str>, secret: &str) -> Option<String> {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)));
    let query = pairs.collect::<Vec<_>>().join("&");
    let mut mac = Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).ok()?;
    mac.update(format!("GET&%2F&{}", percent_encoded(&query)).as_bytes());
    let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    Some(format!("{query}&Signature={}", percent_encoded(&signature)))
}

fn judged(answer: &Answer) -> Delivery {
    let answered: Answered = serde_json::from_str(&answer.body).unwrap_or_default();
    let Some(code) = answered.code else {
        let why = format!("Alibaba Cloud answered {} without a code", answer.status);
        return match answer.status {
            429 => Delivery::Retry { why, not_before: answer.retry_after },
            200..=299 | 408 | 500..=599 => Delivery::Doubtful { why },
            _ => Delivery::Dead { why },
        };
    };
    let said = cut(answered.message.as_deref().unwrap_or("nothing more"), 200);
    let why = format!("Alibaba Cloud refused the text ({}): {said}", cut(&code, 60));
    // Its newest page writes the codes without these beginnings.
    match code.trim_start_matches("isv.").trim_start_matches("isp.") {
        "OK" => Delivery::Sent { remote: cut(answered.biz_id.as_deref().unwrap_or("OK"), 80) },
        // Errors of theirs, limits that pass by themselves, and money, which a person brings.
        "SYSTEM_ERROR"
        | "GATEWAY_ERROR"
        | "BUSINESS_LIMIT_CONTROL"
        | "DAY_LIMIT_CONTROL"
        | "OUT_OF_SERVICE"
        | "AMOUNT_NOT_ENOUGH" => Delivery::Retry { why, not_before: answer.retry_after },
        _ if answer.status == 429 => Delivery::Retry { why, not_before: answer.retry_after },
        _ => Delivery::Dead { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two vectors that Alibaba Cloud publishes, one of them of this very call.
    #[test]
    fn a_signature_is_the_one_that_is_published() {
        let of = |pairs: &[(&'static str, &'static str)], secret: &str| {
            let signed = signed(&pairs.iter().copied().collect(), secret).unwrap();
            signed.split("&Signature=").nth(1).unwrap().to_owned()
        };
        let sends = [
            ("AccessKeyId", "testId"),
            ("Action", "SendSms"),
            ("Format", "XML"),
            ("OutId", "123"),
            ("PhoneNumbers", "15300000001"),
            ("RegionId", "cn-hangzhou"),
            ("SignName", "阿里云短信测试专用"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "45e25e9b-0a6f-4070-8c85-2956eda1b466"),
            ("SignatureVersion", "1.0"),
            ("TemplateCode", "SMS_71390007"),
            ("TemplateParam", "{\"customer\":\"test\"}"),
            ("Timestamp", "2017-07-12T02:42:19Z"),
            ("Version", "2017-05-25"),
        ];
        assert_eq!(of(&sends, "testSecret"), percent_encoded("zJDF+Lrzhj/ThnlvIToysFRq6t4="));
        let lists = [
            ("AccessKeyId", "testid"),
            ("Action", "DescribeRegions"),
            ("Format", "XML"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf"),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2016-02-23T12:46:24Z"),
            ("Version", "2014-05-26"),
        ];
        assert_eq!(of(&lists, "testsecret"), percent_encoded("OLeaidS1JvxuMvnyHOwuJ+uX5qY="));
    }
}
