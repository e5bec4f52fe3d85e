-- Hosts on which nothing new is placed for a time: one window for each.

CREATE TABLE drain (
  host     TEXT PRIMARY KEY,
  from_ms  INTEGER NOT NULL,
  until_ms INTEGER NOT NULL CHECK (until_ms > from_ms),  -- 2^63 - 1 = until it is undrained
  reason   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
