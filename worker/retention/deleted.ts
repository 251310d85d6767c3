// What retention deleted, for those who ask for it afterwards.

export type Deletion = { generation: string; deletedAt: number }

/** When a picture was deleted, by its base name; null when retention did not do it. Rejects when D1 does. */
export async function deletionOf(db: D1Database, name: string): Promise<Deletion | null> {
  return db
    .prepare('SELECT generation, deleted_at AS deletedAt FROM deleted_pictures WHERE name = ?1')
    .bind(name)
    .first<Deletion>()
}

/** What became of a picture that was made and is not stored any more, and what to do. `deletedAt`: undefined where it was
 *  not this worker that deleted it. */
export function goneWords(what: string, deletedAt: number | undefined, generation: string): string {
  const fate =
    deletedAt === undefined
      ? 'is not stored any more'
      : `was deleted on ${new Date(deletedAt).toISOString().slice(0, 10)} because of its age`
  return `${what} ${fate} (generation ${generation}); ask for it anew with another Idempotency-Key, or with none`
}
