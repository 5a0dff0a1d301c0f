-- Sign-ins that were ended, for every node to hear of it and for access tokens that still run.
CREATE TABLE ended_sign_ins (
    family TEXT PRIMARY KEY NOT NULL,
    -- Its owner is leaving.
    leaving BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX ended_sign_ins_at ON ended_sign_ins (at);
