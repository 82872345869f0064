-- What was deleted last is told in Atom feeds (RFC 6721): found without looking at what is there.
CREATE INDEX article_tombstone ON article (gone_at, id) WHERE state = 'gone';
