-- Transport paths and who uses them. What the routers have is in the controller's tables (group =
-- path.name); that a share is held, committed or released, in the manager's. Here is what both
-- have in common: charged is what stands in `share`.

CREATE TABLE path (
  name       TEXT    NOT NULL PRIMARY KEY,
  vertices   TEXT    NOT NULL,        -- HOST:PORT, routers, HOST:PORT: blank-separated, a to b
  edges      TEXT    NOT NULL,        -- links between them, blank-separated
  address_a  INTEGER NOT NULL UNIQUE, -- end points, from the pool
  address_b  INTEGER NOT NULL UNIQUE,
  next_hop_a TEXT    NOT NULL,
  next_hop_b TEXT    NOT NULL,
  latency_us INTEGER NOT NULL,
  why        TEXT                     -- why it came down by itself the last time
) STRICT;

CREATE TABLE share (
  rid         INTEGER NOT NULL PRIMARY KEY,
  path        TEXT    NOT NULL REFERENCES path(name),
  rate_ab_bps INTEGER NOT NULL,       -- in the path's direction
  rate_ba_bps INTEGER NOT NULL
) STRICT;

CREATE INDEX share_of_path ON share(path);
