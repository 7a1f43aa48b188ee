-- What a person was sent to answer a question with: a code that they type, bound to one question at one plan and price.
-- Neither code nor page can be read from here: both are digests under a key that lies outside the record.
-- open: can be typed · used: was typed · replaced: a newer one was sent
CREATE TABLE approval_code (
    id         INTEGER PRIMARY KEY,
    attempt    INTEGER NOT NULL REFERENCES attempt (id),
    person     TEXT    NOT NULL,
    plan_id    TEXT    NOT NULL,
    price      INTEGER NOT NULL,
    currency   TEXT    NOT NULL CHECK (length(currency) = 3),
    code       TEXT    NOT NULL UNIQUE CHECK (length(code) = 64),
    page       TEXT    NOT NULL UNIQUE CHECK (length(page) = 64),
    made_at    INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    wrong      INTEGER NOT NULL DEFAULT 0 CHECK (wrong >= 0),
    state      TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'used', 'replaced')),
    settled_at INTEGER,
    CHECK ((state = 'open') = (settled_at IS NULL))
) STRICT;
CREATE INDEX approval_code_of ON approval_code (attempt, person);
