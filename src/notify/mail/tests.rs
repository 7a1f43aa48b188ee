use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use mail_parser::{MessageParser, MimeHeaders};

use super::super::samples::{chinese, recipient, samples};
use super::*;
use crate::domain::card::Name;
use crate::domain::notice::{Event, Language, NoticeKind};

fn headers(thread: Option<Thread>) -> MailHeaders {
    MailHeaders {
        message_id: "<0193a1b2c3@keeper.example.net>".to_owned(),
        from: "simkeeper <keeper@example.net>".to_owned(),
        thread,
        date: UnixTime::parse("2026-12-18T09:30:00Z").unwrap(),
    }
}

/// What a mail says, as a stranger's parser reads it.
struct Read {
    subject: String,
    plain: String,
    html: String,
    raw: String,
}

fn read(story: &Story, recipient: &Recipient, headers: &MailHeaders) -> Read {
    let finished = mail(story, recipient, headers).unwrap();
    let parsed = MessageParser::default().parse(&finished.bytes).unwrap();
    let root = parsed.root_part().content_type().unwrap().subtype().map(str::to_owned);
    let has_dates = parsed.attachments().any(|part| part.attachment_name() == Some("dates.ics"));
    assert_eq!(root.as_deref(), Some(if has_dates { "mixed" } else { "alternative" }));
    assert_eq!(parsed.subject().unwrap(), finished.subject);
    Read {
        subject: finished.subject.clone(),
        plain: parsed.body_text(0).unwrap().into_owned(),
        html: parsed.body_html(0).unwrap().into_owned(),
        raw: String::from_utf8(finished.bytes.clone()).unwrap(),
    }
}

/// Every run of digits with the points and colons inside it.
fn numbers(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
        .map(|run| run.trim_matches(['.', ':']).to_owned())
        .filter(|run| run.chars().any(|c| c.is_ascii_digit()))
        .collect()
}

/// The visible text of the HTML part.
fn visible(html: &str) -> String {
    let body = html.split("<body").nth(1).unwrap();
    let mut text = String::new();
    for piece in body.split('<') {
        let (tag, rest) = piece.split_once('>').unwrap_or(("", piece));
        // A mark within a line parts no words.
        let inline = ["code", "/code", "span", "/span"].contains(&tag.split(' ').next().unwrap_or(""));
        text.push_str(if inline { "" } else { " " });
        text.push_str(rest);
    }
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, plain)| text.replace(entity, plain))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_story_renders_in_every_language_with_the_same_facts_in_both_parts() {
    for language in Language::ALL {
        let recipient = recipient(language);
        for story in samples() {
            let mail = read(&story, &recipient, &headers(None));
            let html = visible(&mail.html);
            assert_eq!(numbers(&mail.plain), numbers(&html), "{story:?}");
            let joined = |text: &str| squeezed(&text.replace([':', '：'], " ").replace('`', ""));
            let html = joined(&html);
            for line in mail.plain.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "--") {
                let line = joined(line);
                assert!(html.contains(&line), "{line} is not in {html}");
            }
            assert!(mail.subject.chars().count() <= 60, "{}", mail.subject);
            assert!(!mail.plain.contains("{") || story.event.kind() == NoticeKind::RulesProblem, "{}", mail.plain);
        }
    }
}

#[test]
fn chinese_mails_speak_chinese_and_english_mails_do_not() {
    let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for story in samples() {
        let english = read(&story, &recipient(Language::ENGLISH), &headers(None));
        assert!(!han(&english.raw) && !han(&english.plain) && !han(&english.html));
        let chinese = read(&story, &recipient(chinese()), &headers(None));
        assert!(han(&chinese.subject) && han(&chinese.html), "{}", chinese.subject);
        // Each sentence and label of the plain part has Chinese in it; only facts and lines to type have none.
        let first = chinese.plain.lines().next().unwrap();
        assert!(han(first), "{first}");
        for label in chinese.plain.lines().skip(1).filter_map(|line| line.split_once("：")).map(|(label, _)| label) {
            // The lines of a digest begin with the names of cards.
            let is_list = matches!(story.event.kind(), NoticeKind::RulesProblem | NoticeKind::Digest);
            assert!(han(label) || is_list, "{label}");
        }
    }
}

