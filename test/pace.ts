// How many test files run at once.
import { availableParallelism } from 'node:os'

/** Much of a test's time is waiting, for a process to start or for an answer: one file more than there are cores. */
export const FILES_AT_ONCE = availableParallelism() + 1
