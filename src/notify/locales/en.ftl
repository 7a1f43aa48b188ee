### The texts that people get, in English. Which file is chosen is said by its name, a tag such as `en` or `zh-CN`.
### docs/translating.md tells how to add a language.
###
### `{ $card }` stands for a fact and is kept as it is; where it stands, and in which order, is the language's own affair.
### Names with `-short` in them are text messages: whole, they take one part of 160 characters (70 where a language
### needs other letters than those of Western Europe), so each word counts.
### Names with `-subject` in them are subjects, which have 60 characters together with the card's name.

## Times, lengths and amounts

# Between whole units and their parts: 4.50 USD, 1.5 GB.
decimal-sign = .
# $month is a number; only this file uses the name.
month =
    { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    }
# $hour (00 to 23) and $minute always have two digits.
clock = { $hour }:{ $minute }
date-time = { $day } { month } { $year } { clock }
# The same within the present year.
date-time-near = { $day } { month } { clock }
date-day = { $day } { month } { $year }
date-day-near = { $day } { month }
length-days =
    { $count ->
        [one] 1 day
       *[other] { $count } days
    }
length-hours =
    { $count ->
        [one] 1 hour
       *[other] { $count } hours
    }
length-minutes =
    { $count ->
        [one] 1 minute
       *[other] { $count } minutes
    }
length-seconds =
    { $count ->
        [one] 1 second
       *[other] { $count } seconds
    }

## How a message is laid out

# Between a label and its value.
colon = :{" "}
# Between the parts of a list.
list-separator = ,{" "}
subject = { $card }: { $what }
# $when is a further time, where there is room for it.
subject-when = { $card }: { $what }, { $when }
# A line to type behind the reason for it, where both stand in one line.
command-line = { $why }: { $line }
card-with-number = { $card } ({ $number })
heading-before = Before
heading-after = After
footer = Sent by simkeeper. Times are in { $zone }.
need-nothing = Nothing to do
need-wait = Nothing to do for now
need-decide = Please decide
need-act = Please act
need-look = Please look through them

## Labels of numbers and facts, before a colon

label-sent = Sent
label-plan = Plan
label-price = Price
label-card-ends = Card ends
label-asked-before = Asked before
label-purchase = Purchase
label-price-last-time = Price last time
label-paid = Paid
label-limit-left = Limit left
label-order-number = Order number
label-why = Why
label-agreed-by = Agreed to by
label-warning = Warning
label-condition = Condition
label-by = By
label-until = Until
label-account = Account
label-wallet = Wallet
label-not-covered = Not covered
label-file = File
label-errors = Errors
label-new-cards = New cards
label-channel = Channel
label-last-safe = Last safe moment
label-at-stake = At stake
label-order-takes = An order may take
label-money-takes = Money may take
label-support = Operator's support
label-data-left = Data left
label-credit = Credit
label-plan-ends = Plan ends
label-credit-ends = Credit ends
label-number-ends = Number ends
label-card = Card
label-rule = Rule
label-asked-because = You are asked because
label-month-left = Left of this month's limit
label-shared-limit = Shared limit (rules.toml:{ $line })
label-code-ends = Your code holds until
label-why-plan = Why this plan
label-expected-use = Expected use
label-next-best = Next best
label-found = Found
label-operator-words = Operator's words
label-next-try = Next try

## Why a line is to be typed, before a colon; the line itself follows

command-settle-bought = If the operator took it
command-settle-not-bought = If it did not
command-approve = To buy it
command-refuse = To leave it
command-code = Your code, until { $until }
command-code-page = Page on which to type it
command-approve-instead = Or, to buy it
command-refuse-instead = Or, to leave it
command-skip-next = To stop the next renewal
command-renew-now = To renew it now
command-skip = To leave this renewal out
command-resume = To let it go on
command-explain-again = To see it again
command-pause-again = To pause it again
command-wallets = To see how long each wallet lasts
command-check = To check the file
command-found = To see them
command-verify = To see what is sound
command-history = To see the orders on record
command-resume-card = To let a card go on
command-backup = To make a copy
command-acknowledge = If you take care of it, and nobody is to be told again
command-explain = To see what stands in the way
command-renew-once-cleared = To renew it once that is cleared
command-how-settled = To see how it was settled

## What ends, runs low or would be lost

