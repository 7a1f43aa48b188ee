//! Files with mistakes, and the words that their owner reads.

use super::*;

/// Everything that is told about two files, one line for each problem, without the word that a rule has no card yet.
fn told(machine: &str, rules: &str) -> Vec<String> {
    let problems = parsed(machine, rules).map_or_else(|problems| problems, |config| config.warnings);
    problems.iter().map(ToString::to_string).filter(|line| !line.contains("no card here uses")).collect()
}

#[track_caller]
fn rules(text: &str, expected: &[&str]) {
    assert_eq!(told(MACHINE, text), expected.iter().map(|line| format!("rules.toml:{line}")).collect::<Vec<_>>());
}

#[track_caller]
fn machine(text: &str, expected: &[&str]) {
    assert_eq!(told(text, ""), expected.iter().map(|line| format!("simkeeper.toml:{line}")).collect::<Vec<_>>());
}

#[test]
fn numbers_without_quotes() {
    rules(
        "[card.a]\noperator = \"try\"\niccid = 8901260862291234564\nmsisdn = 16135550123\n",
        &[
            "3:9: `card.a.iccid` takes an ICCID in quotes, not a bare number; write it in quotes: iccid = \"8901260862291234564\"",
            "4:10: `card.a.msisdn` takes a phone number in quotes, not a bare number; write it in quotes: msisdn = \"16135550123\"",
        ],
    );
    // Twenty digits are more than a whole number of TOML can hold.
    rules(
        "[card.a]\noperator = \"try\"\niccid = 89012608622912345647\n",
        &[
            "3:9: `card.a.iccid` takes an ICCID in quotes, not a bare number; write it in quotes: iccid = \"89012608622912345647\"",
        ],
    );
    rules(
        "[rule.a]\nlimits = { per_renewal = 15, renewals_per_day = \"1\", price_rise = 10 }\n",
        &[
            "2:26: `rule.a.limits.per_renewal` takes an amount of money in quotes, not a bare number; such as per_renewal = \"15 USD\"",
            "2:49: `rule.a.limits.renewals_per_day` takes a whole number from 0 to 4294967295, not `1`; such as renewals_per_day = 25, without quotes",
            "2:67: `rule.a.limits.price_rise` takes a percentage in quotes, not a bare number; such as price_rise = \"10%\"",
        ],
    );
}

#[test]
fn misspelt_keys_and_words() {
    rules(
        "[rule.travel]\nrenew_when = { data_belw = \"500 MB\" }\nmode = \"atuo\"\n[crad.a]\n[card.a]\noperator = \"try\"\nicid = \"1\"\nmsisdn = \"+16135550123\"\n",
        &[
            "2:16: `rule.travel.renew_when.data_belw` is not a known key; did you mean `data_below`?",
            "3:8: `atuo` is not a mode; did you mean `auto`?",
            "4:2: `crad` is not a known key; did you mean `card`?",
            "7:1: `card.a.icid` is not a known key; did you mean `iccid`?",
        ],
    );
}

#[test]
fn wrong_units_and_commas() {
    rules(
        "[rule.a]\nwarn_before = [\"7 days\"]\nhours = \"1am-6am\"\nrenew_when = { data_below = \"500 mb\", credit_below = \"1,5 GBP\" }\n[rule.b]\nrenew_when = { data_below = \"1,5 GB\", credit_below = \"5 gbp\" }\n[rule.c]\nrenew_when = { data_below = \"120%\" }\n",
        &[
            "2:16: `7 days` is not a length of time; write a whole number and s, m, h, d or w, such as \"36h\" or \"14d\"",
            "3:9: `1am-6am` is not a span of hours; write \"01:00-06:00\" (24-hour clock)",
            "4:29: `500 mb`: the unit is written `MB`; write \"500 MB\"",
            "4:54: `1,5 GBP` has a comma; write \"1.5 GBP\"",
            "6:29: `1,5 GB` has a comma; write \"1.5 GB\"",
            "6:54: `gbp` is not a currency code; write `GBP`",
            "8:29: `120%` is not a percentage from 0% to 100%; such as data_below = \"20%\"",
        ],
    );
}

