//! The XML documents of the Business API, as far as they are needed. Fields come in any order, one row looks like many,
//! values have blanks around them, and empty elements mean that nothing is told.

use roxmltree::{Document, Node, ParsingOptions};

use crate::domain::card::tamed;
use crate::operators::http::HttpAnswer;
use crate::operators::kit::Loose;

/// More elements than a page of 500 cards has.
const NODES_MAX: u32 = 500_000;

/// One `sim` of `simStatus` and `simListLite`.
#[derive(Clone, Debug, Default)]
pub(super) struct SimDoc {
    pub(super) iccid: Option<String>,
    pub(super) msisdn: Option<String>,
    pub(super) status: Option<String>,
    pub(super) balance: Option<Loose>,
    pub(super) expires: Option<String>,
    pub(super) blocks_when_expired: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) name: Option<String>,
    pub(super) tag: Option<String>,
}

/// `credit`: the account's money and a page of its log.
#[derive(Clone, Debug)]
pub(super) struct CreditDoc {
    pub(super) amount: Loose,
    pub(super) currency: String,
    pub(super) rows: Vec<RowDoc>,
}

/// A row of the log.
#[derive(Clone, Debug)]
pub(super) struct RowDoc {
    pub(super) amount: Option<Loose>,
    pub(super) loaded: Option<String>,
    pub(super) what: Option<String>,
    pub(super) msisdn: Option<String>,
}

/// A plan of `customPlanList`.
#[derive(Clone, Debug)]
pub(super) struct PlanDoc {
    pub(super) names: Vec<String>,
    pub(super) recharges_itself: bool,
}

/// `done` is false: what the operator says about it.
#[derive(Clone, Debug)]
pub(super) struct Denied {
    pub(super) code: Option<String>,
    pub(super) message: String,
}

/// Reads a document: what `take` finds in it if it is done, else why not.
///
/// # Errors
/// Says why it is not the documented document. There are no entities and no DTD in it.
pub(super) fn read<T>(
    answer: &HttpAnswer,
    take: impl FnOnce(Node<'_, '_>) -> Result<T, String>,
) -> Result<Result<T, Denied>, String> {
    let text = answer.text()?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| tamed(&error.to_string(), 200))?;
    let root = document.root_element();
    let done = root.has_tag_name("result").then(|| value(root, "done")).flatten();
    match done.map(|done| done.to_ascii_lowercase()).as_deref() {
        Some("true") => take(root).map(Ok),
        Some("false") => {
            let message = tamed(&value(root, "errorMessage").unwrap_or_default(), 200);
            Ok(Err(Denied { code: value(root, "errorCode"), message }))
        }
        _ => Err("it is not a `result` that is done or not done".into()),
    }
}

/// The cards in a document.
pub(super) fn sims(root: Node<'_, '_>) -> Result<Vec<SimDoc>, String> {
    let list = child(root, "sims").ok_or("it has no `sims`")?;
    Ok(children(list, "sim").map(sim).collect())
}

fn sim(node: Node<'_, '_>) -> SimDoc {
    SimDoc {
        iccid: value(node, "iccid"),
        msisdn: value(node, "msisdn"),
        status: value(node, "status"),
        balance: value(node, "balance").map(Loose),
        expires: value(node, "expirationDate"),
        blocks_when_expired: value(node, "blockSimAfterExpirationDate"),
        plan: value(node, "plan"),
        name: value(node, "name"),
        tag: value(node, "tag"),
    }
}

/// The credit in a document. An account without a log has no rows; a log that is missing is an error, since its rows
/// are what an order is found by.
pub(super) fn credit(root: Node<'_, '_>) -> Result<CreditDoc, String> {
    let log = child(root, "creditHistory").ok_or("it has no `creditHistory`")?;
    let row = |node| RowDoc {
        amount: value(node, "amount").map(Loose),
        loaded: value(node, "dateLoad"),
        what: value(node, "opDescription"),
        msisdn: value(node, "msisdn"),
    };
    Ok(CreditDoc { rows: children(log, "historyRow").map(row).collect(), ..money(root)? })
}

/// The money in a document, whatever its log.
pub(super) fn money(root: Node<'_, '_>) -> Result<CreditDoc, String> {
    let told = |name: &str| value(root, name).ok_or_else(|| format!("it has no `{name}`"));
    Ok(CreditDoc { amount: Loose(told("amount")?), currency: told("currency")?, rows: Vec::new() })
}

/// The account's own plans. The operator's pages and its answers write one name in two ways, so letters count alike.
pub(super) fn plans(root: Node<'_, '_>) -> Result<Vec<PlanDoc>, String> {
    let Some(list) = child(root, "plans").or_else(|| child(root, "customPlans")) else { return Ok(Vec::new()) };
    let plan = |node: Node<'_, '_>| PlanDoc {
        names: [value(node, "id"), value(node, "name")].into_iter().flatten().collect(),
        recharges_itself: value(node, "simAutoRechargeEnabled")
            .is_some_and(|flag| !matches!(flag.to_ascii_lowercase().as_str(), "0" | "false")),
    };
    Ok(list.children().filter(Node::is_element).map(plan).collect())
}

fn children<'a, 'd: 'a>(node: Node<'a, 'd>, name: &'a str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name().eq_ignore_ascii_case(name))
}

fn child<'a, 'd: 'a>(node: Node<'a, 'd>, name: &'a str) -> Option<Node<'a, 'd>> {
    children(node, name).next()
}

/// The text of a field; none if it is missing or empty.
fn value(node: Node<'_, '_>, name: &str) -> Option<String> {
    let text = child(node, name)?.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed<T>(text: &str, take: fn(Node<'_, '_>) -> Result<T, String>) -> Result<T, String> {
        let document = Document::parse(text).map_err(|error| error.to_string())?;
        take(document.root_element())
    }

    #[test]
    fn one_row_looks_like_many_and_blanks_mean_nothing() {
        let one = parsed("<result><sims><sim><iccid> 89 </iccid><balance/></sim></sims></result>", sims).unwrap();
        assert_eq!(one[0].iccid.as_deref(), Some("89"));
        assert_eq!(one[0].balance, None);
        let two = parsed("<result><sims>\n <sim/>\n <sim/>\n</sims><done>true</done></result>", sims).unwrap();
        assert_eq!(two.len(), 2);
        assert!(parsed("<result><done>true</done></result>", sims).is_err());
    }

    #[test]
    fn a_plan_that_recharges_by_itself_is_seen_however_it_is_written() {
        for (flag, expected) in [
            ("<simAutoRechargeEnabled>1</simAutoRechargeEnabled>", true),
            ("<simAutorechargeEnabled>true</simAutorechargeEnabled>", true),
            ("<simAutorechargeEnabled>0</simAutorechargeEnabled>", false),
            ("<simAutorechargeEnabled>False</simAutorechargeEnabled>", false),
            ("", false),
        ] {
            let text = format!("<result><plans><plan><id>7</id><name>Auto</name>{flag}</plan></plans></result>");
            let found = parsed(&text, plans).unwrap();
            assert_eq!(found[0].recharges_itself, expected, "{flag}");
            assert_eq!(found[0].names, ["7", "Auto"]);
        }
    }
}
