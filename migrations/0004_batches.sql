-- Batches: many generations, handed over at once. Times are epoch ms.
CREATE TABLE batches (
  id TEXT PRIMARY KEY,
  -- Names its rows in batch_lines: the set that one upload brought. Two calls at once with one key bring two sets, and one
  -- of them becomes the batch.
  line_set TEXT NOT NULL UNIQUE,
  workspace TEXT NOT NULL,
  token TEXT NOT NULL,
  -- Digest of what was handed over: the same key with other lines is refused.
  digest TEXT NOT NULL,
  -- receiving until every line is stored; then accepted. Progress is counted in the lines.
  state TEXT NOT NULL CHECK (state IN ('receiving', 'accepted')),
  total INTEGER NOT NULL,
  -- Caller, quote, images address and webhook as they were when it was accepted: JSON, worker/batches/register.ts.
  terms TEXT NOT NULL,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  cancelled_at INTEGER,
  finished_at INTEGER
);

CREATE INDEX batches_newest ON batches (workspace, created_at DESC, id DESC);
CREATE INDEX batches_receiving ON batches (created_at) WHERE state = 'receiving';

CREATE TABLE batch_lines (
  -- batches.line_set
  line_set TEXT NOT NULL,
  -- From 1, as in what was handed over.
  line INTEGER NOT NULL,
  key TEXT NOT NULL,
  generation TEXT NOT NULL,
  -- waiting (for its turn or for what it needs), handed_over (in the queue), accepted (its generation exists), ended.
  state TEXT NOT NULL CHECK (state IN ('waiting', 'handed_over', 'accepted', 'ended')),
  -- When it was sent to the queue last. Of one that waits: when it was put back, because a budget had no room.
  handed_at INTEGER,
  -- Status of the generation, once ended; failed or cancelled where there is none.
  status TEXT,
  -- The order in which lines ended, from 1: what `results?after=` counts. A line that is taken up again keeps it, without a
  -- status, so that no number is given twice.
  ended_seq INTEGER,
  -- Why there is no generation: JSON {code, message}.
  error TEXT,
  -- JSON list of lines whose pictures this one is made from; NULL when there are none.
  needs TEXT,
  request TEXT NOT NULL,
  PRIMARY KEY (line_set, line)
);

CREATE INDEX batch_lines_by_generation ON batch_lines (generation);
-- Queries that are to use it repeat `state <> 'ended'` beside the state they want: SQLite does not conclude it.
CREATE INDEX batch_lines_open ON batch_lines (line_set, state, line) WHERE state <> 'ended';
CREATE INDEX batch_lines_by_end ON batch_lines (line_set, ended_seq, status) WHERE ended_seq IS NOT NULL;
