-- For the end of all sign-ins of an account, and for the janitor.
CREATE INDEX refresh_tokens_account ON refresh_tokens (account);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);
