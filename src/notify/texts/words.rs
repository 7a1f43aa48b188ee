//! Words for closed sets: why a gate is closed, why an operator refused, why a result is not known. Each `match` names
//! every variant, so a new one asks for its words here.

use super::caps;
use super::voice::{Voice, cut};
use crate::domain::attempt::{Question, StateName};
use crate::domain::gates::{ClockFault, Gate};
use crate::domain::notice::FailedWhy;
use crate::domain::operator::{Doubt, Refusal, RefusalKind};
use crate::domain::reading::EndKind;
use crate::domain::rule::Condition;

/// How much of an operator's own words is shown.
const QUOTE_MAX: usize = 160;

/// Which of the three ends.
pub(super) fn which_end(voice: &Voice, which: EndKind) -> String {
    match which {
        EndKind::Plan => say!(voice, "plan ends", "套餐到期"),
        EndKind::Credit => say!(voice, "credit ends", "余额到期"),
        EndKind::Number => say!(voice, "number is taken back", "号码将被收回"),
    }
}

/// A condition of a rule that holds.
pub(super) fn low(voice: &Voice, condition: Condition) -> String {
    match condition {
        Condition::DataBelow(size) => say!(voice, "data below {size}", "流量低于 {size}"),
        Condition::DataShareBelow(share) => say!(voice, "data below {share}", "流量低于 {share}"),
        Condition::VoiceBelow(length) => {
            let length = voice.length(length);
            say!(voice, "calls below {length}", "通话时长低于 {length}")
        }
        Condition::SmsBelow(count) => say!(voice, "texts below {count}", "短信少于 {count} 条"),
        Condition::CreditBelow(money) => say!(voice, "credit below {money}", "余额低于 {money}"),
        Condition::PlanEndsWithin(length) => {
            let length = voice.length(length);
            say!(voice, "plan ends within {length}", "套餐将在 {length}内到期")
        }
        Condition::CreditEndsWithin(length) => {
            let length = voice.length(length);
            say!(voice, "credit ends within {length}", "余额将在 {length}内到期")
        }
        Condition::NumberEndsWithin(length) => {
            let length = voice.length(length);
            say!(voice, "number is taken back within {length}", "号码将在 {length}内被收回")
        }
    }
}

/// Why a purchase failed: a few words for subjects and text messages.
pub(super) fn failed_briefly(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(refusal) => refused_briefly(voice, refusal.kind),
        FailedWhy::NotSent(_) => say!(voice, "operator not reachable", "无法连接运营商"),
        FailedWhy::NeverArrived => say!(voice, "order never arrived", "订单未送达"),
        FailedWhy::Reversed(_) => say!(voice, "operator took it back", "运营商已撤销"),
        FailedWhy::Held(gate) => held_briefly(voice, *gate),
        FailedWhy::NoPlan => say!(voice, "no listed plan fits", "所列套餐均不合适"),
        FailedWhy::Unanswered => say!(voice, "nobody answered", "无人答复"),
    }
}

/// Why a purchase failed: a whole sentence. An operator's code never stands alone.
pub(super) fn failed(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(refusal) => refused(voice, refusal),
        FailedWhy::NotSent(what) => {
            let what = cut(what, QUOTE_MAX);
            say!(
                voice,
                "No connection to the operator could be made, so nothing was ordered ({what}).",
                "无法与运营商建立连接，因此没有下单（{what}）。"
            )
        }
        FailedWhy::NeverArrived => say!(
            voice,
            "The operator does not know the order: it never arrived, and nothing was charged.",
            "运营商没有这笔订单：订单未送达，也没有扣款。"
        ),
        FailedWhy::Reversed(what) => {
            let what = cut(what, QUOTE_MAX);
            say!(
                voice,
                "The operator had taken the order and took it back later (it says: \"{what}\").",
                "运营商接受订单后又将其撤销（原文：“{what}”）。"
            )
        }
        FailedWhy::Held(gate) => held(voice, *gate),
        FailedWhy::Unanswered => say!(
            voice,
            "nobody answered in time, and the rule says not to buy then",
            "无人按时答复，规则规定此时不购买"
        ),
        FailedWhy::NoPlan => say!(
            voice,
            "No plan of the rule's list is on sale for this card and ends in time for the rule's last day.",
            "规则所列的套餐中，没有一个既对这张卡出售、又不超出规则的最后日期。"
        ),
    }
}

