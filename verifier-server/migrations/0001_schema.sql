-- The tables of the verifier, by feature.
--
-- Columns are TEXT and BIGINT, which SQLite and Postgres both support; a name ends with its unit.
-- Identifiers begin with their creation time, so rows and index entries arrive in order and large
-- tables stay fast; every additional index slows down each payment. There are no foreign keys: a
-- row is always written by a transaction that has changed or read the row it refers to. Lists of
-- names (scopes, methods, event types) are separated by commas; `*` stands for all.

-- Test or live mode: one row, written by the first start.
CREATE TABLE data_mode (
    id BIGINT NOT NULL PRIMARY KEY,
    livemode BIGINT NOT NULL
);

-- Settings of testers: the clock offset and webhook faults.
CREATE TABLE simulation (
    name TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    value TEXT NOT NULL
);

-- Merchants ---------------------------------------------------------------------------------------

-- A part of each settlement may be held in reserve. The payout account is an IBAN.
CREATE TABLE merchants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    reserve_basis_points BIGINT NOT NULL DEFAULT 0,
    reserve_days BIGINT NOT NULL DEFAULT 0,
    payout_account TEXT,
    creditor_identifier TEXT,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE merchant_origins (
    merchant TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (merchant, origin)
); -- clustered

-- Usage counters for a merchant's hourly and daily limits.
CREATE TABLE merchant_usage (
    merchant TEXT NOT NULL,
    what TEXT NOT NULL,
    began_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (merchant, what, began_at_ms)
); -- clustered

-- Credentials and audit ---------------------------------------------------------------------------

-- An order key may only sign orders, unless it has scopes.
CREATE TABLE order_keys (
    merchant TEXT NOT NULL,
    key_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    scopes TEXT NOT NULL DEFAULT '',
    created_at_ms BIGINT NOT NULL,
    retired_at_ms BIGINT,
    PRIMARY KEY (merchant, key_id)
); -- clustered

-- The last use is recorded to the hour: enough to find unused keys.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL DEFAULT '*',
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT,
    revoked_at_ms BIGINT,
    last_used_at_ms BIGINT
);

-- A signature is accepted once. A replay has the same expiry, so the expiry can lead the key: new
-- rows arrive in order and expired ones are a range.
CREATE TABLE nonces (
    expires_at BIGINT NOT NULL,
    nonce TEXT NOT NULL,
    thumbprint TEXT NOT NULL,
    PRIMARY KEY (expires_at, nonce, thumbprint)
); -- clustered

-- Who did what, from where and with which result. Rows are appended and never changed; each has a
-- keyed hash of itself and the previous row.
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

-- The server's own keys ---------------------------------------------------------------------------

CREATE TABLE server_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    public_key TEXT NOT NULL,
    private_key_encrypted TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    not_after BIGINT NOT NULL,
    destroy_at BIGINT NOT NULL
);

-- Incremented by every key rotation, so that running servers reload their keys.
CREATE TABLE key_revision (
    id BIGINT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);

INSERT INTO key_revision (id, revision) VALUES (1, 0);

-- The running servers of this database, and the master key under which each encrypts: a rotation
-- waits for all of them. Seconds since 1970, system time.
CREATE TABLE running_servers (
    server TEXT NOT NULL PRIMARY KEY,
    master_key TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Idempotency -------------------------------------------------------------------------------------

-- The same key with the same request is one request, whichever credential sends it, and a
-- credential uses a key for one request only. `resource` is the created resource; `response`,
-- encrypted if it contains a secret, is the response if it cannot be reproduced.
CREATE TABLE idempotent_requests (
    merchant TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    credential TEXT NOT NULL,
    resource TEXT NOT NULL,
    response TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant, idempotency_key, request_digest)
); -- clustered

CREATE UNIQUE INDEX idempotent_requests_of_credential
    ON idempotent_requests (merchant, idempotency_key, credential);
CREATE INDEX idempotent_requests_old ON idempotent_requests (created_at_ms);

-- Sessions ----------------------------------------------------------------------------------------

