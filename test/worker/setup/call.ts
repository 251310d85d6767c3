// The provider's call that a request becomes, without sending it.
import { marketOf } from '../../../core/market.ts'
import { findModel } from '../../../core/models.ts'
import { RequestSchema } from '../../../core/request.ts'
import type { Input } from '../../../worker/generation/record.ts'
import { bodyOf, callOf } from '../../../worker/providers/request.ts'

const RELAY = {
  'third-relay': {
    baseUrl: 'https://relay.example/',
    wire: { 'nano-banana-2': 'gemini-3.1-flash-image-preview' },
  },
}
const market = marketOf({ PROVIDERS: JSON.stringify(RELAY) })

/** The call of a request, by default for Pro at APIYI. Images that are not addresses are named by their Base64; one that
 *  begins with JPEG is one. */
export function call(asked: Record<string, unknown>, images: readonly (string | Input)[] = []) {
  const { references: _, ...request } = RequestSchema.parse({ model: 'gemini-3-pro-image-preview', ...asked })
  const inputs = images.map((image, index): Input => {
    if (typeof image !== 'string') return image
    const mimeType = image.startsWith('JPEG') ? 'image/jpeg' : 'image/png'
    return { sha256: String(index), mimeType, bytes: 9, key: `references/default/${index}` }
  })
  const seller = market.sellers.find((s) => s.id === (request.provider ?? 'apiyi'))!
  const model = findModel(request.model)!
  const wished = { ...request, references: [] }
  return {
    ...callOf(wished, inputs, model, seller, 'sk-your-api-key'),
    body: bodyOf(wished, inputs, model, seller, (index) => images[index] as string),
  }
}

/** An inline PNG as a part. */
export const png = (data: string) => ({ inlineData: { mimeType: 'image/png', data } })
