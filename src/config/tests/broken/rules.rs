//! Rules, trips, limits and rates.

use super::*;

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
