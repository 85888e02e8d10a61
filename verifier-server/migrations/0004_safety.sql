-- What makes the gateway safe by default: who did what, and limits that belong to one merchant.

-- The credential that a stored response belongs to: another one of the merchant does not see it.
ALTER TABLE idempotent_requests ADD COLUMN credential TEXT NOT NULL DEFAULT '';

-- Fraud rules look at assessed payments, whether their address is known or not.
DROP INDEX payments_of_card;
CREATE INDEX payments_of_card ON payments (card_fingerprint, id) WHERE risk IS NOT NULL;

-- The widget's builds that verifiers on this database serve, or served lately: while verifiers are
-- replaced one by one, each serves the files of all of them.
CREATE TABLE widget_builds (
    digest TEXT NOT NULL PRIMARY KEY,
    seen_at_ms BIGINT NOT NULL
);

-- Content is base64url; coding is identity, gzip or br.
CREATE TABLE widget_files (
    build TEXT NOT NULL,
    name TEXT NOT NULL,
    coding TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (build, name, coding)
);
