-- What was asked for, taken or refused, under [snc] admission=many: whoever asks again for a slice of
-- the same name counts once, and the newest 1,000 count.

CREATE TABLE request (
  number INTEGER PRIMARY KEY,
  owner  TEXT NOT NULL,
  name   TEXT NOT NULL,             -- of the slice
  weight INTEGER NOT NULL,          -- shares of the site times hours, in billionths
  UNIQUE (owner, name)
) STRICT;

CREATE TRIGGER request_added AFTER INSERT ON request
BEGIN
  DELETE FROM request WHERE number <= new.number - 1000;
END;
