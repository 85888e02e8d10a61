-- An address that an endpoint had before: it is told once that the endpoint moved, whatever comes of it.
ALTER TABLE deliveries ADD COLUMN farewell_url TEXT;

-- The credential that made an endpoint, or the operator; unknown of those that are older.
ALTER TABLE webhook_endpoints ADD COLUMN created_by TEXT;

-- Servers that run on this database, and the master key that each encrypts under: a rotation waits for
-- all of them. Seconds since 1970 by the system's clock.
CREATE TABLE running_servers (
    server TEXT NOT NULL PRIMARY KEY,
    master_key TEXT NOT NULL,
    seen_at BIGINT NOT NULL
);