end-plan-over = plan ended
end-credit-over = credit ended
end-known-to-the-day = { $time } (the operator tells only the day)
end-plan = plan ends
end-credit = credit ends
end-number = number is taken back
low-data = data below { $size }
low-data-share = data below { $share }
low-calls = calls below { $length }
low-texts = texts below { $count }
low-credit = credit below { $money }
low-plan-ends = plan ends within { $length }
low-credit-ends = credit ends within { $length }
low-number-ends = number is taken back within { $length }
loss-data = data may run out
loss-voice = calls may run out
loss-texts = texts may run out
loss-credit = credit may run out
calendar-entry = { $card }: { $what }

## Something ends soon or runs low

due-has-ended = it has ended
due-before-end = { $length } before the end
due-condition = { $low } (rules.toml:{ $line })
due-short-end = { $which } { $at }
due-short-buys = Will renew by itself from { $at }.
due-short-asks = You will be asked before it buys.
due-short-only-watches = Nothing is bought by itself: please renew.
due-short-paused = Paused: nothing is bought.
due-short-outside-dates = Outside the rule's dates: nothing is bought.
due-short-blocked = Blocked: nothing is bought until you act.
due-short-cannot-renew = It cannot be renewed: get a new card.
due-short-new-card = Please get a new card.
due-short = { $card }: { $what }. { $step }
due-subject-end = { $which } { $at }
due-subject-one-off = one-off card, cannot be renewed
due-subject-cannot-renew = card can no longer be renewed
due-first-buys = it will be renewed by itself, not before { $at }
due-first-asks = you will be asked before anything is bought
due-first-only-watches = nothing will be bought by itself
due-first-paused = nothing will be bought, since the card is paused
due-first-outside-dates = nothing will be bought, since the rule's dates do not cover today
due-first-blocked = nothing will be bought until what stands in the way is cleared
due-first-cannot-renew = a new card is needed
due-first = { $card }: { $what }; { $step }.
due-next-buys = simkeeper renews this card by itself and tells you when it is done.
due-watched-short-asks = Its owner or payer is asked before it buys.
due-watched-first-asks = its owner or payer is asked before anything is bought
due-watched-next-asks = Whoever owns or pays for it gets a question with plan and price before anything is bought.
due-watched-next-only-watches = The rule only watches this card: whoever owns or pays for it has to renew it.
due-next-asks = You get a question with plan and price before anything is bought.
due-next-only-watches = The rule only watches this card: please renew it yourself.
due-next-paused = Warnings still go out while a card is paused.
due-next-outside-dates = The rule's `from` and `until` in rules.toml say when it may buy.
due-next-blocked = What stands in the way was told in an earlier message.
due-next-cannot-renew = The operator sells nothing for this card any more: please get a new one before it ends.

## The last moment at which a renewal could surely begin in time has passed

last-safe-subject = may not be renewed in time: { $what } { $at }
last-safe-first = { $card }: { $what } { $at }, and nothing is bought yet. A renewal that begins now may come too late: the last safe moment was { $passed }.
last-safe-at-stake = { $what } { $at }
last-safe-order-takes = up to { $settling } at this operator
last-safe-short = { $card }: URGENT, { $what } { $at } and nothing is bought yet. Please act now.

## Bought, and what a plan is

bought-subject-until = renewed for { $charged }, to { $ends }
bought-first-until = { $card } was renewed with { $plan } for { $charged } and now lasts to { $ends }.
bought-subject = renewed for { $charged }
bought-first = { $card } was renewed with { $plan } for { $charged }.
bought-limit-left = { $left } this month
bought-no-order-number = the operator gives none
bought-why-rule = rule { $rule }, rules.toml:{ $line }
bought-why-person = a person asked for it
bought-watched = The card is watched as before.
bought-short-until = { $card }: renewed with { $plan } for { $charged }, lasts to { $ends }. Nothing to do. No. { $number }
bought-short = { $card }: renewed with { $plan } for { $charged }. Nothing to do. No. { $number }
plan-unlimited = unlimited data
plan-calls = { $minutes } min of calls
plan-texts =
    { $count ->
        [one] 1 text
       *[other] { $count } texts
    }
plan-credit = { $credit } credit
plan-with-contents = { $name } ({ $contents })

## Why this plan and no other

reckoned-way =
    { $count ->
        [1] it is the cheapest way to have data for { $days }, until { $until }: { $cost }
       *[other] it begins the cheapest way to have data for { $days }, until { $until }: { $cost } for { $count } purchases
    }
