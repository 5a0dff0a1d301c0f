-- Of profiles: base64 of the small JPEG that the server made.
CREATE TABLE pictures (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    jpeg TEXT NOT NULL,
    set_at BIGINT NOT NULL
);
