-- Where the archive of a feed is cut into documents (RFC 5005 section 4): what is written here
-- never changes, so that no article moves from one document into another.
CREATE TABLE feed_archive (
    -- The path of the feed's archive in a language, such as /ja/category/defectors/.
    topic TEXT NOT NULL,
    -- From 1, the oldest.
    number BIGINT NOT NULL,
    -- The highest published_seq in it; the lowest follows the document before.
    upper BIGINT NOT NULL,
    PRIMARY KEY (topic, number)
);
