### 发给用户的文字：简体中文。文件名即语言标签。如何添加语言，见 docs/translating.md。
###
### `{ $card }` 之类代表具体内容，须原样保留，位置可按语言习惯安排。
### 名称含 `-short` 的是短信：整条须在 70 个字以内。名称含 `-subject` 的是邮件主题：连同卡名须在 60 个字以内。

## Times, lengths and amounts

decimal-sign = .
clock = { $hour }:{ $minute }
date-time = { $year }年{ $month }月{ $day }日 { clock }
date-time-near = { $month }月{ $day }日{ clock }
date-day = { $year }年{ $month }月{ $day }日
date-day-near = { $month }月{ $day }日
length-days = { $count } 天
length-hours = { $count } 小时
length-minutes = { $count } 分钟
length-seconds = { $count } 秒

## How a message is laid out

colon = ：
list-separator = 、
subject = { $card }：{ $what }
subject-when = { $card }：{ $what }，{ $when }
command-line = { $why }：{ $line }
card-with-number = { $card }（{ $number }）
heading-before = 之前
heading-after = 之后
footer = 由 simkeeper 发送。时间均为 { $zone } 时区。
need-nothing = 无需操作
need-wait = 暂时无需操作
need-decide = 请您决定
need-act = 请您处理
need-look = 请您过目

## Labels of numbers and facts, before a colon

label-sent = 发出时间
label-plan = 套餐
label-price = 价格
label-card-ends = 卡到期
label-asked-before = 此前已询问
label-purchase = 购买编号
label-price-last-time = 上次价格
label-paid = 已付
label-limit-left = 本月限额剩余
label-order-number = 订单号
label-why = 原因
label-agreed-by = 同意者
label-warning = 提醒
label-condition = 条件
label-by = 操作人
label-until = 暂停至
label-account = 账户
label-wallet = 钱包
label-not-covered = 不足以支付
label-file = 文件
label-errors = 错误数
label-new-cards = 新卡
label-channel = 渠道
label-last-safe = 最后的安全时刻
label-at-stake = 可能失去
label-order-takes = 订单可能需要
label-money-takes = 付款可能需要
label-support = 运营商客服
label-data-left = 剩余流量
label-credit = 余额
label-plan-ends = 套餐到期
label-credit-ends = 余额到期
label-number-ends = 号码到期
label-card = 卡
label-rule = 规则
label-asked-because = 询问原因
label-month-left = 本月限额剩余
label-shared-limit = 共用限额（rules.toml:{ $line }）
label-code-ends = 验证码有效期至
label-why-plan = 选择理由
label-expected-use = 预计用量
label-next-best = 次优
label-found = 发现
label-operator-words = 运营商原话
label-next-try = 下次尝试

## Why a line is to be typed, before a colon; the line itself follows

command-settle-bought = 如果已成交
command-settle-not-bought = 如果未成交
command-approve = 同意购买
command-refuse = 不购买
command-code = 您的验证码（{ $until } 前有效）
command-code-page = 输入验证码的网页
command-approve-instead = 或者，同意购买
command-refuse-instead = 或者，不购买
command-skip-next = 如需停止下一次续费
command-renew-now = 如需立即续费
command-skip = 如需跳过这次续费
command-resume = 如需恢复
command-explain-again = 如需再次查看
command-pause-again = 如需再次暂停
command-wallets = 如需查看各钱包可用多久
command-check = 如需检查文件
command-found = 如需查看
command-verify = 如需查看哪些完好
command-history = 如需查看已记录的订单
command-resume-card = 如需恢复
command-backup = 如需备份
command-acknowledge = 如果由您处理，不再提醒任何人
command-explain = 如需查看原因
command-renew-once-cleared = 解决后如需续费
command-how-settled = 如需查看查证过程

## What ends, runs low or would be lost

end-plan-over = 套餐已到期
end-credit-over = 余额已到期
end-known-to-the-day = { $time }（运营商只告知日期）
end-plan = 套餐到期
end-credit = 余额到期
end-number = 号码将被收回
low-data = 流量低于 { $size }
low-data-share = 流量低于 { $share }
low-calls = 通话时长低于 { $length }
low-texts = 短信少于 { $count } 条
low-credit = 余额低于 { $money }
low-plan-ends = 套餐将在 { $length }内到期
low-credit-ends = 余额将在 { $length }内到期
low-number-ends = 号码将在 { $length }内被收回
loss-data = 流量可能用完
loss-voice = 通话可能用完
loss-texts = 短信可能用完
loss-credit = 余额可能用完
calendar-entry = { $card }：{ $what }

