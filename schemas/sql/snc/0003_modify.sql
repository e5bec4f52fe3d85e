-- A modify under way: the new document, and what becomes of rows when the new ones stand.

CREATE TABLE modify (
  slice       TEXT PRIMARY KEY,
  document    BLOB NOT NULL,
  n_nodes     INTEGER NOT NULL,
  n_links     INTEGER NOT NULL,
  is_switched INTEGER NOT NULL      -- the new rows are the slice's, there is no way back
) STRICT, WITHOUT ROWID;

CREATE TABLE modify_row (
  slice    TEXT NOT NULL,
  rid      INTEGER NOT NULL,
  attr     TEXT,                    -- what it is switched to; NULL = nothing
  is_going INTEGER NOT NULL,        -- released when the switched ones are real
  PRIMARY KEY (slice, rid)
) STRICT, WITHOUT ROWID;

-- Groups of the engine that a slice has beside its own: ID+N comes, ID-N goes.
CREATE TABLE part (
  grp   TEXT PRIMARY KEY,
  slice TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX part_slice ON part (slice);
