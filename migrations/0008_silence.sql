-- Cards about which people want to hear nothing for a while.
CREATE TABLE silence (
    card   INTEGER PRIMARY KEY REFERENCES card (id),
    since  INTEGER NOT NULL,
    until  INTEGER NOT NULL CHECK (until > since),
    by     TEXT    NOT NULL,
    urgent INTEGER NOT NULL CHECK (urgent IN (0, 1))   -- whether what is urgent is held back, too
) STRICT;
