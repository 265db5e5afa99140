-- Times are UTC milliseconds. A `body` is the JSON of the value it is named after; its fields
-- carry the names of `--json` and of the evidence.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    kind       TEXT    NOT NULL,
    host       TEXT    NOT NULL,
    provider   TEXT    NOT NULL,
    batch      INTEGER REFERENCES batches (id),
    hash       TEXT    NOT NULL,
    body       TEXT    NOT NULL CHECK (json_valid(body)),
    created_ms INTEGER NOT NULL,
    used_ms    INTEGER
) STRICT;

CREATE TABLE plan_secrets (
    plan   INTEGER NOT NULL REFERENCES plans (id),
    idx    INTEGER NOT NULL,
    sealed BLOB    NOT NULL,
    PRIMARY KEY (plan, idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    host       TEXT    NOT NULL,
    provider   TEXT    NOT NULL,
    plan       INTEGER NOT NULL REFERENCES plans (id),
    body       TEXT    NOT NULL CHECK (json_valid(body)),
    status     TEXT    NOT NULL GENERATED ALWAYS AS (body ->> '$.status') STORED
) STRICT;
CREATE INDEX batches_by_host ON batches (host, provider, status);

CREATE TABLE items (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    batch       INTEGER NOT NULL REFERENCES batches (id),
    body        TEXT    NOT NULL CHECK (json_valid(body)),
    fingerprint TEXT    NOT NULL GENERATED ALWAYS AS (body ->> '$.fingerprint') STORED
) STRICT;
CREATE INDEX items_by_batch ON items (batch);
CREATE INDEX items_by_fingerprint ON items (fingerprint);

CREATE TABLE events (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    batch INTEGER NOT NULL REFERENCES batches (id),
    item  INTEGER REFERENCES items (id),
    at_ms INTEGER NOT NULL,
    kind  TEXT    NOT NULL,
    text  TEXT    NOT NULL
) STRICT;
CREATE INDEX events_by_batch ON events (batch);

CREATE TABLE journal (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    batch            INTEGER NOT NULL REFERENCES batches (id),
    host             TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    resource         TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    request_digest   TEXT    NOT NULL,
    idempotency_key  TEXT    NOT NULL,
    before           TEXT    NOT NULL CHECK (json_valid(before)),
    state            TEXT    NOT NULL
        CHECK (state IN ('intended', 'sent', 'done', 'failed', 'unknown')),
    host_resource_id INTEGER,
    answer           TEXT    NOT NULL DEFAULT '',
    at_ms            INTEGER NOT NULL,
    settled_ms       INTEGER
) STRICT;
CREATE INDEX journal_by_batch ON journal (batch);

CREATE TABLE resources (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    batch            INTEGER NOT NULL REFERENCES batches (id),
    host             TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    host_resource_id INTEGER NOT NULL,
    name             TEXT    NOT NULL,
    origin           TEXT    NOT NULL
        CHECK (origin IN ('created', 'adopted', 'corrected', 'parked')),
    recorded         TEXT    NOT NULL CHECK (json_valid(recorded)),
    before           TEXT    NOT NULL CHECK (json_valid(before)),
    undone           INTEGER NOT NULL DEFAULT 0,
    UNIQUE (batch, kind, host_resource_id)
) STRICT;
-- What we made belongs to one batch, until it is undone: two batches must never both delete it.
CREATE UNIQUE INDEX resources_made_once ON resources (host, kind, host_resource_id)
    WHERE origin = 'created' AND undone = 0;

CREATE TABLE leases (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    host     TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    owner    TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    since_ms INTEGER NOT NULL,
    UNIQUE (host, provider)
) STRICT;

CREATE TABLE results (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL,
    body    TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;
CREATE INDEX results_by_subject ON results (kind, subject, id);

CREATE TABLE audit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms     INTEGER NOT NULL,
    who       TEXT    NOT NULL,
    host      TEXT    NOT NULL,
    batch     INTEGER,
    plan_hash TEXT    NOT NULL,
    request   TEXT    NOT NULL,
    answer    TEXT    NOT NULL,
    reason    TEXT    NOT NULL
) STRICT;
CREATE TRIGGER audit_keeps_its_words BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_keeps_its_rows BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_takes_no_place_twice BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