-- `order_origins` are the pages that the order names, as a JSON list: a passkey may be used in a
-- frame of any of them.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    jti TEXT NOT NULL,
    order_digest TEXT NOT NULL,
    order_ref TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    capture TEXT NOT NULL,
    methods TEXT NOT NULL,
    description TEXT,
    items TEXT,
    customer TEXT,
    agreement TEXT,
    billing_country TEXT,
    requires_authentication BIGINT NOT NULL,
    simulate TEXT,
    invoice TEXT,
    parent_origin TEXT NOT NULL,
    order_origins TEXT NOT NULL,
    public_key TEXT NOT NULL,
    key_rebind_count BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    active_attempt TEXT,
    expires_at BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (merchant, jti)
);

CREATE INDEX sessions_of_customer ON sessions (merchant, customer) WHERE customer IS NOT NULL;

-- Customers and agreements ------------------------------------------------------------------------

-- The reference is the merchant's own; an erased customer has none.
CREATE TABLE customers (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    reference TEXT,
    email TEXT,
    name TEXT,
    locale TEXT,
    time_zone TEXT NOT NULL,
    default_instrument TEXT,
    simulate TEXT,
    sequence BIGINT NOT NULL,
    erased_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (merchant, reference)
);

CREATE INDEX customers_of_merchant ON customers (merchant, id);
CREATE INDEX customers_erased ON customers (erased_at_ms) WHERE erased_at_ms IS NOT NULL;

-- The provider keeps the credential and the number; `credential` is its reference. A bank account
-- has no expiry. The
-- number of changes decides every race, also between an instrument's agreements.
CREATE TABLE instruments (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    customer TEXT NOT NULL,
    method TEXT NOT NULL,
    brand TEXT NOT NULL,
    last4 TEXT NOT NULL,
    expiry TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    country TEXT,
    provider TEXT NOT NULL,
    credential TEXT NOT NULL,
    state TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    is_assessed BIGINT NOT NULL,
    used_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (customer, fingerprint, provider)
);

CREATE INDEX instruments_of_merchant ON instruments (merchant, id);
CREATE INDEX instruments_of_credential ON instruments (provider, credential);

-- Credentials that a provider has to delete, because no instrument uses them any more.
CREATE TABLE credential_revocations (
    provider TEXT NOT NULL,
    credential TEXT NOT NULL,
    due_at_ms BIGINT NOT NULL,
    PRIMARY KEY (provider, credential)
); -- clustered

CREATE INDEX credential_revocations_due ON credential_revocations (due_at_ms);