#[test]
fn days_that_do_not_exist_or_could_be_two() {
    rules(
        "[rule.a]\nfrom = 2026-02-30\nuntil = 01/02/2027\n",
        &[
            "2:8: `2026-02-30` is not a day; 2026-02 has 28 days; write one of them, without quotes",
            "3:9: `01/02/2027` is not a day; is it 2027-02-01 or 2027-01-02? write the one that is meant, without quotes",
        ],
    );
    rules(
        "[rule.a]\nfrom = \"2026-02-30\"\nuntil = \"01/02/2027\"\n[rule.b]\nfrom = \"2026-12-01\"\nuntil = 2026-12-20T00:00:00Z\n[rule.c]\nuntil = \"24.12.2026\"\n",
        &[
            "2:8: `rule.a.from` takes a day, not `2026-02-30`; 2026-02 has 28 days; write one of them, without quotes",
            "3:9: `rule.a.until` takes a day, not `01/02/2027`; is it 2027-02-01 or 2027-01-02? write the one that is meant, without quotes",
            "5:8: `rule.b.from` takes a day, not `2026-12-01`; write 2026-12-01 without quotes",
            "6:9: `rule.b.until` takes a day, not a date or time; write year-month-day without quotes and without a time, such as 2026-12-01",
            "8:9: `rule.c.until` takes a day, not `24.12.2026`; write 2026-12-24 without quotes",
        ],
    );
}

#[test]
fn broken_syntax_does_not_hide_the_rest() {
    rules(
        "[rule.a]\nrenew_when = { data_below = 500 MB }\nmode = \"atuo\"\nhours = 01:00-06:00\n[rule.b\nmode = \"auto\"\n[rule.c]\nmod = 1\n",
        &[
            "2:29: string values must be quoted, expected literal string; a text stands in quotes: data_below = \"500 MB\"",
            "3:8: `atuo` is not a mode; did you mean `auto`?",
            "4:9: invalid datetime; a text stands in quotes: hours = \"01:00-06:00\"",
            "5:8: unclosed table, expected `]`",
            "8:1: `rule.c.mod` is not a known key; did you mean `mode`?",
        ],
    );
    rules(
        "[rule.a]\nmode = \"watch\"\nmode = \"auto\"\n[rule.a]\nbuy = 1\n[rule.b]\nmode = \"watch\n",
        &[
            "3:1: `mode` stands here a second time; keep one, and put what belongs together",
            "4:7: `a` stands here a second time; keep one, and put what belongs together",
            "7:14: invalid basic string, expected `\"`; a text ends with the mark with which it begins",
        ],
    );
}

#[test]
fn names_that_nobody_has() {
    rules(
        "[card.a]\nnotify = [\"ana\", \"zoe\"]\noperator = \"airlo\"\nzone = \"America/Torono\"\nrule = \"travl\"\niccid = \"8901260862291234564\"\n[rule.travel]\n[[match]]\nlabels = [\"x\"]\nrule = \"home\"\n",
        &[
            "2:11: `ana` is not a person of simkeeper.toml; did you mean `anna`?",
            "2:18: `zoe` is not a person of simkeeper.toml; known: `anna`",
            "3:12: `airlo` is not an account of simkeeper.toml; did you mean `airalo`?",
            "4:8: `America/Torono` is not a time zone; did you mean `America/Toronto`?",
            "5:8: `travl` is not a rule of this file; did you mean `travel`?",
            "10:8: `home` is not a rule of this file; known: `travel`",
        ],
    );
    let card = |roles: &str| format!("[card.a]\noperator = \"try\"\niccid = \"8901260862291234564\"\n{roles}\n");
    rules(
        &card("owner = \"ana\"\npayer = [\"bob\"]\nwatchers = [\"anna\", \"ann\"]"),
        &[
            "4:9: `ana` is not a person of simkeeper.toml; did you mean `anna`?",
            "5:10: `bob` is not a person of simkeeper.toml; known: `anna`",
            "6:21: `ann` is not a person of simkeeper.toml; did you mean `anna`?",
        ],
    );
    rules(
        &card("watchers = \"anna\""),
        &["4:12: everybody only watches `a`, so that nobody is asked or warned; add owner = \"NAME\""],
    );
    let fleet = |roles: &str| format!("[rule.fleet]\n[[match]]\nlabels = \"router\"\nrule = \"fleet\"\n{roles}\n");
    rules(&fleet("owner = \"ana\""), &["5:9: `ana` is not a person of simkeeper.toml; did you mean `anna`?"]);
    rules(
        &fleet("watchers = \"anna\""),
        &["5:12: everybody only watches these cards, so that nobody is asked or warned; add owner = \"NAME\""],
    );
}