## Something ends soon or runs low

due-has-ended = 已到期
due-before-end = 到期前 { $length }
due-condition = { $low }（rules.toml:{ $line }）
due-short-end = { $which }：{ $at }
due-short-buys = 将于{ $at }起自动续费。
due-short-asks = 购买前会先问您。
due-short-only-watches = 不会自动购买，请续费。
due-short-paused = 已暂停，不会购买。
due-short-outside-dates = 不在规则日期内，不会购买。
due-short-blocked = 受阻：请处理后才会购买。
due-short-cannot-renew = 不能续费，请准备新卡。
due-short-new-card = 请准备新卡。
due-short = { $card }：{ $what }。{ $step }
due-subject-end = { $at } { $which }
due-subject-one-off = 一次性卡，不能续费
due-subject-cannot-renew = 卡已不能续费
due-first-buys = 最早将于 { $at } 自动续费
due-first-asks = 购买前会先征求您的同意
due-first-only-watches = 不会自动购买
due-first-paused = 卡已暂停，不会购买
due-first-outside-dates = 今天不在规则日期内，不会购买
due-first-blocked = 障碍排除之前不会购买
due-first-cannot-renew = 需要一张新卡
due-first = { $card }：{ $what }；{ $step }。
due-next-buys = simkeeper 会自动续费，完成后通知您。
due-watched-short-asks = 购买前会先问其所有者或付款人。
due-watched-first-asks = 购买前会先征求其所有者或付款人的同意
due-watched-next-asks = 购买前，其所有者或付款人会收到一封写明套餐和价格的询问。
due-watched-next-only-watches = 规则只监看这张卡：须由其所有者或付款人续费。
due-next-asks = 购买前您会收到一封写明套餐和价格的询问。
due-next-only-watches = 规则只监看这张卡：请您自行续费。
due-next-paused = 暂停期间仍会发出提醒。
due-next-outside-dates = 规则在 rules.toml 中的 `from` 和 `until` 规定了可购买的日期。
due-next-blocked = 障碍的原因已在先前的消息中说明。
due-next-cannot-renew = 运营商不再为这张卡提供续费：请在到期前准备新卡。

## The last moment at which a renewal could surely begin in time has passed

last-safe-subject = 可能来不及续费：{ $at } { $what }
last-safe-first = { $card }：{ $at } { $what }，但尚未续费。现在开始续费可能来不及：最后的安全时刻是 { $passed }。
last-safe-at-stake = { $at } { $what }
last-safe-order-takes = 该运营商最长 { $settling }
last-safe-short = { $card }：紧急！{ $what }：{ $at }，尚未续费，请立即处理。

## Bought, and what a plan is

bought-subject-until = 已续费 { $charged }，至 { $ends }
bought-first-until = { $card } 已续费：{ $plan }，{ $charged }，有效期至 { $ends }。
bought-subject = 已续费 { $charged }
bought-first = { $card } 已续费：{ $plan }，{ $charged }。
bought-limit-left = { $left }
bought-no-order-number = 运营商未提供
bought-why-rule = 规则 { $rule }，rules.toml:{ $line }
bought-why-person = 由人工发起
bought-watched = 将继续监看这张卡。
bought-short-until = { $card }：已续费{ $plan }，{ $charged }，至{ $ends }。无需操作。编号{ $number }
bought-short = { $card }：已续费{ $plan }，{ $charged }。无需操作。编号{ $number }
plan-unlimited = 不限流量
plan-calls = { $minutes } 分钟通话
plan-texts = { $count } 条短信
plan-credit = { $credit } 余额
plan-with-contents = { $name }（{ $contents }）

## Why this plan and no other

reckoned-way =
    { $count ->
        [1] 这是用到 { $until }（{ $days }）最便宜的办法：{ $cost }
       *[other] 这是用到 { $until }（{ $days }）最便宜的办法的第一步：共购买 { $count } 次，{ $cost }
    }
