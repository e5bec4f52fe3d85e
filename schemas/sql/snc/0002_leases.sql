-- Times of slices, and what is booked for those that are to start.

ALTER TABLE slice ADD COLUMN from_ms INTEGER NOT NULL DEFAULT 0;   -- since 1970; 0 = at once
ALTER TABLE slice ADD COLUMN until_ms INTEGER NOT NULL DEFAULT 0;  -- 0 = no end
ALTER TABLE slice ADD COLUMN warn_ms INTEGER NOT NULL DEFAULT 0;   -- so long before the end
ALTER TABLE slice ADD COLUMN grace_ms INTEGER NOT NULL DEFAULT 0;  -- so long after it
ALTER TABLE slice ADD COLUMN phase TEXT NOT NULL DEFAULT 'held'
  CHECK (phase IN ('held', 'booked', 'warned', 'over'));
ALTER TABLE slice ADD COLUMN due_ms INTEGER NOT NULL DEFAULT 0;    -- something is to be done; 0 = no

CREATE INDEX slice_due ON slice (due_ms) WHERE due_ms > 0;

-- Rows as slice_plan makes them, in its order; their numbers are given at the start.
CREATE TABLE booking (
  slice   TEXT NOT NULL REFERENCES slice (id) ON DELETE CASCADE,
  seq     INTEGER NOT NULL,
  manager TEXT NOT NULL,
  kind    TEXT NOT NULL,
  spec    TEXT NOT NULL,
  PRIMARY KEY (slice, seq)
) STRICT, WITHOUT ROWID;
