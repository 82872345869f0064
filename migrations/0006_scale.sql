-- A site with articles was looked at before this was noted.
INSERT INTO fact (name, value)
SELECT 'content_first_look', 'done' WHERE EXISTS (SELECT 1 FROM article WHERE source = 'folder')
ON CONFLICT (name) DO NOTHING;

-- Lists are read in the order of time, whatever else they ask: the newest of a hundred thousand
-- are found without looking at the others, and what a list asks is answered from the index. Only
-- of the public ones, so that SQLite, which knows no figures, never takes `state` for the best
-- way to a few articles by their ids or groups: nearly all are public.
DROP INDEX article_by_date;
CREATE INDEX article_by_time ON article (published_at, id, language, month, state) WHERE state = 'published';
CREATE INDEX article_to_come ON article (published_at, id) WHERE state = 'scheduled';

-- What has come, or gone, of late: a pair of both may be one file renamed.
CREATE INDEX article_by_first_seen ON article (source, first_seen_at);
CREATE INDEX article_by_gone ON article (source, gone_at);

-- Renamed files are found by their bytes; without the source in it, SQLite would look at every
-- article of the source instead.
DROP INDEX article_by_hash;
CREATE INDEX article_by_hash ON article (source, hash);
