-- A public article that is made a draft is gone too, and told where feeds tell what is gone.
CREATE INDEX article_gone ON article (gone_at, id) WHERE gone_at IS NOT NULL;
DROP INDEX article_tombstone;
