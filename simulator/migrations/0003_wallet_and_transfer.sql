-- Requests to a wallet, and bank transfers.

-- The address of a request's page is a secret: only its keyed hash is stored. The state is `open`,
-- `confirmed` (the journal has the decision), `refused`, `withdrawn`, or `never_received` for a
-- tombstone.
CREATE TABLE bank_wallet_requests (
    reference TEXT NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    capture TEXT NOT NULL,
    payee TEXT NOT NULL,
    simulate TEXT,
    expires_at_ms BIGINT NOT NULL,
    account TEXT,
    answer TEXT,
    decided_at_ms BIGINT
);

-- The expected amount, and the reference that the transfer must have.
CREATE TABLE bank_collections (
    reference TEXT NOT NULL PRIMARY KEY,
    creditor_reference TEXT NOT NULL UNIQUE,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- A transfer arrives at its time. The state is `pending` until it is acknowledged, then `matched` or
-- `returned`.
CREATE TABLE bank_transfers (
    id TEXT NOT NULL PRIMARY KEY,
    creditor_reference TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    arrives_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL
);

CREATE INDEX bank_transfers_by_arrival ON bank_transfers (state, arrives_at_ms, id);
