-- Limits that a stranger cannot turn against a cardholder for good.

-- After five wrong codes in a row no code is looked at until this moment; 0 where there is none, or
-- where the bank itself has locked the account. `code_cooldowns` counts how often that happened
-- without a right one in between.
ALTER TABLE bank_accounts ADD COLUMN codes_refused_until_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_accounts ADD COLUMN code_cooldowns BIGINT NOT NULL DEFAULT 0;

-- Messages with a code in the hour that begins at a moment.
ALTER TABLE bank_accounts ADD COLUMN messages BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_accounts ADD COLUMN messages_since_ms BIGINT NOT NULL DEFAULT 0;
