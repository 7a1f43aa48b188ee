//! Finished mails, as a parser reads them that nobody here wrote: nothing from outside becomes a header or a tag, and both
//! parts say the same.

use mail_parser::{HeaderName, Message, MessageParser, MimeHeaders};
use simkeeper::domain::time::UnixTime;
use simkeeper::notify::{Finished, MailHeaders, Thread, mail};

use super::bytes::Bytes;
use super::is_tame;
use super::stories::{recipient, story};

/// The headers of a mail, each there once; those of a thread where there is one.
const HEADERS: [&str; 12] = [
    "auto-submitted",
    "content-language",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "references",
    "subject",
    "to",
];
/// What the template is made of.
const TAGS: [&str; 19] = [
    "!doctype",
    "!--[if",
    "![endif]--",
    "body",
    "br",
    "code",
    "div",
    "h1",
    "head",
    "html",
    "img",
    "meta",
    "span",
    "style",
    "table",
    "td",
    "th",
    "title",
    "tr",
];
/// What the page says beyond the text: headings of columns, and the days at the ends of a chart.
const LETTERS_MORE: usize = 64;

pub(crate) fn check(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (story, recipient) = (story(&mut bytes), recipient(&mut bytes));
    let headers = MailHeaders {
        message_id: bytes.perhaps(Bytes::text).unwrap_or_else(|| "<0193a1b2c3@keeper.example.net>".to_owned()),
        from: bytes.perhaps(Bytes::text).unwrap_or_else(|| "simkeeper <keeper@example.net>".to_owned()),
        thread: bytes.bit().then(|| Thread { root: "<root@keeper.example.net>".to_owned() }),
        date: UnixTime::clamped(bytes.number()),
    };
    // What cannot stand in a header is refused, and nothing is made of it.
    let Ok(finished) = mail(&story, &recipient, &headers) else { return };
    assert_eq!(mail(&story, &recipient, &headers).as_ref(), Ok(&finished), "the same bytes for the same story");
    is_a_plain_mail(&finished);
    let parsed = MessageParser::default().parse(&finished.bytes).expect("a mail");
    has_its_headers(&parsed, &finished, &headers, &recipient.address);
    says_the_same_twice(&parsed);
}

/// Lines as every mail server takes them.
fn is_a_plain_mail(finished: &Finished) {
    assert!(finished.bytes.is_ascii());
    for line in finished.bytes.split(|byte| *byte == b'\n') {
        assert!(line.len() <= 998, "RFC 5322, 2.1.1");
    }
    let bare = finished.bytes.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    assert!(!bare && !finished.bytes.contains(&0), "every line ends with CR LF");
    assert!(is_tame(&finished.subject) && finished.subject.chars().count() <= 61, "{:?}", finished.subject);
}

fn has_its_headers(parsed: &Message<'_>, finished: &Finished, headers: &MailHeaders, address: &str) {
    let mut names: Vec<String> = parsed.headers().iter().map(|header| header.name().to_lowercase()).collect();
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a header twice: {names:?}");
    assert!(names.iter().all(|name| HEADERS.contains(&name.as_str())), "a header of somebody else: {names:?}");
    assert_eq!(names.iter().any(|name| name == "references"), headers.thread.is_some());
    assert_eq!(parsed.subject().map(squeezed), Some(squeezed(&finished.subject)));
    let id = headers.message_id.trim_start_matches('<').trim_end_matches('>');
    assert_eq!(parsed.message_id(), Some(id));
    let to = parsed.to().expect("a recipient");
    let all: Vec<_> = to.clone().into_list().iter().filter_map(|to| to.address.clone()).collect();
    assert_eq!(all, [address], "one recipient, and the right one");
    assert!(parsed.header(HeaderName::Bcc).is_none() && parsed.header(HeaderName::Cc).is_none());
    assert_eq!(parsed.date().map(mail_parser::DateTime::to_timestamp), Some(headers.date.secs()));
}

fn says_the_same_twice(parsed: &Message<'_>) {
    assert_eq!((parsed.text_body_count(), parsed.html_body_count()), (1, 1));
    for part in parsed.attachments() {
        let kind = part.content_type().map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default()));
        assert!(matches!(kind, Some(("image", "png") | ("text", "calendar"))), "{kind:?}");
    }
    let (plain, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    let shown = visible(&html);
    let page = letters(&shown);
    for line in plain.lines() {
        assert!(page.contains(&letters(line)), "the page does not say {line:?}: {shown:?}");
    }
    assert!(
        page.chars().count() <= letters(&plain).chars().count() + LETTERS_MORE,
        "the text lacks something: {shown:?}"
    );
    let wild = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!plain.chars().chain(html.chars()).any(|c| wild(c) || turns(c)), "{plain:?}");
}

/// The text that a mail program shows of the page, after a look at every tag.
fn visible(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html.split_once("<body").expect("a body").1.split_once('>').expect("a tag").1;
    for tag in html.split('<').skip(1) {
        let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '>').collect();
        let name = name.to_lowercase();
        let known = TAGS.contains(&name.as_str()) || TAGS.contains(&name.trim_start_matches('/'));
        assert!(known, "a tag from outside: <{name}");
    }
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').expect("a tag ends").1;
        text.push(' ');
    }
    text.push_str(rest);
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain))
}

/// What is said, without how it is laid out: colons, the dashes above the footer, marks of code, arrows and spaces.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, ':' | '：' | '-' | '`' | '→')).collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
