//! Files of cards: CSV with a heading, read whole before anything is done with it. Every mistake is found in one pass
//! and told with its line.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read};

use csv::{ByteRecord, Position, ReaderBuilder, Trim};

use crate::config::Config;
use crate::daemon::open;
use crate::daemon::request::CardWords;
use crate::domain::card::Name;
use crate::domain::identity::Iccid;

/// The columns that there may be; the first two must be.
const COLUMNS: [&str; 11] =
    ["name", "operator", "iccid", "msisdn", "imei", "eid", "labels", "contact", "zone", "notify", "rule"];
/// A file with more mistakes than this is another file.
const WRONG_MAX: usize = 1_000;

/// A mistake and its line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The line.
    pub line: u64,
    /// What is wrong with it.
    pub message: String,
}

/// Reads a file: the cards by their lines, and what is wrong.
#[must_use]
pub fn read(source: impl Read, config: &Config) -> (BTreeMap<u64, CardWords>, Vec<Wrong>) {
    let (mut cards, mut wrong) = (BTreeMap::new(), Vec::new());
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(Lines::of(source));
    let columns = match reader.byte_headers().map(columns) {
        Ok(Ok(columns)) => columns,
        Ok(Err(messages)) => {
            wrong.extend(messages.into_iter().map(|message| Wrong { line: 1, message }));
            return (cards, wrong);
        }
        Err(error) => return (cards, vec![Wrong { line: 1, message: error.to_string() }]),
    };
    let mut seen = HashMap::new();
    let mut record = ByteRecord::new();
    loop {
        if wrong.len() >= WRONG_MAX {
            wrong.push(Wrong { line: u64::MAX, message: "and more; the rest was not looked at".to_owned() });
            break;
        }
        let (line, read) = match reader.read_byte_record(&mut record) {
            Ok(true) => (line_of(&record, reader.position()), words(&record, &columns)),
            Ok(false) => break,
            Err(error) => {
                wrong.push(Wrong { line: reader.position().line(), message: error.to_string() });
                break;
            }
        };
        let checked = read.and_then(|words| checked(&words, line, config, &mut seen).map(|()| words));
        match checked {
            Ok(words) => drop(cards.insert(line, words)),
            Err(message) => wrong.push(Wrong { line, message }),
        }
    }
    (cards, wrong)
}

/// The line in which a record begins. The library counts from where it left off, which may be empty lines before; from the
/// line behind the record it is as many back as the record has.
fn line_of(record: &ByteRecord, behind: &Position) -> u64 {
    let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
    behind.line().saturating_sub(1 + within)
}

/// A text whose lines all end with a line feed, whatever they ended with before, the last one too.
struct Lines<R> {
    source: BufReader<R>,
    after_return: bool,
    last: u8,
}

impl<R: Read> Lines<R> {
    fn of(source: R) -> Self {
        Self { source: BufReader::new(source), after_return: false, last: b'\n' }
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let mut given = 0;
        while given == 0 && !out.is_empty() {
            let taken = self.source.fill_buf()?;
            if taken.is_empty() {
                let ends = self.last != b'\n';
                (self.last, out[0]) = (b'\n', b'\n');
                return Ok(usize::from(ends));
            }
            let taken = &taken[..taken.len().min(out.len())];
            let count = taken.len();
            for byte in taken {
                // Of a return and a feed, the feed is the second half.
                if !(self.after_return && *byte == b'\n') {
                    self.last = if *byte == b'\r' { b'\n' } else { *byte };
                    out[given] = self.last;
                    given += 1;
                }
                self.after_return = *byte == b'\r';
            }
            self.source.consume(count);
        }
        Ok(given)
    }
}