#[test]
fn accounts_of_a_card_are_known_and_named_once() {
    let card = |operator: &str| format!("[card.a]\noperator = {operator}\niccid = \"8901260862291234564\"\n");
    rules(&card("[\"try\", \"airalo\"]"), &[]);
    rules(
        &card("[\"try\", \"airlo\", \"try\"]"),
        &[
            "2:20: `airlo` is not an account of simkeeper.toml; did you mean `airalo`?",
            "2:29: the card `a` names the account `try` twice; name each account once, in the order in which they sell",
        ],
    );
    rules(&card("[]"), &["2:12: the card `a` names no account; operator = \"NAME\""]);
    rules(
        "[card.a]\noperator = [\"try\", \"airalo\"]\nmsisdn = \"+16135550123\"\n",
        &["1:7: accounts of kind \"airalo\" know cards by their ICCID, and the card `a` has none; add iccid = \"…\""],
    );
    let several = parsed(MACHINE, &card("[\"try\", \"airalo\"]")).unwrap().rules.cards.remove(0);
    assert_eq!((several.account.as_str(), several.sellers.len()), ("try", 1));
    assert_eq!(several.sellers[0].as_str(), "airalo");
    assert_eq!(several.zone.iana_name(), Some("Europe/Berlin"), "the zone is that of the first");
    assert_eq!(parsed(MACHINE, &card("\"try\"")).unwrap().rules.cards[0].sellers, []);
}

#[test]
fn cards_that_cannot_be_told_apart_or_found() {
    rules(
        "[card.a]\noperator = \"airalo\"\niccid = \"8901260862291234564\"\n[card.b]\noperator = \"try\"\niccid = \"8901 2608 6229 1234 564\"\n[card.c]\noperator = \"airalo\"\nmsisdn = \"+16135550123\"\n[card.d]\noperator = \"try\"\n[card.e]\nimei = \"490154203237519\"\n",
        &[
            "6:9: the cards `a` and `b` have the same ICCID; it stands in line 3 already; keep one of the two cards",
            "7:7: accounts of kind \"airalo\" know cards by their ICCID, and the card `c` has none; add iccid = \"…\"",
            "10:7: the card `d` has no number at all; add iccid = \"…\" (printed on the card) or msisdn = \"+…\" (its phone number)",
            "12:7: `card.e.operator` is missing; add operator = …",
            "13:8: `490154203237519` is not an IMEI: with these first 14 digits the last would be 8; dial *#06# on the device to see it",
        ],
    );
}

