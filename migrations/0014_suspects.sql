-- What was on its way when a process ended, and is queued again: it may have been the cause, so one of these at a time goes
-- out, the least suspected first.
CREATE INDEX notice_suspect ON notice (channel, urgent, crashes, next_at) WHERE state = 'queued' AND crashes > 0;
