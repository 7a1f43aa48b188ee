//! `digest`: all cards of one person at a glance. What needs them comes first, each with what to type.

use super::voice::{Voice, cut};
use super::{Letter, Need, Section, SectionLine, last_safe, quoted};
use crate::domain::card::Name;
use crate::domain::digest::{Comes, Digest, Ending, Expected, Part, Purchase, SharedUse, Trouble, Troubled};
use crate::domain::money::Money;
use crate::domain::notice::Language;
use crate::domain::shared_limits::Spent;

/// As much of a name as a line shows.
const NAME_ROOM: usize = 40;
/// As much of a plan's name as a line shows.
const PLAN_ROOM: usize = 48;
/// A text says what ends next where names have so much room.
const ENDS_FROM: usize = 10;
/// As [`ENDS_FROM`], for what was spent.
const SPENT_FROM: usize = 6;
/// More currencies than these are told as such.
const CURRENCIES_MOST: usize = 3;

pub(super) fn letter(voice: &Voice, digest: &Digest) -> Letter {
    let (state, since) = (state(voice, digest), voice.day_of_year(digest.since));
    let first = match digest.bought.count {
        0 => say!(voice, "{state}; nothing was bought since {since}.", "{state}；自 {since} 起没有购买。"),
        _ => {
            let (count, sum) = (purchases(voice, digest.bought.count), sum(voice, &digest.spent));
            say!(voice, "{state}; {count} since {since} for {sum}.", "{state}；自 {since} 起{count}，共 {sum}。")
        }
    };
    let mut letter = Letter::new(need(digest), subject(voice, digest), first);
    letter.when = (digest.bought.count > 0).then(|| {
        let sum = sum(voice, &digest.spent);
        say!(voice, "{sum} spent", "已花费 {sum}")
    });
    letter.sections = [
        troubles(voice, &digest.troubles),
        ends(voice, &digest.ends),
        bought(voice, digest),
        coming(voice, digest),
        shared(voice, &digest.shared),
    ]
    .into_iter()
    .filter(|section| !section.lines.is_empty())
    .collect();
    letter.next.extend(rest(voice, digest));
    let next = voice.time(digest.next);
    letter.detail(
        say!(voice, "Next digest", "下一份摘要"),
        say!(
            voice,
            "{next}; the key digest in simkeeper.toml says how often, and \"never\" ends it",
            "{next}；simkeeper.toml 中的 digest 决定频率，填 \"never\" 即停止"
        ),
    );
    letter
}

pub(super) fn short(voice: &Voice, digest: &Digest, room: usize) -> String {
    let mut text = say!(voice, "simkeeper: ", "simkeeper：");
    let (cards, waiting) = (cards(voice, digest.cards), digest.waiting);
    text.push_str(&match digest.troubles.rows.first().filter(|_| waiting > 0) {
        Some(worst) => {
            let worst = cut(worst.card.as_str(), room);
            let need = if waiting == 1 { "needs" } else { "need" };
            say!(voice, "{cards}, {waiting} {need} you: {worst}.", "{cards}，{waiting}张需处理：{worst}。")
        }
        None => say!(voice, "{cards}, nothing to do.", "{cards}，无需操作。"),
    });
    // Where names have to be cut short, the problem matters more than what else there is to say.
    if let ([only], true) = (digest.spent.money.as_slice(), digest.bought.count > 0 && room >= SPENT_FROM) {
        let count = digest.bought.count;
        text.push_str(&say!(voice, " Bought {count} for {only}.", "购买{count}次共{only}。"));
    }
    if let Some(ending) = digest.ends.rows.first().filter(|_| room >= ENDS_FROM) {
        let (card, at) = (cut(ending.card.as_str(), room), voice.short_time(ending.ends, digest.at));
        text.push_str(&say!(voice, " Next end: {card} {at}.", "最近到期：{card} {at}。"));
    }
    text
}

/// How the cards are, for the beginning of a sentence.
fn state(voice: &Voice, digest: &Digest) -> String {
    let (all, waiting) = (digest.cards, digest.waiting);
    match (waiting, digest.troubles.rows.first()) {
        (0, Some(_)) => {
            let (cards, open) = (cards(voice, all), digest.troubles.count);
            let orders = if open == 1 { "one order" } else { "some orders" };
            say!(
                voice,
                "{cards}, nothing to do; the result of {orders} is not known yet",
                "{cards}，无需操作；有 {open} 笔订单结果未明"
            )
        }
        (0, None) => {
            let cards = cards(voice, all);
            let be = if all == 1 { "is" } else { "are" };
            say!(voice, "{cards} {be} well", "{cards}一切正常")
        }
        (_, worst) => {
            let worst = worst.map_or_else(String::new, |worst| cut(worst.card.as_str(), NAME_ROOM));
            let cards = cards(voice, all);
            match waiting {
                1 => say!(voice, "1 of {cards} needs you: {worst}", "{cards}中有 1 张需要处理：{worst}"),
                _ => say!(
                    voice,
                    "{waiting} of {cards} need you, {worst} first",
                    "{cards}中有 {waiting} 张需要处理，首先是 {worst}"
                ),
            }
        }
    }
}