fn refused(voice: &Voice, refusal: &Refusal) -> String {
    let meaning = match refusal.kind {
        RefusalKind::WalletEmpty => {
            say!(voice, "the account's wallet does not hold enough money", "账户余额不足以支付")
        }
        RefusalKind::PaymentDeclined => say!(voice, "the payment was declined", "付款被拒绝"),
        RefusalKind::PlanGone => say!(voice, "the plan is no longer sold for this card", "该套餐已不对这张卡出售"),
        RefusalKind::Passing => {
            say!(voice, "it is busy or under maintenance, which should pass", "系统繁忙或维护中，应会恢复")
        }
        RefusalKind::CardDead => say!(voice, "this card can no longer be renewed", "这张卡已不能续费"),
        RefusalKind::CardData => {
            say!(voice, "the card's details are wrong or incomplete", "卡的资料有误或不完整")
        }
        RefusalKind::NotActive => say!(voice, "the card is not installed or not active", "卡尚未安装或未激活"),
        RefusalKind::Access => say!(voice, "it does not accept our login", "它不接受我们的登录"),
        RefusalKind::BadCode => say!(voice, "the discount code is not valid", "优惠码无效"),
        RefusalKind::Other => say!(voice, "for the reason that it tells below", "原因见下文"),
    };
    say!(
        voice,
        "The operator refused the order: {meaning}. Nothing was charged.",
        "运营商拒绝了订单：{meaning}。没有扣款。"
    )
}

/// What the operator itself said about a refusal, if anything.
pub(super) fn said(voice: &Voice, why: &FailedWhy) -> Option<String> {
    let FailedWhy::Refused(refusal) = why else { return None };
    let (text, code) = (cut(&refusal.text, QUOTE_MAX), cut(&refusal.code, 40));
    match (text.is_empty(), code.is_empty()) {
        (true, true) => None,
        (true, false) => Some(say!(voice, "code {code}", "代码 {code}")),
        (false, true) => Some(say!(voice, "\"{text}\"", "“{text}”")),
        (false, false) => Some(say!(voice, "\"{text}\", code {code}", "“{text}”，代码 {code}")),
    }
}

fn refused_briefly(voice: &Voice, kind: RefusalKind) -> String {
    match kind {
        RefusalKind::WalletEmpty => say!(voice, "wallet empty", "账户余额不足"),
        RefusalKind::PaymentDeclined => say!(voice, "payment declined", "付款被拒"),
        RefusalKind::PlanGone => say!(voice, "plan no longer sold", "套餐已下架"),
        RefusalKind::Passing => say!(voice, "operator busy", "运营商繁忙"),
        RefusalKind::CardDead => say!(voice, "card cannot be renewed", "卡不能续费"),
        RefusalKind::CardData => say!(voice, "card details wrong", "卡资料有误"),
        RefusalKind::NotActive => say!(voice, "card not active", "卡未激活"),
        RefusalKind::Access => say!(voice, "login refused", "登录被拒"),
        RefusalKind::BadCode => say!(voice, "discount code invalid", "优惠码无效"),
        RefusalKind::Other => say!(voice, "operator refused", "运营商拒绝"),
    }
}

