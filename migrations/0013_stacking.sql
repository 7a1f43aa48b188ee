-- What becomes of a plan of a card's catalogue that is bought while another still runs, as its operator told it. Catalogues
-- that were read before are replaced at the next look.
ALTER TABLE catalogue ADD COLUMN stacking TEXT NOT NULL DEFAULT 'unknown'
    CHECK (stacking IN ('queues', 'extends', 'beside', 'unknown'));