reckoned-use-unknown = 尚不清楚；观察满一天之前为假定
reckoned-use = 约 { $data }
reckoned-next-best = 先买 { $plan }：{ $cost }
reckoned-not-whole = 限额或在售套餐不足以用到最后一天，请检查两者。
reckoned-stacking = 提前购买
reckoned-beside = 购买后立即开始计时；用到之前的时间不计入
reckoned-extends = 流量和有效期会加到剩余部分上
reckoned-left-over = 剩余
reckoned-left-over-why = 最后一天结束时可能用不完；没有别的套餐能用这么久

## Asked: may it be bought, or what became of an order

asked-settle-subject = 订单 { $number }（{ $price }）成交了吗？
asked-settle-first = { $card }：请查明 { $sent } 发出的订单（{ $offer }，{ $price }）是否成交。
asked-settle-look = 请查看运营商账户或询问客服，然后输入下面其中一行。
asked-settle-until-then = 在此之前不会为这张卡再次购买，simkeeper 也会继续查证。
asked-times = { $count } 次
asked-approve-subject-ends = 是否以 { $price } 购买？{ $ends }到期
asked-approve-subject = 是否以 { $price } 购买？
asked-approve-first = { $card }：是否同意以 { $price } 购买 { $offer }？询问原因：{ $reason }。
asked-answer-holds = 您的答复只对此套餐和此价格有效。
asked-why-mode = 规则要求每次购买前询问
asked-why-dearer = 比上次贵（{ $before } → { $price }）
asked-why-above = 价格高于 { $limit }，超过此金额时规则要求询问
asked-why-no-rate = 未写明汇率，无法将价格与 { $limit } 比较，超过此金额时规则要求询问
asked-why-differs = 名称、内容或有效期与决定时不同
asked-without-answer-nothing = 在您同意之前不会购买。
asked-without-answer-buys = 如果 { $at } 前无人答复，将按规则购买。
asked-without-answer-refuses = 如果 { $at } 前无人答复，将不会购买。
asked-answer-by-text = 也可以直接回复短信：回复 { $code } 同意购买，回复 NO { $code } 不购买。
asked-code-is-yours = 验证码仅供您本人使用，只能用一次。再次询问时会发送新的验证码。
asked-short-by = { $at }前
asked-short-reply = { $card }：买{ $plan } { $price }？{ $by }回复{ $code }同意，NO { $code }不买
asked-short-type-code = { $card }：买{ $plan } { $price }？{ $by }输入simkeeper approve { $code }
asked-short-type-number = { $card }：买{ $plan } { $price }？同意请{ $by }输入simkeeper approve { $number }
asked-short-settle = { $card }：{ $price }的订单成交了吗？请{ $by }查明，输入simkeeper settle { $number }
asked-watched-first = { $card }：已询问是否以 { $price } 购买 { $offer }，原因：{ $reason }。只有这张卡的所有者或付款人可以答复。
asked-watched-settle-first = { $card }：{ $sent } 发出的订单（{ $offer }，{ $price }）是否成交尚不清楚。只有这张卡的所有者或付款人可以说明。
asked-watched-tell = 请转告他们；他们收到的消息写明了如何答复。
asked-watched-nothing = 在他们同意之前不会购买。
asked-watched-short = { $card }：买{ $plan } { $price }？须由所有者或付款人{ $by }答复，请转告
asked-watched-settle-short = { $card }：{ $price }的订单成交了吗？须由所有者或付款人{ $by }查明，请转告
question-no-evidence = 订单无法查询，而两天的读取显示卡上没有变化。
question-key-window-over = 运营商识别重复订单的期限已过，而订单无法查询。
question-end-near = 卡即将到期，而订单结果仍未知。
question-contradiction = 证据互相矛盾：卡上显示的与运营商所说的订单情况不符。
question-effect-missing = 运营商已接受订单，但一天后卡上仍无变化。
question-restored = 记录由备份恢复，这笔订单的实际情况可能与记录不同。

## The page on which a code is typed