reckoned-use-unknown = not known yet; assumed until a whole day was seen
reckoned-use = about { $data }
reckoned-next-best = { $plan } first: { $cost }
reckoned-not-whole = The limits or the plans on sale do not reach to the last day; please look at both.
reckoned-stacking = Bought early
reckoned-beside = its time begins at once; what passes until it is needed is not counted
reckoned-extends = its data and time are added to what is left
reckoned-left-over = Left over
reckoned-left-over-why = likely, when the last day is over; no other plan lasts as long

## Asked: may it be bought, or what became of an order

asked-settle-subject = did order { $number } for { $price } arrive?
asked-settle-first = { $card }: please find out whether the order of { $offer } for { $price }, sent { $sent }, was taken.
asked-settle-look = Please look into the account at the operator, or ask its support, then type one of the lines below.
asked-settle-until-then = Until then nothing else is bought for this card, and simkeeper goes on looking.
asked-times =
    { $count ->
        [one] once
       *[other] { $count } times
    }
asked-approve-subject-ends = buy for { $price }? ends { $ends }
asked-approve-subject = buy for { $price }?
asked-approve-first = { $card }: may simkeeper buy { $offer } for { $price }? You are asked because { $reason }.
asked-answer-holds = Your answer holds for this plan at this price only.
asked-why-mode = the rule asks before each purchase
asked-why-dearer = it is dearer than last time ({ $before } → { $price })
asked-why-above = it costs more than { $limit }, above which the rule asks
asked-why-no-rate = no rate is stated to hold its price against { $limit }, above which the rule asks
asked-why-differs = its name, contents or validity changed since it was decided
asked-without-answer-nothing = Nothing is bought until you agree.
asked-without-answer-buys = If nobody answers by { $at }, the rule buys it.
asked-without-answer-refuses = If nobody answers by { $at }, it is not bought.
asked-answer-by-text = You can also answer the text message: { $code } to buy it, NO { $code } to leave it.
asked-code-is-yours = The code is yours alone and works once. A later question brings a new one.
# Stands where those below have { $by }; it is left out where nothing ends.
asked-short-by = {" "}by { $at }
asked-short-reply = { $card }: buy { $plan } for { $price }? Reply{ $by }: { $code } for yes, NO { $code } for no
asked-short-type-code = { $card }: buy { $plan } for { $price }? Type{ $by }: simkeeper approve { $code } (or refuse { $code })
asked-short-type-number = { $card }: buy { $plan } for { $price }? Type{ $by }: simkeeper approve { $number } (or refuse { $number })
asked-short-settle = { $card }: was the order of { $plan } for { $price } taken? Ask the operator{ $by }, then type: simkeeper settle { $number }
asked-watched-first = { $card }: simkeeper has asked whether to buy { $offer } for { $price }, because { $reason }. Only whoever owns or pays for the card can answer.
asked-watched-settle-first = { $card }: it is not known whether the order of { $offer } for { $price }, sent { $sent }, was taken. Only whoever owns or pays for the card can say so.
asked-watched-tell = Please tell them; their own message says how to answer.
asked-watched-nothing = Nothing is bought until one of them agrees.
asked-watched-short = { $card }: buy { $plan } for { $price }? Its owner or payer has to answer{ $by }. Please tell them.
asked-watched-settle-short = { $card }: was the order of { $plan } for { $price } taken? Its owner or payer has to say so{ $by }. Please tell them.
question-no-evidence = The order cannot be looked up, and two days of readings show no change on the card.
question-key-window-over = The time in which the operator recognises a repeated order is over, and the order cannot be looked up.
question-end-near = The card ends soon and the order is still unknown.
question-contradiction = The evidence contradicts itself: what the card shows and what the operator says of the order do not fit.
question-effect-missing = The operator took the order, but a day later nothing shows on the card.
question-restored = The records were restored from a backup, so this order may have gone differently than they say.

## The page on which a code is typed

page-code = Code from your message
page-code-hint = Eight letters and digits, such as K7QM-3XRT
page-yes = Buy it
page-no = Leave it
page-title = { $card }: buy { $plan } for { $price }?
page-nothing-yet = { $by_itself } Your code holds for this plan at this price only.
page-again = This is not the code of this page. Please compare it with your newest message.
page-agreed = You agreed. It will be bought once the last checks are done; you get a message then.
page-declined = You declined. It is not bought.
page-agreed-by = { $by } agreed on { $at }.
page-not-agreed = It was not agreed to.
page-code-used = This code was used on { $at }. { $decided } The purchase is { $state }.
page-decided = Nothing is left to decide. { $decided } The purchase is { $state }.
page-replaced = A newer message asks this; please open its address and use its code.
page-guessed-at = Wrong codes were typed here too often; this code is of no use any more. The next reminder brings a new one.
page-over = The time of this code is over. The next reminder brings a new one.
page-moved = Plan or price changed after this was asked; you are asked anew.
page-nothing-here = There is nothing here. Please open the address of the newest message.
page-rule = { $rule } (rules.toml:{ $line })
shared-sum-day = { $used } of { $limit } within 24 hours
shared-sum-month = { $used } of { $limit } this month
shared-sum-cycle = { $used } of { $limit } within the plan's length
shared-count-day =
    { $limit ->
        [one] { $count } of 1 purchase within 24 hours
       *[other] { $count } of { $limit } purchases within 24 hours
    }