#[test]
fn times_follow_the_recipient_in_both_languages() {
    let story = super::super::preview(NoticeKind::DueSoon).remove(0);
    let english = read(&story, &recipient(Language::ENGLISH), &headers(None));
    assert_eq!(english.subject, "canada-trip: plan ends 20 Dec 2026 08:00");
    assert!(english.plain.contains("Times are in America/Toronto."), "{}", english.plain);
    let chinese = read(&story, &recipient(chinese()), &headers(None));
    assert_eq!(chinese.subject, "canada-trip：2026年12月20日 08:00 套餐到期");
    let shanghai =
        Recipient { zone: TimeZone::get("Asia/Shanghai").unwrap(), ..recipient(super::super::samples::chinese()) };
    assert!(read(&story, &shanghai, &headers(None)).subject.contains("2026年12月20日 21:00"));
}

#[test]
fn a_bought_mail_holds_everything_an_owner_asks_for() {
    let story = super::super::preview(NoticeKind::Bought).remove(0);
    let mail = read(&story, &recipient(Language::ENGLISH), &headers(None));
    for fact in [
        "canada-trip was renewed with Canada 3 GB 7 days for 12.50 USD and now lasts to 27 Dec 2026 08:00.",
        "Plan: Canada 3 GB 7 days (3 GB, 7 days)",
        "Paid: 12.50 USD",
        "Limit left: 27.50 USD this month",
        "Plan ends: 20 Dec 2026 08:00 → 27 Dec 2026 08:00",
        "Data left: 412 MB → 3.41 GB",
        "Order number: 20261218-064512",
        "Why: rule travel, rules.toml:14",
        "    simkeeper skip canada-trip",
        "Card: canada-trip (…4567)",
    ] {
        assert!(mail.plain.contains(fact), "{fact} is not in\n{}", mail.plain);
    }
}

#[test]
fn a_refusal_walks_from_the_card_over_payment_and_operator_to_whom_to_call() {
    use crate::domain::notice::FailedWhy;
    use crate::domain::operator::RefusalKind;
    let rungs = |kind| match kind {
        RefusalKind::WalletEmpty | RefusalKind::PaymentDeclined | RefusalKind::BadCode => &["Payment: "][..],
        RefusalKind::PlanGone | RefusalKind::Passing | RefusalKind::Access => &["Operator: "],
        RefusalKind::CardDead | RefusalKind::CardData | RefusalKind::NotActive => &["Card: "],
        RefusalKind::Other => &["Card: ", "Payment: ", "Operator: "],
    };
    let mut seen = 0;
    for story in super::super::preview(NoticeKind::Failed) {
        let Event::Failed { why: FailedWhy::Refused(refusal), support, .. } = &story.event else { continue };
        let mail = read(&story, &recipient(Language::ENGLISH), &headers(None));
        let text = squeezed(&mail.plain);
        let places: Vec<usize> = rungs(refusal.kind)
            .iter()
            .map(|rung| text.find(rung).unwrap_or_else(|| panic!("{rung} is not in {text}")))
            .chain(text.find("If that is not it: please ask "))
            .collect();
        assert_eq!(places.len(), rungs(refusal.kind).len() + 1, "{text}");
        assert!(places.is_sorted(), "{text}");
        let whom = support.as_deref().unwrap_or("the operator's support");
        let call = format!("please ask {whom} and quote the code {}.", refusal.code);
        assert!(text.contains(&call), "{call} is not in {text}");
        let chinese = read(&story, &recipient(chinese()), &headers(None)).plain;
        assert!(chinese.contains("若以上均无误：请联系"), "{chinese}");
        seen += 1;
    }
    assert_eq!(seen, 22);
}

#[test]
fn a_low_wallet_says_until_when_it_lasts_and_what_to_do() {
    let told = |place: usize, language| {
        let story = super::super::preview(NoticeKind::WalletLow).remove(place);
        read(&story, &recipient(language), &headers(None))
    };
    let some = told(0, Language::ENGLISH);
    assert_eq!(some.subject, "simkeeper: wallet airalo lasts until 18 Dec 2026");
    for fact in ["enough for 1 more", "canada-trip, 12.50 USD", "Please put money into", "support@example.net"] {
        assert!(some.plain.contains(fact), "{fact} is not in\n{}", some.plain);
    }
    let none = told(1, Language::ENGLISH);
    assert!(none.plain.contains("does not cover the next renewal: canada-trip, 12.50 USD on"), "{}", none.plain);
    assert!(told(0, chinese()).plain.contains("请在此之前"));
}

