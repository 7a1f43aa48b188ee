//! Cards in modems, from what the file says about them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::tz::TimeZone;

use super::Surroundings;
use crate::config::{AccountConfig, SecretRef, UssdAccess, UssdTopUp};
use crate::operators::Operator;
use crate::operators::ussd::{Ends, MenuStep, SmsAnswer, TopUp, Ussd, UssdSettings, VoucherList};

/// The book of vouchers that were sent, below the state directory; one for all accounts, which may share a list.
const BOOK: &str = "vouchers-sent";

/// The operator of an account.
pub(super) fn operator(
    account: &AccountConfig,
    access: &UssdAccess,
    around: &Surroundings,
) -> anyhow::Result<Arc<dyn Operator>> {
    let name = &account.name;
    let top_up = access.top_up.as_ref().map(|table| top_up(table, around)).transpose();
    let settings = UssdSettings {
        bus: access.bus.clone(),
        read: access.read.clone(),
        menu: access.menu.iter().cloned().map(|(expect, reply)| MenuStep { expect, reply }).collect(),
        no_balance: access.no_balance.clone(),
        balance: access.balance.clone(),
        currency: access.currency,
        currency_words: access.currency_words.clone(),
        decimal_comma: access.decimal_comma,
        data_unit: access.data_unit.clone(),
        ends: access.ends.as_ref().map(|ends| Ends { of: ends.of, formats: ends.formats.clone() }),
        zone: account.zone.clone().unwrap_or(TimeZone::UTC),
        limit: Duration::from_secs(access.time_limit.0.unsigned_abs()),
        sms: access.sms.as_ref().map(|sms| SmsAnswer { from: sms.from.clone(), delete: sms.delete }),
        top_up: top_up.with_context(|| format!("operator `{name}`"))?,
    };
    let ussd = Ussd::new(settings).with_context(|| format!("operator `{name}` in simkeeper.toml"))?;
    Ok(Arc::new(ussd))
}

fn top_up(table: &UssdTopUp, around: &Surroundings) -> anyhow::Result<TopUp> {
    let lists = table.vouchers.iter().map(|list| {
        let (path, guarded) = match &list.list {
            SecretRef::File(path) => (path.clone(), true),
            SecretRef::Credential(name) => {
                let folder = around.credentials.as_deref();
                let folder = folder.with_context(|| {
                    format!("there is no credentials directory for `{name}`; name it in the unit with LoadCredential=")
                })?;
                (folder.join(name), false)
            }
        };
        Ok(VoucherList { worth: list.worth, price: list.price, path, guarded })
    });
    Ok(TopUp {
        code: table.code.clone(),
        success: table.success.clone(),
        refused: table.refused.clone(),
        lists: lists.collect::<anyhow::Result<_>>()?,
        used: around.state.join(BOOK),
    })
}
