-- The index of generations: a copy of each object's record, for lists and look-ups by many ids. The objects are the
-- truth; a row may lag behind its object. Times are epoch milliseconds.
CREATE TABLE generations (
  id TEXT PRIMARY KEY,
  workspace TEXT NOT NULL,
  status TEXT NOT NULL,
  provider TEXT NOT NULL,
  model TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  -- Grows with every change of the record.
  version INTEGER NOT NULL,
  -- The record as JSON: worker/generation/record.ts.
  record TEXT NOT NULL
);

CREATE INDEX generations_newest ON generations (workspace, created_at DESC, id DESC);
