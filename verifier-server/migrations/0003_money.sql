-- What follows an authorization: captures, voids, refunds, disputes; the ledger, settlement and
-- payouts; API keys with scopes; webhooks whose every attempt is kept.

-- How far a payment is: what was taken, given back and disputed, minor units. While a modification
-- is under way nothing else may change the amounts.
ALTER TABLE payments ADD COLUMN captured_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN disputed_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payments ADD COLUMN modification TEXT;
ALTER TABLE payments ADD COLUMN card_country TEXT;
UPDATE payments SET captured_minor = amount_minor WHERE state = 'captured';

-- Part of the money may be taken, and the rest is still held.
DROP INDEX payments_held;
CREATE INDEX payments_held ON payments (created_at_ms)
    WHERE state IN ('authorized', 'partially_captured');

CREATE TABLE modifications (
    id TEXT NOT NULL PRIMARY KEY,
    payment TEXT NOT NULL,
    merchant TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    is_final BIGINT NOT NULL,
    reference TEXT,
    state TEXT NOT NULL,
    failure TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL
); -- clustered

CREATE INDEX modifications_of_payment ON modifications (payment, id);
CREATE INDEX modifications_open ON modifications (lease_until_ms) WHERE state = 'pending';

-- A key that a merchant chose names one request. `resource` is what the request made; `answer`,
-- encrypted where it holds a secret, is what it was answered where that cannot be made again.
CREATE TABLE idempotent_requests (
    merchant TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    resource TEXT NOT NULL,
    answer TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant, idempotency_key)
); -- clustered

CREATE INDEX idempotent_requests_old ON idempotent_requests (created_at_ms);

CREATE TABLE disputes (
    id TEXT NOT NULL PRIMARY KEY,
    payment TEXT NOT NULL,
    merchant TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    evidence TEXT,
    evidence_due_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
); -- clustered

CREATE INDEX disputes_of_merchant ON disputes (merchant, id);
CREATE INDEX disputes_of_payment ON disputes (payment, id);
CREATE INDEX disputes_open ON disputes (evidence_due_ms) WHERE state = 'needs_response';

-- The ledger. A transfer takes from one account and gives to another, so debits equal credits.
-- Nothing here is ever changed or deleted.
CREATE TABLE ledger_transfers (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    credit_account TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    cause TEXT NOT NULL,
    cause_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
); -- clustered

-- Has everything that balances are added up from, so that they are read from it alone.
CREATE INDEX ledger_transfers_of_merchant ON ledger_transfers
    (merchant, currency, debit_account, credit_account, amount_minor);

INSERT INTO ledger_transfers
    (id, merchant, currency, debit_account, credit_account, amount_minor, cause, cause_id,
     created_at_ms)
    SELECT 'led_' || SUBSTR(id, 5), merchant, currency, 'shopper_clearing', 'merchant_payable',
        amount_minor, 'capture', id, updated_at_ms
    FROM payments WHERE state = 'captured';

-- The lines of settlements. A line is written with what it tells and later bound to its settlement,
-- once. `source` and `kind` name the cause: nothing is settled twice.
CREATE TABLE balance_transactions (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    currency TEXT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    payment TEXT,
    order_ref TEXT,
    method TEXT,
    brand TEXT,
    region TEXT,
    gross_minor BIGINT NOT NULL,
    interchange_minor BIGINT NOT NULL,
    scheme_minor BIGINT NOT NULL,
    processor_minor BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    business_date TEXT NOT NULL,
    settlement_date TEXT NOT NULL,
    settlement TEXT,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (source, kind)
);

-- What was captured before there were fees costs nothing, and is settled as soon as may be.
INSERT INTO balance_transactions
    (id, merchant, currency, kind, source, payment, order_ref, method, gross_minor,
     interchange_minor, scheme_minor, processor_minor, net_minor, business_date, settlement_date,
     created_at_ms)
    SELECT 'txn_' || SUBSTR(id, 5), merchant, currency, 'capture', id, id, order_ref, method,
        amount_minor, 0, 0, 0, amount_minor, '2026-11-20', '2026-11-23', updated_at_ms
    FROM payments WHERE state = 'captured';

CREATE INDEX balance_transactions_of_merchant ON balance_transactions (merchant, id);
-- `settlement` is empty in each of them; without it SQLite would look at the row to see that.
CREATE INDEX balance_transactions_due
    ON balance_transactions (merchant, currency, settlement_date, settlement)
    WHERE settlement IS NULL;
CREATE INDEX balance_transactions_of_payment ON balance_transactions (payment, id)
    WHERE payment IS NOT NULL;
CREATE INDEX balance_transactions_of_settlement ON balance_transactions (settlement, id)
    WHERE settlement IS NOT NULL;

-- One for each merchant, currency and settlement date that has lines; numbered without gaps, and
-- each carries on what the one before left over.
CREATE TABLE settlements (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    currency TEXT NOT NULL,
    number BIGINT NOT NULL,
    settlement_date TEXT NOT NULL,
    lines BIGINT NOT NULL,
    gross_minor BIGINT NOT NULL,
    interchange_minor BIGINT NOT NULL,
    scheme_minor BIGINT NOT NULL,
    processor_minor BIGINT NOT NULL,
    net_minor BIGINT NOT NULL,
    brought_forward_minor BIGINT NOT NULL,
    carried_forward_minor BIGINT NOT NULL,
    payout TEXT,
    payout_minor BIGINT NOT NULL,
    closed_at_ms BIGINT NOT NULL,
    UNIQUE (merchant, currency, number),
    UNIQUE (merchant, currency, settlement_date)
);

CREATE INDEX settlements_of_merchant ON settlements (merchant, id);

CREATE TABLE payouts (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    settlement TEXT NOT NULL UNIQUE,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    account TEXT NOT NULL,
    state TEXT NOT NULL,
    failure TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL
);

CREATE INDEX payouts_of_merchant ON payouts (merchant, id);
CREATE INDEX payouts_open ON payouts (lease_until_ms) WHERE state = 'pending';

-- Part of what is earned may be kept back for a while.
ALTER TABLE merchants ADD COLUMN reserve_basis_points BIGINT NOT NULL DEFAULT 0;
ALTER TABLE merchants ADD COLUMN reserve_days BIGINT NOT NULL DEFAULT 0;

-- Scopes are names with commas between; `*` is every scope. A key that signs orders may do nothing
-- else unless it is said.
ALTER TABLE order_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN scopes TEXT NOT NULL DEFAULT '*';
ALTER TABLE api_keys ADD COLUMN expires_at_ms BIGINT;

-- Event types are names with commas between; `*` is every type. The previous secret signs beside
-- the present one until its time is over.
ALTER TABLE webhook_endpoints ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE webhook_endpoints ADD COLUMN event_types TEXT NOT NULL DEFAULT '*';
ALTER TABLE webhook_endpoints ADD COLUMN previous_secret_encrypted TEXT;
ALTER TABLE webhook_endpoints ADD COLUMN previous_secret_until_ms BIGINT;
ALTER TABLE webhook_endpoints ADD COLUMN failing_since_ms BIGINT;
ALTER TABLE webhook_endpoints ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE webhook_endpoints ADD COLUMN deleted_at_ms BIGINT;

-- An event tells of a payment, or of something else that has a name.
ALTER TABLE events RENAME COLUMN payment TO subject;

CREATE TABLE delivery_attempts (
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT,
    error TEXT,
    answer TEXT,
    PRIMARY KEY (event, endpoint, number)
); -- clustered

CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint, event);
CREATE INDEX deliveries_pending_of_endpoint ON deliveries (endpoint) WHERE state = 'pending';
