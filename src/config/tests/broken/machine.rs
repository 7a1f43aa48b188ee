//! Accounts, channels, people and secrets.

use super::*;

#[test]
fn a_language_without_a_file_of_texts_names_those_that_have_one() {
    let known = Language::ALL.map(|language| format!("`{}`", language.tag())).join(", ");
    let said = format!("1:12: `tlh-Latn-QO` is not a language; known: {known}");
    machine("language = \"tlh-Latn-QO\"\ncurrency = \"CAD\"\n", &[&said]);
}

#[test]
fn accounts_channels_and_people() {
    machine(
        "language = \"zh-cn\"\n[operator.a]\nkind = \"airlo\"\n[operator.b]\n[operator.c]\nkind = \"airalo\"\nclient_id = { credential = \"a\", file = \"/b\" }\n[operator.d]\nkind = \"sandbox\"\nbase_url = \"https://example.net/\"\npoll = \"0s\"\n",
        &[
            "1:1: `currency` is missing; add currency = …",
            "1:12: `zh-cn` is not a language; did you mean `zh-CN`?",
            "3:8: `airlo` is not a kind of operator; did you mean `airalo`?",
            "4:11: `operator.b.kind` is missing; add kind = … with one of 1nce, airalo, dingconnect, dtone, emnify, esimaccess, esimgo, exec, hologram, http, keepgo, reloadly, sandbox, telnyx, things-mobile, tmf654, ussd",
            "5:11: `operator.c.client_secret` is missing; add client_secret = …",
            "7:13: `operator.c.client_id` takes one of `credential` and `file`; client_id = { credential = \"NAME\" } or client_id = { file = \"/PATH\" } of mode 600",
            "10:12: `https://example.net/` is not on this machine; only 127.0.0.1, [::1] and localhost are taken here",
            "11:8: cards cannot be read without a pause; poll = \"6h\"",
        ],
    );
    machine(
        "currency = \"CAD\"\n[channel.m]\nkind = \"smtp\"\nhost = \"mail.example.net\"\ntls = \"none\"\nuser = \"a\"\nfrom = \"x\"\n[channel.g]\nkind = \"gateway\"\nurl = \"ftp://c/\"\nmethod = \"get\"\nform = { to = \"{tu}\" }\n[channel.h]\nkind = \"gateway\"\nurl = \"https://c/\"\nquery = { to = \"{to}\" }\n[person.x]\n[person.y]\nsms = \"0123\"\nquiet = \"00:00-24:00\"\n[schedule]\ndigest = \"Mon 8:00\"\nbackup = \"weekly\"\n",
        &[
            "5:7: mail to `mail.example.net` would cross the network unprotected; tls = \"starttls\" or \"implicit\"; \"none\" is for a mail server on this machine",
            "6:1: a user without a password cannot log in; add password = { credential = \"NAME\" }, or leave user out",
            "7:8: `x` is not a sender; write \"simkeeper <keeper@example.net>\"",
            "10:7: `ftp://c/` is not a web address; write one such as \"https://sms.example.net/send\"",
            "12:1: a GET request has no form; method = \"post\", or use query",
            "12:15: `{tu}` is not a placeholder; did you mean `to`?",
            "13:10: this gateway is never told {text}; put {text} into a value of query or form, such as text = \"{text}\"",
            "17:9: `x` can be told in no way; add mail = \"name@example.net\" or sms = \"+16135550123\"",
            "19:7: `0123` begins with 0, which no country code does; write the country code and the number, such as \"+16135550123\"",
            "20:1: the quiet hours of `y` are counted in UTC; add zone = \"America/Toronto\"",
            "20:9: these quiet hours never end; write the hours of the night, such as quiet = \"22:00-07:00\"",
            "22:10: `Mon 8:00` is not a time for digests; write \"daily 08:00\", \"Mon 08:00\" or \"monthly 1 08:00\"",
            "23:10: `weekly` is not a daily time; write \"daily\" or \"daily 03:30\" (UTC)",
        ],
    );
    machine(
        "currency = \"CAD\"\n[channel.m]\nkind = \"maildir\"\n[person.x]\nmail = \"x@example.net\"\nwakes = \"urgnt\"\nfrom = { sms = \"warning\" }\nseverity = { bougt = \"never\", held = \"never\" }\n[person.y]\nmail = \"y@example.net\"\nwakes = \"news\"\n",
        &[
            "6:9: `urgnt` is not how much a message matters; did you mean `urgent`?",
            "7:10: `x` has no address for it; add sms = \"+16135550123\", or leave this out",
            "8:14: `person.x.severity.bougt` is not a known key; did you mean `bought`?",
            "8:31: `person.x.severity.held` is not a known key; known: `asked`, `bought`, `cards_found`, `due_soon`, `failed`, `paused`, `record_problem`, `rules_problem`, `settled_late`, `unknown`, `wallet_low`",
            "11:1: `y` has no quiet hours; add quiet = \"22:00-07:00\", or leave wakes out",
        ],
    );
    machine(
        "currency = \"CAD\"\n[channel.m]\nkind = \"maildir\"\n[person.x]\nmail = \"x@example.net\"\nrepeat = [\"1h\", \"10s\"]\nescalate = { after = \"1m\", to = [\"x\", \"anan\"] }\n[person.anna]\nmail = \"anna@example.net\"\n",
        &[
            "6:17: nothing is told again within five minutes; repeat = [\"1h\", \"4h\", \"1d\"]",
            "7:22: nobody reacts within five minutes; after = \"2h\"",
            "7:34: `x` cannot stand in for themselves; name somebody else, or leave it out",
            "7:39: there is no person `anan`; did you mean `anna`?",
        ],
    );
    machine(
        "currency = \"CAD\"\n[channel.m]\nkind = \"maildir\"\n[person.x]\nmail = \"x@example.net\"\nzone = \"UTC\"\nquiet = \"22:00-07:00\"\ndigest = [\"daily 06:30\", \"weekly\", \"Fri\", \"never\"]\n[person.y]\nmail = \"y@example.net\"\ndigest = \"yearly\"\n",
        &[
            "8:11: this digest waits for the end of the quiet hours of `x`; name a later hour, such as \"daily 08:00\"",
            "8:36: there is a weekly digest already; name one daily, one weekly and one monthly at most",
            "8:43: `never` stands beside a time; digest = \"never\", or leave it out",
            "11:10: `yearly` is not a time for digests; write \"daily 08:00\", \"Mon 08:00\" or \"monthly 1 08:00\"",
        ],
    );
    machine(
        "currency = \"CAD\"\n[channel.m]\nkind = \"maildir\"\n[person.x]\nsms = \"+16135550123\"\n",
        &["5:1: no channel sends texts; add [channel.NAME] with kind = \"twilio\" or \"gateway\""],
    );
}

