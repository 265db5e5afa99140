-- What every check came to over time, in stretches of looks that came to the same; and what a person
-- put aside until a time.
CREATE TABLE check_stretches (
    id INTEGER PRIMARY KEY,
    pack TEXT NOT NULL,
    check_id TEXT NOT NULL,
    verdict TEXT NOT NULL,
    found TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms INTEGER NOT NULL,
    looks INTEGER NOT NULL
) STRICT;
CREATE INDEX stretches_by_check ON check_stretches (pack, check_id, id);

CREATE TABLE waivers (
    subject TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT;
