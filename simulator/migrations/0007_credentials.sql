-- The codes of decisions, and stored credentials.

-- An approval has the first three, and the credential that it stored; a decline may have advice.
ALTER TABLE bank_authorizations ADD COLUMN authorization_code TEXT;
ALTER TABLE bank_authorizations ADD COLUMN acquirer_reference TEXT;
ALTER TABLE bank_authorizations ADD COLUMN network_transaction_id TEXT;
ALTER TABLE bank_authorizations ADD COLUMN credential TEXT;
ALTER TABLE bank_authorizations ADD COLUMN advice_code TEXT;

-- A stored card points at its account; the number is not stored. `charges` counts the decided
-- charges that the merchant initiated, and `authenticated_charges` is the count when the shopper
-- last authenticated. `revoked_at_ms` is null until the credential is revoked.
CREATE TABLE bank_credentials (
    reference TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    expiry TEXT NOT NULL,
    charges BIGINT NOT NULL,
    authenticated_charges BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);

CREATE INDEX bank_credentials_by_account ON bank_credentials (account, created_at_ms);
CREATE INDEX bank_credentials_newest ON bank_credentials (created_at_ms);

-- The payments that the shopper initiated, whose network transaction ids the merchant may quote.
CREATE TABLE bank_credential_series (
    credential TEXT NOT NULL,
    network_transaction_id TEXT NOT NULL,
    PRIMARY KEY (credential, network_transaction_id)
); -- clustered

-- News of the account updater, from `due_at_ms` on. A replaced card has new last four digits and a
-- new expiry.
CREATE TABLE bank_credential_updates (
    id TEXT NOT NULL PRIMARY KEY,
    credential TEXT NOT NULL,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    last4 TEXT,
    expiry TEXT,
    due_at_ms BIGINT NOT NULL,
    acknowledged BIGINT NOT NULL
);

CREATE INDEX bank_credential_updates_due ON bank_credential_updates (provider, due_at_ms, id)
    WHERE acknowledged = 0;
CREATE INDEX bank_credential_updates_by_credential
    ON bank_credential_updates (credential, due_at_ms);