page-code = 消息中的验证码
page-code-hint = 八位字母和数字，例如 K7QM-3XRT
page-yes = 同意购买
page-no = 不购买
page-title = { $card }：是否以 { $price } 购买 { $plan }？
page-nothing-yet = { $by_itself }验证码只对此套餐和此价格有效。
page-again = 验证码不正确。请与最新消息核对。
page-agreed = 您已同意。最后检查完成后即购买，届时会收到消息。
page-declined = 您已拒绝，不会购买。
page-agreed-by = { $by } 已于 { $at } 同意。
page-not-agreed = 未获同意。
page-code-used = 此验证码已于 { $at } 使用。{ $decided }购买状态：{ $state }。
page-decided = 已无需决定。{ $decided }购买状态：{ $state }。
page-replaced = 已有更新的消息询问此事，请打开其中的网址并使用其验证码。
page-guessed-at = 此处多次输入错误，验证码已失效。下次提醒时会发送新的验证码。
page-over = 验证码已过期。下次提醒时会发送新的验证码。
page-moved = 询问之后套餐或价格有变化，将重新询问您。
page-nothing-here = 此页面不存在。请打开最新消息中的网址。
page-rule = { $rule }（rules.toml:{ $line }）
shared-sum-day = 24 小时内 { $used }，限额 { $limit }
shared-sum-month = 本月 { $used }，限额 { $limit }
shared-sum-cycle = 套餐时长内 { $used }，限额 { $limit }
shared-count-day = 24 小时内 { $count } 次，上限 { $limit } 次
shared-count-month = 本月 { $count } 次，上限 { $limit } 次
shared-count-cycle = 套餐时长内 { $count } 次，上限 { $limit } 次
state-planned = 已计划，尚未发出
state-on-its-way = 进行中
state-accepted = 运营商已受理
state-unknown = 结果尚不确定
state-done = 已完成
state-refused = 被运营商拒绝
state-absent = 确认未送达
state-abandoned = 已放弃
state-reversed = 已被运营商撤销

## Not renewed: that, and why

failed-subject = 未续费：{ $brief }
failed-first-again = { $card } 未能续费。{ $whole }将于 { $at } 自动重试。
failed-first = { $card } 未能续费。{ $whole }不会自动重试。
failed-when = { $at }重试
failed-short-again = { $card }：未续费，{ $brief }。{ $at }自动重试。
failed-short-support = { $card }：未续费，{ $brief }。请处理。客服：{ $support }
failed-short = { $card }：未续费，{ $brief }。请处理。
failed-brief-not-sent = 无法连接运营商
failed-brief-never-arrived = 订单未送达
failed-brief-reversed = 运营商已撤销
failed-brief-no-plan = 所列套餐均不合适
failed-brief-unanswered = 无人答复
failed-not-sent = 无法与运营商建立连接，因此没有下单（{ $what }）。
failed-never-arrived = 运营商没有这笔订单：订单未送达，也没有扣款。
failed-reversed = 运营商接受订单后又将其撤销（原文：“{ $what }”）。
failed-unanswered = 无人按时答复，规则规定此时不购买。
failed-no-plan = 规则所列的套餐中，没有一个既对这张卡出售、又不超出规则的最后日期。
refused-wallet-empty = 账户余额不足以支付
refused-payment-declined = 付款被拒绝
refused-plan-gone = 该套餐已不对这张卡出售
refused-passing = 系统繁忙或维护中，应会恢复
refused-card-dead = 这张卡已不能续费
refused-card-data = 卡的资料有误或不完整
refused-not-active = 卡尚未安装或未激活
refused-access = 不接受我们的登录信息
refused-bad-code = 优惠码无效
refused-other = 原因见下文
refused = 运营商拒绝了订单：{ $meaning }。没有扣款。
refused-brief-wallet-empty = 账户余额不足
refused-brief-payment-declined = 付款被拒
refused-brief-plan-gone = 套餐已下架
refused-brief-passing = 运营商繁忙
refused-brief-card-dead = 卡不能续费
refused-brief-card-data = 卡资料有误
refused-brief-not-active = 卡未激活
refused-brief-access = 登录被拒
refused-brief-bad-code = 优惠码无效
refused-brief-other = 运营商拒绝
said-code = 代码 { $code }
said-text = “{ $text }”
said-text-and-code = “{ $text }”，代码 { $code }

## Not renewed: what kept simkeeper from ordering

