-- What workers have is little and looked for often. An index of all states was written to with
-- every change of every delivery; this one is when a worker takes one, and when it is done with it.
CREATE INDEX delivery_leased ON delivery (id) WHERE lease_owner IS NOT NULL;
DROP INDEX delivery_by_state;
