-- Further accounts that may sell for a card, in order, behind the one that reads it.
ALTER TABLE card ADD COLUMN sellers TEXT NOT NULL DEFAULT '[]' CHECK (json_type(sellers) = 'array');
