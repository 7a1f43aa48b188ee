//! Pairs as the parts of a form (RFC 7578), with the same bytes for the same pairs.

use super::form::{FORM, pairs_of};

/// The type of such a form, up to its boundary.
const TYPE: &str = "multipart/form-data; boundary=";
/// The boundary, which grows until no value holds it.
const BOUNDARY: &str = "simkeeper";

/// Pairs as a form of parts: its type and its bytes. The names are plain words of ours.
pub(in crate::operators) fn multipart_of(pairs: &[(&str, &str)]) -> (String, Vec<u8>) {
    let mut boundary = BOUNDARY.to_owned();
    while pairs.iter().any(|(_, value)| value.contains(&boundary)) {
        boundary.push('x');
    }
    let mut body = String::new();
    for (name, value) in pairs {
        body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("{TYPE}{boundary}"), body.into_bytes())
}

/// The pairs of a form of ours, of parts or not.
pub(in crate::operators) fn parts_of(content_type: &str, body: &[u8]) -> Vec<(String, String)> {
    if content_type == FORM {
        return pairs_of(body);
    }
    let (Some(boundary), Ok(text)) = (content_type.strip_prefix(TYPE), std::str::from_utf8(body)) else {
        return Vec::new();
    };
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let name = head.split_once("name=\"")?.1.split_once('"')?.0;
        Some((name.to_owned(), value.strip_suffix("\r\n")?.to_owned()))
    };
    text.split(&format!("--{boundary}")).filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back_as_they_were() {
        let pairs = [("package_id", "a b&c"), ("empty", ""), ("description", "ü\"\r\n--simkeeper--\r\n")];
        let (content_type, body) = multipart_of(&pairs);
        assert_eq!(content_type, "multipart/form-data; boundary=simkeeperx");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        assert_eq!(parts_of(&content_type, &body), pairs.iter().map(owned).collect::<Vec<_>>());
        let (_, plain) = multipart_of(&pairs[..1]);
        assert_eq!(
            String::from_utf8(plain).unwrap(),
            "--simkeeper\r\nContent-Disposition: form-data; name=\"package_id\"\r\n\r\na b&c\r\n--simkeeper--\r\n"
        );
        assert_eq!(parts_of(FORM, b"a=1&b=2"), [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
        assert_eq!(parts_of("text/plain", b"a=1"), []);
    }
}
