// What Google's API has and this surface has not: each is told with what does the same here.
import { RpcError } from '../../core/gemini/rpc.ts'

/** Google's resources by the beginning of their paths, and what to use instead. */
const RESOURCES: readonly (readonly [RegExp, string])[] = [
  [
    /^\/interactions(\/|$)/,
    'the Interactions API is not offered here: POST …/models/{model}:generateContent makes the same pictures, :streamGenerateContent streams them',
  ],
  [
    /^(\/upload\/[^/]+)?\/files(\/|:|$)/,
    'the Files API is not offered here: send images as inlineData in the call itself, or their public https addresses as fileData.fileUri; proofsheet stores each image once',
  ],
  [
    /^\/batches(\/|:|$)/,
    "Google's batches are not offered here: send one :generateContent call for each picture; proofsheet keeps to the provider's pace",
  ],
  [
    /^\/cachedContents(\/|$)/,
    'cached contents are not offered here: send the whole of contents with each call',
  ],
  [/^\/tunedModels(\/|:|$)/, 'tuned models are not offered here: GET …/models lists what there is'],
  [/^\/fileSearchStores(\/|:|$)/, 'file search is not offered here: send images and text in contents'],
  [/^\/openai(\/|$)/, "OpenAI's clients are served at /openai/v1"],
]

/** Google's methods of models that no image model here has, and what to use instead. */
const METHODS: Readonly<Record<string, string>> = {
  predict:
    'use :generateContent with responseModalities ["IMAGE"]; :predict (generateImages) is how Imagen was called',
  predictLongRunning: 'videos are not made here; :generateContent makes pictures',
  batchGenerateContent: RESOURCES[2]![1],
  asyncBatchEmbedContent: 'embeddings are not made here; ask Google for them',
  embedContent: 'embeddings are not made here; ask Google for them',
  batchEmbedContents: 'embeddings are not made here; ask Google for them',
  generateAnswer: 'use :generateContent',
  bidiGenerateContent: 'live sessions are not offered here: use :streamGenerateContent',
}

/** A path that this surface does not have. `path` begins after the version. */
export function noSuchPath(method: string, path: string): RpcError {
  const known = RESOURCES.find(([pattern]) => pattern.test(path))
  if (known) return new RpcError('UNIMPLEMENTED', `${method} ${path}: ${known[1]}.`)
  return new RpcError(
    'NOT_FOUND',
    `There is no ${method} ${path} here. This surface has POST …/models/{model}:generateContent, :streamGenerateContent and :countTokens, GET …/models and GET …/models/{model}.`,
  )
}

/** A method of a model that is not one of ours (Google answers 404 for those as well). */
export function noSuchMethod(model: string, method: string, version: string): RpcError {
  const instead = Object.hasOwn(METHODS, method) ? ` What to do: ${METHODS[method]}.` : ''
  return new RpcError(
    'NOT_FOUND',
    `models/${model} is not found for API version ${version}, or is not supported for ${method}.${instead} Call ListModels to see the list of available models and their supported methods.`,
  )
}
