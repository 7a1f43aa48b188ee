//! The tables of operators that the owner describes: by a profile, by a program, by the address of a TM Forum server;
//! and of plans that an operator sells without listing them.

use std::collections::BTreeMap;

use super::account::{AccountKind, CardBy, ExecAccess, ProfileAccess, SignIn, Tmf654Access, Tmf654Version};
use super::account_file::{AnyAccountTable, check_limit};
use super::containers::OneOrMore;
use super::declare::{table, texts, words};
use super::machine_file::{entries, texts};
use super::reader::{Field, Named, Notes};
use super::secret::SecretRef;
use super::values::{HttpUrl, LocalUrl, WholePath, Words, is_loopback};
use crate::domain::data::DataSize;
use crate::domain::money::{Currency, Money};
use crate::domain::plan::{Contents, Plan};
use crate::domain::time::Secs;

words! {
    Tmf654Version, "a version of TMF654": { "4.0" => Tmf654Version::V4_0, "4.1" => Tmf654Version::V4_1, }
}

texts! {
    CardBy, "CardBy", "what finds a card", "^(msisdn|iccid|resource:.+|product:.+)$", "msisdn", card_by;
}

fn card_by(text: &str) -> Result<CardBy, String> {
    let field = |name: &str| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let found = match text.split_once(':') {
        None if text == "msisdn" => Some(CardBy::Msisdn),
        None if text == "iccid" => Some(CardBy::Iccid),
        Some(("resource", name)) => field(name).map(CardBy::Resource),
        Some(("product", name)) => field(name).map(CardBy::Product),
        None | Some(_) => None,
    };
    found.ok_or_else(|| format!("`{text}` finds no card; write msisdn, iccid, resource:FIELD or product:FIELD"))
}

table! {
    /// A plan that the operator sells without listing it.
    struct PlanTable {
        /// What it costs you; held against the limits, and told in messages.
        must price: Money,
        /// A name for people; the key, if nothing is said.
        may name: Words,
        /// The data that it puts on the card.
        may data: DataSize,
        /// The credit that it puts on the card.
        may credit: Money,
        /// The time of calls.
        may voice: Secs,
        /// The texts.
        may sms: u64,
        /// How long it lasts.
        may validity: Secs,
    }
}

table! {
    /// An operator that a profile describes (docs/http-profile.md).
    struct HttpTable with any: AnyAccountTable {
        /// The profile: a name below operators.d beside this file, or a whole path.
        must profile: Words,
        /// The secrets that the profile names.
        may secrets: Named<SecretRef>,
        /// For a stand-in on this machine.
        may base_url: LocalUrl,
    }
}

table! {
    /// An operator that a program answers for (docs/exec.md).
    struct ExecTable with any: AnyAccountTable {
        /// The program; it gets one JSON request on its standard input for each call.
        must program: WholePath,
        /// Its arguments.
        may args: OneOrMore<Words>,
        /// How long one call may take; 60s if nothing is said.
        may time_limit: Secs,
        /// Secrets that stand in each request.
        may secrets: Named<SecretRef>,
    }
}

table! {
    /// Any operator with the TM Forum's Prepay Balance Management API (TMF654).
    struct Tmf654Table with any: AnyAccountTable {
        /// The address below which /bucket and /topupBalance lie.
        must base_url: HttpUrl,
        /// Which version it speaks: 4.0 or 4.1.
        must version: Tmf654Version,
        /// What finds a card: msisdn (if nothing is said), iccid, resource:FIELD or product:FIELD, with one of its fields.
        may card_by: CardBy,
        /// The currency of amounts that name none.
        must currency: Currency,
        /// The unit of data that is told without one, such as "MB".
        may data_unit: Words,
        /// The sales channel, where the operator wants one.
        may channel: Words,
        /// A token that does not change.
        may token: SecretRef,
        /// The user of a password.
        may user: Words,
        /// The password.
        may password: SecretRef,
        /// Where tokens are given (OAuth 2.0, client credentials).
        may token_url: HttpUrl,
        /// The client.
        may client_id: SecretRef,
        /// Its secret.
        may client_secret: SecretRef,
        /// What its tokens are for.
        may scope: Words,
        /// What may be bought; the interface has no list of plans.
        may plans: Named<PlanTable>,
    }
}