/// Why nothing was ordered: a whole sentence with the numbers.
fn held(voice: &Voice, gate: Gate) -> String {
    match gate {
        Gate::ReadingOld => {
            say!(voice, "No fresh answer about the card could be had.", "没有取得这张卡的最新数据。")
        }
        Gate::ReadingsDisagree => {
            say!(voice, "Two answers about the card in a row disagree.", "连续两次读取的数据不一致。")
        }
        Gate::ClockUntrusted(fault) => clock(voice, fault),
        Gate::AttemptOpen => say!(
            voice,
            "An earlier purchase for this card is not finished or not visible yet.",
            "这张卡的上一笔购买尚未完成或尚未显示。"
        ),
        Gate::OverPerRenewal { limit, price } => say!(
            voice,
            "The plan costs {price}; the rule allows {limit} for one purchase (`per_renewal`).",
            "套餐价格为 {price}，而规则允许单次最多 {limit}（`per_renewal`）。"
        ),
        Gate::OverPerMonth { limit, spent, price } => say!(
            voice,
            "The plan costs {price}; of this month's {limit} already {spent} is spent or reserved (`per_month`).",
            "套餐价格为 {price}；本月限额 {limit} 中已花费或预留 {spent}（`per_month`）。"
        ),
        Gate::OverPerDay { limit } => say!(
            voice,
            "Within 24 hours there were already {limit} purchases, as many as the rule allows (`renewals_per_day`).",
            "24 小时内已购买 {limit} 次，达到规则上限（`renewals_per_day`）。"
        ),
        Gate::OverPerCycle { limit, spent, price } => caps::cycle_sum(voice, limit, spent, price),
        Gate::CycleCountReached { limit } => caps::cycle_count(voice, limit),
        Gate::OverShared { line, per, limit, spent, price } => {
            caps::shared_sum(voice, line, per, limit, (spent, price))
        }
        Gate::SharedCountReached { line, per, limit } => caps::shared_count(voice, line, per, limit),
        Gate::LimitCurrency { limit, price } => caps::other_currency(voice, limit, price),
        Gate::WalletShort { balance, price } => say!(
            voice,
            "The account's wallet holds {balance}; the plan costs {price}.",
            "账户钱包有 {balance}，套餐价格为 {price}。"
        ),
        Gate::PriceMoved { decided, now } => say!(
            voice,
            "The price moved from {decided} to {now} just before the order.",
            "下单前价格由 {decided} 变为 {now}。"
        ),
        Gate::PlanChanged => {
            say!(voice, "The plan is gone or is another than was decided.", "套餐已下架，或与决定时不同。")
        }
        Gate::DiskFull => say!(
            voice,
            "Less than 64 MiB of the disk is free, so an order could not be recorded safely.",
            "磁盘可用空间不足 64 MiB，无法安全记录订单。"
        ),
        Gate::RecordDamaged => say!(voice, "Damage was found in simkeeper's own record.", "simkeeper 的记录有损坏。"),
        Gate::Quarantined => say!(
            voice,
            "The records were restored from a backup and this card is not confirmed yet.",
            "记录由备份恢复，这张卡尚未确认。"
        ),
        Gate::BreakerOpen => say!(voice, "The operator fails too often at present.", "运营商目前故障过多。"),
        Gate::Paused => say!(voice, "The card is paused.", "这张卡已暂停。"),
        Gate::OutsideRule => {
            say!(voice, "The rule's dates or hours do not allow a purchase now.", "规则的日期或时段目前不允许购买。")
        }
        Gate::CardState => {
            say!(voice, "The card's present state does not allow a purchase.", "卡的当前状态不允许购买。")
        }
    }
}

fn clock(voice: &Voice, fault: ClockFault) -> String {
    match fault {
        ClockFault::OffOperator => say!(
            voice,
            "This machine's clock differs from the operator's by more than 5 minutes; set it right and buying goes on.",
            "本机时钟与运营商相差超过 5 分钟；校准后会继续购买。"
        ),
        ClockFault::BeforeRecord => say!(
            voice,
            "This machine's clock lies before the last recorded event; set it right and buying goes on.",
            "本机时钟早于最近一条记录；校准后会继续购买。"
        ),
        ClockFault::BeforeBuild => say!(
            voice,
            "This machine's clock lies before the day simkeeper was built; set it right and buying goes on.",
            "本机时钟早于 simkeeper 的构建日期；校准后会继续购买。"
        ),
        ClockFault::Unconfirmed => say!(
            voice,
            "No operator has confirmed this machine's clock yet; buying goes on as soon as one has.",
            "尚无运营商确认本机时钟；确认后会继续购买。"
        ),
    }
}

fn held_briefly(voice: &Voice, gate: Gate) -> String {
    match gate {
        Gate::ReadingOld => say!(voice, "no fresh data", "没有最新数据"),
        Gate::ReadingsDisagree => say!(voice, "data contradicts itself", "数据前后不一"),
        Gate::ClockUntrusted(_) => say!(voice, "clock is wrong", "时钟不准"),
        Gate::AttemptOpen => say!(voice, "earlier order still open", "上一笔未完成"),
        Gate::OverPerRenewal { limit, .. } => say!(voice, "over {limit} limit", "超出单次限额 {limit}"),
        Gate::OverPerMonth { limit, .. } => say!(voice, "over month's {limit}", "超出月限额 {limit}"),
        Gate::OverPerDay { limit } => say!(voice, "{limit} a day reached", "已达每日 {limit} 次"),
        Gate::OverPerCycle { limit, .. } => say!(voice, "over cycle's {limit}", "超出周期限额 {limit}"),
        Gate::CycleCountReached { limit } => say!(voice, "{limit} a cycle reached", "已达每周期 {limit} 次"),
        Gate::OverShared { limit, .. } => say!(voice, "over shared {limit}", "超出共用限额 {limit}"),
        Gate::SharedCountReached { limit, .. } => say!(voice, "{limit} shared ones made", "已达共用 {limit} 次"),
        Gate::LimitCurrency { .. } => say!(voice, "limit in other currency", "限额币种不同"),
        Gate::WalletShort { balance, .. } => say!(voice, "wallet has only {balance}", "钱包仅有 {balance}"),
        Gate::PriceMoved { now, .. } => say!(voice, "price is now {now}", "价格变为 {now}"),
        Gate::PlanChanged => say!(voice, "plan changed", "套餐有变"),
        Gate::DiskFull => say!(voice, "disk full", "磁盘已满"),
        Gate::RecordDamaged => say!(voice, "record is damaged", "记录已损坏"),
        Gate::Quarantined => say!(voice, "records were restored", "记录刚恢复"),
        Gate::BreakerOpen => say!(voice, "operator is failing", "运营商故障"),
        Gate::Paused => say!(voice, "card is paused", "卡已暂停"),
        Gate::OutsideRule => say!(voice, "outside rule's dates", "不在规则时段"),
        Gate::CardState => say!(voice, "card's state forbids it", "卡状态不允许"),
    }
}

