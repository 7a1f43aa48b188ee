//! From an account of the file to its operator.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Surroundings, secret, ussd};
use crate::config::{
    AccountConfig, AccountKind, CardBy, ExecAccess, PROFILES, SecretRef, SignIn, Tmf654Access, Tmf654Version,
};
use crate::operators::Operator;
use crate::operators::airalo::Airalo;
use crate::operators::dingconnect::DingConnect;
use crate::operators::dtone::DtOne;
use crate::operators::emnify::Emnify;
use crate::operators::esimaccess::EsimAccess;
use crate::operators::esimgo::EsimGo;
use crate::operators::exec::{Exec, ExecSettings};
use crate::operators::hologram::Hologram;
use crate::operators::http::{HttpSettings, Way};
use crate::operators::keepgo::Keepgo;
use crate::operators::one_nce::OneNce;
use crate::operators::profile::{Profile, ProfileOperator, check_file};
use crate::operators::reloadly::Reloadly;
use crate::operators::sandbox::SandboxOperator;
use crate::operators::tame::Tame;
use crate::operators::telnyx::Telnyx;
use crate::operators::things_mobile::ThingsMobile;
use crate::operators::tmf654::{self, Tmf654};

/// How long a program may take for one call if nothing is said.
const EXEC_LIMIT: Duration = Duration::from_secs(60);

/// The operator of an account.
///
/// # Errors
/// When a secret or a profile cannot be read, or an address is not allowed.
pub(crate) async fn operator(account: &AccountConfig, around: &Surroundings) -> anyhow::Result<Arc<dyn Operator>> {
    let opened = opened(account, around).await;
    let opened = opened.with_context(|| format!("operator `{}` in simkeeper.toml", account.name))?;
    let given: Vec<SecretString> =
        references(&account.kind).into_iter().filter_map(|reference| secret(reference, around).ok()).collect();
    Ok(Arc::new(Tame::new(opened, given)))
}

/// The secrets that an operator is given and might quote. Vouchers are not among them: they are sent one at a time.
fn references(kind: &AccountKind) -> Vec<&SecretRef> {
    match kind {
        AccountKind::OneNce { password: one, .. }
        | AccountKind::DingConnect { api_key: one, .. }
        | AccountKind::Emnify { application_token: one, .. }
        | AccountKind::EsimGo { api_key: one, .. }
        | AccountKind::Hologram { api_key: one, .. }
        | AccountKind::Telnyx { api_key: one, .. }
        | AccountKind::ThingsMobile { token: one, .. } => vec![one],
        AccountKind::Airalo { client_id: one, client_secret: two, .. }
        | AccountKind::DtOne { api_key: one, api_secret: two, .. }
        | AccountKind::Keepgo { api_key: one, access_token: two, .. }
        | AccountKind::Reloadly { client_id: one, client_secret: two, .. } => vec![one, two],
        AccountKind::EsimAccess { access_code, secret_key, .. } => {
            std::iter::once(access_code).chain(secret_key).collect()
        }
        AccountKind::Exec(access) => access.secrets.values().collect(),
        AccountKind::Http(access) => access.secrets.values().collect(),
        AccountKind::Sandbox { key, .. } => key.iter().collect(),
        AccountKind::Tmf654(access) => match &access.sign_in {
            SignIn::Bearer(one) | SignIn::Basic { password: one, .. } => vec![one],
            SignIn::ClientCredentials { client_id, client_secret, .. } => vec![client_id, client_secret],
        },
        AccountKind::Ussd(_) => Vec::new(),
    }
}

