-- Calls between two who follow each other are matches of their own kind.
ALTER TABLE engaged ADD COLUMN friends BIGINT NOT NULL DEFAULT 0;
ALTER TABLE matches ADD COLUMN friends BIGINT NOT NULL DEFAULT 0;
