// The calls that the five seed documents publish, as they stand there: address, key, headers and body, image data left
// out. `pointedAt` changes host and key, which is all that a reader of those documents has to change.

/** Command-line words of curl. `IMAGE_1`… in a body stands for the Base64 of an image. */
export type CurlExample = {
  name: string
  /** What the document says of it decides what is asked: the words behind `curl`. */
  words: readonly string[]
  images?: readonly ('png' | 'jpeg')[]
  /** The prompt, as the provider is to receive it. */
  prompt: string
  /** What the provider is to receive beside the example's own fields: what some documents demand and others leave out. */
  defaults?: Readonly<Record<string, unknown>>
}

const APIYI = 'https://api.apiyi.com/v1beta/models/gemini-3-pro-image-preview:generateContent'
const TOKAIFY = 'https://api.tokaify.com/v1beta/models/gemini-3-pro-image-preview:generateContent'

/** Keys as the documents write them. */
const KEYS = /<token>|sk-your-api-key|sk-(?=$)|\$TOKAIFY_API_KEY|YOUR_TOKAIFY_API_KEY/

/** A word of an example with another host and another key. */
export function pointedAt(url: string, token: string, word: string): string {
  return /^https:\/\//.test(word)
    ? word.replace(/^https:\/\/api\.(apiyi|tokaify)\.com/, url)
    : /^Authorization: /.test(word)
      ? word.replace(KEYS, token)
      : word
}

const png = (data: string) => ({ inlineData: { mimeType: 'image/png', data } })
const jpeg = (data: string) => ({ inlineData: { mimeType: 'image/jpeg', data } })
const wide2K = { aspectRatio: '16:9', imageSize: '2K' }
const CAT = 'A cute cat sitting in a garden, oil painting style, HD details'
const CITY = 'Futuristic city night view, neon lights, cyberpunk style'
const OFFICE = 'Combine the people from these two images into one office scene, making funny faces'
const BLUR = 'Please blur the background to highlight the person in the foreground'
const GROUP = 'An office group photo of these people, they are making funny faces.'
const MERGE = 'Combine the people from these images into one office scene, making funny faces'
const POSTER = 'Generate a 4K product poster titled Tokaify API with a dark tech aesthetic and crisp text.'
const POEM = 'Writing a four-word Chinese short poem on the theme of urban night rain.'
const OTTER =
  'https://raw.githubusercontent.com/apiyi-api/ai-api-code-samples/refs/heads/main/Vision-API-OpenAI/otter.png'
const FACE =
  'https://raw.githubusercontent.com/apiyi-api/ai-pics/refs/heads/main/1762260696217_dd0352c1f9604540.png'
const EXPERT =
  "You are a professional expert in image description and generation. Your task is to produce high-quality image prompts with rich detail and a clear artistic style, or to make accurate, creative edits to existing images, based on the user's request."
const JACKET =
  "Change the person's clothes to a blue jacket and hair to a purple gradient; keep pose, gaze direction, and other structural features unchanged."

const posted = (body: unknown) => [
  ...['-X', 'POST', APIYI],
  ...['-H', 'Authorization: Bearer sk-your-api-key'],
  ...['-H', 'Content-Type: application/json'],
  ...['-d', JSON.stringify(body, null, 2)],
]

const requested = (body: unknown) => [
  ...['--request', 'POST', '--url', APIYI],
  ...['--header', 'Authorization: Bearer <token>'],
  ...['--header', 'Content-Type: application/json'],
  ...['--data', `\n${JSON.stringify(body, null, 2)}\n`],
]

