//! Which placeholders may stand where: an order knows the plan and our key, a list of cards knows neither.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::source::nearest;
use super::template::Template;
use super::tree::Item;

/// What a card is known by; beside them is `field.X`.
const CARD: &[&str] = &["iccid", "msisdn", "imei", "eid"];
/// What an order is for.
const PLAN: &[&str] =
    &["plan.id", "plan.name", "plan.price", "plan.currency", "plan.credit", "plan.data", "plan.validity"];

/// Secrets that a profile names, and which of them are used.
#[derive(Default)]
pub(super) struct Named {
    pub(super) secrets: Vec<String>,
    pub(super) used: RefCell<BTreeSet<String>>,
}

/// One place for templates.
pub(super) struct Place<'n> {
    what: &'static str,
    names: Vec<&'static str>,
    with_fields: bool,
    with_secrets: bool,
    /// Values that an earlier answer of the same call gave, as `capture.X`.
    pub(super) captures: Vec<String>,
    /// Values of the token's answer, as `token.X`.
    pub(super) tokens: Vec<String>,
    named: &'n Named,
}

impl<'n> Place<'n> {
    fn new(what: &'static str, parts: &[&[&'static str]], named: &'n Named) -> Self {
        Self {
            what,
            names: parts.concat(),
            with_fields: parts.contains(&CARD),
            with_secrets: true,
            captures: Vec::new(),
            tokens: Vec::new(),
            named,
        }
    }

    pub(super) fn read(named: &'n Named) -> Self {
        Self::new("a reading", &[CARD, &["now", "page"]], named)
    }

    pub(super) fn catalogue(named: &'n Named) -> Self {
        Self::new("a catalogue", &[CARD, &["now", "page"]], named)
    }

    pub(super) fn list(named: &'n Named) -> Self {
        Self::new("a list of cards", &[&["page"]], named)
    }

    pub(super) fn wallet(named: &'n Named) -> Self {
        Self::new("the wallet", &[], named)
    }

    pub(super) fn preflight(named: &'n Named) -> Self {
        Self::new("a preflight", &[CARD, PLAN, &["code", "page"]], named)
    }

    /// The bytes of an order are stored, so no secret may stand in them.
    pub(super) fn buy(named: &'n Named) -> Self {
        let all = Self::new("an order", &[CARD, PLAN, &["key", "code", "payment"]], named);
        Self { with_secrets: false, ..all }
    }

    pub(super) fn commit(named: &'n Named) -> Self {
        let all = Self::new("a commit", &[CARD, PLAN, &["key", "code", "payment", "order_id"]], named);
        Self { with_secrets: false, ..all }
    }

    pub(super) fn find(named: &'n Named) -> Self {
        let names: [&[&'static str]; 2] =
            [CARD, &["key", "order_id", "plan.id", "plan.price", "plan.currency", "since", "page"]];
        Self::new("a look-up", &names, named)
    }

    pub(super) fn access(named: &'n Named) -> Self {
        Self::new("the access", &[], named)
    }

    pub(super) fn signed(named: &'n Named) -> Self {
        let names: &[&'static str] =
            &["method", "path", "query", "body", "body_sha256", "timestamp", "timestamp_ms", "nonce", "signature"];
        Self::new("a signature", &[names], named)
    }

    /// Reads a template that may stand here.
    pub(super) fn template(&self, item: &Item<'_>) -> Option<Template> {
        let template = Template::read(item)?;
        let mut fine = true;
        for slot in template.slots() {
            if !self.allows(&slot.name) {
                fine = false;
                let (message, help) = self.complaint(&slot.name);
                item.wrong_at(slot.within.clone(), message, help);
            }
        }
        fine.then_some(template)
    }

    fn allows(&self, name: &str) -> bool {
        let has = |names: &[String], name: &str| names.iter().any(|known| known == name);
        match name.split_once('.') {
            Some(("field", field)) => self.with_fields && !field.is_empty(),
            Some(("secret", secret)) if self.with_secrets && has(&self.named.secrets, secret) => {
                self.named.used.borrow_mut().insert(secret.to_owned());
                true
            }
            Some(("capture", capture)) => has(&self.captures, capture),
            Some(("token", token)) => has(&self.tokens, token),
            _ => self.names.contains(&name),
        }
    }

    fn complaint(&self, name: &str) -> (String, String) {
        match name.split_once('.') {
            Some(("secret", _)) if !self.with_secrets => (
                format!("{{{name}}} may not stand in {}", self.what),
                "the bytes of an order are stored before they are sent; put secrets into [auth]".into(),
            ),
            Some(("secret", secret)) => (
                format!("the secret `{secret}` is not named"),
                format!("add it at the top of the file: secrets = [\"{secret}\"]"),
            ),
            Some(("capture", capture)) => (
                format!("nothing is captured as `{capture}` before this"),
                format!("an earlier part of the same call gives it: capture = {{ {capture} = \"$.…\" }}"),
            ),
            _ => {
                let mut names: Vec<String> = self.names.iter().map(|name| (*name).to_owned()).collect();
                let starts = [("field.X", self.with_fields), ("secret.X", self.with_secrets)];
                names.extend(starts.iter().filter(|(_, there)| *there).map(|(start, _)| (*start).to_owned()));
                names.extend(self.captures.iter().map(|name| format!("capture.{name}")));
                names.extend(self.tokens.iter().map(|name| format!("token.{name}")));
                let meant =
                    nearest(name, names.iter().map(String::as_str)).map(|name| format!("did you mean {{{name}}}? "));
                let all: Vec<String> = names.iter().map(|name| format!("{{{name}}}")).collect();
                let help = format!("{}here may stand: {}", meant.unwrap_or_default(), all.join(" "));
                (format!("{{{name}}} is no placeholder for {}", self.what), help)
            }
        }
    }
}
