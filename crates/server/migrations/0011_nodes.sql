-- Several equal nodes: who leads which pool, who is in which match right now, on which node somebody's socket is.

-- A lease is alive as long as others see its beat change; no clock is written down, so clocks may jump.
CREATE TABLE leases (
    name TEXT PRIMARY KEY NOT NULL,
    -- Empty: given back.
    holder TEXT NOT NULL,
    -- Grows with every change of the holder.
    fence BIGINT NOT NULL,
    beat BIGINT NOT NULL
);

-- At most one match a person, whatever node made it.
CREATE TABLE engaged (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    match_id TEXT NOT NULL,
    shard TEXT NOT NULL,
    -- a or b
    side TEXT NOT NULL,
    a_offers BIGINT NOT NULL,
    -- 0: offered, 1: running
    running BIGINT NOT NULL,
    since BIGINT NOT NULL
);
CREATE INDEX engaged_match ON engaged (match_id);
CREATE INDEX engaged_shard ON engaged (shard);

CREATE TABLE seats (
    account TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    node TEXT NOT NULL,
    -- The fence of the node's own lease: what an earlier life of it left behind can be told.
    life BIGINT NOT NULL,
    socket BIGINT NOT NULL
);
CREATE INDEX seats_node ON seats (node, life);