-- `consent` is the sentence that the customer agreed to. A mandate for direct debits is JSON, and
-- lapses some time after its last collection.
CREATE TABLE agreements (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    customer TEXT NOT NULL,
    instrument TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    maximum_minor BIGINT,
    network_transaction_id TEXT,
    first_payment TEXT NOT NULL,
    consent TEXT NOT NULL,
    mandate TEXT,
    lapses_at_ms BIGINT,
    accepted_at_ms BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

CREATE INDEX agreements_of_merchant ON agreements (merchant, id);
CREATE INDEX agreements_of_customer ON agreements (customer, id);
CREATE INDEX agreements_of_instrument ON agreements (instrument) WHERE state = 'active';
CREATE INDEX agreements_lapsing ON agreements (lapses_at_ms)
    WHERE state = 'active' AND lapses_at_ms IS NOT NULL;

-- Tries of a stored card without its customer, which the schemes limit. A decline may forbid every
-- later try, so they are never purged. They are numbered by card: of two that were decided at once, by
-- two servers, only one can be the next.
CREATE TABLE card_attempts (
    payment TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    invoice TEXT,
    fingerprint TEXT NOT NULL,
    number BIGINT,
    credential TEXT NOT NULL,
    brand TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    decline TEXT,
    advice_code TEXT
);

CREATE INDEX card_attempts_of_card ON card_attempts (merchant, fingerprint, at_ms);
CREATE UNIQUE INDEX card_attempts_in_order ON card_attempts (merchant, fingerprint, number);
CREATE INDEX card_attempts_of_invoice ON card_attempts (invoice) WHERE invoice IS NOT NULL;

-- Subscriptions and invoices ----------------------------------------------------------------------

-- Nothing of a price changes but whether it is archived.
CREATE TABLE prices (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    name TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    billing_interval TEXT NOT NULL,
    trial_days BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    simulate TEXT,
    archived_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL
);

CREATE INDEX prices_of_merchant ON prices (merchant, id);

-- `due` is what happens next, and `due_at_ms` when; `lease_until_ms` is the same time, or the end
-- of the lease of the server that is doing it.
CREATE TABLE subscriptions (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    customer TEXT NOT NULL,
    agreement TEXT,
    state TEXT NOT NULL,
    plan TEXT NOT NULL,
    queued_plan TEXT,
    anchor TEXT NOT NULL,
    period_number BIGINT NOT NULL,
    period_start_ms BIGINT NOT NULL,
    period_end_ms BIGINT NOT NULL,
    cancels_at_period_end BIGINT NOT NULL,
    ended_at_ms BIGINT,
    end_reason TEXT,
    paused_at_ms BIGINT,
    resumes_at_ms BIGINT,
    dunning TEXT,
    metadata TEXT NOT NULL,
    due TEXT,
    due_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

CREATE INDEX subscriptions_of_merchant ON subscriptions (merchant, id);
CREATE INDEX subscriptions_of_customer ON subscriptions (customer, id);
CREATE INDEX subscriptions_due ON subscriptions (lease_until_ms) WHERE due IS NOT NULL;

-- A draft has no number. `total_minor` is the sum of the lines and of what is applied from the
-- customer's credit, paid, credited by credit notes, and due. The number of changes decides every
-- race; `due`, `due_at_ms` and `lease_until_ms` as for subscriptions.
CREATE TABLE invoices (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    customer TEXT NOT NULL,
    subscription TEXT,
    period_number BIGINT,
    number TEXT,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    lines TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    applied_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    credited_minor BIGINT NOT NULL,
    collection TEXT NOT NULL,
    due TEXT,
    due_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    finalized_at_ms BIGINT,
    closed_at_ms BIGINT,
    sequence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    UNIQUE (merchant, number)
);

CREATE INDEX invoices_of_merchant ON invoices (merchant, id);
CREATE INDEX invoices_of_customer ON invoices (customer, id);
CREATE INDEX invoices_of_subscription ON invoices (subscription, id)
    WHERE subscription IS NOT NULL;
-- A period is invoiced once.
CREATE UNIQUE INDEX invoices_of_period ON invoices (subscription, period_number)
    WHERE period_number IS NOT NULL;
CREATE INDEX invoices_due ON invoices (lease_until_ms) WHERE due IS NOT NULL;

CREATE TABLE credit_notes (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    invoice TEXT NOT NULL,
    number TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    to_balance_minor BIGINT NOT NULL,
    reason TEXT,
    created_at_ms BIGINT NOT NULL,
    UNIQUE (merchant, number)
);

CREATE INDEX credit_notes_of_invoice ON credit_notes (invoice, id);

-- The next number of a series of invoices or credit notes. It is taken in the transaction that uses
-- it, so there are no gaps.
CREATE TABLE number_series (
    merchant TEXT NOT NULL,
    series TEXT NOT NULL,
    next_number BIGINT NOT NULL,
    PRIMARY KEY (merchant, series)
); -- clustered

-- What a merchant owes a customer, to be applied to later invoices.
CREATE TABLE customer_credits (
    customer TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (customer, currency)
); -- clustered

-- Payments ----------------------------------------------------------------------------------------

-- `details` are the method-specific details: JSON, tagged with the method. Values that are looked
-- up have columns of their own, filled only if they are looked up: a payment that no rule assesses
-- has no `assessed_card`. While a modification is pending, nothing else may change the amounts.
CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    session TEXT,
    agreement TEXT,
    invoice TEXT,
    merchant TEXT NOT NULL,
    attempt TEXT NOT NULL,
    owner TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    order_ref TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    capture TEXT NOT NULL,
    method TEXT NOT NULL,
    details TEXT NOT NULL,
    assessed_card TEXT,
    assessed_address TEXT,
    transfer_reference TEXT,
    state TEXT NOT NULL,
    decline TEXT,
    provider TEXT NOT NULL,
    route_reason TEXT NOT NULL,
    simulate TEXT,
    captured_minor BIGINT NOT NULL DEFAULT 0,
    refunded_minor BIGINT NOT NULL DEFAULT 0,
    disputed_minor BIGINT NOT NULL DEFAULT 0,
    returned_minor BIGINT NOT NULL DEFAULT 0,
    overpaid_minor BIGINT NOT NULL DEFAULT 0,
    modification TEXT,
    sequence BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL,
    UNIQUE (session, attempt)
);

CREATE INDEX payments_of_merchant ON payments (merchant, id);
CREATE INDEX payments_of_order ON payments (merchant, order_ref, id);
CREATE INDEX payments_of_agreement ON payments (agreement, id) WHERE agreement IS NOT NULL;
CREATE INDEX payments_open ON payments (lease_until_ms)
    WHERE state IN ('authorizing', 'requires_action', 'unknown');
CREATE INDEX payments_held ON payments (created_at_ms)
    WHERE state IN ('authorized', 'partially_captured');
CREATE INDEX payments_of_card ON payments (assessed_card, id) WHERE assessed_card IS NOT NULL;
CREATE INDEX payments_of_address ON payments (assessed_address, id)
    WHERE assessed_address IS NOT NULL;
CREATE INDEX payments_of_transfer ON payments (transfer_reference)
    WHERE transfer_reference IS NOT NULL;

-- Providers that may still approve a payment stored as declined or expired, or that have approved
-- it, or that have received a part of its money: they are queried again, and what they hold is
-- returned. The state is `watched`, `approved` (to be reversed) or `reversed`; a row is deleted if
-- nothing was approved. `modification` is the id of the reversal, which makes it idempotent.
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

-- Operations --------------------------------------------------------------------------------------

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
    created_by TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    lease_until_ms BIGINT NOT NULL
); -- clustered

