// Where the pictures of a report are seen. An address of another machine is used as it is. One of this machine dies with
// the worker, so a saved file stands in for it; and on request the report carries small copies of the saved files itself.
import { relative, sep } from 'node:path'
import PQueue from 'p-queue'
import sharp from 'sharp'
import type { Item } from '../manifest/item.ts'
import type { LockEntry } from '../state/lock.ts'
import { isLocal } from '../views/export.ts'
import type { Source } from './data.ts'

/** The longest side of a copy inside a report, in pixels. */
const THUMB_PX = 512

const THUMB_QUALITY = 78

export type Sources = {
  /** By id. */
  of: Map<string, Source>
  /** How many are read from files beside the report. */
  files: number
  /** How many have an address of this machine and no file. */
  local: number
}

/** The sources of pictures. `saved` are their files by item; `folder` is the report's. */
export async function sourcesOf(
  pictures: readonly { item: Pick<Item, 'id'>; entry: LockEntry }[],
  { inline, folder, saved }: { inline: boolean; folder: string; saved: ReadonlyMap<string, string> },
): Promise<Sources> {
  const sources: Sources = { of: new Map(), files: 0, local: 0 }
  // Each copy holds one decoded picture in memory.
  const queue = new PQueue({ concurrency: 4 })
  await queue.addAll(
    pictures.map(({ item: { id }, entry }) => async () => {
      const { url } = entry.image!
      const path = saved.get(id)
      const thumb = inline && path !== undefined ? await thumbOf(path) : undefined
      if (thumb) sources.of.set(id, { url: isLocal(url) ? thumb : url, thumb })
      else if (isLocal(url) && path !== undefined) {
        const place = relative(folder, path).split(sep).map(encodeURIComponent).join('/')
        sources.of.set(id, { url: place, thumb: place })
        sources.files++
      } else {
        sources.of.set(id, { url, thumb: url })
        if (isLocal(url)) sources.local++
      }
    }),
  )
  return sources
}

/** A small copy as a data: URL; undefined for a file that is no picture that can be read here. */
async function thumbOf(path: string): Promise<string | undefined> {
  try {
    const bytes = await sharp(path)
      .rotate()
      .resize(THUMB_PX, THUMB_PX, { fit: 'inside', withoutEnlargement: true })
      .webp({ quality: THUMB_QUALITY })
      .toBuffer()
    return `data:image/webp;base64,${bytes.toString('base64')}`
  } catch {
    return undefined
  }
}
