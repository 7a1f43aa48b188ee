//! Files as an owner of cards in three countries would have them.

use super::*;

const TRAVELLER: &str = r##"
language = "en"
currency = "CAD"
[operator.airalo]
kind = "airalo"
client_id = { credential = "airalo-id" }
client_secret = { credential = "airalo-secret" }
payment = ["wallet"]
support = "support@example.net"
[operator.try]
kind = "sandbox"
[channel.mail]
kind = "smtp"
host = "mail.example.net"
port = 587
tls = "starttls"
user = "keeper"
password = { credential = "smtp" }
from = "simkeeper <keeper@example.net>"
[channel.sms]
kind = "twilio"
account = "AC00112233445566778899aabbccddeeff"
token = { credential = "twilio" }
from = "+15005550006"
[person.anna]
mail = "anna@example.net"
sms = "+16135550123"
language = "zh-CN"
zone = "America/Toronto"
quiet = "22:00-07:00"
[schedule]
poll = "6h"
digest = "Mon 08:00"
backup = "daily"
"##;

const TRIP: &str = r##"#:schema ./rules.schema.json
[card.canada]
operator = "airalo"
iccid = "8901260862291234567"
labels = ["trip"]
zone = "America/Toronto"
notify = ["anna"]
rule = "travel"

[rule.travel]
mode = "auto"
renew_when = { data_below = "500 MB", plan_ends_within = "36h" }
buy = ["same", "canada-7days-3gb", { cheapest = { data = "1 GB", validity = "5d" } }]
from = 2026-12-01
until = 2026-12-20
limits = { per_renewal = "15 USD", per_month = "40 USD", renewals_per_day = 1, price_rise = "10%" }
hours = "01:00-06:00"
codes = ["WINTER10"]
warn_before = ["7d", "3d", "1d"]

[rule.keep-number]
mode = "auto"
renew_when = { number_ends_within = "14d" }
buy = [{ credit = "10 GBP" }]
"##;

#[test]
fn a_trip_and_a_number_to_keep() {
    let config = parsed(TRAVELLER, TRIP).unwrap_or_else(|problems| panic!("{problems}"));
    let told: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "rules.toml:4:9: the last digit of this ICCID is not its check digit; compare it with the card, a digit may be mistyped",
            "rules.toml:21:7: no card here uses the rule `keep-number`; name it in a card: rule = \"keep-number\"; cards added by command may use it too",
        ]
    );
    let travel = config.rules.rule(&name("travel")).unwrap();
    assert_eq!((travel.line, travel.mode), (10, Mode::Auto));
    assert_eq!(travel.renew_when.triggers[0].condition, Condition::DataBelow(DataSize(500_000_000)));
    assert_eq!(travel.limits.renewals_per_day, Some(1));
    assert_eq!(travel.codes, ["WINTER10"]);
    let keep = config.rules.rule(&name("keep-number")).unwrap();
    assert_eq!(keep.buy[0].choice, Choice::Credit(Money::parse("10 GBP").unwrap()));
    assert_eq!(keep.buy[0].line, 24);
    assert_eq!(config.machine.person(&name("anna")).unwrap().language, Language::parse("zh-CN").unwrap());
}
