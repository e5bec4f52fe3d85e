-- For many slices: documents out of the way of what is written often, forgetting without reading all.

CREATE TABLE document (
  slice TEXT PRIMARY KEY REFERENCES slice (id) ON DELETE CASCADE,
  bytes BLOB NOT NULL
) STRICT;
INSERT INTO document SELECT id, document FROM slice;
ALTER TABLE slice DROP COLUMN document;

CREATE INDEX op_at ON op (at_ms);

-- The newest 20,000 events are kept, and now and then some more.
CREATE TRIGGER event_added AFTER INSERT ON event WHEN new.seq % 256 = 0
BEGIN
  DELETE FROM event WHERE seq <= new.seq - 20000;
END;

-- What the ledger, which is in memory, has to read again: groups whose charges or times have changed.
-- stamp is total_changes(), which a rollback does not turn back: a mark that was seen and is not there
-- any more was rolled back, and whatever was read under it is to be read anew.

CREATE TABLE ledger_mark (
  stamp INTEGER NOT NULL,
  grp   TEXT NOT NULL,
  PRIMARY KEY (stamp, grp)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER slice_added AFTER INSERT ON slice
WHEN new.engine <> '' OR new.phase = 'booked'
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), new.id);
END;

CREATE TRIGGER slice_moved AFTER UPDATE OF engine, round, from_ms, until_ms, grace_ms, phase ON slice
WHEN (old.engine, old.round, old.from_ms, old.until_ms, old.grace_ms, old.phase)
  IS NOT (new.engine, new.round, new.from_ms, new.until_ms, new.grace_ms, new.phase)
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), new.id);
  INSERT OR IGNORE INTO ledger_mark SELECT total_changes(), grp FROM part WHERE slice = new.id;
END;

CREATE TRIGGER slice_dropped AFTER DELETE ON slice
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), old.id);
END;

CREATE TRIGGER booking_added AFTER INSERT ON booking
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), new.slice);
END;

CREATE TRIGGER booking_dropped AFTER DELETE ON booking
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), old.slice);
END;

CREATE TRIGGER part_added AFTER INSERT ON part
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), new.grp);
END;

CREATE TRIGGER part_dropped AFTER DELETE ON part
BEGIN
  INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), old.grp);
END;
