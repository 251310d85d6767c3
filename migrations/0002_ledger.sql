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
