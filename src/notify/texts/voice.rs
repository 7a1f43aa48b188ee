//! How one recipient is spoken to: the language, the zone, and the forms of times, lengths and amounts in them.

use std::fmt::Display;

use fluent_bundle::FluentValue;
use jiff::Zoned;
use jiff::tz::TimeZone;

use super::locale;
use crate::domain::approval::Answering;
use crate::domain::data::DataSize;
use crate::domain::notice::Language;
use crate::domain::plan::Plan;
use crate::domain::time::{End, Precision, Secs, UnixTime};
use crate::notify::Recipient;

/// A language and a zone.
#[derive(Clone, Debug)]
pub(in crate::notify) struct Voice {
    /// The language.
    pub(in crate::notify) language: Language,
    /// The zone.
    pub(in crate::notify) zone: TimeZone,
    /// How they can answer a question.
    pub(in crate::notify) answers: Answering,
}

impl Voice {
    /// How this recipient is spoken to.
    pub(in crate::notify) fn of(recipient: &Recipient) -> Self {
        Self { language: recipient.language, zone: recipient.zone.clone(), answers: recipient.answers.clone() }
    }

    /// The text of this name, with what it can name; `say!` is the way to it.
    pub(super) fn say<const N: usize>(&self, name: &str, facts: [(&'static str, FluentValue<'_>); N]) -> String {
        locale::say(self.language, name, &facts.into_iter().collect())
    }

    /// `20 Dec 2026 08:00`, `2026年12月20日 08:00`.
    pub(super) fn time(&self, at: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        let [hour, minute] = clock(&wall);
        say!(self, "date-time", day = wall.day(), month = wall.month(), year = wall.year(), hour, minute)
    }

    /// As [`time`](Self::time), without the year if it is the one of `now`.
    pub(super) fn short_time(&self, at: UnixTime, now: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        if wall.year() != now.in_zone(&self.zone).year() {
            return self.day(at);
        }
        let [hour, minute] = clock(&wall);
        say!(self, "date-time-near", day = wall.day(), month = wall.month(), hour, minute)
    }

    /// `20 Dec 2026`, `2026年12月20日`.
    pub(super) fn day(&self, at: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        say!(self, "date-day", day = wall.day(), month = wall.month(), year = wall.year())
    }

    /// `20 Dec`, `12月20日`.
    pub(super) fn day_of_year(&self, at: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        say!(self, "date-day-near", day = wall.day(), month = wall.month())
    }

    /// An end, and that it is known to the day only, if so.
    pub(super) fn end(&self, end: End) -> String {
        let time = self.time(end.at);
        match end.precision {
            Precision::Second => time,
            Precision::Day => say!(self, "end-known-to-the-day", time),
        }
    }

    /// `7 days`, `36 hours`, `90 minutes`; `7 天`.
    pub(super) fn length(&self, length: Secs) -> String {
        let secs = length.0;
        match secs {
            _ if secs % 86_400 == 0 && secs != 0 => say!(self, "length-days", count = secs / 86_400),
            _ if secs % 3_600 == 0 && secs != 0 => say!(self, "length-hours", count = secs / 3_600),
            _ if secs % 60 == 0 && secs != 0 => say!(self, "length-minutes", count = secs / 60),
            _ => say!(self, "length-seconds", count = secs),
        }
    }

    /// `4.50 USD`, `10%`: anything that has a decimal sign.
    pub(super) fn amount(&self, amount: impl Display) -> String {
        amount.to_string().replace('.', &say!(self, "decimal-sign"))
    }

    /// `1.5 GB`.
    pub(super) fn data(&self, bytes: u64) -> String {
        self.amount(DataSize(bytes))
    }

    /// A plan's name, for sentences.
    pub(super) fn plan_name(plan: &Plan) -> String {
        cut(&plan.name, 60)
    }

    /// What a plan is: its name, contents and length.
    pub(super) fn plan(&self, plan: &Plan) -> String {
        let contents = &plan.contents;
        let mut parts = Vec::new();
        if contents.unlimited_data {
            parts.push(say!(self, "plan-unlimited"));
        } else if let Some(data) = contents.data_bytes {
            parts.push(self.data(data));
        }
        if let Some(secs) = contents.voice_secs {
            let minutes = secs / 60;
            parts.push(say!(self, "plan-calls", minutes));
        }
        if let Some(count) = contents.sms {
            parts.push(say!(self, "plan-texts", count));
        }
        if let Some(credit) = contents.credit {
            parts.push(say!(self, "plan-credit", credit));
        }
        if let Some(validity) = plan.validity() {
            parts.push(self.length(validity));
        }
        let name = cut(&plan.name, 80);
        if parts.is_empty() {
            return name;
        }
        say!(self, "plan-with-contents", name, contents = parts.join(&say!(self, "list-separator")))
    }

    /// What stands between a label and its value.
    pub(in crate::notify) fn colon(&self) -> String {
        say!(self, "colon")
    }

    /// What stands above the two columns of numbers that changed.
    pub(in crate::notify) fn headings(&self) -> [String; 2] {
        [say!(self, "heading-before"), say!(self, "heading-after")]
    }

    /// What stands at the end of a mail.
    pub(in crate::notify) fn footer(&self) -> String {
        say!(self, "footer", zone = self.zone.iana_name().unwrap_or("UTC"))
    }

    /// A line to type behind the reason for it.
    pub(in crate::notify) fn command_line(&self, why: &str, line: &str) -> String {
        say!(self, "command-line", why, line)
    }
}

/// Hours and minutes, two digits each.
fn clock(wall: &Zoned) -> [String; 2] {
    [wall.hour(), wall.minute()].map(|part| format!("{part:02}"))
}

/// `text` in one line without disturbing characters, of at most `longest` characters, the last of them `…` if it was cut.
pub(in crate::notify) fn cut(text: &str, longest: usize) -> String {
    let line = crate::domain::card::tamed(text, usize::MAX);
    if line.chars().count() <= longest {
        return line;
    }
    let mut short: String = line.chars().take(longest.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_days_are_said_as_each_language_has_them() {
        let told = |language| {
            let voice = Voice { language, zone: TimeZone::UTC, answers: Answering::ByNumber };
            let at = UnixTime::clamped(1_797_768_060);
            let lengths = [Secs::DAY, Secs::days(7), Secs::hours(36), Secs::minutes(1), Secs(90), Secs::ZERO];
            let lengths = lengths.map(|length| voice.length(length)).join(", ");
            let times = [voice.time(at), voice.short_time(at, at), voice.day(at), voice.day_of_year(at)].join(", ");
            format!("{lengths}; {times}")
        };
        assert_eq!(
            told(Language::ENGLISH),
            "1 day, 7 days, 36 hours, 1 minute, 90 seconds, 0 seconds; \
             20 Dec 2026 12:01, 20 Dec 12:01, 20 Dec 2026, 20 Dec"
        );
        assert_eq!(
            told(crate::notify::samples::chinese()),
            "1 天, 7 天, 36 小时, 1 分钟, 90 秒, 0 秒; \
             2026年12月20日 12:01, 12月20日12:01, 2026年12月20日, 12月20日"
        );
    }
}