held-sum-cycle = 套餐价格为 { $price }；一个套餐时长的限额 { $limit } 中已花费 { $spent }。
held-count-cycle = 套餐时长内已购买 { $limit } 次，达到规则上限。
held-sum-shared-day = 套餐价格为 { $price }；多张卡共用的 24 小时限额 { $limit } 中已花费 { $spent }（rules.toml 第 { $line } 行）。
held-sum-shared-month = 套餐价格为 { $price }；多张卡共用的本月限额 { $limit } 中已花费 { $spent }（rules.toml 第 { $line } 行）。
held-sum-shared-cycle = 套餐价格为 { $price }；多张卡在套餐时长内共用的限额 { $limit } 中已花费 { $spent }（rules.toml 第 { $line } 行）。
held-count-shared-day = 24 小时内已购买 { $limit } 次，达到多张卡共用的上限（rules.toml 第 { $line } 行）。
held-count-shared-month = 本月已购买 { $limit } 次，达到多张卡共用的上限（rules.toml 第 { $line } 行）。
held-count-shared-cycle = 套餐时长内已购买 { $limit } 次，达到多张卡共用的上限（rules.toml 第 { $line } 行）。
held-other-currency = 套餐价格为 { $price }，限额却是 { $limit }；币种不同，请用价格的币种填写限额，或写明汇率 `[[rate]]`。
held-reading-old = 没有取得这张卡的最新数据。
held-readings-disagree = 连续两次读取的数据不一致。
held-attempt-open = 这张卡的上一笔购买尚未完成或尚未显示。
held-over-per-renewal = 套餐价格为 { $price }，而规则允许单次最多 { $limit }（`per_renewal`）。
held-over-per-month = 套餐价格为 { $price }；本月限额 { $limit } 中已花费或预留 { $spent }（`per_month`）。
held-over-per-day = 24 小时内已购买 { $limit } 次，达到规则上限（`renewals_per_day`）。
held-wallet-short = 账户钱包有 { $balance }，套餐价格为 { $price }。
held-price-moved = 下单前价格由 { $decided } 变为 { $now }。
held-plan-changed = 套餐已下架，或与决定时不同。
held-disk-full = 磁盘可用空间不足 64 MiB，无法安全记录订单。
held-record-damaged = simkeeper 的记录有损坏。
held-quarantined = 记录由备份恢复，这张卡尚未确认。
held-breaker-open = 运营商目前故障过多。
held-paused = 这张卡已暂停。
held-outside-rule = 规则的日期或时段目前不允许购买。
held-card-state = 卡的当前状态不允许购买。
held-brief-reading-old = 没有最新数据
held-brief-readings-disagree = 数据前后不一
held-brief-clock-untrusted = 时钟不准
held-brief-attempt-open = 上一笔未完成
held-brief-over-per-renewal = 超出单次限额 { $limit }
held-brief-over-per-month = 超出月限额 { $limit }
held-brief-over-per-day = 已达每日 { $limit } 次
held-brief-over-per-cycle = 超出周期限额 { $limit }
held-brief-cycle-count-reached = 已达每周期 { $limit } 次
held-brief-over-shared = 超出共用限额 { $limit }
held-brief-shared-count-reached = 已达共用上限 { $limit } 次
held-brief-limit-currency = 限额币种不同
held-brief-wallet-short = 钱包仅有 { $balance }
held-brief-price-moved = 价格变为 { $now }
held-brief-plan-changed = 套餐有变
held-brief-disk-full = 磁盘已满
held-brief-record-damaged = 记录已损坏
held-brief-quarantined = 记录刚恢复
held-brief-breaker-open = 运营商故障
held-brief-paused = 卡已暂停
held-brief-outside-rule = 不在规则时段
held-brief-card-state = 卡状态不允许
clock-off-operator = 本机时钟与运营商相差超过 5 分钟；校准后会继续购买。
clock-before-record = 本机时钟早于最近一条记录；校准后会继续购买。
clock-before-build = 本机时钟早于 simkeeper 的构建日期；校准后会继续购买。
clock-unconfirmed = 尚无运营商确认本机时钟；确认后会继续购买。

## Not renewed: what to do about it

