-- What staff withdraw because it endangers somebody. Of the article only these hashes are kept,
-- by which its file, its id, its bytes and its addresses are known again.
ALTER TABLE article ADD COLUMN withdrawn_at BIGINT;

CREATE TABLE withdrawal_mark (
    hash TEXT NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL REFERENCES article (id)
);
