//! What a person can do about a purchase that failed.

use super::voice::Voice;
use crate::domain::gates::Gate;
use crate::domain::notice::FailedWhy;
use crate::domain::operator::RefusalKind;

pub(super) fn for_failure(voice: &Voice, why: &FailedWhy) -> String {
    match why {
        FailedWhy::Refused(refusal) => for_refusal(voice, refusal.kind),
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
        FailedWhy::NoPlan => {
            say!(
                voice,
                "If the card is still needed, please name a plan that fits in the rule's `buy`, or move its `until`.",
                "如果仍需要这张卡，请在规则的 `buy` 中填写合适的套餐，或调整 `until`。"
            )
        }
    }
}

fn for_refusal(voice: &Voice, kind: RefusalKind) -> String {
    match kind {
        RefusalKind::WalletEmpty => {
            say!(voice, "Please put money into the account at the operator.", "请为运营商账户充值。")
        }
        RefusalKind::PaymentDeclined => {
            say!(
                voice,
                "Please check the way to pay at the operator, or name a second one in `payment`.",
                "请检查付款方式，或在 `payment` 中再加一种。"
            )
        }
        RefusalKind::PlanGone => {
            say!(voice, "Please name another plan in the rule's `buy`.", "请在规则的 `buy` 中填写别的套餐。")
        }
        RefusalKind::Passing => say!(voice, "This usually passes by itself.", "这通常会自行恢复。"),
        RefusalKind::CardDead => say!(voice, "Please get a new card.", "请准备一张新卡。"),
        RefusalKind::CardData => {
            say!(
                voice,
                "Please compare the card's numbers in rules.toml with the card.",
                "请将 rules.toml 中的号码与卡核对。"
            )
        }
        RefusalKind::NotActive => {
            say!(voice, "Please install the card in a device and switch it on.", "请将卡装入设备并启用。")
        }
        RefusalKind::Access => {
            say!(
                voice,
                "Please check the account's login in simkeeper.toml.",
                "请检查 simkeeper.toml 中的账户登录信息。"
            )
        }
        RefusalKind::BadCode => {
            say!(voice, "Please take the code out of the rule's `codes`.", "请从规则的 `codes` 中删去该优惠码。")
        }
        RefusalKind::Other => {
            say!(
                voice,
                "Please ask the operator's support and quote its words above.",
                "请联系运营商客服，并引用上面的原文。"
            )
        }
    }
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
        Gate::OverPerRenewal { .. }
        | Gate::OverPerMonth { .. }
        | Gate::OverPerDay { .. }
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
        Gate::Paused => say!(voice, "Please end the pause when it may buy again.", "可以购买时，请结束暂停。"),
        Gate::CardState => say!(
            voice,
            "Please look at the card: it must be installed, active and not blocked.",
            "请检查这张卡：须已安装、已激活且未被停用。"
        ),
    }
}
