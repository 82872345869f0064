-- A site with articles was looked at before this was noted.
INSERT INTO fact (name, value)
SELECT 'content_first_look', 'done' WHERE EXISTS (SELECT 1 FROM article WHERE source = 'folder')
ON CONFLICT (name) DO NOTHING;

-- Lists are read in the order of time, whatever else they ask: the newest of a hundred thousand
-- are found without looking at the others, and what a list asks is answered from the index.
DROP INDEX article_by_date;
CREATE INDEX article_by_time ON article (state, published_at, id, language, month);

-- What has come, or gone, of late: a pair of both may be one file renamed.
CREATE INDEX article_by_first_seen ON article (first_seen_at);
CREATE INDEX article_by_gone ON article (gone_at);