export const APIYI_CURLS: readonly CurlExample[] = [
  {
    name: 'text to image, the page head',
    prompt: CAT,
    words: requested({
      contents: [{ parts: [{ text: CAT }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    }),
  },
  {
    name: 'text to image, the cURL sample',
    prompt: CITY,
    words: posted({
      contents: [{ parts: [{ text: CITY }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    }),
  },
  {
    name: 'image editing, the page head with two images',
    prompt: OFFICE,
    images: ['png', 'png'],
    words: requested({
      contents: [{ parts: [{ text: OFFICE }, png('IMAGE_1'), png('IMAGE_2')] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    }),
  },
  {
    name: 'image editing, the cURL sample with one JPEG',
    prompt: BLUR,
    images: ['jpeg'],
    words: posted({
      contents: [{ parts: [{ text: BLUR }, jpeg('IMAGE_1')] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    }),
  },
  {
    name: 'image editing, the cURL sample with three images and text beside the picture',
    prompt: GROUP,
    images: ['png', 'png', 'png'],
    words: posted({
      contents: [{ parts: [{ text: GROUP }, png('IMAGE_1'), png('IMAGE_2'), png('IMAGE_3')] }],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        imageConfig: { aspectRatio: '5:4', imageSize: '2K' },
      },
    }),
  },
  {
    name: 'overview, an image by its address',
    prompt: 'add five dogs',
    words: [
      ...['--location', APIYI],
      ...['--header', 'Authorization: Bearer sk-'],
      ...['--header', 'Content-Type: application/json'],
      '--data',
      JSON.stringify({
        contents: [
          {
            parts: [{ fileData: { fileUri: OTTER, mimeType: 'image/png' } }, { text: 'add five dogs' }],
            role: 'user',
          },
        ],
        generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
        safetySettings: [],
      }),
    ],
  },
]

export const TOKAIFY_CURLS: readonly CurlExample[] = [
  {
    name: 'the product poster',
    prompt: POSTER,
    words: [
      TOKAIFY,
      ...['-H', 'Authorization: Bearer $TOKAIFY_API_KEY'],
      ...['-H', 'Content-Type: application/json'],
      '-d',
      JSON.stringify({
        contents: [{ role: 'user', parts: [{ text: POSTER }] }],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '4K' },
        },
      }),
    ],
  },
  {
    // The document leaves its own required Authorization header out of this one sample.
    name: 'the poem without any image setting',
    prompt: POEM,
    words: [
      ...['-X', 'POST', TOKAIFY],
      ...['-H', 'Authorization: Bearer $TOKAIFY_API_KEY'],
      ...['-H', 'Content-Type: application/json'],
      '-d',
      JSON.stringify({
        contents: [{ parts: [{ text: POEM }] }],
        generationConfig: { temperature: 0.7, maxOutputTokens: 100_000 },
      }),
    ],
    defaults: { responseModalities: ['TEXT', 'IMAGE'], imageConfig: { imageSize: '1K' } },
  },
]

/** The samples that are programs: what they post, and how they take the picture out of the answer. */
export type Program = {
  name: string
  body: object
  images?: readonly ('png' | 'jpeg')[]
  prompt: string
  /** `first`: `candidates[0].content.parts[0].inlineData.data`; `any`: the first part that holds an image, in either
   *  casing; `none`: the answer is only printed. */
  reads: 'first' | 'any' | 'none'
}

export const APIYI_PROGRAMS: readonly Program[] = [
  {
    name: 'text to image (Python)',
    prompt: CAT,
    reads: 'first',
    body: {
      contents: [{ parts: [{ text: CAT }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    },
  },
  {
    name: 'text to image (Node)',
    prompt: CITY,
    reads: 'first',
    body: {
      contents: [{ parts: [{ text: CITY }] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    },
  },
  {
    name: 'image editing (Python, Node)',
    prompt: BLUR,
    images: ['jpeg'],
    reads: 'first',
    body: {
      contents: [{ parts: [{ text: BLUR }, jpeg('IMAGE_1')] }],
      generationConfig: { responseModalities: ['IMAGE'], imageConfig: wide2K },
    },
  },
  {
    name: 'several images, text asked for as well (Python)',
    prompt: MERGE,
    images: ['png', 'png'],
    reads: 'first',
    body: {
      contents: [{ parts: [{ text: MERGE }, png('IMAGE_1'), png('IMAGE_2')] }],
      generationConfig: {
        responseModalities: ['TEXT', 'IMAGE'],
        imageConfig: { aspectRatio: '5:4', imageSize: '2K' },
      },
    },
  },
  {
    name: 'an image by its address and a system text (Python)',
    prompt: JACKET,
    reads: 'any',
    body: {
      generationConfig: {
        responseModalities: ['IMAGE', 'TEXT'],
        imageConfig: { imageSize: '4K', aspectRatio: '9:16' },
        maxOutputTokens: 8000,
      },
      contents: [
        { role: 'model', parts: [{ text: EXPERT }] },
        {
          role: 'user',
          parts: [{ fileData: { mimeType: 'image/png', fileUri: FACE } }, { text: JACKET }],
        },
      ],
    },
  },
]

export const TOKAIFY_PROGRAM: Program = {
  name: 'the product poster (Python, JavaScript)',
  prompt: POSTER,
  reads: 'none',
  body: {
    contents: [{ role: 'user', parts: [{ text: POSTER }] }],
    generationConfig: {
      responseModalities: ['IMAGE'],
      imageConfig: { aspectRatio: '16:9', imageSize: '4K' },
    },
  },
}
