-- Temporary stacks: one of a name stands at a time, those that ended stay as history.
CREATE TABLE stacks (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    body       TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE UNIQUE INDEX stacks_standing ON stacks (name) WHERE ended_ms IS NULL;