#[test]
fn rules_that_contradict_themselves() {
    rules(
        "[rule.a]\nmode = \"auto\"\n[rule.b]\nmode = \"ask\"\nbuy = []\nrenew_when = {}\n",
        &[
            "2:8: the rule `a` has mode \"auto\" and nothing to buy; add buy = [\"same\"], or write mode = \"watch\"",
            "2:8: the rule `a` has mode \"auto\" and no condition under renew_when; add renew_when = { data_below = \"500 MB\", plan_ends_within = \"36h\" }, or write mode = \"watch\"",
            "4:8: the rule `b` has mode \"ask\" and nothing to buy; add buy = [\"same\"], or write mode = \"watch\"",
            "4:8: the rule `b` has mode \"ask\" and no condition under renew_when; add renew_when = { data_below = \"500 MB\", plan_ends_within = \"36h\" }, or write mode = \"watch\"",
        ],
    );
    rules(
        "[rule.a]\nmode = \"auto\"\nfrom = 2026-12-20\nuntil = 2026-12-19\nbuy = { credit = \"15.01 USD\" }\nrenew_when = { data_below = \"0 B\" }\nlimits = { per_renewal = \"15 USD\", per_month = \"14.99 USD\", renewals_per_day = 0 }\nhours = \"05:00-05:00\"\n",
        &[
            "4:9: the rule begins on 2026-12-20 and ends on 2026-12-19, before it begins; exchange from and until, or correct one",
            "5:7: a top-up of 15.01 USD is over the limit per_renewal = \"15.00 USD\"; raise per_renewal or top up by 15.00 USD at most",
            "5:7: a top-up of 15.01 USD is over the limit per_month = \"14.99 USD\"; raise per_month or top up by 14.99 USD at most",
            "6:16: this condition never holds: nothing is less than none; \"below\" means strictly less; write a larger amount, or leave the condition out",
            "7:26: one renewal may cost 15.00 USD, a whole month only 14.99 USD; lower per_renewal or raise per_month",
            "7:80: no renewal a day lets nothing be bought; raise it, or write mode = \"watch\"",
            "8:9: `05:00-05:00` begins and ends at the same minute; for the whole day leave the key out",
        ],
    );
    rules(
        "[rule.a]\nmode = \"ask\"\nbuy = { credit = \"20 GBP\" }\nrenew_when = { credit_below = \"1 GBP\" }\nlimits = { per_renewal = \"30 GBP\", per_month = \"40 CAD\" }\n",
        &[
            "3:7: a top-up in GBP cannot be held against per_month in CAD; write per_month in GBP, or state a [[rate]]",
            "5:48: per_renewal and per_month are in two currencies, which are never added up; write both in GBP or both in CAD",
        ],
    );
    rules(
        "[rule.a]\nrenew_when = { data_below = \"20%\", any_of = [{ sms_below = 1, voice_below = \"1m\" }] }\nbuy = [{ cheapest = {} }, { credit = \"0 CAD\" }, { credit = \"1 CAD\", cheapest = { data = \"1 GB\" } }]\n",
        &[
            "2:1: conditions are joined in two ways at once; put all conditions into all_of = [{ … }, { … }], or all of them into any_of",
            "2:46: these two conditions would count as one or as both; write each condition in braces of its own: any_of = [{ … }, { … }]",
            "3:38: a top-up of nothing changes nothing; credit = \"10 GBP\"",
            "3:49: `rule.a.buy[3]` takes one of `cheapest` and `credit`; { cheapest = { data = \"1 GB\", validity = \"5d\" } } or { credit = \"10 GBP\" }",
        ],
    );
    rules(
        "[rule.a]\nrenew_when = { data_below = \"20%\" }\nbuy = [{ cheapest = {} }]\n",
        &[
            "3:8: the cheapest way to the last day needs one, and the rule `a` has none; add until = 2026-12-20 (the last day, without quotes) or trip = \"NAME\" to the rule, or write cheapest = { data = \"1 GB\", validity = \"5d\" }; one of data and validity is enough",
        ],
    );
}

#[test]
fn an_activity_that_cannot_be_meant() {
    rules(
        "[rule.a]\nrenew_when = { number_ends_within = \"14d\" }\nbuy = [{ cheapest = { activity = \"text\" } }, { cheapest = { data = \"1 GB\", activity = \"plan\" } }, { cheapest = { activity = [] } }]\n",
        &[
            "3:34: `text` is not an activity; known: `credit`, `plan`",
            "3:76: what only keeps a number needs no amount, length or end; cheapest = { activity = [\"credit\", \"plan\"] }",
            "3:125: nothing is named that counts as activity; cheapest = { activity = [\"credit\", \"plan\"] }",
        ],
    );
}

#[test]
fn trips_that_cannot_be_meant() {
    let card = "[card.a]\noperator = \"try\"\nmsisdn = \"+16135550123\"\nrule = \"r\"\n";
    rules(
        "[trip.a]\nuntil = 2026-10-20\nplaces = \"Canada\"\n[trip.b]\nfrom = 2026-12-20\nuntil = 2026-12-01\n[rule.r]\ntrip = \"b\"\nuntil = 2026-12-01\n[rule.s]\ntrip = \"c\"\n",
        &[
            "1:7: no rule and no card is about the trip `a`; name it in a rule or a card: trip = \"a\"",
            "2:9: the trip `a` ended on 2026-10-20; nothing is bought for it; set a later day, or leave the trip out where it is named",
            "3:10: `Canada` is not the code of a country; write two capital letters, such as \"CA\"",
            "6:9: the trip begins on 2026-12-20 and ends on 2026-12-01, before it begins; exchange from and until, or correct one",
            "8:8: the rule `r` has days of its own and those of a trip; leave out from and until, or the trip",
            "11:8: `c` is not a trip of this file; did you mean `a`?",
        ],
    );
    rules(
        &format!("{card}trip = \"b\"\n[trip.b]\nuntil = 2026-12-01\n[rule.r]\nuntil = 2026-12-01\n"),
        &["5:8: its rule `r` has days already, and the card has those of a trip; leave the trip out of one of the two"],
    );
    let other = card.replace("[card.a]", "[card.b]").replace("0123", "0124");
    rules(
        &format!("{card}trip = \"b\"\n{other}[trip.b]\nuntil = 2026-12-01\n[rule.r]\nbuy = {{ cheapest = {{}} }}\n"),
        &["6:7: the rule `r` needs a last day, and the card `b` has no trip; add trip = \"NAME\" to the card"],
    );
}

