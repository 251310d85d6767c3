// Real Generation and ProviderGate objects, with their alarms and storage, before the emulator's own limit, and a clock that
// goes to the next event as soon as nothing moves any more. Only the drawing and the network are left out.
import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { vi } from 'vitest'
import type { RpcError } from '../../../core/gemini/rpc.ts'
import { createLimits, type Limits } from '../../../emulator/limits.ts'
import { generationId } from '../../../worker/generation/name.ts'
import { Generation } from '../../../worker/generation/object.ts'
import { gateName } from '../../../worker/providers/gate.ts'
import { env } from '../../worker/setup/bindings.ts'
import { alarmOf, stub, wish } from '../../worker/setup/objects.ts'

/** Far ahead, so that no alarm fires by itself. */
const START = Date.UTC(2090, 0)

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const ANSWER = JSON.stringify({
  candidates: [
    { content: { parts: [{ inlineData: { mimeType: 'image/png', data: PIXEL } }] }, finishReason: 'STOP' },
  ],
})

/** The provider: the emulator's limit, and a picture after `latencyMs` of the clock. */
export function limited(limits: Limits, latencyMs: (call: number) => number) {
  const { enter } = createLimits([{ provider: 'apiyi', ...limits }])
  const seen = { made: 0, refused: 0, running: 0, most: 0, sleeping: new Set<number[]>() }
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
    await new Response(init!.body).text()
    let leave: () => void
    try {
      leave = enter('apiyi', 'model', Date.now())
    } catch (error) {
      seen.refused++
      return new Response(JSON.stringify((error as RpcError).body), { status: (error as RpcError).code })
    }
    const sleeper = [Date.now() + latencyMs(seen.made++)]
    seen.most = Math.max(seen.most, ++seen.running)
    seen.sleeping.add(sleeper)
    while (Date.now() < sleeper[0]!) await scheduler.wait(3)
    seen.sleeping.delete(sleeper)
    seen.running--
    leave()
    return new Response(ANSWER)
  })
  return seen
}

/** Asks for `count` pictures at once and lets the clock run until all have ended; ms of the clock. */
export async function makeAll(
  count: number,
  seen: ReturnType<typeof limited>,
): Promise<{ ids: string[]; ms: number }> {
  vi.useFakeTimers({ toFake: ['Date'], now: START })
  const due = new Map<string, number>()
  const touched = new Set<string>()
  const turn = Generation.prototype.turn
  vi.spyOn(Generation.prototype, 'turn').mockImplementation(async function (this: Generation) {
    await turn.call(this)
    touched.add((this as unknown as { ctx: DurableObjectState }).ctx.id.name!)
  })
  const gate = env.GATE.get(env.GATE.idFromName(gateName(env, { id: 'apiyi' }, 'gemini-3.1-flash-image')))
  const gateAlarm = () => runInDurableObject(gate, (_, state) => state.storage.getAlarm())
  const look = async (id: string) => {
    const at = await alarmOf(id)
    if (at === null) due.delete(id)
    else due.set(id, at)
  }
  const ids = Array.from({ length: count }, (_, index) =>
    generationId('default', `limited ${seen.refused} ${index} ${crypto.randomUUID()}`),
  )
  for (const id of ids) {
    await stub(id).ensure(wish(id, { prompt: id }))
    due.set(id, START)
  }
  const running = new Set<string>()
  const start = (name: string, work: () => Promise<unknown>) => {
    running.add(name)
    const end = async () => {
      await work()
      if (name !== 'gate') await look(name)
      running.delete(name)
    }
    void end()
  }
  const isStill = () => {
    const asleep = [...seen.sleeping].filter(([at]) => at! > Date.now()).length
    return touched.size === 0 && running.size === asleep && seen.sleeping.size === asleep
  }
  const settle = async () => {
    for (let still = 0; still < 2; still = isStill() ? still + 1 : 0) {
      for (const id of touched) {
        touched.delete(id)
        if (!running.has(id)) await look(id)
      }
      await scheduler.wait(2)
    }
  }
  for (;;) {
    await settle()
    const gateAt = (await gateAlarm()) ?? Number.POSITIVE_INFINITY
    const at = Math.min(
      gateAt,
      ...[...due].flatMap(([id, at]) => (running.has(id) ? [] : [at])),
      ...[...seen.sleeping].map(([at]) => at!),
    )
    if (at === Number.POSITIVE_INFINITY) break
    vi.setSystemTime(Math.max(at, Date.now()))
    if (gateAt <= Date.now()) start('gate', () => runDurableObjectAlarm(gate))
    for (const [id, dueAt] of due)
      if (dueAt <= Date.now() && !running.has(id)) start(id, () => runDurableObjectAlarm(stub(id)))
  }
  return { ids, ms: Date.now() - START }
}
