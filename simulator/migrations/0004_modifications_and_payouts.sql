-- Captures, voids and refunds, and payouts to merchants.

-- The refunded amount in the payment's currency and in the account's. The held amount is the
-- authorized amount less the captured amount.
ALTER TABLE bank_authorizations ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_authorizations ADD COLUMN refunded_account_minor BIGINT NOT NULL DEFAULT 0;

-- The first decision stands for every repeated request. `decline` is null for an approval.
CREATE TABLE bank_modifications (
    modification TEXT NOT NULL,
    provider TEXT NOT NULL,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    is_final BIGINT NOT NULL,
    decline TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (modification, provider)
); -- clustered

-- Messages that were lost because they belong to the share of a fault. They are not lost again.
CREATE TABLE bank_lost_messages (
    message TEXT NOT NULL PRIMARY KEY
);

-- The sender's text without spaces and in capitals, to find the collection.
ALTER TABLE bank_transfers ADD COLUMN plain_reference TEXT NOT NULL DEFAULT '';
UPDATE bank_transfers SET plain_reference = UPPER(REPLACE(creditor_reference, ' ', ''));
CREATE INDEX bank_transfers_by_reference ON bank_transfers (plain_reference);
ALTER TABLE bank_collections ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;

-- The state is `paid`, `returned` by the merchant's bank, or `acknowledged` after a return.
CREATE TABLE bank_payouts (
    id TEXT NOT NULL PRIMARY KEY,
    merchant TEXT NOT NULL,
    account TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    created_at_ms BIGINT NOT NULL,
    returned_at_ms BIGINT
); -- clustered

CREATE INDEX bank_payouts_returned ON bank_payouts (returned_at_ms) WHERE state = 'returned';
