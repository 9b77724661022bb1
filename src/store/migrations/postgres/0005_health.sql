-- What kind of lock a cooldown is, when it began, and how it grew: the next one lasts the longer for it.
ALTER TABLE cooldowns ADD COLUMN lock_kind TEXT COLLATE "C" NOT NULL DEFAULT 'cooldown';
ALTER TABLE cooldowns ADD COLUMN since_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cooldowns ADD COLUMN level BIGINT NOT NULL DEFAULT 0;
ALTER TABLE cooldowns ADD COLUMN strikes BIGINT NOT NULL DEFAULT 0;
