-- A share that takes the place of another one: on the same path only what it has more is charged,
-- as long as the other one is there.
ALTER TABLE share ADD COLUMN instead INTEGER NOT NULL DEFAULT 0;
