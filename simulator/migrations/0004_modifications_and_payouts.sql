-- What follows an authorization: captures, voids and refunds, each known by its name; and payouts
-- to merchants.

-- What went back of what was taken, in the payment's currency and in the account's. What is still
-- held of an entry is what it is about without what was taken.
ALTER TABLE bank_authorizations ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_authorizations ADD COLUMN refunded_account_minor BIGINT NOT NULL DEFAULT 0;

-- The first answer stands: whoever asks again is told the same, and nothing is done twice.
-- `decline` is null for what was done.
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

-- A message that was lost because it belongs to a share of all: it is not lost again, so that
-- whoever repeats it is heard some day.
CREATE TABLE bank_lost_messages (
    message TEXT NOT NULL PRIMARY KEY
);

-- What somebody wrote, without spaces and in capitals, finds what is expected.
ALTER TABLE bank_transfers ADD COLUMN plain_reference TEXT NOT NULL DEFAULT '';
UPDATE bank_transfers SET plain_reference = UPPER(REPLACE(creditor_reference, ' ', ''));
CREATE INDEX bank_transfers_by_reference ON bank_transfers (plain_reference);
ALTER TABLE bank_collections ADD COLUMN refunded_minor BIGINT NOT NULL DEFAULT 0;

-- The state is `paid`, `returned` by the merchant's bank, or `acknowledged` once a return was dealt
-- with.
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
