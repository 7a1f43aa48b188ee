//! The addresses that a profile's requests go to, and the hosts that they may be on.

use std::cell::RefCell;
use std::net::IpAddr;

use reqwest::Url;

use super::tree::{Item, Table};

/// Base addresses by their place; the first is the profile's `base_url`.
pub(super) struct Hosts {
    allowed: Vec<String>,
    bases: RefCell<Vec<String>>,
}

impl Hosts {
    /// Reads `base_url` and `allowed_hosts`.
    pub(super) fn read(table: &Table<'_>) -> Self {
        let mut hosts = Self { allowed: Vec::new(), bases: RefCell::new(Vec::new()) };
        for item in table.item("allowed_hosts").map(|item| item.one_or_list()).unwrap_or_default() {
            let Some(text) = item.must_be_text() else { continue };
            let is_host = Url::parse(&format!("https://{text}")).is_ok_and(|url| url.host_str() == Some(text));
            if is_host {
                hosts.allowed.push(text.to_owned());
            } else {
                item.wrong(
                    format!("`{text}` is no name of a host"),
                    "such as \"auth.example.net\": small letters, no https://, no path, no *",
                );
            }
        }
        let base = table.must("base_url", "\"https://api.example.net/v1\"");
        if let Some(url) = base.as_ref().and_then(address) {
            // The operator's own host needs no second mention.
            hosts.allowed.extend(url.host_str().map(str::to_owned));
            hosts.bases.borrow_mut().push(url.as_str().trim_end_matches('/').to_owned());
        } else {
            hosts.bases.borrow_mut().push(String::new());
        }
        hosts.allowed.dedup();
        hosts
    }

    /// The place of another base address, whose host must be allowed.
    pub(super) fn base(&self, item: &Item<'_>) -> Option<usize> {
        let url = address(item)?;
        self.check(item, &url)?;
        Some(self.place(url.as_str().trim_end_matches('/')))
    }

    /// The place of the base address of a whole address, and the path below it.
    pub(super) fn split(&self, item: &Item<'_>) -> Option<(usize, String)> {
        let url = address(item)?;
        self.check(item, &url)?;
        let origin = url.origin().ascii_serialization();
        Some((self.place(&origin), url.path().to_owned()))
    }

    fn check(&self, item: &Item<'_>, url: &Url) -> Option<()> {
        let host = url.host_str().unwrap_or_default();
        if url.scheme() == "https" && !self.allowed.iter().any(|allowed| allowed == host) {
            item.wrong(
                format!("`{host}` is not a host that this profile may talk to"),
                format!("name it at the top of the file: allowed_hosts = [\"{host}\"]"),
            );
            return None;
        }
        Some(())
    }

    fn place(&self, base: &str) -> usize {
        let mut bases = self.bases.borrow_mut();
        let known = bases.iter().position(|known| known == base);
        known.unwrap_or_else(|| {
            bases.push(base.to_owned());
            bases.len() - 1
        })
    }

    /// The hosts and the base addresses.
    pub(super) fn into_parts(self) -> (Vec<String>, Vec<String>) {
        (self.allowed, self.bases.into_inner())
    }
}

/// An encrypted address without a query, or an open one on this machine.
fn address(item: &Item<'_>) -> Option<Url> {
    let text = item.must_be_text()?;
    let url = Url::parse(text).ok().filter(|url| url.host_str().is_some());
    let Some(url) = url else {
        item.wrong(format!("`{text}` is not an address"), "such as \"https://api.example.net/v1\"");
        return None;
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !plain || url.fragment().is_some() {
        item.wrong("an address has no name, password, `?` or `#` here", "such as \"https://api.example.net/v1\"");
        return None;
    }
    let bare = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let is_here = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if url.scheme() == "https" || url.scheme() == "http" && is_here {
        return Some(url);
    }
    item.wrong(format!("`{text}` is not encrypted"), "write https:// (http:// is taken for this machine only)");
    None
}
