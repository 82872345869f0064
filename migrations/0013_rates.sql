-- How full the measures are that sending is limited by, so that a restart does not fill them:
-- 'relay/hour', 'group:NAME/second', 'group:NAME/hour'.
CREATE TABLE rate_bucket (
    name TEXT NOT NULL PRIMARY KEY,
    -- Mails that may leave at once; below zero after mail that does not wait.
    tokens DOUBLE PRECISION NOT NULL,
    -- When there were so many.
    filled_at BIGINT NOT NULL
);

-- Mails handed to relays a day, in the site's time zone, while a new sender warms up.
CREATE TABLE sending_day (
    day TEXT NOT NULL PRIMARY KEY,
    mails BIGINT NOT NULL
);

-- How the relays are, for those who look from outside the daemon.
CREATE TABLE relay_state (
    -- host:port
    name TEXT NOT NULL PRIMARY KEY,
    -- up, down
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    reason TEXT
);

-- What has not been begun by then is held, never sent late without a word.
ALTER TABLE mailing ADD COLUMN hold_after BIGINT;