/// Which column each place holds.
fn columns(header: &ByteRecord) -> Result<Vec<&'static str>, Vec<String>> {
    let (mut columns, mut wrong) = (Vec::new(), Vec::new());
    for field in header {
        let text = String::from_utf8_lossy(field).trim_start_matches('\u{feff}').trim().to_owned();
        match COLUMNS.into_iter().find(|known| *known == text) {
            Some(known) if columns.contains(&known) => wrong.push(format!("the column `{known}` is there twice")),
            Some(known) => columns.push(known),
            None => wrong.push(unknown_column(&text)),
        }
    }
    for needed in &COLUMNS[..2] {
        if wrong.is_empty() && !columns.contains(needed) {
            wrong.push(format!("the column `{needed}` is missing; the first line names the columns, parted by commas"));
        }
    }
    if wrong.is_empty() { Ok(columns) } else { Err(wrong) }
}

fn unknown_column(text: &str) -> String {
    let text = crate::domain::card::tamed(text, 60);
    let distance = |known: &str| strsim::damerau_levenshtein(known, &text.to_lowercase());
    let nearest = COLUMNS.into_iter().min_by_key(|known| distance(known)).filter(|known| distance(known) <= 2);
    match nearest {
        Some(nearest) => format!("there is no column `{text}`; did you mean `{nearest}`?"),
        None => format!("there is no column `{text}`; there are {}", COLUMNS.join(", ")),
    }
}

