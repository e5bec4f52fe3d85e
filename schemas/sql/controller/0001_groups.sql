-- A controller's half of the resource protocol: groups of rows that come into being together.

CREATE TABLE controller_meta (
  one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  epoch   INTEGER NOT NULL,   -- counted up at every start, before the first call
  next_id INTEGER NOT NULL    -- the counter of the next id; runs on across epochs
) STRICT;
INSERT INTO controller_meta(one, epoch, next_id) VALUES (1, 0, 1);

-- What a manager last said of its database: another id means that it lost its rows.
CREATE TABLE controller_manager (
  name    TEXT NOT NULL PRIMARY KEY,
  db_uuid TEXT NOT NULL
) STRICT;

CREATE TABLE controller_group (
  name       TEXT    NOT NULL PRIMARY KEY,
  state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5), -- enum group_state
  goal       INTEGER NOT NULL CHECK (goal BETWEEN 1 AND 3),  -- enum row_state
  reserve_ms INTEGER NOT NULL,
  commit_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE controller_row (
  rid      INTEGER NOT NULL PRIMARY KEY,
  grp      TEXT    NOT NULL REFERENCES controller_group(name),
  manager  TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  subject  TEXT    NOT NULL,
  spec     TEXT    NOT NULL,
  attr     TEXT    NOT NULL,
  rev      INTEGER NOT NULL DEFAULT 1,  -- of attr
  rev_have INTEGER NOT NULL DEFAULT 0,  -- the highest that was real
  want     INTEGER NOT NULL CHECK (want BETWEEN 1 AND 3),    -- enum row_state
  have     INTEGER NOT NULL DEFAULT 0 CHECK (have BETWEEN 0 AND 3),
  is_real  INTEGER NOT NULL DEFAULT 0,
  refused  INTEGER NOT NULL DEFAULT 0,  -- the last answer was a no that time does not mend
  result   TEXT,                        -- what reserve answered
  why_code TEXT    NOT NULL DEFAULT 'ok',
  why      TEXT    NOT NULL DEFAULT '',
  tries    INTEGER NOT NULL DEFAULT 0   -- calls since the last progress
) STRICT;
CREATE INDEX controller_row_group ON controller_row(grp, rid);
CREATE INDEX controller_row_manager ON controller_row(manager);
