-- What tells that this database is older than what managers have heard: see decisions/0021.

ALTER TABLE controller_meta ADD COLUMN change INTEGER NOT NULL DEFAULT 0;    -- counts what changes
ALTER TABLE controller_meta ADD COLUMN quarantine TEXT NOT NULL DEFAULT '';  -- why nothing is sent
