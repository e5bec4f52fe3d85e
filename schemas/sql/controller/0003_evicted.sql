-- Managers that are gone for good, as somebody has said, and what they may still hold.

CREATE TABLE controller_evicted (
  manager TEXT NOT NULL PRIMARY KEY
) STRICT;

-- 1: counts as released wherever its group asks; 2: its group is gone, its manager still owes it.
ALTER TABLE controller_row ADD COLUMN evicted INTEGER NOT NULL DEFAULT 0 CHECK (evicted BETWEEN 0 AND 2);
CREATE INDEX controller_row_evicted ON controller_row(manager) WHERE evicted > 0;