fn subject(voice: &Voice, digest: &Digest) -> String {
    let (cards, waiting) = (cards(voice, digest.cards), digest.waiting);
    match waiting {
        0 => say!(voice, "{cards}, nothing to do", "{cards}，无需操作"),
        1 => say!(voice, "1 of {cards} needs you", "{cards}，1 张需要处理"),
        _ => say!(voice, "{waiting} of {cards} need you", "{cards}，{waiting} 张需要处理"),
    }
}

fn need(digest: &Digest) -> Need {
    let rows = &digest.troubles.rows;
    let waiting = || rows.iter().filter(|row| row.trouble.needs_person());
    match digest.waiting {
        0 if rows.is_empty() => Need::Nothing,
        0 => Need::Wait,
        _ if waiting().all(|row| matches!(row.trouble, Trouble::Decide { .. })) => Need::Decide,
        _ => Need::Act,
    }
}

fn troubles(voice: &Voice, troubles: &Part<Troubled>) -> Section {
    let line = |one: &Troubled| {
        let (what, command) = trouble(voice, &one.card, &one.trouble);
        let value = match one.ends {
            Some(ends) => {
                let ends = voice.time(ends);
                say!(voice, "{what}; ends {ends}", "{what}；{ends} 到期")
            }
            None => what,
        };
        SectionLine { label: cut(one.card.as_str(), NAME_ROOM), value, command }
    };
    Section {
        heading: say!(voice, "What needs you", "需要您处理"),
        lines: troubles.rows.iter().map(line).collect(),
        more: more(voice, troubles.more()),
    }
}

/// What is wrong, and what to type.
fn trouble(voice: &Voice, card: &Name, trouble: &Trouble) -> (String, Option<String>) {
    let name = quoted(card.as_str());
    match trouble {
        Trouble::Settle(attempt) => (
            say!(
                voice,
                "please say what became of an order: bought or not-bought",
                "请说明一笔订单的结果：bought（已买）或 not-bought（未买）"
            ),
            Some(format!("simkeeper settle {} bought", attempt.0)),
        ),
        Trouble::Decide { attempt, plan, price } => {
            let (plan, number) = (cut(plan, PLAN_ROOM), attempt.0);
            (
                say!(
                    voice,
                    "buy {plan} for {price}? or: simkeeper refuse {number}",
                    "是否以 {price} 购买 {plan}？不买则输入 simkeeper refuse {number}"
                ),
                Some(format!("simkeeper approve {number}")),
            )
        }
        Trouble::Blocked => (
            say!(voice, "due, and something stands in the way", "应续费，但受阻"),
            Some(format!("simkeeper explain {name}")),
        ),
        Trouble::CannotRenew => (say!(voice, "cannot be renewed: get a new card", "不能续费，请准备新卡"), None),
        Trouble::Unread { read_at, account } => {
            let what = match read_at {
                Some(at) => {
                    let at = voice.time(*at);
                    say!(voice, "not read since {at}", "自 {at} 起未能读取")
                }
                None => say!(voice, "never read", "从未读取"),
            };
            (what, Some(format!("simkeeper operator test {} --card {name}", quoted(account.as_str()))))
        }
        Trouble::Watched => {
            (say!(voice, "due; its rule only watches", "应续费，但规则只监看"), Some(format!("simkeeper renew {name}")))
        }
        Trouble::Paused => {
            (say!(voice, "due, and paused", "应续费，但已暂停"), Some(format!("simkeeper resume {name}")))
        }
        Trouble::Unknown => (
            say!(voice, "the result of an order is not known yet; it is looked for", "一笔订单结果未明，正在查询"),
            None,
        ),
    }
}

fn ends(voice: &Voice, ends: &Part<Ending>) -> Section {
    let line = |ending: &Ending| {
        let (what, at) = (last_safe::lost(voice, ending.loss), voice.time(ending.ends));
        let value = match ending.last_safe {
            Some(last) => {
                let last = voice.time(last);
                say!(voice, "{what} {at}; safe to renew until {last}", "{at} {what}；最晚 {last} 续费才稳妥")
            }
            None => say!(voice, "{what} {at}", "{at} {what}"),
        };
        SectionLine { label: cut(ending.card.as_str(), NAME_ROOM), value, command: None }
    };
    Section {
        heading: say!(voice, "What ends next", "即将到期"),
        lines: ends.rows.iter().map(line).collect(),
        more: more(voice, ends.more()),
    }
}