shared-count-month =
    { $limit ->
        [one] { $count } of 1 purchase this month
       *[other] { $count } of { $limit } purchases this month
    }
shared-count-cycle =
    { $limit ->
        [one] { $count } of 1 purchase within the plan's length
       *[other] { $count } of { $limit } purchases within the plan's length
    }
state-planned = planned, and nothing was sent yet
state-on-its-way = on its way
state-accepted = taken by the operator
state-unknown = not known to be done or not
state-done = done
state-refused = refused by the operator
state-absent = known never to have arrived
state-abandoned = given up
state-reversed = taken back by the operator

## Not renewed: that, and why

failed-subject = not renewed: { $brief }
failed-first-again = { $card } was not renewed. { $whole } It is tried again by itself on { $at }.
failed-first = { $card } was not renewed. { $whole } It is not tried again by itself.
failed-when = next try { $at }
failed-short-again = { $card }: not renewed, { $brief }. Next try { $at }, by itself.
failed-short-support = { $card }: not renewed, { $brief }. Please act. Support: { $support }
failed-short = { $card }: not renewed, { $brief }. Please act.
failed-brief-not-sent = operator not reachable
failed-brief-never-arrived = order never arrived
failed-brief-reversed = operator took it back
failed-brief-no-plan = no listed plan fits
failed-brief-unanswered = nobody answered
failed-not-sent = No connection to the operator could be made, so nothing was ordered ({ $what }).
failed-never-arrived = The operator does not know the order: it never arrived, and nothing was charged.
failed-reversed = The operator had taken the order and took it back later (it says: "{ $what }").
failed-unanswered = Nobody answered in time, and the rule says not to buy then.
failed-no-plan = No plan of the rule's list is on sale for this card and ends in time for the rule's last day.
refused-wallet-empty = the account's wallet does not hold enough money
refused-payment-declined = the payment was declined
refused-plan-gone = the plan is no longer sold for this card
refused-passing = it is busy or under maintenance, which should pass
refused-card-dead = this card can no longer be renewed
refused-card-data = the card's details are wrong or incomplete
refused-not-active = the card is not installed or not active
refused-access = it does not accept our login
refused-bad-code = the discount code is not valid
refused-other = for the reason that it tells below
refused = The operator refused the order: { $meaning }. Nothing was charged.
refused-brief-wallet-empty = wallet empty
refused-brief-payment-declined = payment declined
refused-brief-plan-gone = plan no longer sold
refused-brief-passing = operator busy
refused-brief-card-dead = card cannot be renewed
refused-brief-card-data = card details wrong
refused-brief-not-active = card not active
refused-brief-access = login refused
refused-brief-bad-code = discount code invalid
refused-brief-other = operator refused
said-code = code { $code }
said-text = "{ $text }"
said-text-and-code = "{ $text }", code { $code }

## Not renewed: what kept simkeeper from ordering

held-sum-cycle = The plan costs { $price }; of the { $limit } that one length of it may cost already { $spent } is spent.
held-count-cycle =
    { $limit ->
        [one] Within the length of the plan there was already 1 purchase, as many as the rule allows.
       *[other] Within the length of the plan there were already { $limit } purchases, as many as the rule allows.
    }
held-sum-shared-day = The plan costs { $price }; of the { $limit } that cards share in 24 hours already { $spent } is spent (rules.toml line { $line }).
held-sum-shared-month = The plan costs { $price }; of the { $limit } that cards share this month already { $spent } is spent (rules.toml line { $line }).
held-sum-shared-cycle = The plan costs { $price }; of the { $limit } that cards share within its length already { $spent } is spent (rules.toml line { $line }).
held-count-shared-day =
    { $limit ->
        [one] Within 24 hours there was already 1 purchase, as many as the cards share (rules.toml line { $line }).
       *[other] Within 24 hours there were already { $limit } purchases, as many as the cards share (rules.toml line { $line }).
    }
