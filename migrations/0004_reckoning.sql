-- What a plan was chosen by, where the rule looked ahead to its last day.
ALTER TABLE attempt ADD COLUMN reckoning TEXT CHECK (reckoning IS NULL OR json_type(reckoning) = 'object');
