//! Values, keys and syntax, and how a mistake is drawn.

use super::*;

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
fn keys_of_a_rule_in_a_card_and_of_a_card_in_a_rule() {
    rules(
        "[card.a]\noperator = \"try\"\nmsisdn = \"+16135550123\"\nbuy = [\"same\"]\nrenew_wen = {}\nlabel = \"x\"\n\
         [rule.b]\nlabels = [\"x\"]\nicid = \"1\"\n",
        &[
            "4:1: `card.a.buy` is not a known key; it belongs under [rule.NAME]",
            "5:1: `card.a.renew_wen` is not a known key; did you mean `renew_when`, which belongs under [rule.NAME]?",
            "6:1: `card.a.label` is not a known key; did you mean `labels`?",
            "8:1: `rule.b.labels` is not a known key; it belongs under [card.NAME]",
            "9:1: `rule.b.icid` is not a known key; did you mean `iccid`, which belongs under [card.NAME]?",
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
