-- What makes the gateway safe by default: who did what, and limits that belong to one merchant.

-- The credential that a stored response belongs to: another one of the merchant does not see it.
ALTER TABLE idempotent_requests ADD COLUMN credential TEXT NOT NULL DEFAULT '';
