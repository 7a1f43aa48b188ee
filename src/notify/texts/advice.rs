//! What a person can do about a purchase that failed.

use super::voice::{Voice, cut};
use crate::domain::gates::Gate;
use crate::domain::notice::FailedWhy;
use crate::domain::operator::{Refusal, RefusalKind};

/// What to do, in the order in which to do it.
pub(super) fn for_failure(voice: &Voice, why: &FailedWhy, support: Option<&String>) -> Vec<String> {
    match why {
        FailedWhy::Refused(refusal) => for_refusal(voice, refusal, support),
        FailedWhy::Held(_)
        | FailedWhy::NotSent(_)
        | FailedWhy::NeverArrived
        | FailedWhy::Reversed(_)
        | FailedWhy::NoPlan
        | FailedWhy::Unanswered => vec![for_other(voice, why)],
    }
}

/// Whether it usually goes away without anybody's doing.
pub(super) const fn passes_by_itself(why: &FailedWhy) -> bool {
    match why {
        FailedWhy::Refused(refusal) => matches!(refusal.kind, RefusalKind::Passing),
        FailedWhy::Held(gate) => passes(*gate),
        FailedWhy::NotSent(_) | FailedWhy::NeverArrived => true,
        FailedWhy::Reversed(_) | FailedWhy::NoPlan | FailedWhy::Unanswered => false,
    }
}

const fn passes(gate: Gate) -> bool {
    match gate {
        Gate::ReadingOld
        | Gate::ReadingsDisagree
        | Gate::AttemptOpen
        | Gate::BreakerOpen
        | Gate::OutsideRule
        | Gate::Quarantined => true,
        Gate::ClockUntrusted(_)
        | Gate::OverPerRenewal { .. }
        | Gate::OverPerMonth { .. }
        | Gate::OverPerDay { .. }
        | Gate::OverPerCycle { .. }
        | Gate::CycleCountReached { .. }
        | Gate::OverShared { .. }
        | Gate::SharedCountReached { .. }
        | Gate::LimitCurrency { .. }
        | Gate::WalletShort { .. }
        | Gate::PriceMoved { .. }
        | Gate::PlanChanged
        | Gate::DiskFull
        | Gate::RecordDamaged
        | Gate::Paused
        | Gate::CardState => false,
    }
}

fn for_other(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(_) => String::new(),
        FailedWhy::Held(gate) => for_gate(voice, *gate),
        FailedWhy::NotSent(_) => {
            say!(
                voice,
                "Please check this machine's network if other cards fail too.",
                "如果其他卡也失败，请检查本机网络。"
            )
        }
        FailedWhy::NeverArrived => {
            say!(voice, "A new order can be placed safely.", "可以放心重新下单。")
        }
        FailedWhy::Reversed(_) => {
            say!(voice, "Please ask the operator whether the money came back.", "请向运营商确认款项是否已退回。")
        }
        FailedWhy::Unanswered => say!(
            voice,
            "If the card is still needed, please buy by hand: simkeeper renew.",
            "如果仍需要这张卡，请手动购买：simkeeper renew。"
        ),
        FailedWhy::NoPlan => {
            say!(
                voice,
                "If the card is still needed, please name a plan that fits in the rule's `buy`, or move its `until`.",
                "如果仍需要这张卡，请在规则的 `buy` 中填写合适的套餐，或调整 `until`。"
            )
        }
    }
}

/// The ladder of a refusal, in the order in which it is climbed: the card's data, the payment, the operator, then whom to
/// call. Rungs that cannot be the cause are left out; the last one always stands.
fn for_refusal(voice: &Voice, refusal: &Refusal, support: Option<&String>) -> Vec<String> {
    let kind = refusal.kind;
    let rungs = [card_rung(voice, kind), payment_rung(voice, kind), operator_rung(voice, kind)];
    let mut ladder: Vec<String> = rungs.into_iter().flatten().collect();
    ladder.push(call_rung(voice, refusal, support));
    ladder
}

fn card_rung(voice: &Voice, kind: RefusalKind) -> Option<String> {
    match kind {
        RefusalKind::CardDead => Some(say!(
            voice,
            "Card: its number was taken back, or it is made for one use. Please get a new one and name it in rules.toml.",
            "卡：号码已被收回，或为一次性卡。请准备新卡，并写入 rules.toml。"
        )),
        RefusalKind::CardData => Some(say!(
            voice,
            "Card: a number in rules.toml is wrong, or one that this operator wants is missing. Please compare them with the card.",
            "卡：rules.toml 中的号码有误，或缺少该运营商所需的号码。请与卡核对。"
        )),
        RefusalKind::NotActive => Some(say!(
            voice,
            "Card: it is not in use yet. Please install it in a device and switch it on.",
            "卡：尚未启用。请装入设备并开机。"
        )),
        RefusalKind::Other => Some(say!(
            voice,
            "Card: please compare its numbers in rules.toml with the card.",
            "卡：请将 rules.toml 中的号码与卡核对。"
        )),
        RefusalKind::WalletEmpty
        | RefusalKind::PaymentDeclined
        | RefusalKind::PlanGone
        | RefusalKind::Passing
        | RefusalKind::Access
        | RefusalKind::BadCode => None,
    }
}

