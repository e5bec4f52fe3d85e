-- A share is real for the first time when all hops guarantee what it brings. Shares of before this
-- was asked are.
ALTER TABLE share ADD COLUMN is_set_up INTEGER NOT NULL DEFAULT 1;
