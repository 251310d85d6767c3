// The calls that fail: by a status, by an answer that holds nothing, or by silence. Each with where it was seen and
// whether the provider charges it.
import { dailyQuota, invalid, invalidKey, RpcError, rateLimited } from '../core/gemini/rpc.ts'
import { type Fault, numberOf, type Parameters } from './fault.ts'
import type { Plan } from './plan.ts'

const OVERLOADED = 'The model is overloaded. Please try again later.'

const JSON_TYPE = 'application/json; charset=UTF-8'

const HTML = `<!DOCTYPE html>
<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>
`

export const FAILURES = {
  'rate-limited': {
    seen: 'dcdpr/jp#1061: RetryInfo with fractional seconds and no Retry-After header',
    charged: 'no',
    change: (_, { retry }, model) => rpc(rateLimited(numberOf(retry, 1.837906927), model)),
  },
  'daily-quota': {
    seen: 'gemini-cli#10925, promptfoo#7727: the quota id names a day',
    charged: 'no',
    change: (_plan, _parameters, model) => rpc(dailyQuota(model)),
  },
  overloaded: {
    seen: 'litellm#18118; APIYI overview: not charged',
    charged: 'no',
    change: () => rpc(new RpcError('UNAVAILABLE', OVERLOADED)),
  },
  internal: {
    seen: 'api-errors page: 500 INTERNAL, not charged by Google',
    charged: 'no',
    change: () =>
      rpc(
        new RpcError(
          'INTERNAL',
          'An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
        ),
      ),
  },
  html: {
    seen: 'sub2api#2399, CLIProxyAPI#839: a front end answers while the call goes on',
    charged: 'yes',
    change: () => raw(502, 'text/html', HTML),
  },
  'error-in-200': {
    seen: 'relays that commit the status before the call has ended',
    charged: 'no',
    change: () => raw(200, JSON_TYPE, JSON.stringify(new RpcError('UNAVAILABLE', OVERLOADED).body)),
  },
  status: {
    seen: 'any status, as providers and the front ends before them answer; `code`, `body=json|html|empty`, `retry` or `date` (Retry-After, seconds from now)',
    charged: 'no',
    change: (_, parameters) => statusOf(parameters),
  },
  'model-gone': {
    seen: 'claude-octopus#493, vm0-skills#381: an id that was retired',
    charged: 'no',
    change: (_plan, _parameters, model) =>
      rpc(new RpcError('NOT_FOUND', `models/${model} is not found for API version v1beta.`)),
  },
  'bad-key': {
    seen: 'api-errors page: a 400 with API_KEY_INVALID',
    charged: 'no',
    change: () => rpc(invalidKey()),
  },
  redirect: {
    seen: 'not in the field: what a client that follows it would buy elsewhere',
    charged: 'no',
    change: () => ({
      kind: 'raw',
      status: 307,
      headers: { location: 'https://elsewhere.invalid/' },
      body: '',
    }),
  },
  empty: {
    seen: 'not in the field: the shortest body that was cut off',
    charged: 'yes',
    change: () => raw(200, JSON_TYPE, ''),
  },
  reset: {
    seen: 'Comfy-Org/ComfyUI#16204: the connection is gone at 60 s, the call is billed',
    charged: 'yes',
    change: () => ({ kind: 'drop' }),
  },
  hang: {
    seen: 'APIYI overview: the client leaves at 100 s of a 120 s call and is charged',
    charged: 'yes',
    change: () => ({ kind: 'hang' }),
  },
} satisfies Record<string, Fault>

function rpc(error: RpcError): Plan {
  return { kind: 'rpc', error }
}

function raw(status: number, type: string, body: string): Plan {
  return { kind: 'raw', status, headers: { 'content-type': type }, body }
}

/** @throws RpcError 400 for a `code` or `body` that cannot be sent. */
function statusOf({ code = '500', body = 'json', retry, date }: Parameters): Plan {
  const status = Number(code)
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw invalid(`The emulator answers with no status "${code}"; code takes 200 to 599.`)
  const message = `The emulator was asked for status ${status}.`
  const bodies: Record<string, [type: string, text: string]> = {
    json: [JSON_TYPE, JSON.stringify({ error: { code: status, message, status: 'UNKNOWN' } })],
    html: ['text/html', HTML.replaceAll('502 Bad Gateway', `${status} from a front end`)],
    empty: ['text/plain', ''],
  }
  if (!Object.hasOwn(bodies, body))
    throw invalid(`The emulator knows no body "${body}"; it knows ${Object.keys(bodies).join(', ')}.`)
  const [type, text] = bodies[body]!
  return {
    kind: 'raw',
    status,
    headers: { 'content-type': type, ...(retry === undefined ? {} : { 'retry-after': retry }) },
    body: text,
    ...(date === undefined ? {} : { retryAtMs: numberOf(date, 1) * 1_000 }),
  }
}
