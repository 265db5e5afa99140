-- How often a step was handed to the connection, and when an answer of it was last found missing.
-- Both stay when the step is done: a request sent twice may have taken effect twice, the second
-- time long after its answer was given up.
ALTER TABLE journal ADD COLUMN sends INTEGER NOT NULL DEFAULT 0;
ALTER TABLE journal ADD COLUMN lost_ms INTEGER;