fn payment_rung(voice: &Voice, kind: RefusalKind) -> Option<String> {
    match kind {
        RefusalKind::WalletEmpty => Some(say!(
            voice,
            "Payment: the wallet is too low. Please put money into it, or name a second way in the account's `payment`.",
            "付款：钱包余额不足。请充值，或在账户的 `payment` 中再加一种付款方式。"
        )),
        RefusalKind::PaymentDeclined => Some(say!(
            voice,
            "Payment: it may be expired, over its limit or waiting for your consent. Please check it at the operator, or name a second way in the account's `payment`.",
            "付款：可能已过期、超限或待您确认。请在运营商处检查，或在账户的 `payment` 中再加一种付款方式。"
        )),
        RefusalKind::BadCode => Some(say!(
            voice,
            "Payment: the discount code is over or not for this plan. Please take it out of the rule's `codes`.",
            "付款：优惠码已失效，或不适用于该套餐。请从规则的 `codes` 中删去。"
        )),
        RefusalKind::Other => Some(say!(
            voice,
            "Payment: please look at the wallet and the way to pay at the operator.",
            "付款：请在运营商处检查钱包和付款方式。"
        )),
        RefusalKind::PlanGone
        | RefusalKind::Passing
        | RefusalKind::CardDead
        | RefusalKind::CardData
        | RefusalKind::NotActive
        | RefusalKind::Access => None,
    }
}

fn operator_rung(voice: &Voice, kind: RefusalKind) -> Option<String> {
    match kind {
        RefusalKind::PlanGone => Some(say!(
            voice,
            "Operator: it no longer sells this plan for the card. Please name another in the rule's `buy`, or a second account in the card's `operator`.",
            "运营商：已不对这张卡出售该套餐。请在规则的 `buy` 中填写别的套餐，或在卡的 `operator` 中再加一个账户。"
        )),
        RefusalKind::Passing => Some(say!(
            voice,
            "Operator: it is busy or under maintenance, which usually passes by itself.",
            "运营商：繁忙或维护中，通常会自行恢复。"
        )),
        RefusalKind::Access => Some(say!(
            voice,
            "Operator: our login has ended or was blocked. Please check the account in simkeeper.toml.",
            "运营商：登录信息已失效或被停用。请检查 simkeeper.toml 中的账户。"
        )),
        RefusalKind::Other => Some(say!(
            voice,
            "Operator: please look whether it reports a fault.",
            "运营商：请查看其是否发布了故障公告。"
        )),
        RefusalKind::WalletEmpty
        | RefusalKind::PaymentDeclined
        | RefusalKind::CardDead
        | RefusalKind::CardData
        | RefusalKind::NotActive
        | RefusalKind::BadCode => None,
    }
}

/// Whom to call, and what to say there.
fn call_rung(voice: &Voice, refusal: &Refusal, support: Option<&String>) -> String {
    let code = cut(&refusal.code, 40);
    let whom = support.map_or_else(|| say!(voice, "the operator's support", "运营商客服"), |support| cut(support, 80));
    if code.is_empty() {
        return say!(voice, "If that is not it: please ask {whom}.", "若以上均无误：请联系 {whom}。");
    }
    say!(
        voice,
        "If that is not it: please ask {whom} and quote the code {code}.",
        "若以上均无误：请联系 {whom}，并告知代码 {code}。"
    )
}

fn for_gate(voice: &Voice, gate: Gate) -> String {
    match gate {
        Gate::ReadingOld
        | Gate::ReadingsDisagree
        | Gate::AttemptOpen
        | Gate::BreakerOpen
        | Gate::OutsideRule
        | Gate::Quarantined => say!(voice, "This usually passes by itself.", "这通常会自行恢复。"),
        Gate::ClockUntrusted(_) => {
            say!(
                voice,
                "Please look whether this machine's clock is right and kept so by NTP.",
                "请检查本机时钟是否准确，并由 NTP 校时。"
            )
        }
        Gate::OverShared { .. } | Gate::SharedCountReached { .. } => say!(
            voice,
            "Please raise that `[[limit]]` in rules.toml, or leave the card as it is.",
            "请调高 rules.toml 中的该 `[[limit]]`，或保持现状。"
        ),
        Gate::OverPerRenewal { .. }
        | Gate::OverPerMonth { .. }
        | Gate::OverPerDay { .. }
        | Gate::OverPerCycle { .. }
        | Gate::CycleCountReached { .. }
        | Gate::LimitCurrency { .. } => say!(
            voice,
            "Please change the rule's `limits` in rules.toml, or leave the card as it is.",
            "请修改 rules.toml 中规则的 `limits`，或保持现状。"
        ),
        Gate::WalletShort { .. } => {
            say!(voice, "Please put money into the account at the operator.", "请为运营商账户充值。")
        }
        Gate::PriceMoved { .. } | Gate::PlanChanged => say!(
            voice,
            "Please look at the operator's present plans and prices, and at the rule's `buy`.",
            "请查看运营商目前的套餐和价格，以及规则的 `buy`。"
        ),
        Gate::DiskFull => say!(voice, "Please make room on this machine's disk.", "请清理本机磁盘空间。"),
        Gate::RecordDamaged => say!(
            voice,
            "Please restore the newest sound copy: `simkeeper verify` names it.",
            "请恢复最新的完好备份：`simkeeper verify` 会指出。"
        ),
        Gate::Paused => say!(voice, "Please end the pause when it may buy again.", "可以购买时，请结束暂停。"),
        Gate::CardState => say!(
            voice,
            "Please look at the card: it must be installed, active and not blocked.",
            "请检查这张卡：须已安装、已激活且未被停用。"
        ),
    }
}
