-- One text for SQLite and PostgreSQL: TEXT, BIGINT and DOUBLE PRECISION columns only; times are
-- Unix milliseconds; words of enums as TEXT; sealed bytes as base64 text.

-- Numbers given out in commit order.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES
    ('article', 0), ('sequence', 0), ('person', 0), ('signup', 0), ('consent', 0),
    ('mailing', 0), ('variant', 0), ('delivery', 0), ('petition', 0), ('notice', 0);

-- Facts fixed once, such as the id authority of tag: URIs.
CREATE TABLE fact (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- Proof that the keyring belongs to this database.
CREATE TABLE key_check (
    key_id TEXT NOT NULL PRIMARY KEY,
    proof TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- Who does a piece of work that only one daemon may do at a time.
CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    until BIGINT NOT NULL
);

-- A job that runs once for each time it was scheduled.
CREATE TABLE run (
    job TEXT NOT NULL,
    scheduled_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    mailing_id BIGINT,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (job, scheduled_at)
);

-- What staff must be told.
CREATE TABLE notice (
    id BIGINT NOT NULL PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    told_at BIGINT
);

---------------------------------------------------------------------------------- content

CREATE TABLE article (
    id BIGINT NOT NULL PRIMARY KEY,
    -- The id in feeds: a tag: URI, or an imported guid. Never changes.
    uid TEXT NOT NULL UNIQUE,
    -- Who owns the row: folder, petition, …
    source TEXT NOT NULL,
    path TEXT NOT NULL,
    -- The path without language and extension: what translations beside each other share.
    stem TEXT NOT NULL,
    -- Of the file's bytes and of what else its rendering depends on.
    hash TEXT NOT NULL,
    state TEXT NOT NULL,
    -- Given once, when it first became public.
    published_seq BIGINT,
    changed_seq BIGINT NOT NULL,
    -- Whether digests may mail it, decided when it first became public: yes, no, or again while
    -- its file asks for a second announcement.
    announced TEXT NOT NULL,
    language TEXT NOT NULL,
    translation_group TEXT NOT NULL,
    slug TEXT NOT NULL,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    body_html TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- yyyy/mm of published_at in the site's time zone: the folder in its URL.
    month TEXT NOT NULL,
    canonical_url TEXT,
    image TEXT,
    series TEXT,
    first_seen_at BIGINT NOT NULL,
    gone_at BIGINT,
    UNIQUE (source, path)
);
CREATE INDEX article_by_date ON article (state, language, published_at, id);
CREATE INDEX article_by_change ON article (changed_seq);
CREATE INDEX article_by_sequence ON article (published_seq);
CREATE INDEX article_by_group ON article (translation_group);
CREATE INDEX article_by_address ON article (month, slug);
CREATE INDEX article_by_stem ON article (source, stem);
CREATE INDEX article_by_hash ON article (hash);

CREATE TABLE article_category (
    article_id BIGINT NOT NULL REFERENCES article (id),
    slug TEXT NOT NULL,
    PRIMARY KEY (article_id, slug)
);
CREATE INDEX article_category_by_slug ON article_category (slug);

CREATE TABLE article_tag (
    article_id BIGINT NOT NULL REFERENCES article (id),
    position BIGINT NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (article_id, position)
);

CREATE TABLE article_credit (
    article_id BIGINT NOT NULL REFERENCES article (id),
    position BIGINT NOT NULL,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT,
    PRIMARY KEY (article_id, position)
);

CREATE TABLE article_enclosure (
    article_id BIGINT NOT NULL REFERENCES article (id),
    position BIGINT NOT NULL,
    url TEXT NOT NULL,
    media_type TEXT NOT NULL,
    length BIGINT,
    title TEXT,
    PRIMARY KEY (article_id, position)
);

-- Old addresses of an article, as paths beginning with a slash.
CREATE TABLE article_alias (
    path TEXT NOT NULL PRIMARY KEY,
    article_id BIGINT NOT NULL REFERENCES article (id)
);

-- Categories that articles name and the configuration does not declare.
CREATE TABLE found_category (
    slug TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    found_at BIGINT NOT NULL
);

-- What is wrong in the folder now: the last good version of these files stays published.
CREATE TABLE content_problem (
    source TEXT NOT NULL,
    path TEXT NOT NULL,
    position BIGINT NOT NULL,
    line BIGINT NOT NULL,
    column_number BIGINT NOT NULL,
    severity TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    hash TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (source, path, position)
);

-- Articles whose files vanished in a crowd: still published until staff accept the removal.
CREATE TABLE held_removal (
    article_id BIGINT NOT NULL PRIMARY KEY REFERENCES article (id),
    held_at BIGINT NOT NULL,
    accepted_at BIGINT
);

-- Validators of feeds are data: the same after a restart and on every node.
CREATE TABLE feed (
    -- Its path, such as /ja/category/defectors/atom.xml.
    key TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    -- In whole seconds.
    last_modified BIGINT NOT NULL,
    -- The state of the articles it was made from: a daemon that is behind another overwrites
    -- nothing.
    sequence BIGINT NOT NULL
);

---------------------------------------------------------------------------------- people

CREATE TABLE person (
    id BIGINT NOT NULL PRIMARY KEY,
    -- NULL after erasure.
    address_sealed TEXT,
    address_index TEXT UNIQUE,
    -- good, paused (bounces), bad
    deliverability TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    erased_at BIGINT
);

-- A stream a person does not want. Written in the transaction of leaving, read when a delivery
-- is claimed.
CREATE TABLE refusal (
    person_id BIGINT NOT NULL REFERENCES person (id),
    stream TEXT NOT NULL,
    refused_at BIGINT NOT NULL,
    PRIMARY KEY (person_id, stream)
);

-- Addresses never written to again; all that is kept of an erased or complaining person.
CREATE TABLE suppression (
    address_index TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    suppressed_at BIGINT NOT NULL
);

CREATE TABLE subscription (
    person_id BIGINT NOT NULL PRIMARY KEY REFERENCES person (id),
    -- pending, active, left
    state TEXT NOT NULL,
    -- The name of a digest.
    rhythm TEXT NOT NULL,
    -- The highest published_seq considered for this person.
    watermark BIGINT NOT NULL,
    confirmed_at BIGINT,
    left_at BIGINT
);
CREATE INDEX subscription_by_rhythm ON subscription (rhythm, state, person_id);
CREATE INDEX subscription_by_state ON subscription (state, person_id);

-- No row: all topics.
CREATE TABLE subscription_topic (
    person_id BIGINT NOT NULL REFERENCES subscription (person_id),
    topic TEXT NOT NULL,
    PRIMARY KEY (person_id, topic)
);

CREATE TABLE subscription_language (
    person_id BIGINT NOT NULL REFERENCES subscription (person_id),
    position BIGINT NOT NULL,
    language TEXT NOT NULL,
    PRIMARY KEY (person_id, position)
);

-- Proof of consent: append only.
CREATE TABLE consent_event (
    id BIGINT NOT NULL PRIMARY KEY,
    person_id BIGINT NOT NULL REFERENCES person (id),
    at BIGINT NOT NULL,
    -- asked, confirmed, changed, left, erased
    kind TEXT NOT NULL,
    text_version TEXT NOT NULL,
    -- page, mail, one-click, staff, lapse
    method TEXT NOT NULL,
    -- How consent was given, in the words of the staff who entered it.
    note TEXT
);
CREATE INDEX consent_by_person ON consent_event (person_id, id);

-- What was sent through the form, whoever sent it. The page only writes here; the mail work is
-- done later, so that the answer tells nothing.
CREATE TABLE signup (
    id BIGINT NOT NULL PRIMARY KEY,
    -- subscribe, preferences
    wish TEXT NOT NULL,
    address_sealed TEXT,
    address_index TEXT NOT NULL,
    language TEXT NOT NULL,
    -- Lists as JSON texts.
    topics TEXT NOT NULL,
    languages TEXT NOT NULL,
    rhythm TEXT NOT NULL,
    text_version TEXT NOT NULL,
    method TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- new, mailed, confirmed, dropped
    state TEXT NOT NULL,
    -- When it was mailed or dropped.
    settled_at BIGINT,
    person_id BIGINT REFERENCES person (id)
);
CREATE INDEX signup_by_state ON signup (state, id);
CREATE INDEX signup_by_address ON signup (address_index, settled_at);
CREATE INDEX signup_by_time ON signup (settled_at);

---------------------------------------------------------------------------------- delivery

CREATE TABLE mailing (
    id BIGINT NOT NULL PRIMARY KEY,
    -- What makes it the same mailing: never sent twice.
    key TEXT NOT NULL UNIQUE,
    -- digest, petition, account, staff
    kind TEXT NOT NULL,
    -- The List-Id and what a refusal names: news, petitions, account, staff
    stream TEXT NOT NULL,
    title TEXT NOT NULL,
    -- cutting, ready, running, done, paused, held, cancelled
    state TEXT NOT NULL,
    -- Why it is held or cancelled.
    reason TEXT,
    on_doubt TEXT NOT NULL,
    -- Smaller goes first.
    priority BIGINT NOT NULL,
    public TEXT NOT NULL,
    -- Cutting: the bound fixed at the start, and the last person cut.
    upper_seq BIGINT,
    cursor BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    -- What is not sent by then is skipped.
    deadline BIGINT,
    made_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX mailing_by_state ON mailing (state, priority, id);

-- What is sent: rendered once per group of people who read the same thing. Places for personal
-- links are marked {{slot:MARK:NAME}}.
CREATE TABLE variant (
    id BIGINT NOT NULL PRIMARY KEY,
    mailing_id BIGINT NOT NULL REFERENCES mailing (id),
    key TEXT NOT NULL,
    language TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    mark TEXT NOT NULL,
    UNIQUE (mailing_id, key)
);

CREATE TABLE variant_item (
    variant_id BIGINT NOT NULL REFERENCES variant (id),
    translation_group TEXT NOT NULL,
    article_id BIGINT NOT NULL,
    PRIMARY KEY (variant_id, translation_group)
);
CREATE INDEX variant_item_by_group ON variant_item (translation_group);

CREATE TABLE delivery (
    id BIGINT NOT NULL PRIMARY KEY,
    mailing_id BIGINT NOT NULL REFERENCES mailing (id),
    variant_id BIGINT NOT NULL REFERENCES variant (id),
    -- p:PERSON or s:INDEX; with the mailing it is unique, so nobody is in one twice.
    recipient TEXT NOT NULL,
    person_id BIGINT REFERENCES person (id),
    -- A staff address, sealed, where there is no person.
    address_sealed TEXT,
    -- Tokens of this recipient's own slots, as JSON: what they are for, never the tokens.
    personal TEXT,
    -- queued, leased, in_doubt, sent, deferred, failed, held, skipped
    state TEXT NOT NULL,
    -- Of skipped, failed and held: why.
    reason TEXT,
    attempts BIGINT NOT NULL,
    -- How often a body was on its way and no answer came.
    doubts BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    fence BIGINT NOT NULL,
    first_attempt_at BIGINT,
    -- The relay's last words, with addresses removed.
    reply TEXT,
    settled_at BIGINT,
    UNIQUE (mailing_id, recipient)
);
CREATE INDEX delivery_by_state ON delivery (state, due_at, id);
CREATE INDEX delivery_by_mailing ON delivery (mailing_id, state, due_at, id);
CREATE INDEX delivery_by_variant ON delivery (variant_id);
CREATE INDEX delivery_by_person ON delivery (person_id);

---------------------------------------------------------------------------------- petitions

CREATE TABLE petition_edition (
    slug TEXT NOT NULL,
    edition TEXT NOT NULL,
    -- What the folder says now.
    content_hash TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- The last content staff were told of, and approvers were asked about.
    told_hash TEXT,
    asked_hash TEXT,
    -- Set by a button or command; outranks the file.
    stopped_at BIGINT,
    stopped_by TEXT,
    published_at BIGINT,
    PRIMARY KEY (slug, edition)
);

CREATE TABLE petition_step (
    id BIGINT NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL,
    edition TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The texts below were rendered from this content.
    content_hash TEXT NOT NULL,
    -- proposed, approved, sent, held, missed
    state TEXT NOT NULL,
    due_at BIGINT,
    approved_at BIGINT,
    mailing_id BIGINT REFERENCES mailing (id),
    UNIQUE (slug, edition, name)
);

-- The rendered texts that approvers see: exactly what is sent.
CREATE TABLE petition_text (
    step_id BIGINT NOT NULL REFERENCES petition_step (id),
    content_hash TEXT NOT NULL,
    language TEXT NOT NULL,
    subject TEXT NOT NULL,
    body_text TEXT NOT NULL,
    body_html TEXT NOT NULL,
    mark TEXT NOT NULL,
    PRIMARY KEY (step_id, language)
);

CREATE TABLE petition_approval (
    step_id BIGINT NOT NULL REFERENCES petition_step (id),
    content_hash TEXT NOT NULL,
    -- The blind index of the approver's address.
    approver_index TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (step_id, content_hash, approver_index)
);

-- "I have done it."
CREATE TABLE petition_act (
    slug TEXT NOT NULL,
    edition TEXT NOT NULL,
    person_id BIGINT NOT NULL REFERENCES person (id),
    acted_at BIGINT NOT NULL,
    PRIMARY KEY (slug, edition, person_id)
);