#[test]
fn texts_by_smpp_and_receipts() {
    machine(
        "currency = \"CAD\"\n[channel.a]\nkind = \"smpp\"\nhost = \"c.example\"\ntls = \"none\"\nuser = \"u\"\npassword = { credential = \"p\" }\nfrom = \"1\"\n[channel.b]\nkind = \"smpp\"\nhost = \"c.example\"\ntls = \"starttls\"\nuser = \"u\"\npassword = { credential = \"p\" }\nfrom = \"1\"\n[person.x]\nsms = \"+16135550123\"\n",
        &[
            "5:7: texts to `c.example` would cross the network unprotected; tls = \"implicit\"; \"none\" is for this machine and private addresses",
            "12:7: SMPP has no STARTTLS; tls = \"implicit\"",
        ],
    );
    machine(
        "currency = \"CAD\"\n[channel.g]\nkind = \"gateway\"\nurl = \"https://c/\"\nquery = { to = \"{to}\", text = \"{text}\", r = \"{receipts}\" }\n[channel.p]\nkind = \"plivo\"\naccount = \"MA1\"\ntoken = { credential = \"p\" }\nfrom = \"1\"\nreceipts = true\n[person.x]\nmail = \"x@example.net\"\nsms = \"+16135550123\"\n[channel.m]\nkind = \"maildir\"\n[approval]\nlisten = \"127.0.0.1:8088\"\n",
        &[
            "2:10: there is no address at which receipts could be handed in; [approval] with listen = \"127.0.0.1:8088\" and texts = { credential = \"texts-word\" }",
            "11:1: there is no address at which receipts could be handed in; [approval] with listen = \"127.0.0.1:8088\", url = \"https://keeper.example.net/\" and texts = { credential = \"texts-word\" }",
        ],
    );
}