held-count-shared-month =
    { $limit ->
        [one] This month there was already 1 purchase, as many as the cards share (rules.toml line { $line }).
       *[other] This month there were already { $limit } purchases, as many as the cards share (rules.toml line { $line }).
    }
held-count-shared-cycle =
    { $limit ->
        [one] Within the length of the plan there was already 1 purchase, as many as the cards share (rules.toml line { $line }).
       *[other] Within the length of the plan there were already { $limit } purchases, as many as the cards share (rules.toml line { $line }).
    }
held-other-currency = The plan costs { $price }, but the limit is { $limit }; they are different currencies, so write the limit in the currency of the price, or state a `[[rate]]`.
held-reading-old = No fresh answer about the card could be had.
held-readings-disagree = Two answers about the card in a row disagree.
held-attempt-open = An earlier purchase for this card is not finished or not visible yet.
held-over-per-renewal = The plan costs { $price }; the rule allows { $limit } for one purchase (`per_renewal`).
held-over-per-month = The plan costs { $price }; of this month's { $limit } already { $spent } is spent or reserved (`per_month`).
held-over-per-day =
    { $limit ->
        [one] Within 24 hours there was already 1 purchase, as many as the rule allows (`renewals_per_day`).
       *[other] Within 24 hours there were already { $limit } purchases, as many as the rule allows (`renewals_per_day`).
    }
held-wallet-short = The account's wallet holds { $balance }; the plan costs { $price }.
held-price-moved = The price moved from { $decided } to { $now } just before the order.
held-plan-changed = The plan is gone or is another than was decided.
held-disk-full = Less than 64 MiB of the disk is free, so an order could not be recorded safely.
held-record-damaged = Damage was found in simkeeper's own record.
held-quarantined = The records were restored from a backup and this card is not confirmed yet.
held-breaker-open = The operator fails too often at present.
held-paused = The card is paused.
held-outside-rule = The rule's dates or hours do not allow a purchase now.
held-card-state = The card's present state does not allow a purchase.
held-brief-reading-old = no fresh data
held-brief-readings-disagree = data contradicts itself
held-brief-clock-untrusted = clock is wrong
held-brief-attempt-open = earlier order still open
held-brief-over-per-renewal = over { $limit } limit
held-brief-over-per-month = over month's { $limit }
held-brief-over-per-day = { $limit } a day reached
held-brief-over-per-cycle = over cycle's { $limit }
held-brief-cycle-count-reached = { $limit } a cycle reached
held-brief-over-shared = over shared { $limit }
held-brief-shared-count-reached = shared limit of { $limit } reached
held-brief-limit-currency = limit in other currency
held-brief-wallet-short = wallet has only { $balance }
held-brief-price-moved = price is now { $now }
held-brief-plan-changed = plan changed
held-brief-disk-full = disk full
held-brief-record-damaged = record is damaged
held-brief-quarantined = records were restored
held-brief-breaker-open = operator is failing
held-brief-paused = card is paused
held-brief-outside-rule = outside rule's dates
held-brief-card-state = card's state forbids it
clock-off-operator = This machine's clock differs from the operator's by more than 5 minutes; set it right and buying goes on.
clock-before-record = This machine's clock lies before the last recorded event; set it right and buying goes on.
clock-before-build = This machine's clock lies before the day simkeeper was built; set it right and buying goes on.
clock-unconfirmed = No operator has confirmed this machine's clock yet; buying goes on as soon as one has.

## Not renewed: what to do about it