#[test]
fn a_question_says_what_to_type_and_whom_to_ask() {
    for story in super::super::preview(NoticeKind::Asked) {
        let mail = read(&story, &recipient(Language::ENGLISH), &headers(None));
        let lines = match &story.event {
            Event::Asked { ask: crate::domain::notice::Ask::Approve { .. }, .. } => {
                ["simkeeper approve 12", "simkeeper refuse 12"]
            }
            _ => ["simkeeper settle 12 bought --reason \"…\"", "simkeeper settle 12 not-bought --reason \"…\""],
        };
        assert!(lines.iter().all(|line| mail.plain.contains(line)), "{}", mail.plain);
    }
    let story = super::super::preview(NoticeKind::Asked).remove(0);
    assert!(read(&story, &recipient(Language::ENGLISH), &headers(None)).plain.contains("support@example.net"));
}

#[test]
fn the_headers_are_those_that_were_asked_for() {
    let story = super::super::preview(NoticeKind::Bought).remove(0);
    let thread = Thread { root: "<root-1@example.net>".to_owned() };
    let finished = mail(&story, &recipient(Language::ENGLISH), &headers(Some(thread.clone()))).unwrap();
    let parsed = MessageParser::default().parse(&finished.bytes).unwrap();
    assert_eq!(parsed.message_id(), Some("0193a1b2c3@keeper.example.net"));
    assert_eq!(parsed.in_reply_to().as_text(), Some("root-1@example.net"));
    assert_eq!(parsed.references().as_text(), Some("root-1@example.net"));
    assert_eq!(parsed.header("Auto-Submitted").and_then(|value| value.as_text()), Some("auto-generated"));
    assert_eq!(parsed.date().unwrap().to_rfc3339(), "2026-12-18T09:30:00Z");
    assert!(parsed.subject().unwrap().starts_with("canada-trip: "), "{:?}", parsed.subject());
    assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("keeper@example.net"));
    assert_eq!(parsed.to().unwrap().first().unwrap().name(), Some("Anna Müller"));
    for name in
        ["Message-ID", "Date", "From", "To", "Subject", "MIME-Version", "Auto-Submitted", "In-Reply-To", "References"]
    {
        let raw = String::from_utf8(finished.bytes.clone()).unwrap();
        let head = raw.split("\r\n\r\n").next().unwrap();
        let count = head
            .lines()
            .filter(|line| line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())))
            .count();
        assert_eq!(count, 1, "{name} in\n{head}");
    }
    // Each mail of a thread says in its own subject what it wants.
    let urgent = super::super::preview(NoticeKind::Asked).remove(0);
    let finished = mail(&urgent, &recipient(Language::ENGLISH), &headers(Some(thread))).unwrap();
    assert!(finished.subject.starts_with("canada-trip: buy for 12.50 USD?"), "{}", finished.subject);
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    for story in samples().into_iter().take(5) {
        let once = mail(&story, &recipient(chinese()), &headers(None)).unwrap();
        assert_eq!(once, mail(&story, &recipient(chinese()), &headers(None)).unwrap());
        assert!(once.bytes.is_ascii(), "no server has to know 8BITMIME");
        assert!(once.bytes.split(|b| *b == b'\n').all(|line| line.len() <= 998), "RFC 5322 2.1.1");
    }
}

#[test]
fn nothing_from_outside_breaks_out_of_its_place() {
    let attack = "x\r\nBcc: eve@example.net\r\n\r\n<script>alert(1)</script>\u{202e}\u{0}\u{1b}[31m";
    let mut story = super::super::preview(NoticeKind::Bought).remove(0);
    let Event::Bought { plan, order_id, .. } = &mut story.event else { panic!("a bought story") };
    plan.name = attack.to_owned();
    *order_id = Some(attack.to_owned());
    let thread = Thread { root: "<r@x>".to_owned() };
    let mail_read = read(&story, &recipient(Language::ENGLISH), &headers(Some(thread)));
    let head = mail_read.raw.split("\r\n\r\n").next().unwrap();
    assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
    assert!(!mail_read.html.contains("<script"), "{}", mail_read.html);
    for text in [&mail_read.plain, &mail_read.html, &mail_read.subject] {
        assert!(!text.contains(['\u{202e}', '\u{0}', '\u{1b}']), "{text}");
    }
    for id in ["<a@b>\r\nBcc: x@y", "a@b", "<a b@c>", "<>", "<@>", "<a@b@c>"] {
        let headers = MailHeaders { message_id: id.to_owned(), ..headers(None) };
        assert!(mail(&story, &recipient(Language::ENGLISH), &headers).is_err(), "{id}");
    }
    let eve =
        Recipient { address: "anna@example.net\r\nBcc: eve@example.net".to_owned(), ..recipient(Language::ENGLISH) };
    assert!(mail(&story, &eve, &headers(None)).is_err());
}

