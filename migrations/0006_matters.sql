-- What was told to people who want it told again until somebody takes it in hand, or passed on where they cannot be
-- reached or do not react. Nothing of a row changes but its end.
CREATE TABLE matter (
    id        INTEGER PRIMARY KEY,
    kind      TEXT    NOT NULL,
    card      INTEGER REFERENCES card (id),         -- none for what concerns the daemon itself
    cycle     INTEGER NOT NULL,
    step      TEXT    NOT NULL,
    attempt   INTEGER REFERENCES attempt (id),
    story     TEXT    NOT NULL CHECK (json_type(story) = 'object'),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_by TEXT,                                 -- who took it in hand; none if it is so no more
    CHECK (closed_by IS NULL OR closed_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX matter_once ON matter (kind, ifnull(card, 0), cycle, step);
CREATE INDEX matter_open ON matter (card) WHERE closed_at IS NULL;
CREATE INDEX matter_of_attempt ON matter (attempt) WHERE attempt IS NOT NULL;

-- How far the telling of one person has come.
CREATE TABLE matter_turn (
    matter     INTEGER NOT NULL REFERENCES matter (id),
    person     TEXT    NOT NULL,
    repeats    INTEGER NOT NULL DEFAULT 0 CHECK (repeats >= 0),
    repeat_at  INTEGER,                             -- told again then; none when it was told often enough
    passed_on  INTEGER NOT NULL DEFAULT 0 CHECK (passed_on >= 0),
    pass_on_at INTEGER,                             -- goes a further way, or to somebody else, then
    PRIMARY KEY (matter, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX matter_turn_repeats ON matter_turn (repeat_at) WHERE repeat_at IS NOT NULL;
CREATE INDEX matter_turn_passes ON matter_turn (pass_on_at) WHERE pass_on_at IS NOT NULL;

-- The notices that tell a matter, and whose turn each is.
CREATE TABLE matter_notice (
    notice INTEGER PRIMARY KEY REFERENCES notice (id),
    matter INTEGER NOT NULL REFERENCES matter (id),
    person TEXT    NOT NULL
) STRICT;
CREATE INDEX matter_notice_of ON matter_notice (matter);
