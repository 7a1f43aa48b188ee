-- The record of simkeeper. Instants are whole UTC seconds, money is ten-thousandths of a unit beside its currency, words
-- are those of the code's enums. Files in this folder are only ever added; their number is the database's user_version.

-- One row: which installation this is, and the latest instant it has seen.
CREATE TABLE installation (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    uuid         TEXT    NOT NULL CHECK (length(uuid) = 36),
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

-- Which program brought the schema to which version, and when.
CREATE TABLE schema_note (
    version INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    program TEXT    NOT NULL
) STRICT;

-- What a card IS. A row is never deleted and its id never used again.
CREATE TABLE card (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    name            TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    account         TEXT    NOT NULL,
    iccid           TEXT    CHECK (length(iccid) BETWEEN 18 AND 22),
    msisdn          TEXT,
    imei            TEXT,
    eid             TEXT,
    fields          TEXT    NOT NULL CHECK (json_type(fields) = 'object'),
    labels          TEXT    NOT NULL CHECK (json_type(labels) = 'array'),
    contact         TEXT,
    zone            TEXT    NOT NULL,
    notify          TEXT    NOT NULL CHECK (json_type(notify) = 'array'),
    rule            TEXT,
    keeper          TEXT    NOT NULL CHECK (keeper IN ('file', 'command')),
    -- What people said by command; it outlives restarts and changes of the file.
    pause_since     INTEGER,
    pause_until     INTEGER,
    pause_by        TEXT,
    skip_next       INTEGER NOT NULL DEFAULT 0 CHECK (skip_next IN (0, 1)),
    stop_after_next INTEGER NOT NULL DEFAULT 0 CHECK (stop_after_next IN (0, 1)),
    retired_at      INTEGER,
    CHECK ((pause_since IS NULL) = (pause_by IS NULL)),
    CHECK (pause_until IS NULL OR pause_since IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX card_live_name ON card (name) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX card_live_iccid ON card (account, iccid) WHERE retired_at IS NULL AND iccid IS NOT NULL;
CREATE INDEX card_retired_name ON card (name) WHERE retired_at IS NOT NULL;
CREATE INDEX card_of_file ON card (id) WHERE keeper = 'file' AND retired_at IS NULL;

-- What a poll CHANGES, kept narrow, in the order of the cards. There is no index on the due time: the schedule is in memory.
CREATE TABLE poll (
    card         INTEGER PRIMARY KEY REFERENCES card (id),
    next_poll_at INTEGER,                       -- none once the card is retired
    cycle        INTEGER NOT NULL DEFAULT 1 CHECK (cycle >= 0),
    failures     INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    odd_at       INTEGER,                       -- when the newest answer that made no sense came, if newer than `latest`
    odd          TEXT,
    latest       BLOB,                          -- the newest reading that makes sense, packed whole
    tail         BLOB    NOT NULL DEFAULT x'',  -- those before it, newest first, not in reading_month yet
    CHECK ((odd_at IS NULL) = (odd IS NULL))
) STRICT;

-- Every reading of a month, packed. Months count from year 0, in UTC.
CREATE TABLE reading_month (
    month  INTEGER NOT NULL,
    card   INTEGER NOT NULL,
    packed BLOB    NOT NULL,
    PRIMARY KEY (month, card)
) STRICT, WITHOUT ROWID;

-- Months older than 35 days: the first, the last and the least reading of each day.
CREATE TABLE reading_old (
    month  INTEGER NOT NULL,
    card   INTEGER NOT NULL,
    packed BLOB    NOT NULL,
    PRIMARY KEY (month, card)
) STRICT, WITHOUT ROWID;

-- One row per attempt: one order with one key. Money and evidence are kept for ever.
-- card, cycle, number, account, cause* and created_at never change. plan*, price, payment, code and before change only
-- while the attempt is planned. Every change counts the version up, and quotes the one it saw.
CREATE TABLE attempt (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    card             INTEGER NOT NULL REFERENCES card (id),
    cycle            INTEGER NOT NULL CHECK (cycle >= 0),
    number           INTEGER NOT NULL CHECK (number >= 1),
    account          TEXT    NOT NULL,
    cause            TEXT    NOT NULL CHECK (cause IN ('rule', 'person', 'journal')),
    cause_rule       TEXT,
    cause_line       INTEGER,
    cause_by         TEXT,
    plan             TEXT    NOT NULL CHECK (json_type(plan) = 'object'),
    plan_id          TEXT    NOT NULL,
    price            INTEGER NOT NULL,
    currency         TEXT    NOT NULL CHECK (length(currency) = 3),
    payment          TEXT    NOT NULL,
    code             TEXT,
    created_at       INTEGER NOT NULL,
    approval         TEXT    NOT NULL CHECK (approval IN ('not_needed', 'asked', 'given')),
    approval_at      INTEGER,
    approval_why     TEXT,
    approval_by      TEXT,
    before           TEXT    CHECK (before IS NULL OR json_type(before) = 'object'),
    -- planned: decided, nothing has left · sending: intent on disk, may have left · pending: the operator works on it
    -- accepted: taken, effect to be seen · unknown: nobody knows · human: a person is asked
    -- done: effect seen · refused, absent: certainly not taken · abandoned: given up · reversed: taken and taken back
    state            TEXT    NOT NULL CHECK (state IN ('planned', 'sending', 'pending', 'accepted', 'unknown', 'human',
                                                       'done', 'refused', 'absent', 'abandoned', 'reversed')),
    version          INTEGER NOT NULL DEFAULT 1,
    next_at          INTEGER,
    -- The order. Once known these stay, whatever the state.
    order_key        TEXT    CHECK (length(order_key) = 32),
    first_sent_at    INTEGER,
    send_count       INTEGER,
    order_id         TEXT,
    charged          INTEGER,
    charged_currency TEXT    CHECK (length(charged_currency) = 3),
    accepted_at      INTEGER,
    lookups          INTEGER NOT NULL DEFAULT 0,
    clean_negatives  INTEGER NOT NULL DEFAULT 0,
    doubt            TEXT,
    question         TEXT,
    asked_at         INTEGER,
    closed_at        INTEGER,
    refusal_kind     TEXT,
    refusal_code     TEXT,
    refusal_text     TEXT,
    given_up         TEXT    CHECK (given_up IN ('gate', 'person', 'not_needed')),
    given_up_by      TEXT,
    given_up_reason  TEXT,
    reversed_why     TEXT,
    CHECK ((cause = 'rule') = (cause_rule IS NOT NULL AND cause_line IS NOT NULL)),
    CHECK ((cause = 'person') = (cause_by IS NOT NULL)),
    CHECK ((approval = 'not_needed') = (approval_at IS NULL)),
    CHECK ((approval = 'asked') = (approval_why IS NOT NULL)),
    CHECK ((approval = 'given') = (approval_by IS NOT NULL)),
    CHECK ((state IN ('planned', 'pending', 'accepted', 'unknown', 'human')) = (next_at IS NOT NULL)),
    CHECK (state NOT IN ('sending', 'pending', 'accepted', 'unknown', 'human') OR order_key IS NOT NULL),
    CHECK ((order_key IS NULL) = (first_sent_at IS NULL)),
    CHECK ((order_key IS NULL) = (send_count IS NULL)),
    CHECK (send_count IS NULL OR send_count >= 1),
    CHECK (state <> 'pending' OR order_id IS NOT NULL),
    CHECK (state <> 'accepted' OR accepted_at IS NOT NULL),
    CHECK ((charged IS NULL) = (charged_currency IS NULL)),
    CHECK ((state = 'unknown') = (doubt IS NOT NULL)),
    CHECK ((state = 'human') = (question IS NOT NULL AND asked_at IS NOT NULL)),
    CHECK ((state IN ('done', 'refused', 'absent', 'abandoned', 'reversed')) = (closed_at IS NOT NULL)),
    CHECK ((state = 'refused') = (refusal_kind IS NOT NULL AND refusal_code IS NOT NULL AND refusal_text IS NOT NULL)),
    CHECK ((state = 'abandoned') = (given_up IS NOT NULL)),
    CHECK ((given_up IS 'person') = (given_up_by IS NOT NULL)),
    CHECK ((state = 'reversed') = (reversed_why IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX attempt_one_open ON attempt (card)
    WHERE state IN ('planned', 'sending', 'pending', 'accepted', 'unknown', 'human');
CREATE INDEX attempt_due ON attempt (next_at)
    WHERE state IN ('planned', 'sending', 'pending', 'accepted', 'unknown', 'human');
CREATE UNIQUE INDEX attempt_key ON attempt (order_key) WHERE order_key IS NOT NULL;
CREATE INDEX attempt_order_id ON attempt (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX attempt_of_card ON attempt (card, id);

-- The exact bytes of an order, stored before they are sent; a resend sends these.
CREATE TABLE attempt_order (
    attempt      INTEGER PRIMARY KEY REFERENCES attempt (id),
    path         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    body         BLOB NOT NULL,
    digest       TEXT NOT NULL CHECK (length(digest) = 64)
) STRICT;

-- Every move of an attempt with its evidence. Append-only.
CREATE TABLE attempt_event (
    id         INTEGER PRIMARY KEY,
    attempt    INTEGER NOT NULL REFERENCES attempt (id),
    at         INTEGER NOT NULL,
    transition TEXT    NOT NULL,
    from_state TEXT,                -- none for the first
    to_state   TEXT    NOT NULL,
    what       TEXT    NOT NULL,
    digest     TEXT
) STRICT;
CREATE INDEX attempt_event_of ON attempt_event (attempt, id);
CREATE TRIGGER attempt_event_stays BEFORE UPDATE ON attempt_event BEGIN
    SELECT RAISE(ABORT, 'attempt_event is append-only');
END;
CREATE TRIGGER attempt_event_remains BEFORE DELETE ON attempt_event BEGIN
    SELECT RAISE(ABORT, 'attempt_event is append-only');
END;

-- One message to one recipient over one channel.
CREATE TABLE notice (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT    NOT NULL,
    card         INTEGER REFERENCES card (id),      -- none for notices about the daemon itself
    cycle        INTEGER NOT NULL,
    step         TEXT    NOT NULL,
    person       TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    message_id   TEXT    NOT NULL,
    urgent       INTEGER NOT NULL CHECK (urgent IN (0, 1)),
    resend_costs INTEGER NOT NULL CHECK (resend_costs IN (0, 1)),   -- each send is paid for, as with texts
    attempt      INTEGER REFERENCES attempt (id),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- queued: waits for next_at · claimed: being sent · sent: the other side took it · dead: given up, shown to people
    -- expired: not worth sending any more
    state        TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'claimed', 'sent', 'dead', 'expired')),
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    crashes      INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),
    next_at      INTEGER,
    settled_at   INTEGER,
    remote       TEXT,                              -- what the other side answered or called it
    why          TEXT,                              -- the last failure
    CHECK ((state IN ('queued', 'claimed')) = (next_at IS NOT NULL)),
    CHECK ((state IN ('sent', 'dead', 'expired')) = (settled_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX notice_once ON notice (kind, ifnull(card, 0), cycle, step, person, channel);
CREATE INDEX notice_queued ON notice (channel, urgent, next_at, expires_at) WHERE state = 'queued';
CREATE INDEX notice_claimed ON notice (id) WHERE state = 'claimed';
CREATE INDEX notice_dead ON notice (id) WHERE state = 'dead';

-- The finished message, apart from the row that every try rewrites.
CREATE TABLE notice_body (
    notice INTEGER PRIMARY KEY REFERENCES notice (id),
    bytes  BLOB NOT NULL
) STRICT;

-- What people did by command. Append-only.
CREATE TABLE human_action (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    card    INTEGER REFERENCES card (id),
    attempt INTEGER REFERENCES attempt (id),
    reason  TEXT
) STRICT;
CREATE INDEX human_action_of ON human_action (card, id);
CREATE TRIGGER human_action_stays BEFORE UPDATE ON human_action BEGIN
    SELECT RAISE(ABORT, 'human_action is append-only');
END;
CREATE TRIGGER human_action_remains BEFORE DELETE ON human_action BEGIN
    SELECT RAISE(ABORT, 'human_action is append-only');
END;

-- What was concluded about a card, one row per change of mind. Append-only.
CREATE TABLE decision (
    id      INTEGER PRIMARY KEY,
    card    INTEGER NOT NULL REFERENCES card (id),
    at      INTEGER NOT NULL,
    verdict TEXT    NOT NULL,
    reasons TEXT    NOT NULL CHECK (json_valid(reasons))
) STRICT;
CREATE INDEX decision_of ON decision (card, id);
CREATE TRIGGER decision_stays BEFORE UPDATE ON decision BEGIN
    SELECT RAISE(ABORT, 'decision is append-only');
END;
CREATE TRIGGER decision_remains BEFORE DELETE ON decision BEGIN
    SELECT RAISE(ABORT, 'decision is append-only');
END;

-- What must outlive a restart about the way to an operator.
CREATE TABLE account (
    name             TEXT    PRIMARY KEY,
    failures         INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),  -- transport failures in a row
    open_until       INTEGER,                                           -- the breaker is open until then
    paused_until     INTEGER,                                           -- the operator asked to be left alone until then
    clock_ours       INTEGER,                                           -- our clock when the operator last told its time
    clock_theirs     INTEGER,
    wallet_read_at   INTEGER,
    balance          INTEGER,
    balance_currency TEXT    CHECK (length(balance_currency) = 3),
    methods          TEXT    NOT NULL DEFAULT '[]' CHECK (json_type(methods) = 'array'),
    CHECK ((clock_ours IS NULL) = (clock_theirs IS NULL)),
    CHECK ((balance IS NULL) = (balance_currency IS NULL))
) STRICT, WITHOUT ROWID;

-- The plans on sale for a card, as last fetched.
CREATE TABLE catalogue (
    card       INTEGER PRIMARY KEY REFERENCES card (id),
    fetched_at INTEGER NOT NULL,
    plans      TEXT    NOT NULL CHECK (json_type(plans) = 'array')
) STRICT;

-- Cards for which nothing is bought until two agreeing readings, or a person, say that the record is right again.
CREATE TABLE quarantine (
    card   INTEGER PRIMARY KEY REFERENCES card (id),
    since  INTEGER NOT NULL,
    reason TEXT    NOT NULL
) STRICT;