CREATE INDEX modifications_of_payment ON modifications (payment, id);
CREATE INDEX modifications_open ON modifications (lease_until_ms) WHERE state = 'pending';

-- Disputes ----------------------------------------------------------------------------------------

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
    answered_by TEXT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
); -- clustered

CREATE INDEX disputes_of_merchant ON disputes (merchant, id);
CREATE INDEX disputes_of_payment ON disputes (payment, id);
CREATE INDEX disputes_open ON disputes (evidence_due_ms) WHERE state = 'needs_response';

-- Ledger ------------------------------------------------------------------------------------------

-- A transfer debits one account and credits another, so debits equal credits. Rows are never
-- changed or deleted. `period` is the accounting period that was open at the time. Rows of a merchant
-- are inserted in the order of the key.
CREATE TABLE ledger_transfers (
    merchant TEXT NOT NULL,
    period BIGINT NOT NULL,
    id TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    credit_account TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    cause TEXT NOT NULL,
    cause_id TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant, period, id)
); -- clustered

-- The open accounting period: one row, written when the first period is closed.
CREATE TABLE ledger_period (
    id BIGINT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL
);

-- A merchant's totals are the sums of its transfers of the periods before the checkpoint's.
CREATE TABLE ledger_checkpoints (
    merchant TEXT NOT NULL PRIMARY KEY,
    period BIGINT NOT NULL
); -- clustered

CREATE TABLE ledger_totals (
    merchant TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    credit_account TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (merchant, currency, debit_account, credit_account)
); -- clustered

-- The rows of settlements. A balance transaction is written once and later bound to its settlement,
-- once. `source` and `kind` name the cause, so that nothing is settled twice. Every captured payment
-- pays for each index.
CREATE TABLE balance_transactions (
    id TEXT NOT NULL,
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
    PRIMARY KEY (source, kind)
);

CREATE UNIQUE INDEX balance_transactions_of_merchant ON balance_transactions (merchant, id);
-- `settlement` is null in all of them; without it in the index, SQLite would read the row to check.
CREATE INDEX balance_transactions_due
    ON balance_transactions (merchant, currency, settlement_date, settlement)
    WHERE settlement IS NULL;
