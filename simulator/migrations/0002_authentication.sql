-- Authentication of shoppers: challenges, their steps, messages to phones, passkeys.

-- One row for each payment. While the challenge is open, `expected` is the keyed hash of the code,
-- or the random part of the challenge that the passkey must sign.
CREATE TABLE bank_challenges (
    reference TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    payee TEXT NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    brand TEXT NOT NULL,
    parent_origin TEXT NOT NULL,
    reasons TEXT NOT NULL,
    sent_to TEXT NOT NULL,
    state TEXT NOT NULL,
    challenge TEXT,
    status TEXT,
    expected TEXT NOT NULL,
    refused BIGINT NOT NULL,
    attempts_left BIGINT NOT NULL,
    resends_left BIGINT NOT NULL,
    resend_at_ms BIGINT NOT NULL,
    code_expires_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    decided_at_ms BIGINT,
    registration TEXT
);

-- The shopper's steps, so that a repeated step is not applied again.
CREATE TABLE bank_challenge_steps (
    reference TEXT NOT NULL,
    id TEXT NOT NULL,
    resend_not_allowed BIGINT NOT NULL,
    PRIMARY KEY (reference, id)
); -- clustered

-- Ids begin with the time, so the newest are last.
CREATE TABLE bank_messages (
    id TEXT NOT NULL PRIMARY KEY,
    phone TEXT NOT NULL,
    account TEXT NOT NULL,
    text TEXT NOT NULL,
    code TEXT,
    created_at_ms BIGINT NOT NULL
); -- clustered

-- A passkey belongs to an account at one relying party.
CREATE TABLE bank_passkeys (
    account TEXT NOT NULL,
    rp_id TEXT NOT NULL,
    credential_id TEXT NOT NULL UNIQUE,
    algorithm BIGINT NOT NULL,
    public_key TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    backup_eligible BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (account, rp_id)
);
