-- What the operator of an account said that it can do, as the daemon goes by it: commands reckon with the same.
ALTER TABLE account ADD COLUMN capabilities TEXT CHECK (capabilities IS NULL OR json_type(capabilities) = 'object');
