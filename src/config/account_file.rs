//! The tables of accounts at operators that simkeeper has an adapter for, and how each becomes an [`AccountConfig`].
//! What the owner describes (profiles, programs, TM Forum servers) is in `described_file`, modems in `ussd_file`.

use url::Url;

use super::account::{AccountConfig, AccountKind, SANDBOX_URL};
use super::containers::OneOrMore;
use super::declare::{kinds, table};
use super::described_file::{ExecTable, HttpTable, PlanTable, Tmf654Table, exec, http, plans, tmf654};
use super::machine_file::texts;
use super::reader::{At, Entry, Field, Named, Notes};
use super::secret::SecretRef;
use super::ussd_file::{UssdTable, ussd};
use super::values::{HostName, LocalUrl, Words, Zone};
use crate::domain::time::Secs;

kinds! {
    /// An account at an operator.
    enum AccountTable {
        "1nce" => OneNce(OneNceTable),
        "airalo" => Airalo(AiraloTable),
        "dingconnect" => DingConnect(DingConnectTable),
        "dtone" => DtOne(DtOneTable),
        "emnify" => Emnify(EmnifyTable),
        "esimaccess" => EsimAccess(EsimAccessTable),
        "esimgo" => EsimGo(EsimGoTable),
        "exec" => Exec(ExecTable),
        "hologram" => Hologram(HologramTable),
        "http" => Http(HttpTable),
        "keepgo" => Keepgo(KeepgoTable),
        "reloadly" => Reloadly(ReloadlyTable),
        "sandbox" => Sandbox(SandboxTable),
        "telnyx" => Telnyx(TelnyxTable),
        "things-mobile" => ThingsMobile(ThingsMobileTable),
        "tmf654" => Tmf654(Box<Tmf654Table>),
        "ussd" => Ussd(Box<UssdTable>),
    }
}

table! {
    /// What every account may say.
    struct AnyAccountTable {
        /// Ways to pay, in order, by the operator's names; ["wallet"] if nothing is said, ["voucher"] for kind = "ussd".
        may payment: OneOrMore<Words>,
        /// Whom to ask when something needs a person.
        may support: Words,
        /// How long it takes until money is there that a purchase needs; the last safe moment lies earlier by this.
        may payment_lead: Secs,
        /// The zone of cards that name none.
        may zone: Zone,
        /// How often its cards are read, if not as often as the schedule says.
        may poll: Secs,
        /// Whether cards that the operator lists are added by themselves; they are read, and bought for only by a rule.
        may discover: bool,
    }
}

