-- Who shares slices with whom, how much they may have, what they had, and who did what.

CREATE TABLE project (
  name       TEXT PRIMARY KEY,
  note       TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Of everybody who is in no other one; it has no members.
INSERT INTO project (name, note, created_ms) VALUES ('default', 'who is in no other project', 0);

CREATE TABLE member (
  project TEXT NOT NULL REFERENCES project (name) ON DELETE CASCADE,
  user    TEXT NOT NULL,            -- name in the certificate
  role    TEXT NOT NULL CHECK (role IN ('viewer', 'member', 'owner')),
  PRIMARY KEY (project, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_user ON member (user);

CREATE TABLE quota (
  project  TEXT NOT NULL,           -- '' = of all projects that say nothing else
  scope    TEXT NOT NULL CHECK (scope IN ('project', 'each')),
  what     TEXT NOT NULL CHECK (what IN ('slices', 'cpu', 'memory', 'rate', 'rate-hours')),
  amount   INTEGER NOT NULL CHECK (amount >= -1), -- -1 = no limit
  since_ms INTEGER NOT NULL,        -- rate-hours: counted from then on
  PRIMARY KEY (project, scope, what)
) STRICT, WITHOUT ROWID;

ALTER TABLE slice ADD COLUMN project TEXT NOT NULL DEFAULT 'default';
ALTER TABLE event ADD COLUMN project TEXT NOT NULL DEFAULT 'default';

CREATE INDEX slice_project ON slice (project);

-- What a slice takes by its document while it holds anything; is_next: by that of a modify.
CREATE TABLE claim (
  slice        TEXT NOT NULL,
  is_next      INTEGER NOT NULL,
  cpu          INTEGER NOT NULL,
  memory_bytes INTEGER NOT NULL,
  rate_bps     INTEGER NOT NULL,
  PRIMARY KEY (slice, is_next)
) STRICT, WITHOUT ROWID;

-- What was taken from when to when. A slice that is there has one open span: its end is what is
-- planned, and its start may be to come.
CREATE TABLE span (
  slice        TEXT NOT NULL,
  from_ms      INTEGER NOT NULL,
  until_ms     INTEGER NOT NULL,    -- 9223372036854775807 = nobody knows
  is_open      INTEGER NOT NULL,
  project      TEXT NOT NULL,
  owner        TEXT NOT NULL,
  cpu          INTEGER NOT NULL,
  memory_bytes INTEGER NOT NULL,
  rate_bps     INTEGER NOT NULL,
  PRIMARY KEY (slice, from_ms)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX span_open ON span (slice) WHERE is_open = 1;
CREATE INDEX span_held ON span (project, owner, from_ms, until_ms, cpu, memory_bytes, rate_bps)
  WHERE is_open = 1;
CREATE INDEX span_tenant ON span (project, owner, until_ms);

-- Each hash is of its row and of the hash before.
CREATE TABLE audit (
  seq    INTEGER PRIMARY KEY,
  at_ms  INTEGER NOT NULL,
  role   TEXT NOT NULL,
  name   TEXT NOT NULL,
  method TEXT NOT NULL,
  object TEXT NOT NULL,
  result TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash   TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
