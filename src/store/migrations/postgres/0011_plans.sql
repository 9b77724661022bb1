-- What the planner's decision followed from, as JSON; NULL where there was nothing to decide.
ALTER TABLE receipts ADD COLUMN plan TEXT COLLATE "C";
