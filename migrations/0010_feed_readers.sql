-- How many people read a feed through an aggregator, as the aggregator says: the most of a day.
-- Nothing is kept of any client.
CREATE TABLE feed_reader (
    -- The feed's path.
    feed TEXT NOT NULL,
    -- yyyy-mm-dd, in the site's time zone.
    day TEXT NOT NULL,
    -- One of a few names.
    aggregator TEXT NOT NULL,
    readers BIGINT NOT NULL,
    PRIMARY KEY (feed, day, aggregator)
);

CREATE INDEX feed_reader_day ON feed_reader (day);

-- Entries in a feed as published last; not known of feeds published before this was kept.
ALTER TABLE feed ADD COLUMN entries BIGINT;
