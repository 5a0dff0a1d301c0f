-- What the matcher learns from: sums of somebody's meetings, and the weights of each pool.

-- Weighed and never shown.
CREATE TABLE activity (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    sessions BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    left_early BIGINT NOT NULL,
    was_left_early BIGINT NOT NULL,
    -- Wanted to follow the other, whether or not that was mutual.
    followed BIGINT NOT NULL,
    was_followed BIGINT NOT NULL
);
-- 1: its outcome is in `activity`.
ALTER TABLE matches ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;

CREATE TABLE learnt (
    shard TEXT PRIMARY KEY NOT NULL,
    -- visavis_matching::Model as text.
    model TEXT NOT NULL,
    written_at BIGINT NOT NULL
);
-- The latest profiles, whose interests a new leader takes note of.
CREATE INDEX accounts_checked_at ON accounts (checked_at);
