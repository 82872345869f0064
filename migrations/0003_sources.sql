-- Sites that are followed: `[[content.source]]`.

-- How far each has been followed.
CREATE TABLE content_source (
    name TEXT NOT NULL PRIMARY KEY,
    -- Kind and address. When they change, the site counts as never polled.
    identity TEXT NOT NULL,
    -- What else its articles are made from. When that changes, all are fetched anew.
    making TEXT NOT NULL,
    -- When it was first read whole; until then nothing that it brings is mailed.
    complete_at BIGINT,
    polled_at BIGINT,
    next_poll_at BIGINT NOT NULL,
    -- Since the last poll that succeeded.
    failures BIGINT NOT NULL,
    -- Where its REST interface was found.
    api TEXT,
    -- Validators of the last answer (RFC 9110 §8.8).
    etag TEXT,
    last_modified TEXT,
    -- When everything was listed, and by how many posts the site then counted more than it listed.
    listed_at BIGINT,
    gap BIGINT NOT NULL
);

-- Posts of a WordPress as they were last fetched, also those that are no articles.
CREATE TABLE source_item (
    source TEXT NOT NULL,
    item BIGINT NOT NULL,
    -- `modified_gmt`; empty if it is to be fetched again.
    revision TEXT NOT NULL,
    PRIMARY KEY (source, item)
);