advice-check-network = 如果其他卡也失败，请检查本机网络。
advice-order-anew = 可以放心重新下单。
advice-ask-whether-money-came-back = 请向运营商确认款项是否已退回。
advice-buy-by-hand = 如果仍需要这张卡，请手动购买：simkeeper renew。
advice-name-fitting-plan = 如果仍需要这张卡，请在规则的 `buy` 中填写合适的套餐，或调整 `until`。
advice-card-dead = 卡：号码已被收回，或为一次性卡。请准备新卡，并写入 rules.toml。
advice-card-data = 卡：rules.toml 中的号码有误，或缺少该运营商所需的号码。请与卡核对。
advice-card-not-active = 卡：尚未启用。请装入设备并开机。
advice-card-other = 卡：请将 rules.toml 中的号码与卡核对。
advice-payment-wallet-empty = 付款：钱包余额不足。请充值，或在账户的 `payment` 中再加一种付款方式。
advice-payment-declined = 付款：可能已过期、超限或待您确认。请在运营商处检查，或在账户的 `payment` 中再加一种付款方式。
advice-payment-bad-code = 付款：优惠码已失效，或不适用于该套餐。请从规则的 `codes` 中删去。
advice-payment-other = 付款：请在运营商处检查钱包和付款方式。
advice-operator-plan-gone = 运营商：已不对这张卡出售该套餐。请在规则的 `buy` 中填写别的套餐，或在卡的 `operator` 中再加一个账户。
advice-operator-passing = 运营商：繁忙或维护中，通常会自行恢复。
advice-operator-access = 运营商：登录信息已失效或被停用。请检查 simkeeper.toml 中的账户。
advice-operator-other = 运营商：请查看其是否发布了故障公告。
advice-support = 运营商客服
advice-ask-support = 若以上均无误：请联系 { $whom }。
advice-ask-support-with-code = 若以上均无误：请联系 { $whom }，并告知代码 { $code }。
advice-passes-by-itself = 这通常会自行恢复。
advice-look-at-clock = 请检查本机时钟是否准确，并由 NTP 校时。
advice-raise-shared-limit = 请调高 rules.toml 中的该 `[[limit]]`，或保持现状。
advice-change-limits = 请修改 rules.toml 中规则的 `limits`，或保持现状。
advice-put-money-in = 请为运营商账户充值。
advice-look-at-plans = 请查看运营商目前的套餐和价格，以及规则的 `buy`。
advice-make-room = 请清理本机磁盘空间。
advice-restore-copy = 请恢复最新的完好备份：`simkeeper verify` 会指出。
advice-end-pause = 可以购买时，请结束暂停。
advice-look-at-card = 请检查这张卡：须已安装、已激活且未被停用。

## The result of an order is unknown, and later settled

unknown-subject = { $price } 的订单结果未知
unknown-first = { $card }：{ $sent } 发出的订单（{ $offer }，{ $price }）结果未知：{ $doubt }。
unknown-when = { $sent }发出
unknown-next = simkeeper 会持续查找这笔订单直到查清，其间不会为这张卡再次购买；金额按已花费计算。
unknown-do-not-buy = 在此期间请不要手动购买，以免重复付款。
unknown-short = { $card }：订单{ $plan } { $price }结果未知，正在查证，请勿手动购买。
doubt-timed-out = 未及时收到答复
doubt-broken = 连接中途断开
doubt-server-error = 运营商服务器报错
doubt-redirected = 运营商要求转到别的地址，而我们从不跟随
doubt-throttled = 运营商称请求过多
doubt-unreadable = 答复无法读取
doubt-unproven = 答复称成功，但与这笔订单不符
doubt-unlisted-code = 答复含有未说明含义的代码
doubt-already-used = 运营商已有此订单编号
doubt-process-ended = 订单发送途中 simkeeper 停止了运行
doubt-pending-lost = 运营商一直没有完成这笔订单
settled-bought-subject = 已查清：{ $price } 的订单成功
settled-bought-first = { $card }：{ $sent } 发出的订单（{ $offer }，{ $price }）最终成功。
settled-not-bought-subject = 已查清：{ $price } 的订单未成交
settled-not-bought-first = { $card }：{ $sent } 发出的订单（{ $offer }，{ $price }）未成交，没有扣款。
settled-bought-next = 将继续读取这张卡，直到新套餐显示。
settled-not-bought-next = 如仍有需要，会按规则重新续费。
settled-bought-short = { $card }：已查清，订单{ $plan } { $price }成功。无需操作。
settled-not-bought-short = { $card }：已查清，订单{ $plan } { $price }未成交，未扣款。无需操作。

