-- Sending takes a delivery from leased to in doubt to sent, and an index of all states was written to
-- with each of these. Now what rests is in one and what a worker has in another: both are written to
-- when a worker takes a delivery and when it is done with it. A mailing's are found in either; the
-- last column of the first is there for counting from the index alone.
CREATE INDEX delivery_at_rest ON delivery (mailing_id, state, due_at, id, lease_owner) WHERE lease_owner IS NULL;
DROP INDEX delivery_by_mailing;
DROP INDEX delivery_leased;
CREATE INDEX delivery_leased ON delivery (mailing_id, id) WHERE lease_owner IS NOT NULL;
