-- What came back of a delivery: refused in the dialogue with the relay, reported later, or
-- complained about. One row for each, so that a mailing counts once for a person.
CREATE TABLE bounce (
    delivery_id BIGINT NOT NULL PRIMARY KEY REFERENCES delivery (id),
    mailing_id BIGINT NOT NULL,
    -- NULL: somebody of the staff.
    person_id BIGINT,
    -- policy, unclear, full, doubtful, bad address, unknown user, complaint
    cause TEXT NOT NULL,
    -- The enhanced code (RFC 3463), else the code of the reply.
    status TEXT NOT NULL,
    -- When the mail left: a report may come days later.
    bounced_at BIGINT NOT NULL,
    -- When the person was heard of again: it counts no more.
    forgiven_at BIGINT
);
CREATE INDEX bounce_by_person ON bounce (person_id, bounced_at);
CREATE INDEX bounce_by_mailing ON bounce (mailing_id, cause);

-- Since when nothing but what they ask for is sent to a person whose mail bounces.
ALTER TABLE person ADD COLUMN paused_at BIGINT;

-- How many refusals a mailing had when it was held for them: staff who let it go on are not
-- asked again at the next one.
ALTER TABLE mailing ADD COLUMN refusals_seen BIGINT NOT NULL DEFAULT 0;

-- Mail that came in: the same message counts once.
CREATE TABLE inbound (
    id BIGINT NOT NULL PRIMARY KEY,
    -- A keyed hash of its octets.
    hash TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    came_at BIGINT NOT NULL,
    -- What is kept for staff, until they drop it.
    sealed TEXT
);
CREATE INDEX inbound_by_time ON inbound (came_at);
CREATE INDEX inbound_by_kind ON inbound (kind, came_at);
CREATE INDEX inbound_waiting ON inbound (id) WHERE sealed IS NOT NULL;

-- How many there were of each kind, ever.
CREATE TABLE inbound_count (
    kind TEXT NOT NULL PRIMARY KEY,
    total BIGINT NOT NULL
);

-- How far a mailbox at a provider has been read (RFC 3501 §2.3.1.1).
CREATE TABLE inbound_mailbox (
    name TEXT NOT NULL PRIMARY KEY,
    validity BIGINT NOT NULL,
    uid BIGINT NOT NULL
);

INSERT INTO counter (name, value) VALUES ('inbound', 0);
