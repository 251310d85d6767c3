// The OpenAI drop-in: /openai/v1, as the openai clients call it. Everything under it answers in OpenAI's own shape, what is
// not offered as well.
import { type Context, Hono } from 'hono'
import type { AppEnv } from '../env.ts'
import { authenticate } from '../http/auth.ts'
import { market } from '../http/market.ts'
import { requiresDropIn } from '../http/scopes.ts'
import { answerChat } from '../openai/chat.ts'
import { errorResponse, OpenAiError, openAiError } from '../openai/errors.ts'
import { answerImages } from '../openai/images.ts'
import { modelEntry, modelList } from '../openai/models.ts'
import { drain } from '../stream/drain.ts'

export const openai = new Hono<AppEnv>()
  .use(market, authenticate, requiresDropIn)
  .post('/images/generations', (c) => answerImages(c, 'image_generation'))
  .post('/images/edits', (c) => answerImages(c, 'image_edit'))
  .post('/chat/completions', answerChat)
  .get('/models', (c) => c.json(modelList(c.var.market)))
  .get('/models/:id{.+}', (c) => c.json(modelEntry(c.req.param('id'), c.var.market)))
  .all('*', async (c) => {
    if (c.req.raw.body) await drain(c.req.raw.body)
    throw elsewhere(c)
  })
  .onError((error, c) => errorResponse(openAiError(c, error), c.var.requestId))

/** What there is, by its path; `:id` stands for any name. */
const OFFERED: Readonly<Record<string, string>> = {
  '/images/generations': 'POST',
  '/images/edits': 'POST',
  '/chat/completions': 'POST',
  '/models': 'GET',
  '/models/:id': 'GET',
}

/** What clients may look for in vain, and what to call for it. */
const INSTEAD: Readonly<Record<string, string>> = {
  '/images/variations': 'send the picture to /images/edits with a prompt that says what to vary',
  '/responses': 'use /images/generations, /images/edits or /chat/completions',
  '/completions': 'use /chat/completions',
  '/files': 'send images in the request itself: a multipart form, data URLs or https addresses',
}

/** There is nothing at this path, or nothing with this method. */
function elsewhere(c: Context<AppEnv>): OpenAiError {
  const path = c.req.path.replace(/^\/openai\/v1/, '').replace(/\/+$/, '')
  const method = OFFERED[path.replace(/^\/models\/.+/, '/models/:id')]
  const type = 'invalid_request_error'
  if (method)
    return new OpenAiError(
      { status: 405, type, code: 'method_not_allowed' },
      `${c.req.path} takes ${method}, not ${c.req.method}`,
      { headers: { allow: method } },
    )
  const all = Object.entries(OFFERED).map(([known, verb]) => `${verb} /openai/v1${known}`)
  const hint = INSTEAD[path] ?? `there are ${all.join(', ')}`
  return new OpenAiError(
    { status: 404, type, code: 'unknown_url' },
    `there is nothing at ${c.req.path}: ${hint}`,
  )
}