async fn opened(account: &AccountConfig, around: &Surroundings) -> anyhow::Result<Arc<dyn Operator>> {
    let read = |reference: &SecretRef| secret(reference, around);
    Ok(match &account.kind {
        AccountKind::OneNce { username, password, plans, base_url } => {
            Arc::new(OneNce::open(&way(base_url.as_ref()), username, &read(password)?, plans.clone())?)
        }
        AccountKind::Airalo { client_id, client_secret, base_url } => {
            Arc::new(Airalo::open(&way(base_url.as_ref()), read(client_id)?, read(client_secret)?)?)
        }
        AccountKind::DingConnect { api_key, base_url } => {
            Arc::new(DingConnect::open(&way(base_url.as_ref()), read(api_key)?)?)
        }
        AccountKind::DtOne { api_key, api_secret, sandbox, base_url } => {
            Arc::new(DtOne::open(&way(base_url.as_ref()), *sandbox, read(api_key)?, read(api_secret)?)?)
        }
        AccountKind::Emnify { application_token, plans, base_url } => {
            Arc::new(Emnify::open(&way(base_url.as_ref()), read(application_token)?, plans.clone())?)
        }
        AccountKind::EsimAccess { access_code, secret_key, base_url } => {
            let key = secret_key.as_ref().map(read).transpose()?;
            Arc::new(EsimAccess::open(&way(base_url.as_ref()), read(access_code)?, key)?)
        }
        AccountKind::EsimGo { api_key, base_url } => Arc::new(EsimGo::open(&way(base_url.as_ref()), read(api_key)?)?),
        AccountKind::Exec(access) => Arc::new(Exec::connect(program(account, access, around)?).await),
        AccountKind::Hologram { api_key, organisation, base_url } => {
            Arc::new(Hologram::open(&way(base_url.as_ref()), *organisation, &read(api_key)?)?)
        }
        AccountKind::Http(access) => {
            let profile = profile(&access.profile, around)?;
            let secrets = secrets(&access.secrets, around)?;
            Arc::new(ProfileOperator::open(&way(access.base_url.as_ref()), profile, secrets)?)
        }
        AccountKind::Keepgo { api_key, access_token, host, base_url } => {
            let way = way(base_url.as_ref());
            Arc::new(Keepgo::open(&way, host.as_deref(), read(api_key)?, read(access_token)?)?)
        }
        AccountKind::Reloadly { client_id, client_secret, sandbox, base_url } => {
            Arc::new(Reloadly::open(&way(base_url.as_ref()), *sandbox, read(client_id)?, read(client_secret)?)?)
        }
        AccountKind::Sandbox { base_url, key, time_limit } => {
            let host = base_url.host_str().unwrap_or("127.0.0.1").to_owned();
            let mut settings = HttpSettings::new(base_url.as_str(), &[&host]);
            if let Some(limit) = time_limit {
                let limit = Duration::from_secs(limit.0.unsigned_abs());
                (settings.read_limit, settings.buy_limit) = (limit, limit);
            }
            let key = match key {
                Some(key) => read(key)?,
                None => SecretString::from(crate::sandbox::DEFAULT_KEY),
            };
            Arc::new(SandboxOperator::connect(&settings, key).await?)
        }
        AccountKind::Telnyx { api_key, base_url } => Arc::new(Telnyx::open(&way(base_url.as_ref()), read(api_key)?)?),
        AccountKind::ThingsMobile { username, token, plans, base_url } => {
            let way = way(base_url.as_ref());
            Arc::new(ThingsMobile::open(&way, account.zone.clone(), username, read(token)?, plans.clone())?)
        }
        AccountKind::Tmf654(access) => Arc::new(Tmf654::open(&Way::default(), server(access, around)?)?),
        AccountKind::Ussd(access) => ussd::operator(account, access, around)?,
    })
}

fn way(stand_in: Option<&Url>) -> Way {
    Way { stand_in: stand_in.map(|url| url.as_str().trim_end_matches('/').to_owned()), ..Way::default() }
}

fn secrets(
    references: &BTreeMap<String, SecretRef>,
    around: &Surroundings,
) -> anyhow::Result<BTreeMap<String, SecretString>> {
    references.iter().map(|(name, reference)| Ok((name.clone(), secret(reference, around)?))).collect()
}

fn program(account: &AccountConfig, access: &ExecAccess, around: &Surroundings) -> anyhow::Result<ExecSettings> {
    Ok(ExecSettings {
        account: account.name.to_string(),
        program: access.program.clone(),
        args: access.args.clone(),
        limit: access.time_limit.map_or(EXEC_LIMIT, |limit| Duration::from_secs(limit.0.unsigned_abs())),
        secrets: secrets(&access.secrets, around)?,
    })
}

/// A profile that cannot be used: it is part of the configuration, though it stands in a file of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ProfileTrouble(String);

/// The profile of an account.
///
/// # Errors
/// It cannot be read, or there are mistakes in it.
pub(crate) fn profile(path: &Path, around: &Surroundings) -> Result<Profile, ProfileTrouble> {
    // Joining a whole path answers that path.
    let path = around.config.join(PROFILES).join(path);
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let help = format!("a profile lies in {PROFILES}/ beside simkeeper.toml, with its whole name: acme.toml");
        ProfileTrouble(format!("the profile {shown} cannot be read: {error}; {help}"))
    })?;
    check_file(&text, &shown).map_err(ProfileTrouble)
}

fn server(access: &Tmf654Access, around: &Surroundings) -> anyhow::Result<tmf654::Settings> {
    let sign_in = match &access.sign_in {
        SignIn::Bearer(token) => tmf654::Access::Bearer(secret(token, around)?),
        SignIn::Basic { user, password } => {
            tmf654::Access::Basic { user: user.clone(), password: secret(password, around)? }
        }
        SignIn::ClientCredentials { token_url, client_id, client_secret, scope } => tmf654::Access::OAuth2 {
            token_url: token_url.to_string(),
            client_id: secret(client_id, around)?.expose_secret().to_owned(),
            client_secret: secret(client_secret, around)?,
            scope: scope.clone(),
        },
    };
    Ok(tmf654::Settings {
        base_url: access.base_url.as_str().trim_end_matches('/').to_owned(),
        version: match access.version {
            Tmf654Version::V4_0 => tmf654::Version::V4_0,
            Tmf654Version::V4_1 => tmf654::Version::V4_1,
        },
        access: sign_in,
        card_key: match &access.card_by {
            CardBy::Msisdn => tmf654::CardKey::Msisdn,
            CardBy::Iccid => tmf654::CardKey::Iccid,
            CardBy::Resource(field) => tmf654::CardKey::Resource(field.clone()),
            CardBy::Product(field) => tmf654::CardKey::Product(field.clone()),
        },
        currency: access.currency,
        data_unit: access.data_unit.clone(),
        channel: access.channel.clone(),
        plans: access.plans.clone(),
    })
}
