-- Batches: many generations, handed over at once. Times are epoch ms.
CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  -- Name of its rows in batch_items: that of the upload which brought them. Two calls at once with one key bring two sets,
  -- and one of them becomes the batch.
  items TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  token TEXT NOT NULL,
  -- Digest of what was handed over: the same key with other lines is refused.
  digest TEXT NOT NULL,
  -- receiving until every item is stored; then accepted. Progress is counted in the items.
  state TEXT NOT NULL CHECK (state IN ('receiving', 'accepted')),
  total INTEGER NOT NULL,
  -- Caller, quote, images address and webhook as they were when it was accepted: JSON, worker/batches/terms.ts.
  terms TEXT NOT NULL,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  cancelled_at INTEGER,
  finished_at INTEGER
);

CREATE INDEX batches_newest ON batches (workspace, created_at DESC, id DESC);
CREATE INDEX batches_receiving ON batches (created_at) WHERE state = 'receiving';

CREATE TABLE batch_items (
  -- batches.items
  batch TEXT NOT NULL,
  -- From 1, as in what was handed over.
  line INTEGER NOT NULL,
  key TEXT NOT NULL,
  generation TEXT NOT NULL,
  -- waiting (for its turn or for what it needs), handed_over (in the queue), accepted (its generation exists), ended.
  state TEXT NOT NULL CHECK (state IN ('waiting', 'handed_over', 'accepted', 'ended')),
  -- When it was sent to the queue last.
  handed_at INTEGER,
  -- Status of the generation, once ended; failed or cancelled where there is none.
  status TEXT,
  -- The order in which items ended, from 1: what `results?after=` counts.
  ended_seq INTEGER,
  -- Why there is no generation: JSON {code, message}.
  error TEXT,
  -- JSON list of lines whose pictures this one is made from; NULL when there are none.
  needs TEXT,
  request TEXT NOT NULL,
  PRIMARY KEY (batch, line)
);

CREATE INDEX batch_items_by_generation ON batch_items (generation);
CREATE INDEX batch_items_open ON batch_items (batch, state, line) WHERE state <> 'ended';
CREATE INDEX batch_items_by_end ON batch_items (batch, ended_seq, status) WHERE ended_seq IS NOT NULL;
