//! One account at each kind of operator, and the card and plan that the kept documents are about.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use simkeeper::domain::card::{Card, CardId, Name};
use simkeeper::domain::identity::{Iccid, Msisdn};
use simkeeper::domain::money::{Currency, Money};
use simkeeper::domain::operator::OperatorError;
use simkeeper::domain::plan::{Contents, Plan};
use simkeeper::domain::time::UnixTime;
use simkeeper::operators::airalo::Airalo;
use simkeeper::operators::dingconnect::DingConnect;
use simkeeper::operators::dtone::DtOne;
use simkeeper::operators::emnify::Emnify;
use simkeeper::operators::esimaccess::EsimAccess;
use simkeeper::operators::esimgo::EsimGo;
use simkeeper::operators::exec::{Exec, ExecSettings};
use simkeeper::operators::hologram::Hologram;
use simkeeper::operators::http::Way;
use simkeeper::operators::keepgo::Keepgo;
use simkeeper::operators::one_nce::OneNce;
use simkeeper::operators::profile::{Profile, ProfileOperator, check as profile_of};
use simkeeper::operators::reloadly::Reloadly;
use simkeeper::operators::sandbox::SandboxOperator;
use simkeeper::operators::tame::Tame;
use simkeeper::operators::telnyx::Telnyx;
use simkeeper::operators::things_mobile::ThingsMobile;
use simkeeper::operators::tmf654::{Access, CardKey, Settings, Tmf654, Version};
use simkeeper::operators::{Operator, http};

use super::is_tame;

/// A secret that no answer may come to show.
pub(crate) const SECRET: &str = "a-secret-of-the-account";

/// The accounts, by the word that a kept input begins with.
pub(crate) const KINDS: [&str; 21] = [
    "airalo",
    "dingconnect",
    "dtone",
    "dtone-esim",
    "emnify",
    "esimaccess",
    "esimgo",
    "hologram",
    "keepgo",
    "1nce",
    "profile-esimgo",
    "profile-mobimatter",
    "profile-reloadly",
    "profile-zendit",
    "reloadly",
    "telnyx",
    "things-mobile",
    "tmf654",
    "tmf654-v4.0",
    "exec",
    "sandbox",
];

/// Carries out what would wait for a network; times in it pass at once.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(work))
}

/// What every error that is shown to people must be.
pub(crate) fn is_sound_error(error: &OperatorError) {
    let (OperatorError::Later { why, .. } | OperatorError::Never { why, .. } | OperatorError::Unknown { why }) = error;
    assert!(is_tame(why) && why.chars().count() <= 500, "{why:?}");
    if let OperatorError::Later { retry_after: Some(wait), .. } = error {
        assert!((1..=86_401).contains(&wait.0), "{wait:?}");
    }
}

/// An account of this kind, as the daemon opens it.
pub(crate) fn open(kind: &str) -> Tame {
    Tame::new(adapter(kind), vec![SECRET.into()])
}

fn adapter(kind: &str) -> Arc<dyn Operator> {
    let way = &Way { unpaced: true, body_bytes_max: Some(64 << 10), ..Way::to("http://127.0.0.1:9") };
    let secret = || SECRET.into();
    macro_rules! account {
        ($opened:expr) => {
            Arc::new($opened.unwrap())
        };
    }
    match kind {
        "airalo" => account!(Airalo::open(way, "an-id".into(), secret())),
        "dingconnect" => account!(DingConnect::open(way, secret())),
        "dtone" => account!(DtOne::open(way, false, "a-key".into(), secret())),
        "dtone-esim" => account!(DtOne::open(way, true, "a-key".into(), secret())),
        "emnify" => account!(Emnify::open(way, secret(), vec![plan(kind)])),
        "esimaccess" => account!(EsimAccess::open(way, "a-code".into(), Some(secret()))),
        "esimgo" => account!(EsimGo::open(way, secret())),
        "hologram" => account!(Hologram::open(way, 144, &secret())),
        "keepgo" => account!(Keepgo::open(way, None, "a-key".into(), secret())),
        "1nce" => account!(OneNce::open(way, "a-user", &secret(), vec![plan(kind)])),
        "reloadly" => account!(Reloadly::open(way, false, "an-id".into(), secret())),
        "telnyx" => account!(Telnyx::open(way, secret())),
        "things-mobile" => {
            let zone = TimeZone::get("Europe/Rome").unwrap();
            account!(ThingsMobile::open(way, Some(zone), "somebody", secret(), vec![plan(kind)]))
        }
        "tmf654" => account!(Tmf654::open(way, tmf654(Version::V4_1, Access::Bearer(secret()), CardKey::Msisdn))),
        "tmf654-v4.0" => {
            let access = Access::OAuth2 {
                token_url: "https://login.mycsp.example/oauth2/token".into(),
                client_id: "a-client".into(),
                client_secret: secret(),
                scope: Some("balance".into()),
            };
            account!(Tmf654::open(way, tmf654(Version::V4_0, access, CardKey::Product("product_id".into()))))
        }
        "exec" => {
            let settings = ExecSettings {
                account: "operator".into(),
                program: "/nowhere/operator".into(),
                args: Vec::new(),
                limit: Duration::from_secs(5),
                secrets: BTreeMap::from([("key".to_owned(), secret())]),
            };
            Arc::new(run(Exec::connect(settings)))
        }
        "sandbox" => {
            let settings = http::HttpSettings::new("http://127.0.0.1:9", &[]);
            account!(run(SandboxOperator::connect(&settings, secret())))
        }
        described => {
            let profile = &PROFILES[described];
            let secrets = profile.secrets().iter().map(|name| (name.clone(), secret())).collect();
            account!(ProfileOperator::open(way, profile.clone(), secrets))
        }
    }
}

