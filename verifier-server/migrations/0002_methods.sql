-- More ways to pay, who was asked and why, and what the fraud rules and the issuer say.
--
-- A payment without a card has empty texts where the first form wanted some.

ALTER TABLE sessions ADD COLUMN methods TEXT NOT NULL DEFAULT 'card';
ALTER TABLE sessions ADD COLUMN billing_country TEXT;
ALTER TABLE sessions ADD COLUMN requires_authentication BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payments ADD COLUMN method TEXT NOT NULL DEFAULT 'card';
ALTER TABLE payments ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE payments ADD COLUMN address TEXT;
ALTER TABLE payments ADD COLUMN route_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE payments ADD COLUMN risk TEXT;
ALTER TABLE payments ADD COLUMN authentication TEXT;
ALTER TABLE payments ADD COLUMN transfer TEXT;
ALTER TABLE payments ADD COLUMN transfer_reference TEXT;

-- Only payments that are assessed have an address, so that a load of test cards costs no index.
CREATE INDEX payments_of_card ON payments (card_fingerprint, id) WHERE address IS NOT NULL;
CREATE INDEX payments_of_address ON payments (address, id) WHERE address IS NOT NULL;
CREATE INDEX payments_of_transfer ON payments (transfer_reference)
    WHERE transfer_reference IS NOT NULL;
CREATE INDEX payments_held ON payments (created_at_ms) WHERE state = 'authorized';

DROP INDEX payments_open;
CREATE INDEX payments_open ON payments (lease_until_ms)
    WHERE state IN ('authorizing', 'requires_action', 'unknown');

-- What a tester has set: how far the clock is ahead, how webhooks misbehave.
CREATE TABLE simulation (
    name TEXT NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    value TEXT NOT NULL
);
