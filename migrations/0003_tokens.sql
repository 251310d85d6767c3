-- Tokens beside ADMIN_TOKEN. The secret itself is not stored. Money is whole micro-USD, times are epoch ms.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  workspace TEXT NOT NULL,
  -- JSON list of generate, read, admin.
  scopes TEXT NOT NULL,
  -- Hex SHA-256 of the secret.
  hash TEXT NOT NULL,
  budget_day INTEGER,
  budget_month INTEGER,
  budget_total INTEGER,
  per_minute INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
);

CREATE INDEX tokens_of_workspace ON tokens (workspace, created_at);
