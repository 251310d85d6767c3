// Lines on their way into the queue: in small messages, and again when the queue asks for a pause.
import type { BatchMessage } from './message.ts'

/** Lines of a message, and messages of a call: the queue takes 100. */
const MESSAGE_LINES = 20
const CALL_MESSAGES = 100

/** Tries of a call, and the delay after the first in ms; the queue sometimes says at a low rate that it is overloaded, and
 *  takes the same call a moment later. */
const TRIES = 4
const PAUSE_MS = 100

/** Sends lines of a batch; `sent` is told after each call which are in the queue. Rejects when the queue refuses for
 *  good; what was told before stays sent. */
export async function handOver(
  queue: Pick<Queue<BatchMessage>, 'sendBatch'>,
  batch: string,
  lines: readonly number[],
  sent: (lines: readonly number[]) => Promise<void>,
): Promise<void> {
  const perCall = MESSAGE_LINES * CALL_MESSAGES
  for (let from = 0; from < lines.length; from += perCall) {
    const some = lines.slice(from, from + perCall)
    const messages = Array.from({ length: Math.ceil(some.length / MESSAGE_LINES) }, (_, index) => ({
      body: { batch, lines: some.slice(index * MESSAGE_LINES, (index + 1) * MESSAGE_LINES) },
    }))
    await send(queue, messages)
    await sent(some)
  }
}

async function send(
  queue: Pick<Queue<BatchMessage>, 'sendBatch'>,
  messages: readonly { body: BatchMessage }[],
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await queue.sendBatch(messages)
      return
    } catch (error) {
      if (tries === TRIES) throw error
      await scheduler.wait(PAUSE_MS * 2 ** (tries - 1))
    }
  }
}
