-- Secrets that endpoints had: an address that an endpoint had before is told so with those of the last
-- day as well.
CREATE TABLE former_endpoint_secrets (
    endpoint TEXT NOT NULL,
    secret_encrypted TEXT NOT NULL,
    replaced_at_ms BIGINT NOT NULL,
    PRIMARY KEY (endpoint, secret_encrypted)
);

CREATE INDEX former_endpoint_secrets_old ON former_endpoint_secrets (replaced_at_ms);

-- What an address that an endpoint had before is told: the new address without its path.
ALTER TABLE deliveries ADD COLUMN farewell_body TEXT;

-- A key that one credential has used is another one's to use for another request: the same key with the
-- same request is one request, whoever sends it, and a credential uses a key for one request.
CREATE TABLE idempotent_requests_of_credentials (
    merchant TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    credential TEXT NOT NULL,
    resource TEXT NOT NULL,
    answer TEXT,
    created_at_ms BIGINT NOT NULL,
    PRIMARY KEY (merchant, idempotency_key, request_digest)
); -- clustered

INSERT INTO idempotent_requests_of_credentials
    (merchant, idempotency_key, request_digest, credential, resource, answer, created_at_ms)
    SELECT merchant, idempotency_key, request_digest, credential, resource, answer, created_at_ms
    FROM idempotent_requests;

DROP TABLE idempotent_requests;
ALTER TABLE idempotent_requests_of_credentials RENAME TO idempotent_requests;

CREATE UNIQUE INDEX idempotent_requests_of_credential
    ON idempotent_requests (merchant, idempotency_key, credential);
CREATE INDEX idempotent_requests_old ON idempotent_requests (created_at_ms);
