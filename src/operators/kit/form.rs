//! Types of bodies, and pairs as a form.

use reqwest::Url;

/// The type of a form.
pub(in crate::operators) const FORM: &str = "application/x-www-form-urlencoded";
/// The type of a JSON document.
pub(in crate::operators) const JSON: &str = "application/json";

/// Pairs as a form.
pub(in crate::operators) fn form_of(pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut form = no_address();
    form.query_pairs_mut().extend_pairs(pairs);
    form.query().unwrap_or_default().as_bytes().to_vec()
}

/// The pairs of a form, in their order.
pub(in crate::operators) fn pairs_of(form: &[u8]) -> Vec<(String, String)> {
    let mut address = no_address();
    address.set_query(std::str::from_utf8(form).ok());
    address.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[expect(clippy::expect_used, reason = "a constant that the tests parse")]
fn no_address() -> Url {
    // The address is used for its form encoding only and goes nowhere.
    Url::parse("https://form.invalid").expect("a constant address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_keep_their_order_and_their_characters() {
        let form = form_of(&[("package_id", "a b&c"), ("iccid", "89"), ("description", "ü\"")]);
        assert_eq!(form, b"package_id=a+b%26c&iccid=89&description=%C3%BC%22");
        let pairs = pairs_of(&form);
        assert_eq!(pairs[0], ("package_id".to_owned(), "a b&c".to_owned()));
        assert_eq!(pairs[2].1, "ü\"");
    }
}
