// The OpenAI drop-in: /openai/v1, as the openai clients call it.
import { Hono } from 'hono'
import type { AppEnv } from '../env.ts'

export const openai = new Hono<AppEnv>()
