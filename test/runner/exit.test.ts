// What ends a command before it has begun, as its exit code and its words.
import { expect, test } from 'vitest'
import type { ProblemView } from '../../core/api.ts'
import { WorkerProblem } from '../../runner/client.ts'
import { exitOf, OverBudget } from '../../runner/exit.ts'

const problem = (
  code: ProblemView['code'],
  status: number,
  detail: string,
  budget: Pick<ProblemView, 'budget'> = {},
) =>
  new WorkerProblem({
    type: 't',
    title: code,
    status,
    detail,
    code,
    charged: 'no',
    retryAfterMs: null,
    requestId: 'r',
    ...budget,
  })

test.each([
  [
    'a token that is not known',
    problem('unauthorised', 401, 'this token is not known'),
    { code: 4, message: 'the worker says: this token is not known (PROOFSHEET_TOKEN is sent as the token)' },
  ],
  [
    'a token that may not do this',
    problem('forbidden', 403, 'this token may only read'),
    { code: 4, message: 'the worker says: this token may only read' },
  ],
  [
    'a token that has spent what it may',
    problem('budget_exceeded', 402, 'this token may spend $5.00 a day; $4.99 are spent or held', {
      budget: { period: 'day', limit: 5, committed: 4.99, remaining: 0.01 },
    }),
    { code: 5, message: 'the worker says: this token may spend $5.00 a day; $4.99 are spent or held' },
  ],
  ['a limit that is too low', new OverBudget('too dear'), { code: 5, message: 'too dear' }],
  [
    'a worker that is down',
    problem('internal', 503, 'its storage does not answer'),
    { code: 6, message: 'the worker says: its storage does not answer (503)' },
  ],
  [
    'a worker that has too much to do',
    problem('internal', 429, 'too many requests'),
    { code: 6, message: 'the worker says: too many requests (429)' },
  ],
  [
    'a request that is wrong',
    problem('invalid_request', 400, 'requests: too many'),
    { code: 2, message: 'the worker says: requests: too many' },
  ],
  [
    'a full disk',
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' }),
    { code: 6, message: 'the disk is full (ENOSPC, write); make room and run the command again' },
  ],
  [
    'a file in the place of a folder',
    Object.assign(new Error("ENOTDIR: not a directory, mkdir '/shop/out/a'"), {
      ...{ code: 'ENOTDIR', syscall: 'mkdir', path: '/shop/out/a' },
    }),
    {
      code: 6,
      message:
        'a file is where a folder is needed: /shop/out/a (ENOTDIR, mkdir); move it away and run the command again',
    },
  ],
  [
    'what the system says of something else',
    Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' }),
    { code: 6, message: 'EIO: i/o error, read' },
  ],
  ['a bug', new TypeError('x is undefined'), undefined],
])('%s', (_, error, exit) => expect(exitOf(error)).toEqual(exit))