/// Why the result of an order is not known.
pub(super) fn doubt(voice: &Voice, doubt: Doubt) -> String {
    match doubt {
        Doubt::TimedOut => say!(voice, "no answer came in time", "未及时收到答复"),
        Doubt::Broken => say!(voice, "the connection broke after it was made", "连接中途断开"),
        Doubt::ServerError => say!(voice, "the operator's server reported an error of its own", "运营商服务器报错"),
        Doubt::Redirected => {
            say!(
                voice,
                "the operator pointed to another address, which is never followed",
                "运营商要求转到别的地址，而我们从不跟随"
            )
        }
        Doubt::Throttled => say!(voice, "the operator said \"too many requests\"", "运营商称请求过多"),
        Doubt::Unreadable => say!(voice, "the answer could not be read", "答复无法读取"),
        Doubt::Unproven => {
            say!(voice, "the answer says success, but not for this very order", "答复称成功，但与这笔订单不符")
        }
        Doubt::UnlistedCode => {
            say!(voice, "the answer has a code whose meaning is not documented", "答复含有未说明含义的代码")
        }
        Doubt::AlreadyUsed => {
            say!(voice, "the operator already knows this order's reference", "运营商已有此订单编号")
        }
        Doubt::ProcessEnded => {
            say!(voice, "simkeeper was stopped while the order was on its way", "订单发送途中 simkeeper 停止了运行")
        }
        Doubt::PendingLost => {
            say!(voice, "the operator never finished the order", "运营商一直没有完成这笔订单")
        }
    }
}

/// Why a person is asked what became of an order.
pub(super) fn question(voice: &Voice, question: Question) -> String {
    match question {
        Question::NoEvidence => say!(
            voice,
            "The order cannot be looked up, and two days of readings show no change on the card.",
            "订单无法查询，而两天的读取显示卡上没有变化。"
        ),
        Question::KeyWindowOver => say!(
            voice,
            "The time in which the operator recognises a repeated order is over, and the order cannot be looked up.",
            "运营商识别重复订单的期限已过，而订单无法查询。"
        ),
        Question::EndNear => {
            say!(voice, "The card ends soon and the order is still unknown.", "卡即将到期，而订单结果仍未知。")
        }
        Question::Contradiction => say!(
            voice,
            "The evidence contradicts itself: what the card shows and what the operator says of the order do not fit.",
            "证据互相矛盾：卡上显示的与运营商所说的订单情况不符。"
        ),
        Question::EffectMissing => say!(
            voice,
            "The operator took the order, but a day later nothing shows on the card.",
            "运营商已接受订单，但一天后卡上仍无变化。"
        ),
        Question::Restored => say!(
            voice,
            "The records were restored from a backup, so this order may have gone differently than they say.",
            "记录由备份恢复，这笔订单的实际情况可能与记录不同。"
        ),
    }
}
/// Where a purchase stands.
pub(super) fn attempt_state(voice: &Voice, state: StateName) -> String {
    match state {
        StateName::Planned => say!(voice, "planned, and nothing was sent yet", "已计划，尚未发出"),
        StateName::Sending | StateName::Pending => say!(voice, "on its way", "进行中"),
        StateName::Accepted => say!(voice, "taken by the operator", "运营商已受理"),
        StateName::Unknown | StateName::Human => say!(voice, "not known to be done or not", "结果尚不确定"),
        StateName::Done => say!(voice, "done", "已完成"),
        StateName::Refused => say!(voice, "refused by the operator", "被运营商拒绝"),
        StateName::Absent => say!(voice, "known never to have arrived", "确认未送达"),
        StateName::Abandoned => say!(voice, "given up", "已放弃"),
        StateName::Reversed => say!(voice, "taken back by the operator", "已被运营商撤销"),
    }
}
