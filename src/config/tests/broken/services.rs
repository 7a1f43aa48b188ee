//! Services for texts that their owner describes.

use super::*;

#[test]
fn a_described_service_is_tried_before_it_is_used() {
    let sms = |lines: &str| format!("carries = \"sms\"\nurl = \"https://c/\"\n{lines}");
    let known = "known: `to`, `to_digits`, `text`, `id`, `at`, `minutes`, `coding`, `secrets.token`";
    let quotes = "a place for a text stands in quotes: \"text\": \"{{ text }}\"; or say content_type = …";
    let cases: [(String, Vec<String>); 6] = [
        (sms("body = '''\n{ \"to\": \"{{ to }}\",\n  \"text\": \"{{ text }}\" }'''\n"), vec![]),
        (
            sms(
                "secrets.token = { credential = \"a\" }\nbody = '''\n{ \"to\": \"{{ tp }}\",\n  \"text\": \"{{ message }} {{ title }}{{ secrets.tokn }}\" }'''\n",
            ),
            vec![
                "8:13: `tp` is nothing that a message fills in; did you mean `to`?".into(),
                format!("9:15: `message` is nothing that a message fills in; {known}"),
                format!("9:29: `title` is nothing that a message fills in; {known}"),
                "9:40: `secrets.tokn` is nothing that a message fills in; did you mean `secrets.token`?".into(),
            ],
        ),
        (
            sms("body = '''\n{ \"to\": \"{{ to }}\",\n  \"text\": {{ text }} }'''\n"),
            vec![format!("8:3: filled in, this is not JSON: expected value; {quotes}")],
        ),
        (
            sms("body = '{\"to\": \"{{ to }}\", \"text\": \"{{ text }\"}'\n"),
            vec!["6:45: this template cannot be read: unexpected `}`, expected end of variable block; places are written {{ text }}".into()],
        ),
        (
            sms("body = '\"{{ to }} {{ text }} {{ text.size }} {{ id | int }}\"'\n"),
            vec![format!("6:33: `text.size` is nothing that a message fills in; {}", known.trim_end_matches(", `secrets.token`"))],
        ),
        (
            sms("body = '{{ to }}'\ncontent_type = \"text/plain\"\n"),
            vec![
                "2:10: this service is never told {{ text }}; put {{ text }} into body, such as \"text\": \"{{ text }}\""
                    .into(),
            ],
        ),
    ];
    told_of_services(cases);
}

#[test]
fn a_described_service_says_what_it_is_asked_and_what_its_answers_mean() {
    let push = |lines: &str| format!("carries = \"push\"\n{lines}");
    let condition = "every answer is like this; add status = 202, or pointer = \"/status\" and is = \"queued\"";
    let cases: [(String, Vec<String>); 3] = [
        (
            "carries = \"mails\"\nurl = \"https://{{ to }}/x\"\nmethod = \"delete\"\nremote_id = \"id\"\n".into(),
            vec![
                "4:11: `mails` is not what a service carries; known: `sms`, `push`".into(),
                "5:7: `https://` is not a web address; write one such as \"https://sms.example.net/send\"".into(),
                "6:10: `delete` is not a method; known: `get`, `post`, `put`".into(),
                "7:13: `id` is not a JSON pointer; it begins with / and has one name or number for each step, such as \"/messages/0/id\"".into(),
            ],
        ),
        (
            push("url = \"http://example.net/?t={{ title }}&m={{ text }}\"\n"),
            vec![
                "5:7: plain http shows passwords on its way; write https://, or an address inside this machine or a private network".into(),
            ],
        ),
        (
            push(
                "url = \"https://c/?{{ text }}\"\nmethod = \"get\"\nbody = \"{{ urgent }}\"\nsent = {}\ntemporary = { is = 7 }\npermanent = { status = [4, 200] }\ndrops_doubles = true\n",
            ),
            vec![
                "7:1: a GET request has no body; method = \"post\"".into(),
                format!("8:8: {condition}"),
                format!("9:13: {condition}"),
                "9:15: `is` needs the place to look at; add pointer = \"/status\"".into(),
                "10:25: 4 is not an HTTP status; they go from 100 to 599".into(),
                "11:1: a service that is never told {{ id }} cannot tell doubles; put {{ id }} where the service looks for it, such as headers = { Idempotency-Key = \"{{ id }}\" }".into(),
            ],
        ),
    ];
    told_of_services(cases);
}

/// What is told of descriptions of services.
fn told_of_services(cases: impl IntoIterator<Item = (String, Vec<String>)>) {
    let head = "currency = \"CAD\"\n[channel.s]\nkind = \"http\"\n";
    let (mut all_told, mut all_expected) = (Vec::new(), Vec::new());
    for (lines, expected) in cases {
        all_told.push(told(&format!("{head}{lines}"), ""));
        all_expected.push(expected.iter().map(|line| format!("simkeeper.toml:{line}")).collect::<Vec<_>>());
    }
    assert_eq!(all_told, all_expected);
}