advice-check-network = Please check this machine's network if other cards fail too.
advice-order-anew = A new order can be placed safely.
advice-ask-whether-money-came-back = Please ask the operator whether the money came back.
advice-buy-by-hand = If the card is still needed, please buy by hand: simkeeper renew.
advice-name-fitting-plan = If the card is still needed, please name a plan that fits in the rule's `buy`, or move its `until`.
advice-card-dead = Card: its number was taken back, or it is made for one use. Please get a new one and name it in rules.toml.
advice-card-data = Card: a number in rules.toml is wrong, or one that this operator wants is missing. Please compare them with the card.
advice-card-not-active = Card: it is not in use yet. Please install it in a device and switch it on.
advice-card-other = Card: please compare its numbers in rules.toml with the card.
advice-payment-wallet-empty = Payment: the wallet is too low. Please put money into it, or name a second way in the account's `payment`.
advice-payment-declined = Payment: it may be expired, over its limit or waiting for your consent. Please check it at the operator, or name a second way in the account's `payment`.
advice-payment-bad-code = Payment: the discount code is over or not for this plan. Please take it out of the rule's `codes`.
advice-payment-other = Payment: please look at the wallet and the way to pay at the operator.
advice-operator-plan-gone = Operator: it no longer sells this plan for the card. Please name another in the rule's `buy`, or a second account in the card's `operator`.
advice-operator-passing = Operator: it is busy or under maintenance, which usually passes by itself.
advice-operator-access = Operator: our login has ended or was blocked. Please check the account in simkeeper.toml.
advice-operator-other = Operator: please look whether it reports a fault.
advice-support = the operator's support
advice-ask-support = If that is not it: please ask { $whom }.
advice-ask-support-with-code = If that is not it: please ask { $whom } and quote the code { $code }.
advice-passes-by-itself = This usually passes by itself.
advice-look-at-clock = Please look whether this machine's clock is right and kept so by NTP.
advice-raise-shared-limit = Please raise that `[[limit]]` in rules.toml, or leave the card as it is.
advice-change-limits = Please change the rule's `limits` in rules.toml, or leave the card as it is.
advice-put-money-in = Please put money into the account at the operator.
advice-look-at-plans = Please look at the operator's present plans and prices, and at the rule's `buy`.
advice-make-room = Please make room on this machine's disk.
advice-restore-copy = Please restore the newest sound copy: `simkeeper verify` names it.
advice-end-pause = Please end the pause when it may buy again.
advice-look-at-card = Please look at the card: it must be installed, active and not blocked.

## The result of an order is unknown, and later settled

unknown-subject = { $price } order unknown
unknown-first = { $card }: it is not known whether the order of { $offer } for { $price }, sent { $sent }, went through: { $doubt }.
unknown-when = sent { $sent }
unknown-next = simkeeper looks for the order until it is settled and buys nothing else for this card meanwhile; its price counts as spent.
unknown-do-not-buy = Please do not buy by hand in the meantime: it might be paid twice.
unknown-short = { $card }: not known if the order of { $plan } for { $price } went through. Being settled; please do not buy by hand.
doubt-timed-out = no answer came in time
doubt-broken = the connection broke after it was made
doubt-server-error = the operator's server reported an error of its own
doubt-redirected = the operator pointed to another address, which is never followed
doubt-throttled = the operator said "too many requests"
doubt-unreadable = the answer could not be read
doubt-unproven = the answer says success, but not for this very order
doubt-unlisted-code = the answer has a code whose meaning is not documented
doubt-already-used = the operator already knows this order's reference
doubt-process-ended = simkeeper was stopped while the order was on its way
doubt-pending-lost = the operator never finished the order
settled-bought-subject = settled: { $price } order went through
settled-bought-first = { $card }: the order of { $offer } for { $price }, sent { $sent }, went through after all.
settled-not-bought-subject = settled: { $price } order was not taken
settled-not-bought-first = { $card }: the order of { $offer } for { $price }, sent { $sent }, was not taken; nothing was charged.
settled-bought-next = The card is read until the new plan shows.
settled-not-bought-next = If the card still needs it, it is renewed anew by its rule.
settled-bought-short = { $card }: settled, the order of { $plan } for { $price } went through. Nothing to do.
settled-not-bought-short = { $card }: settled, the order of { $plan } for { $price } was not taken, nothing charged. Nothing to do.

## Paused, and going on

paused-subject-resumed = goes on
paused-first-resumed = { $card } goes on: { $by } ended the pause.
paused-next-resumed = It is renewed by its rule again.
paused-subject-until = paused until { $until }
paused-first-until = { $card } was paused by { $by } until { $until }.
paused-subject-open = paused until resumed
paused-first-open = { $card } was paused by { $by } until somebody resumes it.
paused-until-resumed = somebody resumes it
paused-next = Nothing is bought for it meanwhile. It is still read, and warnings still go out.
paused-short-resumed = { $card }: goes on, { $by } ended the pause.
paused-short-until = { $card }: paused by { $by } until { $until }. Nothing is bought.
paused-short-open = { $card }: paused by { $by } until resumed. Nothing is bought.

## A wallet that will not last

wallet-first =
    { $count ->
        [0] The wallet of { $account } holds { $balance } and does not cover the next renewal: { $card }, { $price } on { $day }.
       *[other] The wallet of { $account } holds { $balance }, enough for { $count } more, but then not for { $card }, { $price } on { $day }.
    }
