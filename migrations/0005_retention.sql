-- Names of pictures that retention has deleted: their addresses answer 410, not 404. Times are epoch ms.
CREATE TABLE deleted_pictures (
  name TEXT PRIMARY KEY,
  generation TEXT NOT NULL,
  deleted_at INTEGER NOT NULL
) WITHOUT ROWID;
