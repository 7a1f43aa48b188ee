-- Since when each person wants a digest of each sort, and from then on up to when they were told.
CREATE TABLE digest (
    person     TEXT    NOT NULL,
    span       TEXT    NOT NULL CHECK (span IN ('daily', 'weekly', 'monthly')),
    told_until INTEGER NOT NULL,
    PRIMARY KEY (person, span)
) STRICT, WITHOUT ROWID;
