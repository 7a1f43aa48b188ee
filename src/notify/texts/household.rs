//! `paused`, `rules_problem`, `wallet_low`, `cards_found` and `test`: about the daemon and what people told it.

use super::voice::{Voice, cut};
use super::{Letter, Need, quoted};
use crate::domain::time::UnixTime;
use crate::domain::wallet::WalletLow;

/// A report longer than this is cut; `check` prints the whole of it.
const REPORT_MAX_CHARS: usize = 8_000;

pub(super) fn paused(voice: &Voice, card: &str, by: &str, until: Option<UnixTime>, resumed: bool) -> Letter {
    let (by, name) = (cut(by, 80), quoted(card));
    if resumed {
        let mut letter = Letter::new(
            Need::Nothing,
            say!(voice, "goes on", "已恢复"),
            say!(voice, "{card} goes on: {by} ended the pause.", "{card} 已恢复：{by} 结束了暂停。"),
        );
        letter.row(say!(voice, "By", "操作人"), by);
        letter.next(say!(voice, "It is renewed by its rule again.", "将重新按规则续费。"));
        letter.command(say!(voice, "To pause it again", "如需再次暂停"), format!("simkeeper pause {name}"));
        return letter;
    }
    let time = until.map(|until| voice.time(until));
    let (what, first) = match &time {
        Some(until) => (
            say!(voice, "paused until {until}", "暂停至 {until}"),
            say!(voice, "{card} was paused by {by} until {until}.", "{card} 已由 {by} 暂停至 {until}。"),
        ),
        None => (
            say!(voice, "paused until resumed", "已暂停，待人工恢复"),
            say!(
                voice,
                "{card} was paused by {by} until somebody resumes it.",
                "{card} 已由 {by} 暂停，直到有人恢复。"
            ),
        ),
    };
    let mut letter = Letter::new(Need::Nothing, what, first);
    letter.row(say!(voice, "By", "操作人"), by);
    letter.row(say!(voice, "Until", "至"), time.unwrap_or_else(|| say!(voice, "somebody resumes it", "有人恢复为止")));
    letter.next(say!(
        voice,
        "Nothing is bought for it meanwhile. It is still read, and warnings still go out.",
        "其间不会为它购买，但仍会读取并发出提醒。"
    ));
    letter.command(say!(voice, "To let it go on", "如需恢复"), format!("simkeeper resume {name}"));
    letter
}

pub(super) fn paused_short(
    voice: &Voice,
    card: &str,
    by: &str,
    until: Option<UnixTime>,
    resumed: bool,
    now: UnixTime,
) -> String {
    match (resumed, until) {
        (true, _) => {
            say!(voice, "{card}: goes on, {by} ended the pause.", "{card}：已恢复，{by}结束了暂停。")
        }
        (false, Some(until)) => {
            let until = voice.short_time(until, now);
            say!(
                voice,
                "{card}: paused by {by} until {until}. Nothing is bought.",
                "{card}：{by}已暂停，至{until}，其间不购买。"
            )
        }
        (false, None) => {
            say!(
                voice,
                "{card}: paused by {by} until resumed. Nothing is bought.",
                "{card}：{by}已暂停，恢复前不购买。"
            )
        }
    }
}

pub(super) fn wallet_low(voice: &Voice, low: &WalletLow) -> Letter {
    let (account, card, price) = (cut(low.account.as_str(), 20), cut(low.short.card.as_str(), 40), low.short.price);
    let (balance, day, covered) = (low.balance, voice.day(low.short.at), low.covered);
    let first = match covered {
        0 => say!(
            voice,
            "The wallet of {account} holds {balance} and does not cover the next renewal: {card}, {price} on {day}.",
            "{account} 的钱包有 {balance}，不足以支付下一次续费：{card}，{price}，{day}。"
        ),
        _ => say!(
            voice,
            "The wallet of {account} holds {balance}, enough for {covered} more, but then not for {card}, {price} on {day}.",
            "{account} 的钱包有 {balance}，可再续费 {covered} 次，之后不足以支付 {card}，{price}，{day}。"
        ),
    };
    let mut letter =
        Letter::new(Need::Act, say!(voice, "wallet {account} lasts until {day}", "{account} 钱包可用至 {day}"), first);
    letter.row(say!(voice, "Account", "账户"), low.account.as_str());
    letter.row(say!(voice, "Wallet", "钱包"), balance.to_string());
    letter.row(say!(voice, "Not covered", "不足以支付"), format!("{card}, {price}, {day}"));
    letter.ask(voice, low.support.as_ref());
    letter.next(say!(
        voice,
        "Please put money into this account at the operator before that day, which is an estimate.",
        "请在此之前为该运营商账户充值；日期为估计。"
    ));
    letter.command(
        say!(voice, "To see how long each wallet lasts", "如需查看各钱包可用多久"),
        "simkeeper status".to_owned(),
    );
    letter
}

pub(super) fn wallet_low_short(voice: &Voice, low: &WalletLow, now: UnixTime, room: usize) -> String {
    let (account, card) = (cut(low.account.as_str(), room), cut(low.short.card.as_str(), room));
    let (price, at) = (low.short.price, voice.short_time(low.short.at, now));
    say!(
        voice,
        "simkeeper: wallet {account} will not cover {card}, {price} on {at}. Please top it up.",
        "simkeeper：钱包{account}不足以支付{card}（{price}，{at}）。请充值。"
    )
}

