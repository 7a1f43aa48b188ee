//! Lists that are read to their end, page by page.

use reqwest::Url;
use serde_json::Value;

use super::paging::{Next, Paging};
use super::path::{Doc, Paths};
use super::request::{Request, Sent};
use super::session::{Reply, Session};
use super::template::Values;
use crate::domain::operator::OperatorError;
use crate::domain::time::UnixTime;
use crate::operators::kit::unknown;

/// The pages of a list, and the operator's clock.
pub(super) struct Pages {
    pub(super) documents: Vec<Value>,
    pub(super) date: Option<UnixTime>,
}

/// One page, and what asks for the one behind it.
pub(super) struct OnePage {
    pub(super) document: Value,
    pub(super) next: Option<String>,
}

/// Reads all pages; `stop` may end it with an answer of its own before the first one is judged.
///
/// # Errors
/// An answer is none, lacks its list, or the list has no end.
pub(super) async fn all_pages(
    session: &Session,
    (request, paging, rows): (&Request, Option<&Paging>, Option<&Paths>),
    values: &Values,
    may_lack: bool,
    stop: impl Fn(&Reply) -> bool,
) -> Result<Option<Pages>, OperatorError> {
    let mut pages = Pages { documents: Vec::new(), date: None };
    let (mut turn, mut seen, mut asked) = (1, 0, paging.and_then(Paging::start));
    let mut link: Option<String> = None;
    loop {
        let reply = session_page(session, request, values, asked.as_deref(), link.as_deref()).await?;
        if stop(&reply) {
            return Ok(None);
        }
        let (document, answer) = session.judged(&request.label, reply)?;
        let count = count_of(rows, &document, may_lack)?;
        seen += count;
        pages.date = answer.date.or(pages.date);
        let next = paging.map(|paging| paging.next(Doc::of(&document), session.known(values), (turn, count, seen)));
        pages.documents.push(document);
        match next.transpose().map_err(unknown)? {
            None | Some(Next::End) => return Ok(Some(pages)),
            Some(Next::Page(page)) if asked.as_ref() == Some(&page) => {
                return Err(unknown(format!("{}: the list tells the same next page again", request.label)));
            }
            Some(Next::Page(page)) => asked = Some(page),
            Some(Next::Link(address)) => link = Some(address),
        }
        let max = paging.map_or(1, |paging| paging.max);
        if turn >= max {
            return Err(unknown(format!("{}: the list has more than {max} pages", request.label)));
        }
        turn += 1;
    }
}

/// Reads one page; `from` is what the page before it gave as its next.
pub(super) async fn one_page(
    session: &Session,
    (request, paging, rows): (&Request, Option<&Paging>, &Paths),
    from: Option<&str>,
) -> Result<OnePage, OperatorError> {
    // How many pages and rows came before stands before what asks for the page.
    let mut parts = from.unwrap_or_default().splitn(3, ' ');
    let mut number = || parts.next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (before, seen) = (number(), number());
    let asked = parts.next().map(str::to_owned);
    let is_link = asked.is_some() && paging.is_some_and(|paging| paging.kind == super::paging::PageKind::Link);
    let (page, link) = if is_link { (None, asked) } else { (asked.or_else(|| paging?.start()), None) };
    let values = Values::new();
    let reply = session_page(session, request, &values, page.as_deref(), link.as_deref()).await?;
    let (document, _) = session.judged(&request.label, reply)?;
    let count = count_of(Some(rows), &document, false)?;
    let seen = seen.saturating_add(count as u64);
    let state = (before + 1, count, usize::try_from(seen).unwrap_or(usize::MAX));
    let next = paging.map(|paging| paging.next(Doc::of(&document), session.known(&values), state));
    let next = match next.transpose().map_err(unknown)? {
        None | Some(Next::End) => None,
        Some(Next::Page(next) | Next::Link(next)) => {
            let max = paging.map_or(1, |paging| paging.max);
            if before + 1 >= max {
                return Err(unknown(format!("{}: the list has more than {max} pages", request.label)));
            }
            Some(format!("{} {seen} {next}", before + 1))
        }
    };
    Ok(OnePage { document, next })
}

fn count_of(rows: Option<&Paths>, document: &Value, may_lack: bool) -> Result<usize, OperatorError> {
    match rows.map(|rows| rows.rows(Doc::of(document))) {
        None => Ok(1),
        Some(Ok(rows)) => Ok(rows.len()),
        Some(Err(_)) if may_lack => Ok(0),
        Some(Err(why)) => Err(unknown(why)),
    }
}

async fn session_page(
    session: &Session,
    request: &Request,
    values: &Values,
    page: Option<&str>,
    link: Option<&str>,
) -> Result<Reply, OperatorError> {
    let mut values = values.clone();
    values.extend(page.map(|page| ("page".to_owned(), page.to_owned())));
    let Some(link) = link else { return session.reply(request, &values).await };
    let mut sent = session.fill(request, &values)?;
    follow(session, &mut sent, link)?;
    session.reply_to(&sent, &values).await
}

/// Turns a request to the address of the next page, which must be on the same host and below the same base address.
fn follow(session: &Session, sent: &mut Sent, link: &str) -> Result<(), OperatorError> {
    let astray = || unknown("the address of the next page leads away from the operator's own");
    let base = session.profile.bases.get(sent.base).and_then(|base| Url::parse(base).ok()).ok_or_else(astray)?;
    let next = base.join(link).map_err(|_| astray())?;
    let prefix = base.path().trim_end_matches('/');
    let below = next.path().strip_prefix(prefix).filter(|path| path.starts_with('/')).ok_or_else(astray)?;
    if next.host_str() != base.host_str() || next.scheme() != base.scheme() {
        return Err(astray());
    }
    sent.path = below.to_owned();
    sent.query = next.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    Ok(())
}