#[test]
fn trips_whose_calendars_do_not_tell_their_days() {
    let trip = |lines: &str| format!("[trip.a]\n{lines}\n[rule.r]\ntrip = \"a\"\n");
    let beside = "; put the calendar that the event is exported to beside this file";
    for (lines, said) in [
        ("places = \"NO\"", "1:7: the trip `a` has no last day; add until = 2026-12-20 (the last day, without quotes), or calendar = \"trip.ics\"".to_owned()),
        ("until = 2027-01-01\nevent = \"x\"", "3:1: an event is looked for in a calendar, and none is named; add calendar = \"trip.ics\", or leave event out".to_owned()),
        ("calendar = \"gone.ics\"", format!("2:12: gone.ics cannot be read: there is none{beside}")),
        ("calendar = \"holidays.ics\"", format!("2:12: holidays.ics: it has 2 events; name one with event = \"Norway\"{beside}")),
        ("calendar = \"holidays.ics\"\nevent = \"Mars\"", format!("3:9: holidays.ics: it has no event `Mars`; one of its 2 is `Norway`{beside}")),
        ("calendar = \"holidays.ics\"\nevent = \"Rome\"", "2:12: the event `Rome` of holidays.ics ended on 2026-10-01; nothing is bought for it; export the calendar anew, or leave the trip out".to_owned()),
        ("calendar = \"holidays.ics\"\nevent = \"Norway\"\nuntil = 2027-07-17", "2:1: the trip `a` has days of its own and those of a calendar; leave out from and until, or the calendar".to_owned()),
        ("calendar = \"/etc/trip.ics\"", "2:12: `/etc/trip.ics` is not the name of a calendar in the folder of this file; write one such as \"trip.ics\"".to_owned()),
    ] {
        rules(&trip(lines), &[&said]);
    }
}

#[test]
fn exactly_at_a_limit_nothing_contradicts() {
    rules(
        "[rule.a]\nmode = \"auto\"\nfrom = 2026-12-20\nuntil = 2026-12-20\nbuy = { credit = \"15 USD\" }\nrenew_when = { data_below = \"100%\" }\nlimits = { per_renewal = \"15 USD\", per_month = \"15 USD\", renewals_per_day = 1 }\nwarn_before = []\n",
        &[],
    );
}

#[test]
fn what_is_odd_is_told_and_taken() {
    rules(
        "[rule.over]\nuntil = 2026-10-31\n[rule.today]\nuntil = 2026-11-01\n[rule.free]\nmode = \"auto\"\nbuy = \"same\"\nrenew_when = { sms_below = 1 }\n[card.a]\noperator = \"try\"\niccid = \"8801260862291234565\"\nrule = \"asks\"\n[rule.asks]\nmode = \"ask\"\nbuy = \"same\"\nrenew_when = { sms_below = 1 }\n",
        &[
            "2:9: the rule ended on 2026-10-31; it buys nothing; set a later day, or write mode = \"watch\"",
            "6:8: the rule `free` buys by itself without any limit on money; add limits = { per_renewal = \"15 USD\", per_month = \"40 USD\" }",
            "9:7: nobody is told when `a` asks; add notify = [\"NAME\"]",
            "11:9: an ICCID begins with 89; this one is a test number or mistyped",
            "11:9: the last digit of this ICCID is not its check digit; compare it with the card, a digit may be mistyped",
        ],
    );
}

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
fn a_described_service_is_tried_before_it_is_used() {
    let sms = |lines: &str| format!("carries = \"sms\"\nurl = \"https://c/\"\n{lines}");
    let known = "known: `to`, `to_digits`, `text`, `id`, `at`, `minutes`, `coding`, `secrets.token`";
    let quotes = "a place for a text stands in quotes: \"text\": \"{{ text }}\"; or say content_type = …";
    let cases: [(String, Vec<String>); 6] = [
        (sms("body = '''\n{ \"to\": \"{{ to }}\",\n  \"text\": \"{{ text }}\" }'''\n"), vec![]),
        (
            sms(
                "secrets.token = { credential = \"a\" }\nbody = '''\n{ \"to\": \"{{ tp }}\",\n  \"text\": \"{{ message }} {{ title }}{{ secrets.tokn }}\" }'''\n",
            ),
            vec![
                "8:13: `tp` is nothing that a message fills in; did you mean `to`?".into(),
                format!("9:15: `message` is nothing that a message fills in; {known}"),
                format!("9:29: `title` is nothing that a message fills in; {known}"),
                "9:40: `secrets.tokn` is nothing that a message fills in; did you mean `secrets.token`?".into(),
            ],
        ),
        (
            sms("body = '''\n{ \"to\": \"{{ to }}\",\n  \"text\": {{ text }} }'''\n"),
            vec![format!("8:3: filled in, this is not JSON: expected value; {quotes}")],
        ),
        (
            sms("body = '{\"to\": \"{{ to }}\", \"text\": \"{{ text }\"}'\n"),
            vec!["6:45: this template cannot be read: unexpected `}`, expected end of variable block; places are written {{ text }}".into()],
        ),
        (
            sms("body = '\"{{ to }} {{ text }} {{ text.size }} {{ id | int }}\"'\n"),
            vec![format!("6:33: `text.size` is nothing that a message fills in; {}", known.trim_end_matches(", `secrets.token`"))],
        ),
        (
            sms("body = '{{ to }}'\ncontent_type = \"text/plain\"\n"),
            vec![
                "2:10: this service is never told {{ text }}; put {{ text }} into body, such as \"text\": \"{{ text }}\""
                    .into(),
            ],
        ),
    ];
    told_of_services(cases);
}

