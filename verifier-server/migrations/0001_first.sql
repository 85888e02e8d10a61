-- The first form of the database.
--
-- Columns are TEXT and BIGINT, which SQLite and Postgres agree on. Identifiers begin with the time
-- of their making, so rows and index entries arrive in order and a large table stays as quick as a
-- small one; every further index would cost each payment. There are no foreign keys: a row is
-- always written by the transaction that has just changed, or read, the row it points to.

CREATE TABLE merchants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE order_keys (
    merchant TEXT NOT NULL,
    key_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    retired_at_ms BIGINT,
    PRIMARY KEY (merchant, key_id)
); -- clustered

CREATE TABLE merchant_origins (
    merchant TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (merchant, origin)
); -- clustered

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);

CREATE TABLE webhook_endpoints (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    url TEXT NOT NULL,
    secret_encrypted TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    disabled_at_ms BIGINT
);

CREATE INDEX webhook_endpoints_of_merchant ON webhook_endpoints (merchant);

CREATE TABLE server_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    public_key TEXT NOT NULL,
    private_key_encrypted TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    destroy_at BIGINT NOT NULL
);

-- A signature is good once. A replay carries the time it expires at, so the time can lead the key:
-- new rows arrive in order and old ones are a range.
CREATE TABLE nonces (
    expires_at BIGINT NOT NULL,
    nonce TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    PRIMARY KEY (expires_at, nonce, thumbprint)
); -- clustered

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    jti TEXT NOT NULL,
    order_digest TEXT NOT NULL,
    order_ref TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    capture TEXT NOT NULL,
    description TEXT,
    items TEXT,
    customer TEXT,
    simulate TEXT,
    parent_origin TEXT NOT NULL,
    public_key TEXT NOT NULL,
    key_rebind_count BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    active_attempt TEXT,
    expires_at BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (merchant, jti)
);

CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    session TEXT NOT NULL,
    merchant TEXT NOT NULL,
    attempt TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    order_ref TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    capture TEXT NOT NULL,
    card_brand TEXT NOT NULL,
    card_last4 TEXT NOT NULL,
    card_expiry TEXT NOT NULL,
    card_fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    decline TEXT,
    provider TEXT NOT NULL,
    simulate TEXT,
    sequence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    UNIQUE (session, attempt)
);

CREATE INDEX payments_of_merchant ON payments (merchant, id);
CREATE INDEX payments_of_order ON payments (merchant, order_ref, id);
CREATE INDEX payments_open ON payments (lease_until_ms)
    WHERE state IN ('authorizing', 'unknown');

CREATE TABLE events (
    id TEXT NOT NULL,
    merchant TEXT NOT NULL,
    payment TEXT NOT NULL,
    kind TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant, id),
    UNIQUE (payment, sequence)
);

CREATE TABLE deliveries (
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    merchant TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at_ms BIGINT NOT NULL,
    last_status BIGINT,
    last_error TEXT,
    PRIMARY KEY (event, endpoint)
); -- clustered

CREATE INDEX deliveries_pending ON deliveries (next_at_ms) WHERE state = 'pending';