-- A payment captured automatically is itself the source.
CREATE INDEX balance_transactions_of_payment ON balance_transactions (payment)
    WHERE payment <> source;
CREATE INDEX balance_transactions_of_settlement ON balance_transactions (settlement, id)
    WHERE settlement IS NOT NULL;

-- Settlements and payouts -------------------------------------------------------------------------

-- One for each merchant, currency and settlement date with balance transactions; numbered without
-- gaps, and each brings forward what the previous one carried forward.
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

-- Webhooks ----------------------------------------------------------------------------------------

-- `subject` is the resource that the event is about: a payment, or any other resource with an id.
CREATE TABLE events (
    id TEXT NOT NULL,
    merchant TEXT NOT NULL,
    subject TEXT NOT NULL,
    kind TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant, id),
    UNIQUE (subject, sequence)
);

-- The previous secret also signs until its end. An endpoint gets nothing until it is verified as
-- its merchant's; the columns record when it was, the next and last attempt, their number and the
-- last error. `created_by` is a credential or the operator.
CREATE TABLE webhook_endpoints (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    url TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    event_types TEXT NOT NULL DEFAULT '*',
    secret_encrypted TEXT NOT NULL,
    previous_secret_encrypted TEXT,
    previous_secret_until_ms BIGINT,
    verified_at_ms BIGINT,
    verification_at_ms BIGINT,
    verification_attempts BIGINT NOT NULL DEFAULT 0,
    verification_tried_at_ms BIGINT,
    verification_error TEXT,
    failing_since_ms BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    created_by TEXT,
    created_at_ms BIGINT NOT NULL,
    disabled_at_ms BIGINT,
    deleted_at_ms BIGINT
);

CREATE INDEX webhook_endpoints_of_merchant ON webhook_endpoints (merchant);
CREATE INDEX webhook_endpoints_unverified ON webhook_endpoints (verification_at_ms)
    WHERE verification_at_ms IS NOT NULL;

-- Former secrets of endpoints: the farewell to a former address is signed with those of the last
-- day as well.
CREATE TABLE former_endpoint_secrets (
    endpoint TEXT NOT NULL,
    secret_encrypted TEXT NOT NULL,
    replaced_at_ms BIGINT NOT NULL,
    PRIMARY KEY (endpoint, secret_encrypted)
);

CREATE INDEX former_endpoint_secrets_old ON former_endpoint_secrets (replaced_at_ms);

-- A delivery that is restarted while an attempt is running gets a new round, and the result of that
-- attempt does not complete it. `farewell_url` is a former address of the endpoint: it is notified
-- of the move with `farewell_body`.
CREATE TABLE deliveries (
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    merchant TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    round BIGINT NOT NULL DEFAULT 0,
    next_at_ms BIGINT NOT NULL,
    last_status BIGINT,
    last_error TEXT,
    farewell_url TEXT,
    farewell_body TEXT,
    PRIMARY KEY (event, endpoint)
); -- clustered

CREATE INDEX deliveries_pending ON deliveries (next_at_ms) WHERE state = 'pending';
CREATE INDEX deliveries_of_endpoint ON deliveries (endpoint, event);
CREATE INDEX deliveries_pending_of_endpoint ON deliveries (endpoint) WHERE state = 'pending';

CREATE TABLE delivery_attempts (
    event TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status BIGINT,
    error TEXT,
    response TEXT,
    PRIMARY KEY (event, endpoint, number)
); -- clustered

-- Builds of the widget ----------------------------------------------------------------------------

-- Builds that servers of this database use, or used recently: during a rolling update each server
-- serves the files of all of them.
CREATE TABLE widget_builds (
    digest TEXT NOT NULL PRIMARY KEY,
    seen_at_ms BIGINT NOT NULL
);

-- `content` is base64url; `coding` is identity, gzip or br.
CREATE TABLE widget_files (
    build TEXT NOT NULL,
    name TEXT NOT NULL,
    coding TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (build, name, coding)
);
