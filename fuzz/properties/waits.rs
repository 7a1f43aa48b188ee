//! What an operator says about the way: how long to wait (between a second and a day, whatever it says), its clock, and
//! how many calls are left.

use std::cell::LazyCell;

use jiff::fmt::rfc2822::DateTimePrinter;
use simkeeper::domain::operator::OperatorError;
use simkeeper::domain::time::Secs;
use simkeeper::operators::http::{Call, HttpClient, HttpSettings};
use simkeeper::operators::scripted::{Scripted, play};

use super::operators::{is_sound_error, run};

thread_local! {
    static CLIENT: LazyCell<HttpClient> =
        LazyCell::new(|| HttpClient::new(&HttpSettings::new("http://127.0.0.1:9", &[])).unwrap());
}

/// The input is three lines: `Retry-After`, `Date`, and the calls that are left.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n').chain(std::iter::repeat(""));
    let names = ["retry-after", "date", "x-ratelimit-remaining"];
    let headers: Vec<(String, String)> =
        names.iter().map(|name| ((*name).to_owned(), lines.next().unwrap_or_default().to_owned())).collect();
    let told = headers.clone();
    // A client of its own, since it keeps what it was told.
    let client = CLIENT.with(|client| HttpClient::clone(client));
    play(vec![Scripted { status: 429, headers, body: b"{}".to_vec() }]);
    let answer = run(client.read(Call::get("/v1"))).unwrap();
    let seconds = told[0].1.trim().parse::<i64>().ok();
    if let Some(wait) = answer.retry_after {
        assert!((1..=86_400).contains(&wait.0), "{wait:?}");
    }
    if let Some(seconds) = seconds.filter(|_| is_plain(&told[0].1)) {
        assert_eq!(answer.retry_after, Some(Secs(seconds.clamp(1, 86_400))));
    }
    if let Some(date) = answer.date {
        assert_eq!(client.contact().clock, Some(date));
        let written = jiff::Timestamp::from_second(date.secs()).unwrap();
        let written = DateTimePrinter::new().timestamp_to_rfc9110_string(&written).unwrap();
        play(vec![Scripted { status: 200, headers: vec![("date".into(), written)], body: Vec::new() }]);
        assert_eq!(run(client.read(Call::get("/v1"))).unwrap().date, Some(date), "the same time in the usual words");
    }
    let error = answer.error();
    is_sound_error(&error);
    assert!(matches!(error, OperatorError::Later { .. }), "{error:?}");
}

/// Whether HTTP would carry these words.
fn is_plain(value: &str) -> bool {
    value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}