wallet-not-covered = { $card }, { $price }, { $day }
wallet-subject = wallet { $account } lasts until { $day }
wallet-next = Please put money into this account at the operator before that day, which is an estimate.
wallet-short = simkeeper: wallet { $account } will not cover { $card }, { $price } on { $at }. Please top it up.

## Errors in the file of rules

rules-subject =
    { $count ->
        [one] { $file } has 1 error; old rules stay
       *[other] { $file } has { $count } errors; old rules stay
    }
rules-first =
    { $count ->
        [one] { $file } has 1 error; the rules that ran before stay in force.
       *[other] { $file } has { $count } errors; the rules that ran before stay in force.
    }
rules-next = Please mend the file and save it; it is read again at once. Cards are watched and renewed by the old rules meanwhile.
rules-short =
    { $count ->
        [one] simkeeper: { $file } has 1 error; the old rules stay. Please mend it and run: simkeeper check
       *[other] simkeeper: { $file } has { $count } errors; the old rules stay. Please mend it and run: simkeeper check
    }

## New cards at an account

found-subject =
    { $count ->
        [one] 1 new card at { $account }
       *[other] { $count } new cards at { $account }
    }
found-first =
    { $count ->
        [one] 1 new card at { $account }: its operator lists what was not known yet.
       *[other] { $count } new cards at { $account }: its operator lists what was not known yet.
    }
found-next-rule =
    { $count ->
        [one] It is read, and the rule { $rule } decides for it.
       *[other] They are read, and the rule { $rule } decides for them.
    }
found-next-only-read =
    { $count ->
        [one] It is only read: no rule fits its label "discovered", so nothing is bought for it.
       *[other] They are only read: no rule fits their label "discovered", so nothing is bought for them.
    }
found-short-rule =
    { $count ->
        [one] simkeeper: 1 new card at { $account }; a rule decides for it.
       *[other] simkeeper: { $count } new cards at { $account }; a rule decides for them.
    }
found-short-only-read =
    { $count ->
        [one] simkeeper: 1 new card at { $account }; it is only read.
       *[other] simkeeper: { $count } new cards at { $account }; they are only read.
    }

## The record: damaged, or its copies old

damaged-subject = the record is damaged; nothing is bought
damaged-first = A check found damage in simkeeper's own record. Cards are read and warnings go out; nothing is bought.
damaged-next = Please stop the daemon and restore the newest sound copy. What was ordered since is in the journal of orders and becomes questions to you.
damaged-short = simkeeper: its record is damaged, nothing is bought. Please run: simkeeper verify
journal-lost-subject = the journal of orders is lost; nothing is bought
journal-lost-first = simkeeper's journal of orders is damaged or missing. Cards are read and warnings go out; nothing is bought.
journal-lost-next = Please compare your operators' lists of orders with simkeeper's, then let each card go on.
journal-lost-short = simkeeper: its journal of orders is damaged or missing, nothing is bought. Please run: simkeeper verify
copy-old-first = The newest copy of the record was made { $at }, although one is wanted every day.
copy-none-first = There is no copy of the record, although one is wanted every day.
copy-old-subject = copies of the record are old
copy-old-next = Please make one now; if it fails, it says why. Often the disk is full.
copy-old-short = simkeeper: the copies of its record are old. Please run: simkeeper backup

## Several messages in one

gathered-subject =
    { $count ->
        [one] 1 message waited
       *[other] { $count } messages waited
    }
gathered-first =
    { $count ->
        [one] 1 message waited: { $subject }
       *[other] { $count } messages were gathered; first: { $subject }
    }
gathered-enclosed = Each is enclosed as it would have been sent. What has become untrue since is left out.
gathered-short =
    { $count ->
        [one] simkeeper: 1 message waited. { $subject }
       *[other] simkeeper: { $count } messages waited. { $subject }
    }

## Told again

retold-short = Again: { $text }
retold-still-so = Told first on { $at }, and still so: { $first }
retold-no-reaction = { $person } was told on { $at } and has not reacted: { $first }
retold-unreached = { $person } could not be reached on { $at }: { $first }
retold-subject = again: { $what }

## A trial of a channel

test-subject = trial message, { $at }
test-first = This is a trial: messages from simkeeper over the channel { $channel } reach you.
test-short = simkeeper: trial over { $channel }. Messages reach you. Nothing to do.

## The words under a picture

