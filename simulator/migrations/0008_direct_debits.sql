-- Direct debits.

-- The state is `accepted`, `declined`, `voided` before its settlement, or `tombstoned`. A collection
-- of a first one stores the account under `stored_credential`. No IBAN is stored.
CREATE TABLE bank_debits (
    reference TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    scheme TEXT NOT NULL,
    decline TEXT,
    stored_credential TEXT,
    collection_date TEXT,
    settles_at_ms BIGINT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
); -- clustered

-- What becomes of a collection, from `due_at_ms` on: `settled`, or the kind of the R-transaction
-- with its reason.
CREATE TABLE bank_debit_news (
    id TEXT NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT,
    due_at_ms BIGINT NOT NULL,
    acknowledged BIGINT NOT NULL
);

CREATE INDEX bank_debit_news_due ON bank_debit_news (due_at_ms, id) WHERE acknowledged = 0;
CREATE INDEX bank_debit_news_of ON bank_debit_news (reference, due_at_ms);

-- Stored accounts. `debtor` is the persona of the account; `revoked_at_ms` is null until the
-- credential is revoked.
CREATE TABLE bank_debtor_accounts (
    credential TEXT NOT NULL PRIMARY KEY,
    debtor TEXT,
    collections BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);
