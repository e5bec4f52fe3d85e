-- What an owner has told of itself: the highest number of a change, and which run of its had max_epoch.

ALTER TABLE manager_owner ADD COLUMN change INTEGER NOT NULL DEFAULT 0;
ALTER TABLE manager_owner ADD COLUMN life INTEGER NOT NULL DEFAULT 0;
