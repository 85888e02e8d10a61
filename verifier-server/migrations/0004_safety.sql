-- What makes the gateway safe by default: who did what, and limits that belong to one merchant.

-- The credential that a stored response belongs to: another one of the merchant does not see it.
ALTER TABLE idempotent_requests ADD COLUMN credential TEXT NOT NULL DEFAULT '';

-- Fraud rules look at assessed payments, whether their address is known or not.
DROP INDEX payments_of_card;
CREATE INDEX payments_of_card ON payments (card_fingerprint, id) WHERE risk IS NOT NULL;

-- The widget's builds that verifiers on this database serve, or served lately: while verifiers are
-- replaced one by one, each serves the files of all of them.
CREATE TABLE widget_builds (
    digest TEXT NOT NULL PRIMARY KEY,
    seen_at_ms BIGINT NOT NULL
);

-- Content is base64url; coding is identity, gzip or br.
CREATE TABLE widget_files (
    build TEXT NOT NULL,
    name TEXT NOT NULL,
    coding TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (build, name, coding)
);

-- Whether the data is of tests or of real payments: one row, written by the first start.
CREATE TABLE data_mode (
    id BIGINT NOT NULL PRIMARY KEY,
    livemode BIGINT NOT NULL
);

-- What came too much by transfer, whether it went back or not: the books are compared with it.
ALTER TABLE payments ADD COLUMN overpaid_minor BIGINT NOT NULL DEFAULT 0;

-- The pages that the order names, as a JSON list: a passkey may be used below any of them.
ALTER TABLE sessions ADD COLUMN order_origins TEXT NOT NULL DEFAULT '[]';

-- Providers that may still approve what was stored as declined or expired, or have: they are asked
-- again, and what is held there is let go. The state is `watched`, `approved` (it has to be let go)
-- or `reversed`; what turns out to be nothing is deleted. `modification` is the name under which
-- the provider is asked to let go, so that it does so once.
CREATE TABLE reversals (
    payment TEXT NOT NULL,
    provider TEXT NOT NULL,
    modification TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (payment, provider)
);

CREATE INDEX reversals_due ON reversals (due_at_ms) WHERE state IN ('watched', 'approved');

-- Who did what, from where and how that ended. Rows are added and never changed; each has a keyed
-- hash of itself and the row before.
CREATE TABLE audit_log (
    sequence BIGINT NOT NULL PRIMARY KEY,
    request TEXT NOT NULL UNIQUE,
    merchant TEXT,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    source TEXT NOT NULL,
    outcome TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE INDEX audit_log_of_merchant ON audit_log (merchant, request);

CREATE TABLE audit_head (
    id BIGINT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL
);

INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '');

-- Kept to the hour: enough to see that a key is not used any more.
ALTER TABLE api_keys ADD COLUMN last_used_at_ms BIGINT;

ALTER TABLE modifications ADD COLUMN created_by TEXT;
ALTER TABLE disputes ADD COLUMN answered_by TEXT;

-- Raised by every rotation of keys, so that running servers read theirs again.
CREATE TABLE key_revision (
    id BIGINT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);

INSERT INTO key_revision (id, revision) VALUES (1, 0);

-- Webhooks. A delivery that is begun anew while an attempt is under way is another round of it: what
-- comes of that attempt does not end it.
ALTER TABLE deliveries ADD COLUMN round BIGINT NOT NULL DEFAULT 0;

-- What a merchant has used up of what is allowed in an hour or a day.
CREATE TABLE merchant_usage (
    merchant TEXT NOT NULL,
    what TEXT NOT NULL,
    began_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (merchant, what, began_at_ms)
); -- clustered

-- An endpoint is sent nothing until it has proved that it is its merchant's: when it did, when it is
-- asked next, how often it was asked and when last, and why it did not.
ALTER TABLE webhook_endpoints ADD COLUMN verified_at_ms BIGINT;
ALTER TABLE webhook_endpoints ADD COLUMN verification_at_ms BIGINT;
ALTER TABLE webhook_endpoints ADD COLUMN verification_attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN verification_tried_at_ms BIGINT;
ALTER TABLE webhook_endpoints ADD COLUMN verification_error TEXT;
UPDATE webhook_endpoints SET verification_at_ms = created_at_ms WHERE deleted_at_ms IS NULL;

CREATE INDEX webhook_endpoints_unverified ON webhook_endpoints (verification_at_ms)
    WHERE verification_at_ms IS NOT NULL;
