-- Which version of a draft staff have been sent a link to.
CREATE TABLE draft_preview (
    article_id BIGINT NOT NULL PRIMARY KEY REFERENCES article (id),
    -- The version last seen, and when it was first seen: a mail waits until a draft is still.
    seen_hash TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    -- The version last told.
    told_hash TEXT
);

-- What is not public yet is looked for every few seconds; nearly all articles are public.
CREATE INDEX article_unpublished ON article (source, id) WHERE state IN ('draft', 'scheduled');
