//! How one recipient is spoken to: the language, the zone, and the forms of times, lengths and amounts in them.

use jiff::tz::TimeZone;

use crate::domain::approval::Ticket;
use crate::domain::data::DataSize;
use crate::domain::notice::Language;
use crate::domain::plan::Plan;
use crate::domain::time::{End, Precision, Secs, UnixTime};
use crate::notify::Recipient;

/// English names of months are kept here, since no library of ours has them in other languages.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A language and a zone.
#[derive(Clone, Debug)]
pub(in crate::notify) struct Voice {
    /// The language.
    pub(in crate::notify) language: Language,
    /// The zone.
    pub(in crate::notify) zone: TimeZone,
    /// What they can answer a question with.
    pub(in crate::notify) ticket: Option<Ticket>,
}

impl Voice {
    /// How this recipient is spoken to.
    pub(in crate::notify) fn of(recipient: &Recipient) -> Self {
        Self { language: recipient.language, zone: recipient.zone.clone(), ticket: recipient.ticket.clone() }
    }

    /// `20 Dec 2026 08:00`, `2026年12月20日 08:00`.
    pub(super) fn time(&self, at: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        let (year, clock) = (wall.year(), format!("{:02}:{:02}", wall.hour(), wall.minute()));
        match self.language {
            Language::En => format!("{} {} {year} {clock}", wall.day(), month(wall.month())),
            Language::ZhCn => format!("{year}年{}月{}日 {clock}", wall.month(), wall.day()),
        }
    }

    /// As [`time`](Self::time), without the year if it is the one of `now`.
    pub(super) fn short_time(&self, at: UnixTime, now: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        if wall.year() != now.in_zone(&self.zone).year() {
            return self.day(at);
        }
        let clock = format!("{:02}:{:02}", wall.hour(), wall.minute());
        match self.language {
            Language::En => format!("{} {} {clock}", wall.day(), month(wall.month())),
            Language::ZhCn => format!("{}月{}日{clock}", wall.month(), wall.day()),
        }
    }

    /// `20 Dec 2026`, `2026年12月20日`.
    pub(super) fn day(&self, at: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        match self.language {
            Language::En => format!("{} {} {}", wall.day(), month(wall.month()), wall.year()),
            Language::ZhCn => format!("{}年{}月{}日", wall.year(), wall.month(), wall.day()),
        }
    }

    /// `20 Dec`, `12月20日`.
    pub(super) fn day_of_year(&self, at: UnixTime) -> String {
        let wall = at.in_zone(&self.zone);
        match self.language {
            Language::En => format!("{} {}", wall.day(), month(wall.month())),
            Language::ZhCn => format!("{}月{}日", wall.month(), wall.day()),
        }
    }

    /// An end, and that it is known to the day only, if so.
    pub(super) fn end(&self, end: End) -> String {
        let time = self.time(end.at);
        match end.precision {
            Precision::Second => time,
            Precision::Day => say!(self, "{time} (the operator tells only the day)", "{time}（运营商只告知日期）"),
        }
    }

    /// `7 days`, `36 hours`, `90 minutes`; `7 天`.
    pub(super) fn length(&self, length: Secs) -> String {
        let secs = length.0;
        let (count, en, zh) = match secs {
            _ if secs % 86_400 == 0 && secs != 0 => (secs / 86_400, "day", "天"),
            _ if secs % 3_600 == 0 && secs != 0 => (secs / 3_600, "hour", "小时"),
            _ if secs % 60 == 0 && secs != 0 => (secs / 60, "minute", "分钟"),
            _ => (secs, "second", "秒"),
        };
        match self.language {
            Language::En if count == 1 => format!("1 {en}"),
            Language::En => format!("{count} {en}s"),
            Language::ZhCn => format!("{count} {zh}"),
        }
    }

    /// `1.5 GB`.
    pub(super) fn data(&self, bytes: u64) -> String {
        DataSize(bytes).to_string()
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
            parts.push(say!(self, "unlimited data", "不限流量"));
        } else if let Some(data) = contents.data_bytes {
            parts.push(self.data(data));
        }
        if let Some(secs) = contents.voice_secs {
            let minutes = secs / 60;
            parts.push(say!(self, "{minutes} min of calls", "{minutes} 分钟通话"));
        }
        if let Some(count) = contents.sms {
            parts.push(say!(self, "{count} texts", "{count} 条短信"));
        }
        if let Some(credit) = contents.credit {
            parts.push(say!(self, "{credit} credit", "{credit} 余额"));
        }
        if let Some(validity) = plan.validity() {
            parts.push(self.length(validity));
        }
        let name = cut(&plan.name, 80);
        match self.language {
            _ if parts.is_empty() => name,
            Language::En => format!("{name} ({})", parts.join(", ")),
            Language::ZhCn => format!("{name}（{}）", parts.join("、")),
        }
    }
}

fn month(number: i8) -> &'static str {
    // A calendar's month is 1 to 12.
    MONTHS.get(usize::try_from(number - 1).unwrap_or(0)).copied().unwrap_or("")
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