#[test]
fn a_described_service_says_what_it_is_asked_and_what_its_answers_mean() {
    let push = |lines: &str| format!("carries = \"push\"\n{lines}");
    let condition = "every answer is like this; add status = 202, or pointer = \"/status\" and is = \"queued\"";
    let cases: [(String, Vec<String>); 3] = [
        (
            "carries = \"mails\"\nurl = \"https://{{ to }}/x\"\nmethod = \"delete\"\nremote_id = \"id\"\n".into(),
            vec![
                "4:11: `mails` is not what a service carries; known: `sms`, `push`".into(),
                "5:7: `https://` is not a web address; write one such as \"https://sms.example.net/send\"".into(),
                "6:10: `delete` is not a method; known: `get`, `post`, `put`".into(),
                "7:13: `id` is not a JSON pointer; it begins with / and has one name or number for each step, such as \"/messages/0/id\"".into(),
            ],
        ),
        (
            push("url = \"http://example.net/?t={{ title }}&m={{ text }}\"\n"),
            vec![
                "5:7: plain http shows passwords on its way; write https://, or an address inside this machine or a private network".into(),
            ],
        ),
        (
            push(
                "url = \"https://c/?{{ text }}\"\nmethod = \"get\"\nbody = \"{{ urgent }}\"\nsent = {}\ntemporary = { is = 7 }\npermanent = { status = [4, 200] }\ndrops_doubles = true\n",
            ),
            vec![
                "7:1: a GET request has no body; method = \"post\"".into(),
                format!("8:8: {condition}"),
                format!("9:13: {condition}"),
                "9:15: `is` needs the place to look at; add pointer = \"/status\"".into(),
                "10:25: 4 is not an HTTP status; they go from 100 to 599".into(),
                "11:1: a service that is never told {{ id }} cannot tell doubles; put {{ id }} where the service looks for it, such as headers = { Idempotency-Key = \"{{ id }}\" }".into(),
            ],
        ),
    ];
    told_of_services(cases);
}