fn words(record: &ByteRecord, columns: &[&'static str]) -> Result<CardWords, String> {
    if record.len() != columns.len() {
        return Err(format!(
            "{} values, but the first line names {} columns; a value with a comma stands in \"quotes\"",
            record.len(),
            columns.len()
        ));
    }
    let mut words = CardWords::default();
    for (column, field) in columns.iter().zip(record) {
        let text =
            std::str::from_utf8(field).map_err(|_| format!("`{column}` is not UTF-8; save the file as UTF-8"))?;
        let one = || (!text.is_empty()).then(|| text.to_owned());
        let several = || text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect();
        match *column {
            "name" => words.name = text.to_owned(),
            "operator" => {
                let mut accounts: Vec<String> = several();
                if !accounts.is_empty() {
                    words.operator = accounts.remove(0);
                }
                words.sellers = accounts;
            }
            "iccid" => words.iccid = one(),
            "msisdn" => words.msisdn = one(),
            "imei" => words.imei = one(),
            "eid" => words.eid = one(),
            "labels" => words.labels = several(),
            "contact" => words.contact = one(),
            "zone" => words.zone = one(),
            "notify" => words.notify = several(),
            "rule" => words.rule = one(),
            // `columns` holds known names only.
            _ => {}
        }
    }
    Ok(words)
}

/// Checks a card as the daemon will, and that the file holds it once.
fn checked(words: &CardWords, line: u64, config: &Config, seen: &mut HashMap<String, u64>) -> Result<(), String> {
    let card = open::card(words, config)?;
    let mut once = |key: String, what: &str| match seen.insert(key, line) {
        Some(before) => Err(format!("{what} stands in line {before} already")),
        None => Ok(()),
    };
    once(format!("name {}", card.name), "this name")?;
    if let Some(iccid) = &card.iccid {
        once(format!("iccid {} {iccid}", card.account), "this ICCID")?;
    }
    Ok(())
}

/// What must be unique about a card.
pub(super) fn keys(words: &CardWords) -> Result<(Name, Name, Option<Iccid>), String> {
    let iccid = words.iccid.as_deref().map(Iccid::parse).transpose()?;
    Ok((Name::parse(&words.name)?, Name::parse(&words.operator)?, iccid))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SAMPLE_MACHINE, SAMPLE_RULES, Source, parse};

    fn read_text(text: &str) -> (BTreeMap<u64, CardWords>, Vec<String>) {
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let config = parse(&source("m", SAMPLE_MACHINE), &source("r", SAMPLE_RULES), None).unwrap();
        let (cards, wrong) = read(text.as_bytes(), &config);
        (cards, wrong.into_iter().map(|wrong| format!("{}: {}", wrong.line, wrong.message)).collect())
    }

    #[test]
    fn good_lines_become_cards() {
        let (cards, wrong) = read_text(
            "\u{feff}name, operator,iccid,labels,contact,notify,rule\r\n\
             r1,try,8988303000000000010,router; north,\"Ann, north\",me,travel\r\n\
             \r\n\
             r2,try,8988303000000000028,,,,\r\n",
        );
        assert_eq!(wrong, Vec::<String>::new());
        let cards: Vec<_> = cards.into_values().collect();
        assert_eq!(cards.len(), 2);
        assert_eq!(cards[0].labels, ["router", "north"]);
        assert_eq!(cards[0].contact.as_deref(), Some("Ann, north"));
        assert_eq!(cards[1].rule, None);
    }

    /// Lines are counted as an editor counts them, whatever they end with.
    #[test]
    fn lines_are_those_of_an_editor() {
        let text = "name,operator\n\n\na,nobody\n\"b\nc\",nobody\n\nd,nobody";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), format!("{text}\r\n")] {
            let (cards, wrong) = read_text(&text);
            let lines: Vec<&str> = wrong.iter().map(|wrong| wrong.split(':').next().unwrap()).collect();
            assert_eq!((cards.len(), lines), (0, vec!["4", "5", "8"]), "{text:?}: {wrong:?}");
        }
    }

    #[test]
    fn several_accounts_are_parted_by_semicolons_and_named_once() {
        let machine =
            SAMPLE_MACHINE.replace("[operator.try]", "[operator.second]\nkind = \"sandbox\"\n\n[operator.try]");
        let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
        let config = parse(&source("m", &machine), &source("r", SAMPLE_RULES), None).unwrap();
        let text = "name,operator,iccid\n\
             a,try; second,8988303000000000010\n\
             b,try;nobody,8988303000000000028\n\
             c,try;try,8988303000000000036\n";
        let (cards, wrong) = read(text.as_bytes(), &config);
        let card = &cards[&2];
        assert_eq!((card.operator.as_str(), card.sellers.as_slice()), ("try", &["second".to_owned()][..]));
        let wrong: Vec<String> = wrong.into_iter().map(|wrong| format!("{}: {}", wrong.line, wrong.message)).collect();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].starts_with("3: simkeeper.toml names no account `nobody`"), "{wrong:?}");
        assert!(wrong[1].starts_with("4: the account `try` is named twice"), "{wrong:?}");
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let (_, wrong) = read_text(
            "name,operator,iccid,imei,rule\n\
             ,try,8988303000000000010,,\n\
             a,nobody,8988303000000000010,,\n\
             b,try,12,,\n\
             c,try,8988303000000000028,490154203237519,\n\
             d,try,8988303000000000036,,fly\n\
             e,try\n\
             f,try,8988303000000000044,,\n\
             f,try,8988303000000000051,,\n\
             g,try,8988303000000000044,,\n",
        );
        let expected = [
            "2: a name",
            "3: simkeeper.toml names no account",
            "4: `12`",
            "5: ",
            "6: rules.toml has no rule",
            "7: 2 values",
            "9: this name stands in line 8",
            "10: this ICCID stands in line 8",
        ];
        assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
        for (wrong, expected) in wrong.iter().zip(expected) {
            assert!(wrong.starts_with(expected), "{wrong} / {expected}");
        }
    }

    #[test]
    fn columns_are_known() {
        for (header, expected) in [
            ("name,operatr", "1: there is no column `operatr`; did you mean `operator`?"),
            ("name,colour,operator", "1: there is no column `colour`; there are name"),
            ("name,iccid", "1: the column `operator` is missing"),
            ("name,name,operator", "1: the column `name` is there twice"),
            ("", "1: the column `name` is missing"),
        ] {
            let (_, wrong) = read_text(header);
            assert!(wrong[0].starts_with(expected), "{header}: {wrong:?}");
        }
    }
}
