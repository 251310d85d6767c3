-- What retention deleted, and how far it has come. Times are epoch ms.

-- Base names of deleted pictures: their addresses answer 410, not 404. One attempt has one base name, whatever it stored.
CREATE TABLE deleted_pictures (
  name TEXT PRIMARY KEY,
  generation TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX generations_to_forget ON generations (finished_at) WHERE deleted_at IS NULL AND finished_at IS NOT NULL;
-- What may still need its input images.
CREATE INDEX generations_open ON generations (id) WHERE status IN ('queued', 'running');
-- What should have ended.
CREATE INDEX generations_overdue ON generations (json_extract(record, '$.deadlineAt'))
  WHERE status IN ('queued', 'running');

-- A pass through the objects of the bucket under a prefix: it is too much for one run where they are many.
CREATE TABLE retention_passes (
  prefix TEXT PRIMARY KEY,
  -- Where the pass goes on; NULL: it has come to the end.
  cursor TEXT,
  begun_at INTEGER NOT NULL
) WITHOUT ROWID;
