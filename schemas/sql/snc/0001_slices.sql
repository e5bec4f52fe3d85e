-- Slices as sncd knows them besides their rows (which are the engine's), and what happened.

CREATE TABLE slice (
  id         TEXT PRIMARY KEY,      -- also the name of the engine's group
  name       TEXT NOT NULL,
  owner      TEXT NOT NULL,         -- name in the certificate that created it
  role       TEXT NOT NULL,         -- of the owner then: what the document may say
  document   BLOB NOT NULL,
  n_nodes    INTEGER NOT NULL,
  n_links    INTEGER NOT NULL,
  created_ms INTEGER NOT NULL,
  goal       TEXT NOT NULL CHECK (goal IN ('DEFINED', 'RESERVED', 'RUNNING', 'STOPPED', 'DELETED')),
  settled    TEXT NOT NULL CHECK (settled IN ('DEFINED', 'RESERVED', 'RUNNING', 'STOPPED', 'FAILED')),
  engine     TEXT NOT NULL,         -- state of the group; '' = there is none
  round      INTEGER NOT NULL,      -- how often it was admitted
  code       TEXT NOT NULL,         -- why it is not as wanted; 'ok' = nothing to say
  line       INTEGER NOT NULL,
  subject    TEXT NOT NULL,
  reason     TEXT NOT NULL,
  hint       TEXT NOT NULL,
  UNIQUE (owner, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX slice_name ON slice (name);

-- The same id from the same caller never makes two slices.
CREATE TABLE op (
  caller TEXT NOT NULL,
  op_id  TEXT NOT NULL,
  digest TEXT NOT NULL,             -- of goal and document
  slice  TEXT NOT NULL,
  name   TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  PRIMARY KEY (caller, op_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms    INTEGER NOT NULL,
  slice_id TEXT NOT NULL,           -- '' = of no slice
  slice    TEXT NOT NULL,
  owner    TEXT NOT NULL,           -- '' = for everybody
  subject  TEXT NOT NULL,
  what     TEXT NOT NULL,
  text     TEXT NOT NULL
) STRICT;

CREATE INDEX event_slice ON event (slice_id, subject, seq);

-- What the daemons of the hosts said last.
CREATE TABLE daemon (
  manager  TEXT PRIMARY KEY,
  version  TEXT NOT NULL,
  db_uuid  TEXT NOT NULL,
  capacity TEXT NOT NULL
) STRICT, WITHOUT ROWID;
