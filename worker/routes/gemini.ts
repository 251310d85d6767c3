// The Gemini drop-in: /v1beta/models/… and /v1/models/…, as Google's clients and the relays' examples call them.
import { Hono } from 'hono'
import type { AppEnv } from '../env.ts'

export const gemini = new Hono<AppEnv>()
