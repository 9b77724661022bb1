-- What holds for a key beside its scopes, as JSON; rises with every change; why it is disabled, NULL while it is not.
ALTER TABLE api_keys ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_keys ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE api_keys ADD COLUMN disabled TEXT;
