-- Files in the content folder that articles refer to, whether they are there or not: what is
-- served, and what changes an article when it changes.
CREATE TABLE article_file (
    article_id BIGINT NOT NULL REFERENCES article (id),
    -- From the root of the content folder, as the article's link means it.
    path TEXT NOT NULL,
    -- By which a change is noticed; empty: the file is not there.
    stamp TEXT NOT NULL,
    -- What it is, as last seen.
    media_type TEXT NOT NULL,
    length BIGINT,
    width BIGINT,
    height BIGINT,
    PRIMARY KEY (article_id, path)
);
CREATE INDEX article_file_by_path ON article_file (path);

-- The page on which an article's video is watched, or its file.
ALTER TABLE article ADD COLUMN video TEXT;
