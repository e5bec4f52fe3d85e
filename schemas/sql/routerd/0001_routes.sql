-- Which row a destination belongs to: a kernel route carries no id of ours, this says whose it is.

CREATE TABLE route (
  destination TEXT    NOT NULL PRIMARY KEY,
  rid         INTEGER NOT NULL
) STRICT;
