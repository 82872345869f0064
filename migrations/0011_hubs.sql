-- A publication that a hub (WebSub) is yet to be told of. `topic` is the path of the feed.
CREATE TABLE hub_ping (
    hub TEXT NOT NULL,
    topic TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (hub, topic)
);
CREATE INDEX hub_ping_by_time ON hub_ping (due_at);