table! {
    /// 1NCE: fleets of SIMs with a fixed volume.
    struct OneNceTable with any: AnyAccountTable {
        /// The name of the API user.
        must username: Words,
        /// The password of the API user.
        must password: SecretRef,
        /// What `topup` and `extension` hold and cost in your contract; the API does not tell.
        may plans: Named<PlanTable>,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Airalo's Partners API: travel eSIMs.
    struct AiraloTable with any: AnyAccountTable {
        /// The id of the API client.
        must client_id: SecretRef,
        /// The secret of the API client.
        must client_secret: SecretRef,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// DingConnect: top-ups of prepaid numbers.
    struct DingConnectTable with any: AnyAccountTable {
        /// The API key.
        must api_key: SecretRef,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// DT One's DVS API: top-ups of prepaid numbers, and eSIMs.
    struct DtOneTable with any: AnyAccountTable {
        /// The API key.
        must api_key: SecretRef,
        /// The API secret.
        must api_secret: SecretRef,
        /// Whether this is an account of the operator's test system.
        may sandbox: bool,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// emnify: fleets of SIMs with quotas.
    struct EmnifyTable with any: AnyAccountTable {
        /// The application token.
        must application_token: SecretRef,
        /// What may be bought: volume and length of a quota, and what it costs you.
        may plans: Named<PlanTable>,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// eSIM Access: travel eSIMs.
    struct EsimAccessTable with any: AnyAccountTable {
        /// The access code.
        must access_code: SecretRef,
        /// The secret key, by which requests are signed; the operator takes unsigned ones as well.
        may secret_key: SecretRef,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// eSIM Go: travel eSIMs.
    struct EsimGoTable with any: AnyAccountTable {
        /// The API key.
        must api_key: SecretRef,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Hologram: fleets of SIMs on monthly plans.
    struct HologramTable with any: AnyAccountTable {
        /// The API key.
        must api_key: SecretRef,
        /// The number of the organisation.
        must organisation: u64,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Keepgo and eSIMba: data lines with refills.
    struct KeepgoTable with any: AnyAccountTable {
        /// The API key.
        must api_key: SecretRef,
        /// The access token.
        must access_token: SecretRef,
        /// The host of a partner with a name of its own.
        may host: HostName,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Reloadly's airtime: top-ups of prepaid numbers.
    struct ReloadlyTable with any: AnyAccountTable {
        /// The client id.
        must client_id: SecretRef,
        /// The client secret.
        must client_secret: SecretRef,
        /// Whether these are credentials of the operator's test system.
        may sandbox: bool,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// The built-in operator for trying things out.
    struct SandboxTable with any: AnyAccountTable {
        /// Where it listens; on this machine.
        may base_url: LocalUrl,
        /// The key that it wants.
        may key: SecretRef,
        /// How long to wait for one answer.
        may time_limit: Secs,
    }
}

table! {
    /// Telnyx: fleets of SIMs with data limits.
    struct TelnyxTable with any: AnyAccountTable {
        /// The API key (version 2).
        must api_key: SecretRef,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// Things Mobile: fleets of SIMs that are recharged by the MB.
    struct ThingsMobileTable with any: AnyAccountTable {
        /// The user of the portal.
        must username: Words,
        /// The API token.
        must token: SecretRef,
        /// What may be bought, up to 1000 MB each, and what it costs in your contract; the API does not tell.
        may plans: Named<PlanTable>,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

/// The account that a table describes.
pub(super) fn account(
    entry: &Entry<AccountTable>,
    table: &AccountTable,
    notes: &mut Notes<'_>,
) -> Option<AccountConfig> {
    let any = any(table);
    let kind = kind(table, notes);
    super::machine_file::check_poll(&any.poll, notes);
    let payment: Vec<String> = texts(&any.payment);
    if let Some(list) = any.payment.good()
        && list.value.0.is_empty()
    {
        notes.contradiction(&list.span, "no way to pay is named", "payment = [\"wallet\"]".to_owned());
    }
    let kind = kind?;
    Some(AccountConfig {
        name: entry.name.clone(),
        payment: if payment.is_empty() { vec![kind.usual_payment().to_owned()] } else { payment },
        kind,
        support: any.support.get().map(|words| words.0.clone()),
        payment_lead: any.payment_lead.get().copied().unwrap_or(Secs::ZERO),
        zone: any.zone.get().map(|zone| zone.0.clone()),
        poll: any.poll.get().copied(),
        discover: any.discover.get().copied().unwrap_or(false),
    })
}

fn any(table: &AccountTable) -> &AnyAccountTable {
    match table {
        AccountTable::OneNce(table) => &table.any,
        AccountTable::Airalo(table) => &table.any,
        AccountTable::DingConnect(table) => &table.any,
        AccountTable::DtOne(table) => &table.any,
        AccountTable::Emnify(table) => &table.any,
        AccountTable::EsimAccess(table) => &table.any,
        AccountTable::EsimGo(table) => &table.any,
        AccountTable::Exec(table) => &table.any,
        AccountTable::Hologram(table) => &table.any,
        AccountTable::Http(table) => &table.any,
        AccountTable::Keepgo(table) => &table.any,
        AccountTable::Reloadly(table) => &table.any,
        AccountTable::Sandbox(table) => &table.any,
        AccountTable::Telnyx(table) => &table.any,
        AccountTable::ThingsMobile(table) => &table.any,
        AccountTable::Tmf654(table) => &table.any,
        AccountTable::Ussd(table) => &table.any,
    }
}

fn kind(table: &AccountTable, notes: &mut Notes<'_>) -> Option<AccountKind> {
    let key = |field: &Field<SecretRef>| field.get().cloned();
    let url = |field: &Field<LocalUrl>| field.get().map(|url| url.0.clone());
    let words = |field: &Field<Words>| field.get().map(|words| words.0.clone());
    let truth = |field: &Field<bool>| field.get().copied().unwrap_or(false);
    Some(match table {
        AccountTable::OneNce(t) => AccountKind::OneNce {
            username: words(&t.username)?,
            password: key(&t.password)?,
            plans: plans(&t.plans, notes),
            base_url: url(&t.base_url),
        },
        AccountTable::Airalo(t) => AccountKind::Airalo {
            client_id: key(&t.client_id)?,
            client_secret: key(&t.client_secret)?,
            base_url: url(&t.base_url),
        },
        AccountTable::DingConnect(t) => {
            AccountKind::DingConnect { api_key: key(&t.api_key)?, base_url: url(&t.base_url) }
        }
        AccountTable::DtOne(t) => AccountKind::DtOne {
            api_key: key(&t.api_key)?,
            api_secret: key(&t.api_secret)?,
            sandbox: truth(&t.sandbox),
            base_url: url(&t.base_url),
        },
        AccountTable::Emnify(t) => AccountKind::Emnify {
            application_token: key(&t.application_token)?,
            plans: plans(&t.plans, notes),
            base_url: url(&t.base_url),
        },
        AccountTable::EsimAccess(t) => AccountKind::EsimAccess {
            access_code: key(&t.access_code)?,
            secret_key: key(&t.secret_key),
            base_url: url(&t.base_url),
        },
        AccountTable::EsimGo(t) => AccountKind::EsimGo { api_key: key(&t.api_key)?, base_url: url(&t.base_url) },
        AccountTable::Exec(t) => exec(t, notes)?,
        AccountTable::Hologram(t) => AccountKind::Hologram {
            api_key: key(&t.api_key)?,
            organisation: t.organisation.get().copied()?,
            base_url: url(&t.base_url),
        },
        AccountTable::Http(t) => http(t)?,
        AccountTable::Keepgo(t) => AccountKind::Keepgo {
            api_key: key(&t.api_key)?,
            access_token: key(&t.access_token)?,
            host: t.host.get().map(|host| host.0.clone()),
            base_url: url(&t.base_url),
        },
        AccountTable::Reloadly(t) => AccountKind::Reloadly {
            client_id: key(&t.client_id)?,
            client_secret: key(&t.client_secret)?,
            sandbox: truth(&t.sandbox),
            base_url: url(&t.base_url),
        },
        AccountTable::Sandbox(t) => sandbox(t, notes)?,
        AccountTable::Telnyx(t) => AccountKind::Telnyx { api_key: key(&t.api_key)?, base_url: url(&t.base_url) },
        AccountTable::ThingsMobile(t) => AccountKind::ThingsMobile {
            username: words(&t.username)?,
            token: key(&t.token)?,
            plans: plans(&t.plans, notes),
            base_url: url(&t.base_url),
        },
        AccountTable::Tmf654(t) => tmf654(t, notes)?,
        AccountTable::Ussd(t) => ussd(t, notes)?,
    })
}

fn sandbox(table: &SandboxTable, notes: &mut Notes<'_>) -> Option<AccountKind> {
    check_limit(&table.time_limit, notes);
    let base_url = match &table.base_url {
        Field::Absent => Url::parse(SANDBOX_URL).ok()?,
        Field::Bad => return None,
        Field::Good(url) => url.value.0.clone(),
    };
    Some(AccountKind::Sandbox { base_url, key: table.key.get().cloned(), time_limit: table.time_limit.get().copied() })
}

/// No operator answers in no time.
pub(super) fn check_limit(limit: &Field<Secs>, notes: &mut Notes<'_>) {
    if let Some(At { value, span, .. }) = limit.good()
        && *value < Secs(1)
    {
        notes.contradiction(span, "no operator answers in no time", "time_limit = \"30s\"".to_owned());
    }
}
