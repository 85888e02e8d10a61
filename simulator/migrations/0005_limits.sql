-- Limits against strangers who know a card's number.

-- After five wrong codes in a row no code is accepted until this moment; 0 where there is no pause, or
-- where the bank has locked the account. `code_cooldowns` counts the pauses without a right code
-- between them.
ALTER TABLE bank_accounts ADD COLUMN codes_refused_until_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_accounts ADD COLUMN code_cooldowns BIGINT NOT NULL DEFAULT 0;

-- Messages with a code in the hour since a moment.
ALTER TABLE bank_accounts ADD COLUMN messages BIGINT NOT NULL DEFAULT 0;
ALTER TABLE bank_accounts ADD COLUMN messages_since_ms BIGINT NOT NULL DEFAULT 0;
