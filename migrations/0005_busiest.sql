-- What a card used in its busiest hour and on its busiest day lately, packed: its next reading is timed by that.
ALTER TABLE poll ADD COLUMN busiest BLOB NOT NULL DEFAULT x'';