#[test]
fn names_of_any_script_and_length_survive() {
    for name in ["旅行卡 🇨🇦".to_owned(), "بطاقة السفر".to_owned(), "👩‍👩‍👧‍👦".to_owned(), "é".repeat(80), "卡".repeat(80)]
    {
        for sample in NoticeKind::ALL.into_iter().flat_map(super::super::shown) {
            let mut story = sample.story;
            let Some(card) = &mut story.card else { continue };
            card.name = Name::parse(&name).unwrap();
            let person = Recipient { person: Name::parse(&name).unwrap(), ..recipient(chinese()) };
            let mail = read(&story, &person, &headers(None));
            assert!(mail.subject.chars().count() <= 60, "{}", mail.subject);
            assert!(mail.plain.contains(&name));
            assert!(mail.subject.starts_with(&name.chars().take(4).collect::<String>()), "{}", mail.subject);
        }
    }
}

#[test]
fn the_html_suits_phones_and_dark_screens_and_loads_nothing() {
    for language in Language::ALL {
        let story = super::super::preview(NoticeKind::Bought).remove(0);
        let html = read(&story, &recipient(language), &headers(None)).html;
        assert!(html.contains(&format!("<html lang=\"{}\">", language.tag())));
        assert!(html.contains("name=\"color-scheme\" content=\"light dark\""));
        for remote in ["http:", "https:", "src=", "href=", "url(", "@import"] {
            assert!(!html.replace("src=\"cid:", "").contains(remote), "{remote}");
        }
        // Wherever a colour of text is set, the colour behind it is too.
        let styles = html.split("style=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        let rules = html.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
        for style in styles.chain(rules) {
            let sets_text = style.split(';').any(|part| part.trim().starts_with("color:"));
            assert!(!sets_text || style.contains("background-color:"), "{style}");
        }
        assert!(html.contains("max-width:600px") && html.contains("overflow-wrap:anywhere"));
    }
}

#[test]
fn a_picture_shows_what_its_words_say_and_the_new_end_is_a_date() {
    let story = super::super::preview(NoticeKind::Bought).remove(0);
    for language in Language::ALL {
        let finished = mail(&story, &recipient(language), &headers(None)).unwrap();
        let parsed = MessageParser::default().parse(&finished.bytes).unwrap();
        let html = parsed.body_html(0).unwrap().into_owned();
        let shown = parsed.parts.iter().find(|part| part.content_id() == Some(PICTURE_ID)).unwrap();
        assert!(html.contains(&format!("src=\"cid:{PICTURE_ID}\"")) && shown.contents().starts_with(b"\x89PNG"));
        let alt = html.split("alt=\"").nth(1).unwrap().split('"').next().unwrap();
        // Each language has a decimal sign of its own.
        assert!(["3.41 GB", "500 MB", "21"].iter().all(|number| alt.replace(',', ".").contains(number)), "{alt}");
        assert!(parsed.body_text(0).unwrap().contains(&alt.replace("&#x27;", "'")), "{alt}");
        let dates = parsed.attachments().find(|part| part.attachment_name() == Some("dates.ics")).unwrap();
        let dates = dates.text_contents().unwrap();
        assert_eq!(dates.matches("BEGIN:VEVENT").count(), 1, "only what moved: {dates}");
        assert!(dates.contains("DTSTART:20261227T130000Z"), "{dates}");
    }
    // A day that the operator tells without a time is a day of the card's zone.
    let number = super::super::shown(NoticeKind::DueSoon).into_iter().find(|sample| sample.name == "number-ends");
    let finished = mail(&number.unwrap().story, &recipient(Language::ENGLISH), &headers(None)).unwrap();
    assert!(String::from_utf8(finished.bytes).unwrap().contains("DTSTART;VALUE=DATE:20261220"));
}

#[test]
fn messages_that_waited_are_enclosed_whole() {
    let inner = mail(&super::super::preview(NoticeKind::Bought)[0], &recipient(chinese()), &headers(None)).unwrap();
    let held = super::super::preview(NoticeKind::Held).remove(0);
    let enclosed = [inner.bytes.clone(), inner.bytes.clone()];
    let finished = mail_with(&held, &recipient(Language::ENGLISH), &headers(None), &enclosed).unwrap();
    assert!(finished.bytes.is_ascii());
    let parsed = MessageParser::default().parse(&finished.bytes).unwrap();
    assert!(parsed.body_text(0).unwrap().contains("tablet: renewed for 4.50 USD"), "{:?}", parsed.body_text(0));
    let messages: Vec<_> = parsed.attachments().filter_map(|part| part.message()).collect();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0].subject(), Some(inner.subject.as_str()));
    assert!(messages[1].body_text(0).unwrap().contains("12.50 USD"));
}