#[test]
fn secrets_that_stand_in_the_file_are_refused_and_never_shown() {
    let help = "client_secret = { credential = \"NAME\" } or client_secret = { file = \"/PATH\" } of mode 600";
    let head = "currency = \"CAD\"\n[operator.a]\nkind = \"airalo\"\nclient_id = { credential = \"a\" }\n";
    machine(
        &format!("{head}client_secret = \"hunter2\"\n"),
        &[&format!("5:17: `operator.a.client_secret` holds a value; secrets are references; {help}")],
    );
    machine(
        &format!("{head}client_secret = hunter2\n"),
        &[&format!("5:17: string values must be quoted, expected literal string; {help}")],
    );
    for text in [
        "client_secret = \"hunter2\"",
        "client_secret = hunter2",
        "client_secret = [\"hunter2\"]",
        "client_secret = { credential = \"hunter2 \" }",
        "client_secret = { value = \"hunter2\" }",
        "client_secrt = \"hunter2\"",
        "client_secret = \"hunter2",
        "[operator]\nb = { kind = \"airlo\", client_secret = \"hunter2\" }",
        "[operator]\nb = { kind = airalo, client_secret = \"hunter2\" }",
        "[channel.g]\nkind = \"gateway\"\nurl = \"https://keeper:hunter2@c/\"",
        "[channel.g]\nkind = \"gateway\"\nurl = \"https://c/\"\nform = { to = \"{to}\", text = \"{tex}\", Password = \"hunter2\" }",
        "[channel.g]\nkind = \"gateway\"\nurl = \"https://c/\"\nheaders = { Authorization = \"Basic hunter2\" }",
        "[channel.g]\nkind = \"http\"\ncarries = \"push\"\nurl = \"https://c/\"\nheaders = { Authorization = \"Basic hunter2\" }",
        "[channel.g]\nkind = \"http\"\ncarries = \"push\"\nurl = \"https://keeper:hunter2@c/\"",
    ] {
        let problems = parsed(&format!("{head}{text}\n"), "").unwrap_err();
        let json = serde_json::to_string(&problems).unwrap();
        for shown in [problems.render(false), problems.to_string(), json, format!("{problems:?}")] {
            assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        }
    }
}

#[test]
fn operators_that_their_owner_describes() {
    machine(
        r#"currency = "EUR"
[operator.a]
kind = "tmf654"
base_url = "http://api.example.net/v4"
version = "5.0"
card_by = "colour"
currency = "EUR"
token = { credential = "t" }
user = "u"
[operator.b]
kind = "things-mobile"
username = "u"
token = { credential = "t" }
[operator.b.plans.free]
price = "1 EUR"
[operator.b.plans.odd]
data = "500 MB"
[operator.c]
kind = "exec"
program = "operator.py"
time_limit = "0s"
"#,
        &[
            "4:1: there are two ways of signing in; keep one: token; user and password; or token_url, client_id and client_secret",
            "4:12: money would be ordered over an unprotected connection; write https://; http:// is taken for this machine only",
            "5:11: `5.0` is not a version of TMF654; did you mean `4.0`?",
            "6:11: `colour` finds no card; write msisdn, iccid, resource:FIELD or product:FIELD",
            "14:19: the plan `free` puts nothing on a card; add data = \"500 MB\", credit = \"10 GBP\" or validity = \"30d\"",
            "16:19: `operator.b.plans.odd.price` is missing; add price = …",
            "20:11: `operator.py` is not a whole path; begin with /, since the daemon may be started anywhere",
            "21:14: no operator answers in no time; time_limit = \"30s\"",
        ],
    );
}
