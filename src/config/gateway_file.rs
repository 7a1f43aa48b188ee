//! The table of a text gateway: one HTTP request per text, described by its owner.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::channel::{ChannelKind, Gateway, GatewayValue, Method, Piece, Placeholder};
use super::channel_file::TextsTable;
use super::containers::OneOrMore;
use super::declare::table;
use super::machine_file::texts;
use super::reader::{Field, Named, Node, Notes, Span, Value, known_words, looks_secret};
use super::secret::SecretRef;
use super::values::{SafeUrl, Words};
use crate::domain::card::Name;

/// Statuses that mean "taken" if nothing is said.
const SUCCESS_USUAL: [u16; 3] = [200, 201, 202];
/// Statuses that mean "never" if nothing is said: the request is wrong, and stays wrong.
const PERMANENT_USUAL: [u16; 5] = [400, 401, 403, 404, 422];

table! {
    /// Texts by one HTTP request each.
    struct GatewayTable with texts: TextsTable {
        /// get, post or put; post if nothing is said.
        may method: Method,
        /// The address.
        must url: SafeUrl,
        /// Parameters behind the address's `?`; values may hold {to}, {text}, {id}, {coding}, {minutes} and {receipts}, or be secrets.
        may query: Named<GatewayValue>,
        /// Fields of a form; not with get.
        may form: Named<GatewayValue>,
        /// Headers.
        may headers: Named<GatewayValue>,
        /// Statuses that mean "taken"; 200, 201 and 202 if nothing is said.
        may success_status: OneOrMore<u16>,
        /// Statuses that mean "never"; 400, 401, 403, 404 and 422 if nothing is said. Others are tried again.
        may permanent_status: OneOrMore<u16>,
        /// Beginnings of an answer that mean "taken"; any answer, if nothing is said.
        may success_prefix: OneOrMore<Words>,
        /// Beginnings of an answer that mean "never".
        may permanent_prefix: OneOrMore<Words>,
        /// The card of rules.toml that the texts go through, where it is one.
        may through: Name,
    }
}

/// The gateway that a table describes.
pub(super) fn gateway(table: &GatewayTable, name: &Span, notes: &mut Notes<'_>) -> Option<ChannelKind> {
    let method = table.method.get().copied().unwrap_or(Method::Post);
    if let (Method::Get, Some(form)) = (method, table.form.good()) {
        notes.contradiction(&form.key, "a GET request has no form", "method = \"post\", or use query".to_owned());
    }
    check_placeholders(table, name, notes);
    check_header_names(&table.headers, notes);
    let success_status = statuses(&table.success_status, &SUCCESS_USUAL, notes);
    let mut permanent_status = statuses(&table.permanent_status, &PERMANENT_USUAL, notes);
    if let Some(both) = success_status.intersection(&permanent_status).next()
        && let Some(at) = table.permanent_status.good()
    {
        notes.contradiction(&at.span, format!("{both} cannot mean both \"taken\" and \"never\""), None);
    }
    permanent_status.retain(|status| !success_status.contains(status));
    Some(ChannelKind::Gateway(Box::new(Gateway {
        method,
        url: table.url.get()?.0.clone(),
        query: pairs(&table.query),
        form: pairs(&table.form),
        headers: pairs(&table.headers),
        success_status,
        permanent_status,
        success_prefix: texts(&table.success_prefix),
        permanent_prefix: texts(&table.permanent_prefix),
    })))
}

/// Whether the gateway is told where to report what became of a text.
pub(super) fn wants_receipts(table: &GatewayTable) -> bool {
    let mut values = [&table.query, &table.form, &table.headers].into_iter().flat_map(pairs);
    values.any(|(_, value)| match value {
        GatewayValue::Template(pieces) => pieces.contains(&Piece::Placeholder(Placeholder::Receipts)),
        GatewayValue::Secret(_) => false,
    })
}

fn pairs(field: &Field<Named<GatewayValue>>) -> Vec<(String, GatewayValue)> {
    let entries = field.get().into_iter().flat_map(|named| named.0.iter());
    entries.filter_map(|entry| Some((entry.name.to_string(), entry.value.clone()?))).collect()
}