course-point = { $amount } on { $day }
course-data =
    { $count ->
        [one] Data left in 1 day: { $told }.
       *[other] Data left in { $count } days: { $told }.
    }
course-credit =
    { $count ->
        [one] Credit in 1 day: { $told }.
       *[other] Credit in { $count } days: { $told }.
    }
course-limit = { $words } The level line is the rule's limit, { $limit }.
course-more = { $words } { $sentence }
course-when = about { $likely }
course-when-from = about { $likely } ({ $early } at the earliest)
course-when-between = about { $likely } ({ $early } to { $late })
course-when-on = on { $likely }
course-end = The end is { $day }.
course-end-left = At the end, { $day }, about { $likely } is left ({ $low } to { $high }).
course-empty = At this pace nothing is left { $when }.
course-at-limit = At this pace the limit is reached { $when }.

## All cards of a person at a glance

digest-silenced = Silenced: { $cards }.
digest-all-else-is-well = All else is well: { $cards }.
digest-in-all = In all
digest-shared = Limits that cards share
digest-shared-unsummed = limit { $limit } a month; what is spent cannot be added up without a rate
digest-shared-spent = { $spent } of { $limit } spent this month
digest-comes-nothing = nothing of the rule's list can be bought
digest-comes-over-limit = { $plan } for { $price } does not fit under a limit
digest-comes-unpriced = a plan whose price is not known yet
digest-comes-asked = { $plan } for { $price }, once it is agreed to
digest-comes-bought = { $plan } for { $price }
digest-coming = What is expected until { $next }
digest-coming-about = about { $day }: { $what }
digest-bought = What was bought since { $since }
digest-bought-on = { $plan } for { $price } on { $day }
digest-bought-on-limit = { $plan } for { $price } on { $day }; { $left } of the month's limit was left
digest-ending = What ends next
digest-ending-safe = { $what } { $at }; safe to renew until { $last }
digest-trouble-unknown = the result of an order is not known yet; it is looked for
digest-trouble-paused = due, and paused
digest-trouble-watched = due; its rule only watches
digest-trouble-never-read = never read
digest-trouble-unread = not read since { $at }
digest-trouble-dead = cannot be renewed: get a new card
digest-trouble-blocked = due, and something stands in the way
digest-trouble-decide = buy { $plan } for { $price }?
digest-trouble-settle = please say what became of an order
digest-troubles = What needs you
digest-trouble-watched-card = { $what } (for its owner or payer)
digest-trouble-ends = { $what } (ends { $ends })
digest-subject-well = { $cards }, nothing to do
digest-short-ends = {" "}Next end: { $card } { $at }.
digest-short-well = { $cards }, nothing to do.
digest-short = simkeeper:{" "}
digest-next-how = { $next }; the key digest in simkeeper.toml says how often, and "never" ends it
digest-next = Next digest
digest-spent = { $sum } spent
digest-first-bought = { $state }; { $count } since { $since } for { $sum }.
digest-first = { $state }; nothing was bought since { $since }.
digest-cards =
    { $count ->
        [one] 1 card
       *[other] { $count } cards
    }
digest-purchases =
    { $count ->
        [one] 1 purchase
       *[other] { $count } purchases
    }
# { $count } cards of all cards need the reader; { $cards } is "12 cards".
digest-subject-needs =
    { $count ->
        [one] 1 of { $cards } needs you
       *[other] { $count } of { $cards } need you
    }
digest-state-needs =
    { $count ->
        [one] 1 of { $cards } needs you: { $worst }
       *[other] { $count } of { $cards } need you, { $worst } first
    }
digest-short-needs =
    { $count ->
        [one] { $cards }, 1 needs you: { $worst }.
       *[other] { $cards }, { $count } need you: { $worst }.
    }
digest-state-well =
    { $count ->
        [one] { $cards } is well
       *[other] { $cards } are well
    }
digest-state-watched =
    { $count ->
        [one] { $cards }, nothing for you to do; 1 waits for others
       *[other] { $cards }, nothing for you to do; { $count } wait for others
    }
digest-state-open =
    { $count ->
        [one] { $cards }, nothing to do; the result of one order is not known yet
       *[other] { $cards }, nothing to do; the results of { $count } orders are not known yet
    }
# Goes on after another sentence of a text message.
digest-short-bought = {" "}Bought { $count } for { $only }.
digest-more-rows = and { $count } more: simkeeper { $command }
digest-more-currencies =
    { $more ->
        [one] { $shown } and 1 more currency
       *[other] { $shown } and { $more } more currencies
    }
