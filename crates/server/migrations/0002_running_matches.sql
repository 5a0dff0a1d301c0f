-- Who of the two makes the offer: with it a server that was started anew takes the running matches up again.
ALTER TABLE matches ADD COLUMN a_offers BIGINT NOT NULL DEFAULT 1;
CREATE INDEX matches_running ON matches (ended_at, began_at);
