-- Walks along runbooks: one row each, saved whole after every step. The revision is what keeps two
-- processes from taking the same step.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