## Paused, and going on

paused-subject-resumed = 已恢复
paused-first-resumed = { $card } 已恢复：{ $by } 结束了暂停。
paused-next-resumed = 将重新按规则续费。
paused-subject-until = 暂停至 { $until }
paused-first-until = { $card } 已由 { $by } 暂停至 { $until }。
paused-subject-open = 已暂停，待人工恢复
paused-first-open = { $card } 已由 { $by } 暂停，直到有人恢复。
paused-until-resumed = 有人恢复为止
paused-next = 其间不会为它购买，但仍会读取并发出提醒。
paused-short-resumed = { $card }：已恢复，{ $by }结束了暂停。
paused-short-until = { $card }：{ $by }已暂停，至{ $until }，其间不购买。
paused-short-open = { $card }：{ $by }已暂停，恢复前不购买。

## A wallet that will not last

wallet-first =
    { $count ->
        [0] { $account } 的钱包有 { $balance }，不足以支付下一次续费：{ $card }，{ $price }，{ $day }。
       *[other] { $account } 的钱包有 { $balance }，可再续费 { $count } 次，之后不足以支付 { $card }，{ $price }，{ $day }。
    }
wallet-not-covered = { $card }，{ $price }，{ $day }
wallet-subject = { $account } 钱包可用至 { $day }
wallet-next = 请在此之前为该运营商账户充值；日期为估计。
wallet-short = simkeeper：钱包{ $account }不足以支付{ $card }（{ $price }，{ $at }）。请充值。

## Errors in the file of rules

rules-subject = { $file } 有 { $count } 处错误，沿用旧规则
rules-first = { $file } 有 { $count } 处错误；继续使用之前的规则。
rules-next = 请修正并保存文件，保存后会立即重新读取。其间仍按旧规则监看和续费。
rules-short = simkeeper：{ $file }有{ $count }处错误，沿用旧规则。请修正后运行simkeeper check

## New cards at an account

found-subject = { $account } 有 { $count } 张新卡
found-first = { $account } 有 { $count } 张新卡：运营商列出了此前未登记的卡。
found-next-rule = 将读取这 { $count } 张卡，并按规则 { $rule } 处理。
found-next-only-read = 只会读取这 { $count } 张卡：没有规则适用于标签“discovered”，因此不会为它们购买。
found-short-rule = simkeeper：{ $account }有{ $count }张新卡，按规则处理。
found-short-only-read = simkeeper：{ $account }有{ $count }张新卡，只读取。

## The record: damaged, or its copies old

damaged-subject = 记录已损坏，停止购买
damaged-first = 检查发现 simkeeper 自身的记录有损坏。仍会读取各卡并发出提醒，但不购买。
damaged-next = 请停止守护进程并恢复最新的完好备份。此后的订单在订单日志中，会逐一向您询问。
damaged-short = simkeeper：记录已损坏，停止购买。请运行simkeeper verify
journal-lost-subject = 订单日志丢失，停止购买
journal-lost-first = simkeeper 的订单日志已损坏或丢失。仍会读取各卡并发出提醒，但不购买。
journal-lost-next = 请将运营商的订单列表与 simkeeper 的记录核对，然后逐一恢复各卡。
journal-lost-short = simkeeper：订单日志损坏或丢失，停止购买。请运行simkeeper verify
copy-old-first = 记录的最新备份是 { $at }，而设置要求每天备份。
copy-none-first = 没有任何记录备份，而设置要求每天备份。
copy-old-subject = 记录备份过旧
copy-old-next = 请现在备份一次；若失败会说明原因，常见的是磁盘已满。
copy-old-short = simkeeper：记录备份过旧。请运行simkeeper backup

## Several messages in one

gathered-subject = { $count } 条消息已合并
gathered-first = 已合并 { $count } 条消息，首先：{ $subject }
gathered-enclosed = 每条消息均按原样附上；其间已不成立的已省去。
gathered-short = simkeeper：积存了{ $count }条消息。{ $subject }

## Told again

retold-short = 再次提醒：{ $text }
retold-still-so = 首次通知于 { $at }，至今未变：{ $first }
retold-no-reaction = { $person } 于 { $at } 收到通知，尚未回应：{ $first }
retold-unreached = { $at } 未能通知到 { $person }：{ $first }
retold-subject = 再次提醒：{ $what }

