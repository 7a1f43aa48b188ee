//! Cards: who they are, who reads them, who hears of them.

use super::*;

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
