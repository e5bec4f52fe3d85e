-- A manager's half of the resource protocol: the rows it holds, and for whom.

-- The callers: a smaller epoch than the highest seen is a controller that has been replaced; rows
-- below the floor need no tombstone.
CREATE TABLE manager_owner (
  owner     TEXT    NOT NULL PRIMARY KEY,
  max_epoch INTEGER NOT NULL,
  floor     INTEGER NOT NULL
) STRICT;

CREATE TABLE manager_row (
  rid       INTEGER NOT NULL PRIMARY KEY,
  owner     TEXT    NOT NULL,
  kind      TEXT    NOT NULL,              -- '' for the tombstone of a row that was never held here
  spec      TEXT    NOT NULL,
  attr      TEXT    NOT NULL DEFAULT '',
  rev       INTEGER NOT NULL DEFAULT 0,    -- of attr
  state     INTEGER NOT NULL CHECK (state BETWEEN 1 AND 3), -- 1 held, 2 committed, 3 released
  eff       INTEGER NOT NULL CHECK (eff IN (0, 1)),         -- 1: something of it may exist
  hold_ms   INTEGER NOT NULL DEFAULT 0,    -- what is left of the hold
  result    TEXT
) STRICT;
