-- What a row should be follows from the state of its group: it is not stored once more in each. Rows
-- of a manager are looked for only when it has lost its database: that may take a moment.

ALTER TABLE controller_row DROP COLUMN want;
DROP INDEX controller_row_manager;
