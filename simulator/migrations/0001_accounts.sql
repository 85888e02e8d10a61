-- The simulated bank: its accounts, its journal of authorizations, and the faults in force.
--
-- Columns are TEXT and BIGINT, which SQLite and Postgres have in common. The id of an account is a
-- keyed fingerprint of its card; the card's number is not stored.

CREATE TABLE bank_accounts (
    id TEXT NOT NULL PRIMARY KEY,
    persona TEXT,
    holder TEXT NOT NULL,
    issuer TEXT NOT NULL,
    last4 TEXT NOT NULL,
    brand TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    balance_minor BIGINT NOT NULL,
    held_minor BIGINT NOT NULL,
    credit_limit_minor BIGINT,
    per_transaction_limit_minor BIGINT,
    daily_count_limit BIGINT,
    daily_sum_limit_minor BIGINT,
    day BIGINT NOT NULL,
    day_count BIGINT NOT NULL,
    day_sum_minor BIGINT NOT NULL,
    enrolment TEXT NOT NULL,
    phone TEXT NOT NULL,
    wrong_codes BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

-- The newest accounts that are not a persona's, for lists.
CREATE INDEX bank_accounts_derived ON bank_accounts (created_at_ms) WHERE persona IS NULL;

-- The reference begins with the time and leads the key: new rows arrive in order. Authorizations of
-- an account without limits are not counted on the account.
CREATE TABLE bank_authorizations (
    reference TEXT NOT NULL,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    account_minor BIGINT NOT NULL,
    counted BIGINT NOT NULL,
    state TEXT NOT NULL,
    decline TEXT,
    booked_minor BIGINT NOT NULL,
    booked_account_minor BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    hold_until_ms BIGINT,
    PRIMARY KEY (reference, provider)
); -- clustered

CREATE INDEX bank_authorizations_held ON bank_authorizations (hold_until_ms)
    WHERE state = 'held';

CREATE TABLE bank_faults (
    id TEXT NOT NULL PRIMARY KEY,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    min_ms BIGINT NOT NULL,
    max_ms BIGINT NOT NULL,
    remaining BIGINT,
    share_per_mille BIGINT,
    seed BIGINT,
    created_at_ms BIGINT NOT NULL
);
