-- The codes of decisions, and stored credentials.

-- An approval has the first three, and the credential that it stored; a decline may have advice.
ALTER TABLE bank_authorizations ADD COLUMN authorization_code TEXT;
ALTER TABLE bank_authorizations ADD COLUMN acquirer_reference TEXT;
ALTER TABLE bank_authorizations ADD COLUMN network_transaction_id TEXT;
ALTER TABLE bank_authorizations ADD COLUMN credential TEXT;
ALTER TABLE bank_authorizations ADD COLUMN advice_code TEXT;
