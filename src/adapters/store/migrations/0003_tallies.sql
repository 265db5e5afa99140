-- How the keys of a batch fare, counted from an index alone: the board wants it of every batch
-- before its first frame.
ALTER TABLE items ADD COLUMN stage TEXT GENERATED ALWAYS AS (body ->> '$.stage') VIRTUAL;
ALTER TABLE items ADD COLUMN account_status TEXT
    GENERATED ALWAYS AS (body ->> '$.account_status') VIRTUAL;
CREATE INDEX items_by_fate ON items (batch, stage, account_status);
