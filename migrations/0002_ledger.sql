-- Who asked, for which batch, and whether the pictures are still there.
ALTER TABLE generations ADD COLUMN token TEXT;
ALTER TABLE generations ADD COLUMN batch TEXT;
ALTER TABLE generations ADD COLUMN deleted_at INTEGER;

CREATE INDEX generations_of_batch ON generations (batch) WHERE batch IS NOT NULL;

-- What became of the money, append-only: every provider call is reserved before it is sent and then settled (charged),
-- released (free) or orphaned (nobody can say). Money is whole micro-USD, NULL where it is not known. Times are epoch ms.
CREATE TABLE ledger (
  generation TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('reserve', 'settle', 'release', 'orphan')),
  workspace TEXT NOT NULL,
  token TEXT NOT NULL,
  batch TEXT,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  -- reserve, orphan: at most this; settle: this; release: 0.
  micro_usd INTEGER,
  -- The attempt brought a picture.
  has_picture INTEGER NOT NULL,
  prices TEXT NOT NULL,
  -- The provider's own id of the call.
  request_id TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY (generation, attempt, kind)
) WITHOUT ROWID;

CREATE INDEX ledger_by_time ON ledger (workspace, at);
CREATE INDEX ledger_by_batch ON ledger (batch) WHERE batch IS NOT NULL;

-- The calls: one row for each, at the instant of its earliest row in the ledger, and as what it counts. Settled goes before
-- released and released before orphaned, because the orphan of a call may turn out to have been either.
CREATE VIEW ledger_calls AS
SELECT first.generation, first.attempt, first.at, first.workspace, first.token, first.batch, first.provider, first.model,
  CASE WHEN settled.kind IS NOT NULL THEN 'settle' WHEN released.kind IS NOT NULL THEN 'release'
    WHEN orphaned.kind IS NOT NULL THEN 'orphan' ELSE 'reserve' END AS kind,
  CASE WHEN settled.kind IS NOT NULL THEN settled.micro_usd WHEN released.kind IS NOT NULL THEN 0
    WHEN orphaned.kind IS NOT NULL THEN orphaned.micro_usd ELSE first.micro_usd END AS micro_usd,
  COALESCE(settled.has_picture, released.has_picture, orphaned.has_picture, 0) AS has_picture
FROM ledger first
LEFT JOIN ledger settled
  ON settled.generation = first.generation AND settled.attempt = first.attempt AND settled.kind = 'settle'
LEFT JOIN ledger released
  ON released.generation = first.generation AND released.attempt = first.attempt AND released.kind = 'release'
LEFT JOIN ledger orphaned
  ON orphaned.generation = first.generation AND orphaned.attempt = first.attempt AND orphaned.kind = 'orphan'
WHERE NOT EXISTS (
  SELECT 1 FROM ledger earlier WHERE earlier.generation = first.generation AND earlier.attempt = first.attempt
    AND (earlier.at, earlier.kind) < (first.at, first.kind));
