//! Answers that no network brought (feature `fuzzing`, in no release): what a thread was told here is given to every
//! adapter on it in place of a request or of a run of a program, so that hostile documents reach the whole adapter some
//! ten thousand times a second.

use std::cell::RefCell;

use reqwest::{RequestBuilder, Response};

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scripted {
    /// The status of HTTP; programs have none.
    pub status: u16,
    /// Headers; what HTTP does not allow is left out.
    pub headers: Vec<(String, String)>,
    /// The body, or what the program wrote.
    pub body: Vec<u8>,
}

/// What a thread gives and what it was asked.
#[derive(Default)]
struct Script {
    answers: std::vec::IntoIter<Scripted>,
    asked: Vec<String>,
}

thread_local! {
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
}

/// From now on this thread touches no network: these are given in their order, and then a 404 without end.
pub fn play(answers: Vec<Scripted>) {
    SCRIPT.set(Some(Script { answers: answers.into_iter(), asked: Vec::new() }));
}

/// What was asked since [`play`], as method and path.
#[must_use]
pub fn asked() -> Vec<String> {
    SCRIPT.with_borrow(|script| script.as_ref().map(|script| script.asked.clone()).unwrap_or_default())
}

/// The answer to a request, if this thread is scripted; then every request has one, also one that cannot be copied to be
/// looked at. What is no status of HTTP is the server's error.
pub(super) fn response(request: &RequestBuilder) -> Option<Response> {
    let copy = request.try_clone().and_then(|copy| copy.build().ok());
    let asked =
        || copy.map_or_else(|| "a request".to_owned(), |copy| format!("{} {}", copy.method(), copy.url().path()));
    let scripted = next(asked)?;
    let mut response = hyper::Response::new(scripted.body);
    *response.status_mut() =
        hyper::StatusCode::from_u16(scripted.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &scripted.headers {
        let name = hyper::header::HeaderName::try_from(name.as_str());
        if let (Ok(name), Ok(value)) = (name, hyper::header::HeaderValue::try_from(value.as_str())) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response.into())
}

/// What a program wrote, if this thread is scripted.
pub(super) fn output() -> Option<Vec<u8>> {
    next(|| "a program".to_owned()).map(|scripted| scripted.body)
}

fn next(what: impl FnOnce() -> String) -> Option<Scripted> {
    SCRIPT.with_borrow_mut(|script| {
        let script = script.as_mut()?;
        script.asked.push(what());
        let nothing = || Scripted { status: 404, body: b"{}".to_vec(), ..Scripted::default() };
        Some(script.answers.next().unwrap_or_else(nothing))
    })
}
