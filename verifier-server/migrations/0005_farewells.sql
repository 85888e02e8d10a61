-- An address that an endpoint had before: it is told once that the endpoint moved, whatever comes of it.
ALTER TABLE deliveries ADD COLUMN farewell_url TEXT;
