// The worker's entry: nothing but exports.
import { createApp } from './app.ts'
import { consoleLog } from './log.ts'

export { Generation } from './generation/object.ts'
export { Shield } from './generation/shield.ts'
export default createApp(consoleLog, Date.now)