/// The plans that a table describes; the key is the plan's id.
pub(super) fn plans(field: &Field<Named<PlanTable>>, notes: &mut Notes<'_>) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (entry, table) in entries(field) {
        let Some(price) = table.price.get().copied() else { continue };
        let contents = Contents {
            data_bytes: table.data.get().map(|size| size.bytes()),
            unlimited_data: false,
            voice_secs: table.voice.get().and_then(|length| u64::try_from(length.0).ok()),
            sms: table.sms.get().copied(),
            credit: table.credit.get().copied(),
        };
        if contents == Contents::default() && table.validity.is_absent() {
            let help = "add data = \"500 MB\", credit = \"10 GBP\" or validity = \"30d\"".to_owned();
            notes.contradiction(&entry.key, format!("the plan `{}` puts nothing on a card", entry.name), help);
        }
        plans.push(Plan {
            id: entry.name.to_string(),
            name: table.name.get().map_or_else(|| entry.name.to_string(), |words| words.0.clone()),
            contents,
            validity_secs: table.validity.get().map(|length| length.0),
            price,
        });
    }
    plans
}

/// The program that a table names.
pub(super) fn exec(table: &ExecTable, notes: &mut Notes<'_>) -> Option<AccountKind> {
    check_limit(&table.time_limit, notes);
    Some(AccountKind::Exec(Box::new(ExecAccess {
        program: table.program.get()?.0.clone(),
        args: texts(&table.args),
        time_limit: table.time_limit.get().copied(),
        secrets: secrets(&table.secrets),
    })))
}

/// The profile that a table names.
pub(super) fn http(table: &HttpTable) -> Option<AccountKind> {
    Some(AccountKind::Http(Box::new(ProfileAccess {
        profile: table.profile.get()?.0.clone().into(),
        secrets: secrets(&table.secrets),
        base_url: table.base_url.get().map(|url| url.0.clone()),
    })))
}

fn secrets(field: &Field<Named<SecretRef>>) -> BTreeMap<String, SecretRef> {
    entries(field).map(|(entry, secret)| (entry.name.to_string(), secret.clone())).collect()
}

/// The TM Forum server that a table describes.
pub(super) fn tmf654(table: &Tmf654Table, notes: &mut Notes<'_>) -> Option<AccountKind> {
    for url in [&table.base_url, &table.token_url].into_iter().filter_map(Field::good) {
        if url.value.0.scheme() != "https" && !url.value.0.host_str().is_some_and(is_loopback) {
            let help = "write https://; http:// is taken for this machine only".to_owned();
            notes.contradiction(&url.span, "money would be ordered over an unprotected connection", help);
        }
    }
    let sign_in = sign_in(table, notes)?;
    Some(AccountKind::Tmf654(Box::new(Tmf654Access {
        base_url: table.base_url.get()?.0.clone(),
        version: *table.version.get()?,
        sign_in,
        card_by: table.card_by.get().cloned().unwrap_or(CardBy::Msisdn),
        channel: table.channel.get().map(|words| words.0.clone()),
        currency: *table.currency.get()?,
        data_unit: table.data_unit.get().map(|words| words.0.clone()),
        plans: plans(&table.plans, notes),
    })))
}

/// One way of signing in, whole.
fn sign_in(table: &Tmf654Table, notes: &mut Notes<'_>) -> Option<SignIn> {
    let by_token = !table.token.is_absent();
    let by_password = !table.user.is_absent() || !table.password.is_absent();
    let by_client = !table.token_url.is_absent() || !table.client_id.is_absent() || !table.client_secret.is_absent();
    let place = table.base_url.good().map(|url| url.key.clone());
    let mut wrong = |message: &str, help: &str| {
        if let Some(place) = &place {
            notes.contradiction(place, message, help.to_owned());
        }
    };
    if [by_token, by_password, by_client].into_iter().filter(|used| *used).count() > 1 {
        wrong(
            "there are two ways of signing in",
            "keep one: token; user and password; or token_url, client_id and client_secret",
        );
        return None;
    }
    let whole = match (by_token, by_password, by_client) {
        (true, _, _) => table.token.get().cloned().map(SignIn::Bearer),
        (_, true, _) => table
            .user
            .get()
            .zip(table.password.get())
            .map(|(user, password)| SignIn::Basic { user: user.0.clone(), password: password.clone() }),
        (_, _, true) => client_credentials(table),
        (false, false, false) => None,
    };
    if whole.is_none() {
        wrong(
            "the way of signing in is missing or not whole",
            "write token; or user and password; or token_url, client_id and client_secret",
        );
    }
    whole
}

fn client_credentials(table: &Tmf654Table) -> Option<SignIn> {
    Some(SignIn::ClientCredentials {
        token_url: table.token_url.get()?.0.clone(),
        client_id: table.client_id.get()?.clone(),
        client_secret: table.client_secret.get()?.clone(),
        scope: table.scope.get().map(|words| words.0.clone()),
    })
}
