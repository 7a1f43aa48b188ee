-- Caps that cards share count the orders of a month, whichever card they are for.
CREATE INDEX attempt_sent ON attempt (first_sent_at) WHERE first_sent_at IS NOT NULL;
