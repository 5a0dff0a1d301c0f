-- TEXT and BIGINT alone: one set of statements serves SQLite and PostgreSQL. Times are Unix seconds.

CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL,
    issuer TEXT NOT NULL,
    -- HMAC-SHA-256 of the issuer's subject under the server's secret.
    subject_hash TEXT NOT NULL,
    username TEXT NOT NULL,
    adult BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    checked_how TEXT NOT NULL,
    -- JSON of visavis_wire::people::Profile; age and sign come from the verified claims.
    profile TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (issuer, subject_hash)
);

CREATE TABLE refresh_tokens (
    token_hash TEXT PRIMARY KEY NOT NULL,
    -- All tokens that descend from one sign-in.
    family TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    expires_at BIGINT NOT NULL,
    used BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_family ON refresh_tokens (family);

CREATE TABLE matches (
    id TEXT PRIMARY KEY NOT NULL,
    account_a TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    account_b TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    began_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- left, vanished, server_closing; NULL while it runs or when the server was killed.
    ended_how TEXT
);

-- Whom a person met, one row a side; numbered by time for "the last sixteen".
CREATE TABLE partners (
    account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    partner TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    met_at BIGINT NOT NULL,
    PRIMARY KEY (account, partner)
);

-- One row for a mutual follow, the smaller id first.
CREATE TABLE follows (
    account_a TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    account_b TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    PRIMARY KEY (account_a, account_b)
);
CREATE INDEX follows_b ON follows (account_b);