## A trial of a channel

test-subject = 测试消息，{ $at }
test-first = 这是一条测试消息：simkeeper 可以通过渠道 { $channel } 通知到您。
test-short = simkeeper：渠道{ $channel }测试成功，无需操作。

## The words under a picture

course-point = { $day } { $amount }
course-data = 近 { $count } 天剩余流量：{ $told }。
course-credit = 近 { $count } 天余额：{ $told }。
course-limit = { $words }横线为规则界限 { $limit }。
course-more = { $words }{ $sentence }
course-when = 约 { $likely }
course-when-from = 约 { $likely }（最早 { $early }）
course-when-between = 约 { $likely }（{ $early } 至 { $late }）
course-when-on = { $likely }
course-end = { $day } 到期。
course-end-left = { $day } 到期时约剩 { $likely }（{ $low } 至 { $high }）。
course-empty = 按此用量，{ $when }用完。
course-at-limit = 按此用量，{ $when }达到界限。

## All cards of a person at a glance

digest-silenced = 已静默：{ $cards }。
digest-all-else-is-well = 其余 { $cards }一切正常。
digest-in-all = 合计
digest-shared = 多卡共用的限额
digest-shared-unsummed = 每月限额 { $limit }；缺少汇率，无法合计已花费金额
digest-shared-spent = 当月已花费 { $spent }，限额 { $limit }
digest-comes-nothing = 规则所列套餐均无法购买
digest-comes-over-limit = { $plan }（{ $price }）超出限额，不会购买
digest-comes-unpriced = 价格未知的套餐
digest-comes-asked = { $plan }，{ $price }，经同意后购买
digest-comes-bought = { $plan }，{ $price }
digest-coming = 至 { $next } 的预计购买
digest-coming-about = 约 { $day }：{ $what }
digest-bought = 自 { $since } 起的购买
digest-bought-on = { $day } { $plan }，{ $price }
digest-bought-on-limit = { $day } { $plan }，{ $price }；当月限额余 { $left }
digest-ending = 即将到期
digest-ending-safe = { $at } { $what }；最晚 { $last } 续费才稳妥
digest-trouble-unknown = 一笔订单结果未明，正在查询
digest-trouble-paused = 应续费，但已暂停
digest-trouble-watched = 应续费，但规则只监看
digest-trouble-never-read = 从未读取
digest-trouble-unread = 自 { $at } 起未能读取
digest-trouble-dead = 不能续费，请准备新卡
digest-trouble-blocked = 应续费，但受阻
digest-trouble-decide = 是否以 { $price } 购买 { $plan }？
digest-trouble-settle = 请说明一笔订单的结果（bought 已买，not-bought 未买）
digest-troubles = 需要您处理
digest-trouble-watched-card = { $what }（由所有者或付款人处理）
digest-trouble-ends = { $what }（{ $ends } 到期）
digest-subject-well = { $cards }，无需操作
digest-short-ends = 最近到期：{ $card } { $at }。
digest-short-well = { $cards }，无需操作。
digest-short = simkeeper：
digest-next-how = { $next }；simkeeper.toml 中的 digest 决定频率，填 "never" 即停止
digest-next = 下一份摘要
digest-spent = 已花费 { $sum }
digest-first-bought = { $state }；自 { $since } 起{ $count }，共 { $sum }。
digest-first = { $state }；自 { $since } 起没有购买。
digest-cards = { $count } 张卡
digest-purchases = 购买 { $count } 次
# { $count }：需要收信人处理的卡数；{ $cards } 为“12 张卡”。
digest-subject-needs = { $cards }，{ $count } 张需要处理
digest-state-needs = { $cards }中有 { $count } 张需要处理：{ $worst }
digest-short-needs = { $cards }，{ $count }张需处理：{ $worst }。
digest-state-well =
    { $count ->
       *[other] { $cards }一切正常
    }
digest-state-watched = { $cards }，您无需操作；有 { $count } 张等待他人处理
digest-state-open = { $cards }，无需操作；有 { $count } 笔订单结果未明
digest-short-bought = 购买{ $count }次共{ $only }。
digest-more-rows = 另有 { $count } 项，见 simkeeper { $command }
digest-more-currencies = { $shown } 及另外 { $more } 种货币
