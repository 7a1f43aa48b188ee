//! Text messages: how many parts a text costs, and texts that fit into one.
//!
//! Numbers from 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) and TS 23.040 (140 octets a message,
//! 6 of them a header when there are several parts).

use super::texts::{self, Voice};
use super::{Finished, Recipient};
use crate::domain::approval::Answering;
use crate::domain::notice::Story;

/// How a text is written into the 140 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Seven bits a character.
    Gsm7,
    /// Two octets a character; those beyond the basic plane take two places.
    Ucs2,
}

impl Encoding {
    /// Places in a message that has one part.
    #[must_use]
    pub const fn alone(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    /// Places that a text takes in it.
    #[must_use]
    pub fn width(self, text: &str) -> usize {
        match self {
            // A character that the alphabet lacks is none of a text in it.
            Self::Gsm7 => text.chars().filter_map(gsm_width).sum(),
            Self::Ucs2 => text.chars().map(char::len_utf16).sum(),
        }
    }

    /// Places in each part of a message that has several.
    #[must_use]
    pub const fn per_part(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// The basic alphabet: one place each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: two places each.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// The codes of the extension table, in its order.
const EXTENDED_CODES: [u8; 10] = [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65];

/// How a text would be sent, and in how many parts. A character that takes two places is never split.
#[must_use]
pub fn parts(text: &str) -> (Encoding, usize) {
    let widths: Option<Vec<usize>> = text.chars().map(gsm_width).collect();
    let (encoding, widths) = match widths {
        Some(widths) => (Encoding::Gsm7, widths),
        None => (Encoding::Ucs2, text.chars().map(char::len_utf16).collect()),
    };
    if widths.iter().sum::<usize>() <= encoding.alone() {
        return (encoding, 1);
    }
    let (mut count, mut used) = (1, 0);
    for width in widths {
        if used + width > encoding.per_part() {
            (count, used) = (count + 1, 0);
        }
        used += width;
    }
    (encoding, count)
}

/// The characters of a text in the GSM alphabet, one octet each and two for those of the extension table, as SMPP and modems
/// take them; what the alphabet lacks becomes a question mark.
pub(super) fn gsm_octets(text: &str) -> Vec<u8> {
    const ESCAPE: u8 = 0x1B;
    let mut octets = Vec::with_capacity(text.len());
    for c in text.chars() {
        // Both tables are shorter than 256.
        let place = |table: &str| table.chars().position(|one| one == c).and_then(|place| u8::try_from(place).ok());
        match (place(BASIC), EXTENDED.chars().zip(EXTENDED_CODES).find(|(one, _)| *one == c)) {
            // The table leaves out the escape itself.
            (Some(place), _) => octets.push(if place < ESCAPE { place } else { place + 1 }),
            (None, Some((_, code))) => octets.extend([ESCAPE, code]),
            (None, None) => octets.push(b'?'),
        }
    }
    octets
}

fn gsm_width(c: char) -> Option<usize> {
    match c {
        _ if BASIC.contains(c) => Some(1),
        _ if EXTENDED.contains(c) => Some(2),
        _ => None,
    }
}

/// The card's name and the other names are tried at these lengths, longest first, until the text fits into one part.
const ROOMS: [(usize, usize); 10] =
    [(40, 40), (28, 28), (20, 20), (20, 14), (16, 10), (12, 10), (12, 6), (8, 6), (6, 3), (3, 3)];

/// The text message that tells `story`: one part, in the order card, what happened, what is needed by when; no links.
#[must_use]
pub fn text_message(story: &Story, recipient: &Recipient) -> Finished {
    let voice = Voice::of(recipient);
    let text = fitting(story, &voice);
    // Lists and logs show subjects, and a code is for nobody else.
    let shown = match &voice.answers {
        Answering::ByCode(ticket) => text.replace(&ticket.code.to_string(), "…"),
        Answering::ByNumber | Answering::NotTheirs => text.clone(),
    };
    Finished { subject: texts::cut(&shown, texts::SUBJECT_MAX), bytes: text.into_bytes() }
}

fn fitting(story: &Story, voice: &Voice) -> String {
    let tries = || ROOMS.iter().map(|room| plain(&texts::short(story, voice, *room)));
    if let Some(text) = tries().find(|text| parts(text).1 == 1) {
        return text;
    }
    // A name in another script halves the space; without it the words fit.
    let reduced = tries().map(|text| without_foreign(&text)).find(|text| parts(text).1 == 1);
    reduced.unwrap_or_else(|| shortened(&plain(&texts::short(story, voice, (3, 3)))))
}

/// Curly and wide characters that an alphabet of 7 bits lacks, replaced by plain ones.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '‛' | '′' | '`' | '´' => out.push('\''),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => out.push('"'),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => out.push('-'),
            '…' => out.push_str(".."),
            '•' | '·' => out.push('*'),
            '→' => out.push('>'),
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' | '\t' => out.push(' '),
            '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{ad}' | '\u{fe0e}' | '\u{fe0f}' => {}
            other => out.push(other),
        }
    }
    out
}

