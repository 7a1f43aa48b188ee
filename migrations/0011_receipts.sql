-- What a gateway reported about a text after it took it: its first final word, which stays.
ALTER TABLE notice ADD COLUMN receipt TEXT CHECK (receipt IS NULL OR (receipt IN ('delivered', 'failed', 'expired') AND state = 'sent'));
ALTER TABLE notice ADD COLUMN receipt_at INTEGER CHECK ((receipt IS NULL) = (receipt_at IS NULL));
CREATE INDEX notice_text_id ON notice (message_id) WHERE resend_costs = 1;