fn bought(voice: &Voice, digest: &Digest) -> Section {
    let line = |purchase: &Purchase| {
        let (plan, price, day) = (cut(&purchase.plan, PLAN_ROOM), purchase.charged, voice.day_of_year(purchase.at));
        let value = match purchase.month_left {
            Some(left) => say!(
                voice,
                "{plan} for {price} on {day}; {left} of the month's limit was left",
                "{day} {plan}，{price}；当月限额余 {left}"
            ),
            None => say!(voice, "{plan} for {price} on {day}", "{day} {plan}，{price}"),
        };
        SectionLine { label: cut(purchase.card.as_str(), NAME_ROOM), value, command: None }
    };
    let since = voice.day_of_year(digest.since);
    let mut lines: Vec<SectionLine> = digest.bought.rows.iter().map(line).collect();
    lines.extend(in_all(voice, digest.bought.count, &digest.spent));
    Section {
        heading: say!(voice, "What was bought since {since}", "自 {since} 起的购买"),
        lines,
        more: more(voice, digest.bought.more()),
    }
}

fn coming(voice: &Voice, digest: &Digest) -> Section {
    let line = |expected: &Expected| {
        let (what, day) = (comes(voice, &expected.comes), voice.day_of_year(expected.at));
        let value = say!(voice, "about {day}: {what}", "约 {day}：{what}");
        SectionLine { label: cut(expected.card.as_str(), NAME_ROOM), value, command: None }
    };
    let next = voice.day_of_year(digest.next);
    let mut lines: Vec<SectionLine> = digest.coming.rows.iter().map(line).collect();
    lines.extend(in_all(voice, digest.coming.count, &digest.expected));
    Section {
        heading: say!(voice, "What is expected until {next}", "至 {next} 的预计购买"),
        lines,
        more: more(voice, digest.coming.more()),
    }
}

fn comes(voice: &Voice, comes: &Comes) -> String {
    match comes {
        Comes::Buys { plan, price } => {
            let plan = cut(plan, PLAN_ROOM);
            say!(voice, "{plan} for {price}", "{plan}，{price}")
        }
        Comes::Asks { plan, price } => {
            let plan = cut(plan, PLAN_ROOM);
            say!(voice, "you will be asked about {plan} for {price}", "将询问您是否以 {price} 购买 {plan}")
        }
        Comes::Unpriced => say!(voice, "a plan whose price is not known yet", "价格未知的套餐"),
        Comes::OverLimit { plan, price } => {
            let plan = cut(plan, PLAN_ROOM);
            say!(voice, "{plan} for {price} does not fit under a limit", "{plan}（{price}）超出限额，不会购买")
        }
        Comes::NothingOnSale => say!(voice, "nothing of the rule's list can be bought", "规则所列套餐均无法购买"),
    }
}

fn shared(voice: &Voice, shared: &[SharedUse]) -> Section {
    let line = |used: &SharedUse| {
        let (line, limit) = (used.line, used.limit);
        let value = match used.spent {
            Some(spent) => say!(voice, "{spent} of {limit} spent this month", "当月已花费 {spent}，限额 {limit}"),
            None => say!(
                voice,
                "limit {limit} a month; what is spent cannot be added up without a rate",
                "每月限额 {limit}；缺少汇率，无法合计已花费金额"
            ),
        };
        SectionLine { label: format!("rules.toml:{line}"), value, command: None }
    };
    Section {
        heading: say!(voice, "Limits that cards share", "多卡共用的限额"),
        lines: shared.iter().map(line).collect(),
        more: None,
    }
}

/// What several purchases cost together.
fn in_all(voice: &Voice, count: usize, spent: &Spent) -> Option<SectionLine> {
    let label = say!(voice, "In all", "合计");
    (count > 1 && !spent.money.is_empty()).then(|| SectionLine { label, value: sum(voice, spent), command: None })
}

/// What there is besides.
fn rest(voice: &Voice, digest: &Digest) -> Vec<String> {
    let (well, silenced) = (digest.well(), digest.silenced);
    let mut sentences = Vec::new();
    if well > 0 && well < digest.cards {
        let cards = cards(voice, well);
        sentences.push(say!(voice, "All else is well: {cards}.", "其余{cards}一切正常。"));
    }
    if silenced > 0 {
        let cards = cards(voice, silenced);
        sentences.push(say!(voice, "Silenced: {cards}.", "已静默：{cards}。"));
    }
    sentences
}

fn more(voice: &Voice, count: usize) -> Option<String> {
    (count > 0).then(|| say!(voice, "and {count} more: simkeeper status", "另有 {count} 项，见 simkeeper status"))
}

fn sum(voice: &Voice, spent: &Spent) -> String {
    let shown: Vec<String> = spent.money.iter().take(CURRENCIES_MOST).map(Money::to_string).collect();
    let shown = shown.join(" + ");
    match spent.money.len().saturating_sub(CURRENCIES_MOST) {
        0 => shown,
        more => say!(voice, "{shown} and {more} more currencies", "{shown} 及另外 {more} 种货币"),
    }
}

fn cards(voice: &Voice, count: usize) -> String {
    match voice.language {
        Language::En if count == 1 => "1 card".to_owned(),
        Language::En => format!("{count} cards"),
        Language::ZhCn => format!("{count}张卡"),
    }
}

fn purchases(voice: &Voice, count: usize) -> String {
    match voice.language {
        Language::En if count == 1 => "1 purchase".to_owned(),
        Language::En => format!("{count} purchases"),
        Language::ZhCn => format!("购买 {count} 次"),
    }
}
