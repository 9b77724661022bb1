-- What kind of lock a cooldown is, when it began, and how it grew: the next one lasts the longer for it.
ALTER TABLE cooldowns ADD COLUMN lock_kind TEXT NOT NULL DEFAULT 'cooldown';
ALTER TABLE cooldowns ADD COLUMN since_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cooldowns ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cooldowns ADD COLUMN strikes INTEGER NOT NULL DEFAULT 0;
