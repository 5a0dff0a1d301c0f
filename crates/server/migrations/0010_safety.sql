-- Reports, what moderators decide, and the log of it. Accounts are named without a reference where a row outlives them.

CREATE TABLE reports (
    id TEXT PRIMARY KEY NOT NULL,
    match_id TEXT NOT NULL,
    reporter TEXT NOT NULL,
    peer TEXT NOT NULL,
    category TEXT NOT NULL,
    text TEXT NOT NULL,
    -- JSON: what the server itself knows of the match.
    match_log TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    decide_by BIGINT NOT NULL,
    decided_at BIGINT,
    -- dismissed, warning, pause, ban
    verdict TEXT,
    UNIQUE (match_id, reporter)
);
CREATE INDEX reports_peer ON reports (peer, decided_at);
CREATE INDEX reports_queue ON reports (decided_at, decide_by);

-- Base64, sealed to the moderators' key.
CREATE TABLE evidence (
    report TEXT PRIMARY KEY NOT NULL REFERENCES reports (id) ON DELETE CASCADE,
    sealed TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE decisions (
    id TEXT PRIMARY KEY NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    report TEXT,
    measure TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    -- Of a pause.
    until BIGINT,
    lifted_at BIGINT,
    read_at BIGINT,
    -- Its entry in the audit log; grows with time, so that nodes can ask for what is new.
    audit_seq BIGINT NOT NULL
);
CREATE INDEX decisions_account ON decisions (account);
CREATE INDEX decisions_seq ON decisions (audit_seq);

CREATE TABLE appeals (
    decision TEXT PRIMARY KEY NOT NULL REFERENCES decisions (id) ON DELETE CASCADE,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    text TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    decide_by BIGINT NOT NULL,
    decided_at BIGINT,
    granted BIGINT,
    answer TEXT NOT NULL
);

-- Of an account that was deleted while it was paused or banned: that, for whoever comes back with the same sign-in.
CREATE TABLE kept_bars (
    issuer TEXT NOT NULL,
    subject_hash TEXT NOT NULL,
    measure TEXT NOT NULL,
    reason TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (issuer, subject_hash)
);

-- Accounts that are to be deleted once the reports about them are decided.
CREATE TABLE leaving (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    asked_at BIGINT NOT NULL,
    held_until BIGINT NOT NULL
);

-- Each entry's mac is over the one before it.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    mac TEXT NOT NULL
);
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    mac TEXT NOT NULL
);
INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, '');

CREATE INDEX matches_a ON matches (account_a, began_at);
CREATE INDEX matches_b ON matches (account_b, began_at);