/// The profiles that come with the documentation.
static PROFILES: LazyLock<BTreeMap<&str, Profile>> = LazyLock::new(|| {
    macro_rules! profiles {
        ($($name:literal)*) => {
            [$(($name, include_str!(concat!("../../docs/examples/operators.d/", $name, ".toml")))),*]
        };
    }
    let named = |(name, text): (&'static str, &str)| (name, profile_of(text).unwrap());
    let known = profiles! { "esimgo" "mobimatter" "reloadly" "zendit" };
    let kinds = ["profile-esimgo", "profile-mobimatter", "profile-reloadly", "profile-zendit"];
    kinds.into_iter().zip(known.map(named)).map(|(kind, (_, profile))| (kind, profile)).collect()
});

fn tmf654(version: Version, access: Access, card_key: CardKey) -> Settings {
    Settings {
        base_url: "https://api.mycsp.example/tmf-api/prepayBalanceManagement/v4".into(),
        version,
        access,
        card_key,
        currency: Currency::EUR,
        data_unit: None,
        channel: Some("99".into()),
        plans: vec![plan("tmf654")],
    }
}

/// When the documents of this kind were told.
pub(crate) fn now(kind: &str) -> UnixTime {
    // 2022-08-15T12:00:00Z and 2026-11-22T12:00:00Z.
    UnixTime::clamped(if kind == "keepgo" { 1_660_564_800 } else { 1_795_348_800 })
}

/// The card that the documents of this kind are about.
pub(crate) fn card(kind: &str) -> Card {
    let (iccid, msisdn, fields): (&str, &str, &[(&str, &str)]) = match kind {
        "airalo" => ("8910300000005271146", "", &[]),
        "dingconnect" => ("", "59171234567", &[]),
        "dtone" => ("", "447951631337", &[]),
        "dtone-esim" => ("8910300000005271146", "", &[("operator_id", "4001")]),
        "emnify" => ("8988303000000614227", "", &[]),
        "esimaccess" => ("8910300000044404757", "", &[]),
        "esimgo" => ("8943108167001960542", "", &[]),
        "hologram" => ("9990000000000001234", "", &[]),
        "keepgo" => ("8965972579000123456", "", &[]),
        "1nce" => ("8988303000123456789", "", &[]),
        "profile-esimgo" => ("8943108167001960542", "", &[]),
        "profile-mobimatter" => ("8931226100011425000", "", &[("first_order_id", "RBL-1"), ("family", "6")]),
        "profile-reloadly" => ("", "50936377111", &[("operator_id", "174"), ("country", "HT")]),
        "profile-zendit" => ("8910300000005271146", "", &[("brand", "AFRICA")]),
        "reloadly" => ("", "50936377111", &[]),
        "telnyx" => ("89310410106543789301", "", &[]),
        "things-mobile" => ("8944501312167518236", "447937557899", &[]),
        "tmf654" => ("", "447645233482", &[]),
        "tmf654-v4.0" => ("", "", &[("product_id", "prd1")]),
        _ => ("8988303000000000010", "16135550123", &[]),
    };
    Card {
        iccid: Iccid::parse(iccid).ok(),
        msisdn: Msisdn::parse(msisdn).ok(),
        fields: fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Card::new(CardId(1), Name::parse("canada").unwrap(), Name::parse("operator").unwrap())
    }
}

/// The plan that is bought, where a catalogue does not tell another.
pub(crate) fn plan(kind: &str) -> Plan {
    let (id, price) = match kind {
        "airalo" => ("bonbon-mobile-30days-3gb-topup", "10 USD"),
        "dingconnect" => ("BO_EN_TopUp:11:0", "1.15 USD"),
        "dtone" => ("mobile:30567", "12.50 USD"),
        "dtone-esim" => ("esim:52001", "7.20 USD"),
        "emnify" => ("500MB", "2 EUR"),
        "esimaccess" => ("TOPUP_CKH491", "7 USD"),
        "esimgo" | "profile-esimgo" => ("esim_1GB_7D_GB_V2", "1.36 USD"),
        "hologram" | "telnyx" => ("limit+100MB", "0 USD"),
        "keepgo" => ("1024-10", "7 USD"),
        "1nce" => ("topup", "10 EUR"),
        "profile-mobimatter" => ("6cd89e12", "8 USD"),
        "profile-reloadly" => ("15.00", "15 USD"),
        "profile-zendit" => ("ESIM-AFRICA-30D-10GB", "24.60 USD"),
        "reloadly" => ("174:HT:sender:15:USD", "15 USD"),
        "things-mobile" => ("500MB", "1 EUR"),
        "tmf654" | "tmf654-v4.0" => ("credit-15", "15.30 EUR"),
        _ => ("canada-7days-3gb", "12.50 USD"),
    };
    let price = Money::parse(price).unwrap();
    let mut contents = Contents { data_bytes: Some(500_000_000), ..Contents::default() };
    if kind.starts_with("tmf654") {
        contents = Contents { credit: Some(Money::parse("15 EUR").unwrap()), ..Contents::default() };
    }
    Plan { id: id.to_owned(), name: id.to_owned(), contents, validity_secs: None, price }
}