pub(super) fn rules_problem(voice: &Voice, file: &str, count: usize, report: &str) -> Letter {
    let file = cut(file, 200);
    let short_file = super::file_name(&file, 24);
    let errors = if count == 1 { "1 error".to_owned() } else { format!("{count} errors") };
    let mut letter = Letter::new(
        Need::Act,
        say!(voice, "{short_file} has {errors}; old rules stay", "{short_file} 有 {count} 处错误，沿用旧规则"),
        say!(
            voice,
            "{file} has {errors}; the rules that ran before stay in force.",
            "{file} 有 {count} 处错误；继续使用之前的规则。"
        ),
    );
    letter.row(say!(voice, "File", "文件"), file);
    letter.row(say!(voice, "Errors", "错误数"), count.to_string());
    letter.report = Some(lines(report));
    letter.next(say!(
        voice,
        "Please mend the file and save it; it is read again at once. Cards are watched and renewed by the old rules meanwhile.",
        "请修正并保存文件，保存后会立即重新读取。其间仍按旧规则监看和续费。"
    ));
    letter.command(say!(voice, "To check the file", "如需检查文件"), "simkeeper check".to_owned());
    letter
}

pub(super) fn rules_problem_short(voice: &Voice, file: &str, count: usize) -> String {
    say!(
        voice,
        "simkeeper: {file} has errors ({count}); the old rules stay. Please mend it and run: simkeeper check",
        "simkeeper：{file}有{count}处错误，沿用旧规则。请修正后运行simkeeper check"
    )
}

pub(super) fn cards_found(voice: &Voice, account: &str, count: usize, rule: Option<&str>) -> Letter {
    let (account, short) = (cut(account, 80), cut(account, 24));
    let cards = if count == 1 { "1 new card".to_owned() } else { format!("{count} new cards") };
    let mut letter = Letter::new(
        Need::Nothing,
        say!(voice, "{cards} at {short}", "{short} 有 {count} 张新卡"),
        say!(
            voice,
            "{cards} at {account}: its operator lists what was not known yet.",
            "{account} 有 {count} 张新卡：运营商列出了此前未登记的卡。"
        ),
    );
    letter.row(say!(voice, "Account", "账户"), account);
    letter.row(say!(voice, "New cards", "新卡"), count.to_string());
    letter.next(match rule.map(|rule| cut(rule, 80)) {
        Some(rule) => {
            say!(voice, "They are read, and the rule {rule} decides for them.", "将读取这些卡，并按规则 {rule} 处理。")
        }
        None => say!(
            voice,
            "They are only read: no rule fits their label \"discovered\", so nothing is bought for them.",
            "只会读取这些卡：没有规则适用于标签“discovered”，因此不会为它们购买。"
        ),
    });
    letter.command(say!(voice, "To see them", "如需查看"), "simkeeper card find discovered".to_owned());
    letter
}

pub(super) fn cards_found_short(voice: &Voice, account: &str, count: usize, by_rule: bool) -> String {
    let cards = if count == 1 { "1 new card".to_owned() } else { format!("{count} new cards") };
    if by_rule {
        say!(
            voice,
            "simkeeper: {cards} at {account}; a rule decides for them.",
            "simkeeper：{account}有{count}张新卡，按规则处理。"
        )
    } else {
        say!(
            voice,
            "simkeeper: {cards} at {account}; they are only read.",
            "simkeeper：{account}有{count}张新卡，只读取。"
        )
    }
}

pub(super) fn test(voice: &Voice, channel: &str, at: UnixTime) -> Letter {
    let (channel, at) = (cut(channel, 80), voice.time(at));
    let mut letter = Letter::new(
        Need::Nothing,
        say!(voice, "trial message, {at}", "测试消息，{at}"),
        say!(
            voice,
            "This is a trial: messages from simkeeper over the channel {channel} reach you.",
            "这是一条测试消息：simkeeper 可以通过渠道 {channel} 通知到您。"
        ),
    );
    letter.row(say!(voice, "Channel", "渠道"), channel);
    letter.row(say!(voice, "Sent", "发出时间"), at);
    letter
}

pub(super) fn test_short(voice: &Voice, channel: &str) -> String {
    say!(
        voice,
        "simkeeper: trial over {channel}. Messages reach you. Nothing to do.",
        "simkeeper：渠道{channel}测试成功，无需操作。"
    )
}

/// A report of several lines without anything that controls a terminal or turns text.
fn lines(report: &str) -> String {
    let short: String = report.chars().take(REPORT_MAX_CHARS).collect();
    let clean = |line: &str| -> String {
        line.chars().map(|c| if crate::domain::card::disturbs(c) { ' ' } else { c }).collect()
    };
    let mut kept: Vec<String> = short.lines().map(clean).collect();
    if report.chars().nth(REPORT_MAX_CHARS).is_some() {
        kept.push("…".to_owned());
    }
    kept.join("\n")
}
