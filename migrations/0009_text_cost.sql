-- What a text takes: parts of 140 octets, and their price by the file when it was made.
ALTER TABLE notice ADD COLUMN segments INTEGER CHECK (segments IS NULL OR segments >= 1);
ALTER TABLE notice ADD COLUMN cost INTEGER;
ALTER TABLE notice ADD COLUMN cost_currency TEXT CHECK ((cost IS NULL) = (cost_currency IS NULL));
CREATE INDEX notice_text ON notice (channel, settled_at) WHERE resend_costs = 1 AND state = 'sent';