/// The text with `?` for each run of characters outside the 7-bit alphabet, where that leaves words to read.
fn without_foreign(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match gsm_width(c) {
            Some(_) => out.push(c),
            None if out.ends_with('?') => {}
            None => out.push('?'),
        }
    }
    out
}

fn shortened(text: &str) -> String {
    let mut text = text.to_owned();
    while parts(&text).1 > 1 {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::Language;

    #[test]
    fn parts_follow_the_tables_of_the_standard() {
        assert_eq!(BASIC.chars().count(), 127, "128 places less the escape");
        assert_eq!(EXTENDED.chars().count(), 10);
        for (text, encoding, count) in [
            (String::new(), Encoding::Gsm7, 1),
            ("a".repeat(160), Encoding::Gsm7, 1),
            ("a".repeat(161), Encoding::Gsm7, 2),
            ("a".repeat(306), Encoding::Gsm7, 2),
            ("a".repeat(307), Encoding::Gsm7, 3),
            ("€".repeat(80), Encoding::Gsm7, 1),
            ("€".repeat(81), Encoding::Gsm7, 2),
            // 152 places and a euro, which would be split: it moves to the second part.
            (format!("{}€{}", "a".repeat(152), "a".repeat(151)), Encoding::Gsm7, 2),
            (format!("{}€{}", "a".repeat(152), "a".repeat(152)), Encoding::Gsm7, 3),
            ("中".repeat(70), Encoding::Ucs2, 1),
            ("中".repeat(71), Encoding::Ucs2, 2),
            ("中".repeat(134), Encoding::Ucs2, 2),
            ("中".repeat(135), Encoding::Ucs2, 3),
            ("👍".repeat(35), Encoding::Ucs2, 1),
            ("👍".repeat(36), Encoding::Ucs2, 2),
            (format!("{}“", "a".repeat(69)), Encoding::Ucs2, 1),
            (format!("{}“", "a".repeat(70)), Encoding::Ucs2, 2),
            ("ç".to_owned(), Encoding::Ucs2, 1),
        ] {
            assert_eq!(parts(&text), (encoding, count), "{text}");
        }
    }

    /// Codes of 3GPP TS 23.038, section 6.2.1.
    #[test]
    fn characters_have_the_codes_of_the_standard() {
        assert_eq!(gsm_octets("@£Ξ \nÆÉ"), [0x00, 0x01, 0x1A, 0x20, 0x0A, 0x1C, 0x1F]);
        assert_eq!(gsm_octets("AZaz09?¿à_"), [0x41, 0x5A, 0x61, 0x7A, 0x30, 0x39, 0x3F, 0x60, 0x7F, 0x11]);
        assert_eq!(gsm_octets("€~[\\"), [0x1B, 0x65, 0x1B, 0x3D, 0x1B, 0x3C, 0x1B, 0x2F]);
        assert_eq!(gsm_octets("中"), [0x3F]);
    }

    #[test]
    fn curly_characters_do_not_halve_the_size() {
        assert_eq!(plain("“a”–b… c\u{a0}d’s → e"), "\"a\"-b.. c d's > e");
        assert_eq!(parts(&plain("‘’“”–—…\u{a0}")).0, Encoding::Gsm7);
    }

    fn text_of(story: &Story, language: Language) -> String {
        let recipient = super::super::samples::recipient(language);
        String::from_utf8(text_message(story, &recipient).bytes).unwrap()
    }

    #[test]
    fn every_sample_fits_one_part_with_its_names_readable() {
        for story in super::super::samples() {
            assert_eq!(parts(&text_of(&story, Language::ENGLISH)).0, Encoding::Gsm7);
            let card = story.card.as_ref().map_or("simkeeper", |card| card.name.as_str());
            for language in Language::ALL {
                let text = text_of(&story, language);
                assert_eq!(parts(&text).1, 1, "{text}");
                assert!(text.starts_with(&card[..7]), "{text}");
                assert!(!text.contains("http"), "{text}");
                // Nothing was cut off at the end.
                assert!(text.ends_with(['.', '。', ')']) || text.ends_with(char::is_alphanumeric), "{text}");
            }
        }
    }

    #[test]
    fn what_must_be_typed_is_never_cut() {
        for language in Language::ALL {
            for story in super::super::preview(crate::domain::notice::NoticeKind::Asked) {
                let text = text_of(&story, language);
                let typed = ["simkeeper approve 12", "simkeeper settle 12"];
                assert!(typed.iter().any(|line| text.contains(line)), "{text}");
            }
        }
    }

    #[test]
    fn names_of_any_script_and_length_fit() {
        let names =
            ["卡".repeat(80), "👩‍👩‍👧‍👦".repeat(11), "بطاقة السفر إلى كندا".to_owned(), "x".repeat(80), "^".repeat(80)];
        for name in names {
            for mut story in super::super::samples() {
                if let Some(card) = &mut story.card {
                    card.name = crate::domain::card::Name::parse(&name).unwrap();
                }
                for language in Language::ALL {
                    let text = text_of(&story, language);
                    assert_eq!(parts(&text).1, 1, "{text}");
                }
            }
        }
    }
}
