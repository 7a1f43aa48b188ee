use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use fluent_bundle::FluentValue;

use super::*;
use crate::notify::texts::Voice;

/// What another translator might hand in: one file, not finished yet.
const POLISH: &str = "
found-subject =
    { $account }: { $count ->
        [one] { $count } nowa karta
        [few] { $count } nowe karty
       *[many] { $count } nowych kart
    }
need-act = Proszę { $nobody-gives-this }
";

/// A text of one of our files: what it names, and the whole of it.
type Texts<'a> = BTreeMap<&'a str, String>;

fn texts(file: &str) -> Texts<'_> {
    let mut texts = Texts::new();
    let mut last = "";
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(" =") {
            Some((name, text)) if !line.starts_with([' ', '}']) => {
                last = name;
                texts.insert(name, text.to_owned());
            }
            _ => texts.entry(last).or_default().push_str(line),
        }
    }
    texts.retain(|name, _| !name.is_empty());
    texts
}

/// The other texts that this one names.
fn parts<'a>(texts: &Texts<'a>, name: &str) -> Vec<&'a str> {
    let named = texts[name].split('{').skip(1).filter_map(|rest| rest.split('}').next());
    named.filter_map(|part| texts.get_key_value(part.trim())).map(|(part, _)| *part).collect()
}

/// The facts that a text names, itself or by its parts.
fn facts(texts: &Texts<'_>, name: &str) -> BTreeSet<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
    let own = texts[name].split('$').skip(1).map(word);
    own.chain(parts(texts, name).into_iter().flat_map(|part| facts(texts, part))).collect()
}

/// Every `say!` of the source: the name of the text, and the facts that it is given.
fn said() -> BTreeMap<String, BTreeSet<String>> {
    let mut said = BTreeMap::new();
    for source in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/notify")) {
        let calls = source.match_indices("say!(").map(|(at, head)| &source[at + head.len()..]);
        for call in calls.filter(|call| !call.starts_with('@')).map(arguments) {
            let name = call[1].trim_matches('"').to_owned();
            let given: BTreeSet<String> =
                call[2..].iter().map(|fact| fact.split('=').next().unwrap().trim().to_owned()).collect();
            assert_eq!(said.entry(name).or_insert_with(|| given.clone()), &given, "{call:?}");
        }
    }
    assert!(said.len() > 400, "{}", said.len());
    said
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("locale/tests.rs") {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// The arguments at the head of `rest`, up to the bracket that closes them.
fn arguments(rest: &str) -> Vec<String> {
    let (mut depth, mut is_text, mut found) = (0, false, vec![String::new()]);
    for c in rest.chars() {
        match c {
            '"' => is_text = !is_text,
            '(' | '[' | '{' if !is_text => depth += 1,
            ')' | ']' | '}' if !is_text => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if c == ',' && depth == 0 && !is_text {
            found.push(String::new());
        } else {
            found.last_mut().unwrap().push(c);
        }
    }
    found.into_iter().map(|argument| argument.trim().to_owned()).filter(|argument| !argument.is_empty()).collect()
}

#[test]
fn every_file_can_be_read_and_has_each_text_once() {
    assert_eq!(FILES.len(), Language::ALL.len());
    for (language, file) in Language::ALL.into_iter().zip(FILES) {
        let tag = language.tag();
        assert!(tag.parse::<unic_langid::LanguageIdentifier>().is_ok_and(|id| id == tag), "{tag}");
        let read = FluentResource::try_new((*file).to_owned()).map_err(|(_, faults)| faults);
        let mut bundle = FluentBundle::new_concurrent(Vec::new());
        assert_eq!(bundle.add_resource(read.unwrap_or_else(|faults| panic!("{tag}: {faults:?}"))), Ok(()), "{tag}");
    }
}

#[test]
fn every_file_has_the_texts_that_are_said_with_their_facts_and_no_other() {
    let said = said();
    for (language, file) in Language::ALL.into_iter().zip(FILES) {
        let (tag, texts) = (language.tag(), texts(file));
        for (name, given) in &said {
            assert!(texts.contains_key(name.as_str()), "{tag}: `{name}` is missing");
            let named = facts(&texts, name);
            // A text message has little room, and may do without one in a language that needs more.
            let fits = named == *given || (name.contains("-short") && tag != "en" && named.is_subset(given));
            assert!(fits, "{tag}: `{name}` names {named:?} and is given {given:?}");
        }
        let in_others: BTreeSet<&str> = texts.keys().flat_map(|name| parts(&texts, name)).collect();
        let idle = texts.keys().find(|name| !said.contains_key(**name) && !in_others.contains(**name));
        assert_eq!(idle, None, "{tag}: nobody says it");
    }
}

#[test]
fn every_text_can_be_said_whole_with_any_count_and_any_word() {
    for (language, locale) in &*LOCALES {
        for (name, given) in said() {
            for value in ["0", "1", "2", "5", "21", "text"] {
                let value = value.parse::<u32>().map_or_else(|_| FluentValue::from(value), FluentValue::from);
                let facts = given.iter().map(|fact| (fact.as_str(), value.clone())).collect();
                let whole = locale.say(&name, &facts);
                assert!(whole.is_ok_and(|whole| !whole.is_empty()), "{language:?}: `{name}`, {value:?}");
            }
        }
    }
}

#[test]
fn another_language_is_one_file_with_plurals_of_its_own() {
    let polish = Locale::read("pl", POLISH);
    for (count, wanted) in [
        (1, "travel: 1 nowa karta"),
        (2, "travel: 2 nowe karty"),
        (4, "travel: 4 nowe karty"),
        (5, "travel: 5 nowych kart"),
        (12, "travel: 12 nowych kart"),
        (22, "travel: 22 nowe karty"),
    ] {
        let facts = FluentArgs::from_iter([("account", FluentValue::from("travel")), ("count", count.into())]);
        assert_eq!(polish.say("found-subject", &facts), Ok(wanted.to_owned()));
    }
}

#[test]
fn what_a_language_lacks_or_cannot_say_whole_is_said_in_english() {
    let (polish, english) = (Locale::read("pl", POLISH), Locale::read("en", FILES[0]));
    let said = |name| first_whole([&polish, &english].into_iter(), name, &FluentArgs::new());
    assert_eq!(said("need-wait"), "Nothing to do for now");
    assert_eq!(said("need-act"), "Please act");
    // A file with a fault loses no more than the text that has it.
    let broken = Locale::read("pl", "need-act = { $\nneed-wait = Na razie nic");
    assert_eq!(broken.say("need-wait", &FluentArgs::new()), Ok("Na razie nic".to_owned()));
    assert_eq!(broken.say("need-act", &FluentArgs::new()), Err(None));
}

#[test]
fn a_name_of_digits_is_no_count() {
    let voice = Voice {
        language: Language::ENGLISH,
        zone: jiff::tz::TimeZone::UTC,
        answers: crate::domain::approval::Answering::ByNumber,
    };
    let (card, what) = ("007", "1.50 { $card }".to_owned());
    assert_eq!(say!(&voice, "subject", card, what), "007: 1.50 { $card }");
}
