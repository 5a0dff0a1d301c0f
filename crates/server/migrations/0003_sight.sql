-- What each of the two of a match said of the cameras at its end, in seconds while the pictures were open.
CREATE TABLE sight_facts (
    match_id TEXT NOT NULL REFERENCES matches (id) ON DELETE CASCADE,
    reporter TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    peer TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The peer's camera looked covered, in part, or frozen.
    saw_s BIGINT NOT NULL,
    -- The peer said the same of the reporter's.
    told_s BIGINT NOT NULL,
    logged_at BIGINT NOT NULL,
    PRIMARY KEY (match_id, reporter)
);
CREATE INDEX sight_facts_peer ON sight_facts (peer);