fn statuses(field: &Field<OneOrMore<u16>>, usual: &[u16], notes: &mut Notes<'_>) -> BTreeSet<u16> {
    let Some(list) = field.get() else { return usual.iter().copied().collect() };
    for at in list.0.iter().filter(|at| !(100..=599).contains(&at.value)) {
        notes.error(&at.span, format!("{} is not an HTTP status", at.value), "they go from 100 to 599".to_owned());
    }
    list.0.iter().map(|at| at.value).collect()
}

/// A gateway that is told neither the number nor the text sends nothing.
fn check_placeholders(table: &GatewayTable, name: &Span, notes: &mut Notes<'_>) {
    let tables = [&table.query, &table.form, &table.headers];
    let unreadable = |named: &Named<GatewayValue>| named.0.iter().any(|entry| entry.value.is_none());
    if tables.iter().any(|field| matches!(field, Field::Bad) || field.get().is_some_and(unreadable)) {
        return;
    }
    let values = tables.iter().flat_map(|field| pairs(field)).map(|(_, value)| value).collect::<Vec<_>>();
    for (word, wanted) in [("to", Placeholder::To), ("text", Placeholder::Text)] {
        let holds = |value: &GatewayValue| match value {
            GatewayValue::Template(pieces) => pieces.contains(&Piece::Placeholder(wanted)),
            GatewayValue::Secret(_) => false,
        };
        if !values.iter().any(holds) {
            let help = format!("put {{{word}}} into a value of query or form, such as {word} = \"{{{word}}}\"");
            notes.contradiction(name, format!("this gateway is never told {{{word}}}"), help);
        }
    }
}

/// A name that no header can have.
pub(super) fn check_header_names<T>(headers: &Field<Named<T>>, notes: &mut Notes<'_>) {
    for entry in headers.get().into_iter().flat_map(|named| named.0.iter()) {
        if !is_token(entry.name.as_str()) {
            let message = format!("`{}` is not the name of a header", entry.name);
            notes.error(&entry.key, message, "letters, digits and hyphens, such as X-Api-Key".to_owned());
        }
    }
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

impl JsonSchema for GatewayValue {
    fn schema_name() -> Cow<'static, str> {
        "GatewayValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = generator.subschema_for::<SecretRef>();
        json_schema!({ "anyOf": [{ "type": "string" }, secret] })
    }
}

impl Value for GatewayValue {
    fn read(node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        // A plain text under such a key is taken for a secret that was written out.
        let holds_secret = looks_secret(node.name());
        match node.as_text() {
            Some(text) if !holds_secret => template(text, node, notes).map(Self::Template),
            // The reader of secrets says what is wrong with anything but a reference, and keeps it from being shown.
            Some(_) | None if holds_secret || node.as_table().is_some() => {
                <SecretRef as Value>::read(node, notes).map(Self::Secret)
            }
            Some(_) | None => {
                notes.wrong_kind(node, "a text or a secret", "\"{text}\"");
                None
            }
        }
    }
}

fn template(text: &str, node: &Node<'_>, notes: &mut Notes<'_>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((word, behind)) = after.split_once('}') else {
            let words = Placeholder::ALL.map(|(word, _)| format!("{{{word}}}"));
            notes.error(&node.span, "a `{` without its `}`", format!("placeholders: {}", words.join(", ")));
            return None;
        };
        let Some((_, placeholder)) = Placeholder::ALL.into_iter().find(|(known, _)| *known == word) else {
            let help = known_words(word, &Placeholder::ALL.map(|(known, _)| known));
            notes.error(&node.span, format!("`{{{word}}}` is not a placeholder"), help);
            return None;
        };
        pieces.extend((!before.is_empty()).then(|| Piece::Literal(before.to_owned())));
        pieces.push(Piece::Placeholder(placeholder));
        rest = behind;
    }
    pieces.extend((!rest.is_empty()).then(|| Piece::Literal(rest.to_owned())));
    Some(pieces)
}
