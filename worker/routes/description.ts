// /openapi.json and /docs: what this worker can be asked, for programs and for people. No token: neither says more than
// the source does.
import type { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import styles from 'swagger-ui-dist/swagger-ui.css'
import script from 'swagger-ui-dist/swagger-ui-bundle.js'
import { documentOf } from '../description/document.ts'
import { PAGE, POLICY, SCRIPT, STYLE } from '../description/page.ts'
import type { AppEnv } from '../env.ts'

const JAVASCRIPT = 'text/javascript; charset=utf-8'
const CSS = 'text/css; charset=utf-8'

/** What lies beside the page, and nothing else of the package. */
const FILES: Record<string, [content: string | ArrayBuffer, type: string]> = {
  'page.js': [SCRIPT, JAVASCRIPT],
  'page.css': [STYLE, CSS],
  'swagger-ui-bundle.js': [script, JAVASCRIPT],
  'swagger-ui.css': [styles, CSS],
}

/** The description of `app`, which it is to be mounted in. */
export function description(app: OpenAPIHono<AppEnv>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/openapi.json', (c) => c.json(documentOf(app, new URL(c.req.url).origin)))
  routes.get('/docs', (c) => {
    c.header('content-security-policy', POLICY)
    c.header('x-content-type-options', 'nosniff')
    c.header('referrer-policy', 'no-referrer')
    return c.html(PAGE)
  })
  for (const [name, [content, type]] of Object.entries(FILES))
    routes.get(`/docs/${name}`, (c) => {
      c.header('content-type', type)
      c.header('cache-control', 'public, max-age=3600')
      c.header('x-content-type-options', 'nosniff')
      return c.body(content)
    })
  return routes
}