/// What is told of descriptions of services.
fn told_of_services(cases: impl IntoIterator<Item = (String, Vec<String>)>) {
    let head = "currency = \"CAD\"\n[channel.s]\nkind = \"http\"\n";
    let (mut all_told, mut all_expected) = (Vec::new(), Vec::new());
    for (lines, expected) in cases {
        all_told.push(told(&format!("{head}{lines}"), ""));
        all_expected.push(expected.iter().map(|line| format!("simkeeper.toml:{line}")).collect::<Vec<_>>());
    }
    assert_eq!(all_told, all_expected);
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
fn a_hostile_text_cannot_control_the_terminal() {
    let problems = parsed(MACHINE, "[rule.a]\nmode = \"\\u001b[2J\\u202e\"\nhours = \"\u{202e}\"\n").unwrap_err();
    for shown in [problems.render(false), problems.to_string()] {
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    }
}

#[test]
fn a_problem_is_drawn_under_the_line_that_has_it() {
    let rules = "# 中文\n[rule.travel]\nrenew_when = { data_belw = \"500 MB\" }\ncodes = [\"冬季\", 10]\n";
    insta::assert_snapshot!(parsed(MACHINE, rules).unwrap_err().render(false), @r#"
    warning: no card here uses the rule `travel`
     --> rules.toml:2:7
      |
    2 | [rule.travel]
      |       ^^^^^^
      |
      = help: name it in a card: rule = "travel"; cards added by command may use it too

    error: `rule.travel.renew_when.data_belw` is not a known key
     --> rules.toml:3:16
      |
    3 | renew_when = { data_belw = "500 MB" }
      |                ^^^^^^^^^
      |
      = help: did you mean `data_below`?

    error: `rule.travel.codes[2]` takes a text in quotes, not a bare number
     --> rules.toml:4:16
      |
    4 | codes = ["冬季", 10]
      |                  ^^
      |
      = help: such as codes = "text"
    "#);
}

#[test]
fn problems_are_told_to_programs_too() {
    let problems = parsed(MACHINE, "[rule.a]\ncodes = [\"冬季\", 10]\n").unwrap_err();
    let json = serde_json::to_value(&problems).unwrap();
    let expected = serde_json::json!({
        "severity": "error",
        "file": "rules.toml",
        "line": 2,
        "column": 16,
        "message": "`rule.a.codes[2]` takes a text in quotes, not a bare number",
        "help": "such as codes = \"text\"",
    });
    assert_eq!(json[1], expected);
    assert_eq!(json[0]["severity"], "warning");
}

#[test]
fn cards_in_modems_that_cannot_be_read() {
    machine(
        "currency = \"EUR\"\n[operator.m]\nkind = \"ussd\"\nread = \"*101\"\nmenu = [{ expect = \"1 Info\", reply = \"1 2\" }]\nbalance = []\ncurrency = \"EUR\"\nends = \"credit\"\nends_format = \"%d\"\ntime_limit = \"0s\"\n[operator.m.top_up]\ncode = \"*103#\"\nsuccess = \"ok\"\nvouchers = [{ worth = \"10 EUR\", list = { credential = \"a\" } }, { worth = \"10.00 EUR\", price = \"0 EUR\", list = { credential = \"b\" } }]\n",
        &[
            "4:8: `*101` is not a USSD code; it begins with * or #, ends with #, and has digits, * and # between",
            "5:38: `1 2` is no answer to a menu; write what one would type, up to 20 digits, letters, * or #",
            "6:11: this list is empty; one pattern at least, with a group such as (?P<credit>[0-9.]+)",
            "8:1: a day ends at another time in each zone, and none is named; add zone = \"Europe/Berlin\", where the operator is",
            "10:14: no network answers in no time; time_limit = \"110s\"",
            "12:8: `*103#` is not a code for vouchers; write the USSD code with {voucher} in it once",
            "14:74: two lists of vouchers are worth the same; put them into one file",
            "14:95: a voucher of nothing is none; worth = \"10 EUR\"",
        ],
    );
    machine(
        "currency = \"EUR\"\n[operator.m]\nkind = \"ussd\"\nread = \"*101#\"\nbalance = \"x\"\ncurrency = \"EUR\"\nends = \"plan\"\n[operator.n]\nkind = \"ussd\"\nread = \"#10#\"\nbalance = \"x\"\ncurrency = \"EUR\"\nends_format = \"%d\"\n",
        &[
            "7:1: it is not said how the end is written; add ends_format = \"%d.%m.%Y\", as the operator writes it",
            "13:1: it is not said what ends; add ends = \"credit\", \"plan\" or \"number\"",
        ],
    );
    let machine = "currency = \"EUR\"\n[operator.m]\nkind = \"ussd\"\nread = \"*101#\"\nbalance = \"x\"\ncurrency = \"EUR\"\nsms = { from = [] }\n";
    assert_eq!(
        told(machine, "[card.a]\noperator = \"m\"\nmsisdn = \"+16135550123\"\n"),
        ["simkeeper.toml:7:16: this list is empty; who sends the answer, such as from = \"777\""]
    );
    assert_eq!(
        told(&machine.replace("[]", "\"777\""), "[card.a]\noperator = \"m\"\nmsisdn = \"+16135550123\"\n"),
        [
            "rules.toml:1:7: accounts of kind \"ussd\" know cards by their ICCID, and the card `a` has none; add iccid = \"…\"; `mmcli -i 0` tells it"
        ]
    );
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

#[test]
fn numbers_that_are_kept_for_no_time_from_no_day() {
    let keeps = |name: &str, keep: &str| {
        format!("[rule.{name}]\nrenew_when = {{ number_ends_within = \"14d\" }}\nkeep_number = {{ {keep} }}\n")
    };
    let file = keeps("a", "every = \"36h\", since = 2026-01-15")
        + &keeps("b", "every = \"14d\", since = 2026-01-15")
        + &keeps("c", "every = \"180d\", since = 2099-01-15")
        + &keeps("d", "every = \"180d\", since = 2026-01-15, count_from = \"start\"")
        + &keeps("e", "every = \"180d\"");
    rules(
        &file,
        &[
            "3:25: how long a number is kept is counted in whole days; every = \"180d\"",
            "5:37: a number that is kept for 14d always ends within 14d; shorten number_ends_within, such as \"14d\", or correct keep_number",
            "9:41: 2099-01-15 is still to come; write the day of the last activity that you know of; it may lie in the past",
            "12:66: `start` is not a point to count from; known: `renewal`, `end`",
            "15:1: `rule.e.keep_number.since` is missing; add since = …",
        ],
    );
}

#[test]
fn a_limit_with_a_misspelt_key_is_told_once() {
    rules(
        "[[limit]]\nper_mnth = \"50 USD\"\n[[limit]]\nlabels = [\"x\"]\n",
        &[
            "2:1: `limit[1].per_mnth` is not a known key; did you mean `per_month`?",
            "3:1: this limit limits nothing; add per_month = \"200 USD\", or leave the table out",
        ],
    );
}

#[test]
fn shared_limits_and_rates_that_say_nothing() {
    rules(
        "[[limit]]\nlabels = [\"x\"]\n[[limit]]\naccount = \"airlo\"\nper_day = \"50 USD\"\nper_month = \"40 USD\"\nrenewals_per_day = 0\n[[rate]]\nof = \"EUR\"\nis = \"1.08 EUR\"\non = 2026-11-01\n[[rate]]\nof = \"EUR\"\nis = \"1.08 USD\"\non = 2026-11-01\n[[rate]]\nof = \"USD\"\nis = \"0.92 EUR\"\non = 2026-11-01\n",
        &[
            "1:1: this limit limits nothing; add per_month = \"200 USD\", or leave the table out",
            "4:11: `airlo` is not an account of simkeeper.toml; did you mean `airalo`?",
            "5:11: a day may cost 50.00 USD, a whole month only 40.00 USD; lower per_day or raise per_month",
            "7:20: no renewal lets nothing be bought; raise it, or write mode = \"watch\" in the rules of these cards",
            "10:6: this rate says nothing; write what one EUR is worth in another currency, such as \"1.08 USD\"",
            "17:6: USD and EUR have two rates; keep one of them; it serves in both directions",
        ],
    );
}

#[test]
fn a_card_of_which_nobody_can_be_told_but_through_itself() {
    let machine = |person: &str, through: &str| {
        format!(
            "currency = \"CAD\"\n[operator.try]\nkind = \"sandbox\"\n[channel.phone]\nkind = \"android\"\n\
             url = \"http://127.0.0.1:8080/message\"\nuser = \"a\"\npassword = {{ credential = \"a\" }}\n{through}\
             [channel.mail]\nkind = \"smtp\"\nhost = \"localhost\"\nfrom = \"a@example.net\"\n[person.anna]\n{person}"
        )
    };
    let card = "[card.a]\noperator = \"try\"\nmsisdn = \"+16135550123\"\nnotify = [\"anna\"]\n";
    let warning = "rules.toml:1:7: nobody can be told of `a` but through the card itself; add mail = \"name@example.net\" to a person, or a channel for texts that does not go through it";
    let own = "sms = \"+1 613 555 0123\"\n";
    for (person, through, expected) in [
        (own, "", &[warning][..]),
        ("sms = \"+16135550199\"\n", "through = \"a\"\n", &[warning]),
        ("sms = \"+16135550199\"\n", "through = \"b\"\n", &[]),
        ("sms = \"+1 613 555 0123\"\nmail = \"anna@example.net\"\n", "through = \"a\"\n", &[]),
    ] {
        assert_eq!(told(&machine(person, through), card), expected, "{person} {through}");
    }
}
