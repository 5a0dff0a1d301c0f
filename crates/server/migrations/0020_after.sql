-- Whom somebody never wants to meet again, one row for whoever did it. It works both ways.
CREATE TABLE blocks (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    blocked TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, blocked)
);
CREATE INDEX blocks_blocked ON blocks (blocked);

-- What each of two people who follow each other wrote, numbered within the conversation; the smaller id first.
CREATE TABLE texts (
    account_a TEXT NOT NULL,
    account_b TEXT NOT NULL,
    number BIGINT NOT NULL,
    by_a BIGINT NOT NULL,
    text TEXT NOT NULL,
    sent_at BIGINT NOT NULL,
    PRIMARY KEY (account_a, account_b, number),
    FOREIGN KEY (account_a, account_b) REFERENCES follows (account_a, account_b) ON DELETE CASCADE
);
ALTER TABLE follows ADD COLUMN read_a BIGINT NOT NULL DEFAULT 0;
ALTER TABLE follows ADD COLUMN read_b BIGINT NOT NULL DEFAULT 0;

-- What each of a match got to see of the other, for the history: JSON of visavis_wire::people::PeerCard.
CREATE TABLE match_cards (
    match_id TEXT NOT NULL REFERENCES matches (id) ON DELETE CASCADE,
    seen_by TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    card TEXT NOT NULL,
    PRIMARY KEY (match_id, seen_by)
);

-- IANA name of the time zone, where the issuer says it.
ALTER TABLE accounts ADD COLUMN zone TEXT;
