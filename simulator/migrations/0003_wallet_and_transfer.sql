-- Requests to a wallet, and money that is sent to an account.

-- The address of a request's page is a secret that opens it: only its keyed hash is kept. The state
-- is `open`, `confirmed` (the book knows the answer), `refused`, `withdrawn`, or `never_received`
-- for one that was asked for before it arrived.
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

-- What is expected, and what has to stand on the transfer.
CREATE TABLE bank_collections (
    reference TEXT NOT NULL PRIMARY KEY,
    creditor_reference TEXT NOT NULL UNIQUE,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- Money on its way: it is there once the clock says so. The state is `pending` until it is dealt
-- with, then `matched` or `returned`.
CREATE TABLE bank_transfers (
    id TEXT NOT NULL PRIMARY KEY,
    creditor_reference TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    arrives_at_ms BIGINT NOT NULL,
    state TEXT NOT NULL
);

CREATE INDEX bank_transfers_by_arrival ON bank_transfers (state, arrives_at_ms, id);
