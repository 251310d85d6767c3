// The requests that providers are sent, against every example of their documents. Beyond those, each turn has its `role` and
// each request its modalities and size: optional in some documents, required in others.
import { describe, expect, test } from 'vitest'
import { call, png } from './setup/call.ts'

const APIYI = 'https://api.apiyi.com/v1beta/models/gemini-3-pro-image-preview:generateContent'
const TOKAIFY = 'https://api.tokaify.com/v1beta/models/gemini-3-pro-image-preview:generateContent'
const BEARER = { authorization: 'Bearer sk-your-api-key', 'content-type': 'application/json' }

const OTTER = {
  fileUri:
    'https://raw.githubusercontent.com/apiyi-api/ai-api-code-samples/refs/heads/main/Vision-API-OpenAI/otter.png',
  mimeType: 'image/png',
} as const
const FACE = {
  fileUri:
    'https://raw.githubusercontent.com/apiyi-api/ai-pics/refs/heads/main/1762260696217_dd0352c1f9604540.png',
  mimeType: 'image/png',
} as const
const SYSTEM =
  "You are a professional expert in image description and generation. Your task is to produce high-quality image prompts with rich detail and a clear artistic style, or to make accurate, creative edits to existing images, based on the user's request."
const EDIT =
  "Change the person's clothes to a blue jacket and hair to a purple gradient; keep pose, gaze direction, and other structural features unchanged."
const POSTER = 'Generate a 4K product poster titled Tokaify API with a dark tech aesthetic and crisp text.'
const POEM = 'Writing a four-word Chinese short poem on the theme of urban night rain.'

describe('the documented examples are sent as they stand', () => {
  test.for([
    {
      name: 'APIYI, text to image: curl and Python',
      asked: {
        prompt: 'A cute cat sitting in a garden, oil painting style, HD details',
        aspect: '16:9',
        size: '2K',
      },
      body: {
        contents: [
          {
            role: 'user',
            parts: [{ text: 'A cute cat sitting in a garden, oil painting style, HD details' }],
          },
        ],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        },
      },
    },
    {
      name: 'APIYI, text to image: Node and the second curl',
      asked: {
        prompt: 'Futuristic city night view, neon lights, cyberpunk style',
        aspect: '16:9',
        size: '2K',
      },
      body: {
        contents: [
          { role: 'user', parts: [{ text: 'Futuristic city night view, neon lights, cyberpunk style' }] },
        ],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        },
      },
    },
    {
      name: 'APIYI, editing: one image',
      asked: {
        prompt: 'Please blur the background to highlight the person in the foreground',
        aspect: '16:9',
        size: '2K',
      },
      images: ['JPEG of input.jpg'],
      body: {
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'Please blur the background to highlight the person in the foreground' },
              { inlineData: { mimeType: 'image/jpeg', data: 'JPEG of input.jpg' } },
            ],
          },
        ],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        },
      },
    },
    {
      name: 'APIYI, editing: two images',
      asked: {
        prompt: 'Combine the people from these two images into one office scene, making funny faces',
        aspect: '16:9',
        size: '2K',
      },
      images: ['<BASE64_DATA_IMG_1>', '<BASE64_DATA_IMG_2>'],
      body: {
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'Combine the people from these two images into one office scene, making funny faces' },
              png('<BASE64_DATA_IMG_1>'),
              png('<BASE64_DATA_IMG_2>'),
            ],
          },
        ],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        },
      },
    },
    {
      name: 'APIYI, editing: two images, with text in the answer (Python)',
      asked: {
        prompt: 'Combine the people from these images into one office scene, making funny faces',
        modalities: ['TEXT', 'IMAGE'],
        aspect: '5:4',
        size: '2K',
      },
      images: ['PNG of person1.png', 'PNG of person2.png'],
      body: {
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'Combine the people from these images into one office scene, making funny faces' },
              png('PNG of person1.png'),
              png('PNG of person2.png'),
            ],
          },
        ],
        generationConfig: {
          responseModalities: ['TEXT', 'IMAGE'],
          imageConfig: { aspectRatio: '5:4', imageSize: '2K' },
        },
      },
    },
    {
      name: 'APIYI, editing: three images, with text in the answer (curl)',
      asked: {
        prompt: 'An office group photo of these people, they are making funny faces.',
        modalities: ['TEXT', 'IMAGE'],
        aspect: '5:4',
        size: '2K',
      },
      images: ['<BASE64_DATA_IMG_1>', '<BASE64_DATA_IMG_2>', '<BASE64_DATA_IMG_3>'],
      body: {
        contents: [
          {
            role: 'user',
            parts: [
              { text: 'An office group photo of these people, they are making funny faces.' },
              png('<BASE64_DATA_IMG_1>'),
              png('<BASE64_DATA_IMG_2>'),
              png('<BASE64_DATA_IMG_3>'),
            ],
          },
        ],
        generationConfig: {
          responseModalities: ['TEXT', 'IMAGE'],
          imageConfig: { aspectRatio: '5:4', imageSize: '2K' },
        },
      },
    },
    {
      name: 'APIYI, an image by its address: curl',
      asked: { prompt: 'add five dogs', aspect: '16:9', size: '2K', safetySettings: [] },
      images: [OTTER],
      body: {
        contents: [{ role: 'user', parts: [{ fileData: OTTER }, { text: 'add five dogs' }] }],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '2K' },
        },
        safetySettings: [],
      },
    },
    {
      name: 'APIYI, an image by its address and a system text: Python',
      asked: {
        prompt: EDIT,
        system: SYSTEM,
        modalities: ['IMAGE', 'TEXT'],
        aspect: '9:16',
        size: '4K',
        maxOutputTokens: 8000,
      },
      images: [FACE],
      body: {
        generationConfig: {
          responseModalities: ['IMAGE', 'TEXT'],
          imageConfig: { imageSize: '4K', aspectRatio: '9:16' },
          maxOutputTokens: 8000,
        },
        contents: [
          { role: 'model', parts: [{ text: SYSTEM }] },
          { role: 'user', parts: [{ fileData: FACE }, { text: EDIT }] },
        ],
      },
    },
    {
      name: 'Tokaify, the poster',
      url: TOKAIFY,
      asked: { provider: 'tokaify', prompt: POSTER, aspect: '16:9', size: '4K' },
      body: {
        contents: [{ role: 'user', parts: [{ text: POSTER }] }],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '16:9', imageSize: '4K' },
        },
      },
    },
    {
      name: 'Tokaify, the poem, with its documented defaults spelt out',
      url: TOKAIFY,
      asked: {
        provider: 'tokaify',
        prompt: POEM,
        temperature: 0.7,
        maxOutputTokens: 100_000,
        modalities: ['TEXT', 'IMAGE'],
      },
      body: {
        contents: [{ role: 'user', parts: [{ text: POEM }] }],
        generationConfig: {
          responseModalities: ['TEXT', 'IMAGE'],
          imageConfig: { imageSize: '1K' },
          temperature: 0.7,
          maxOutputTokens: 100_000,
        },
      },
    },
    {
      name: 'a third relay, with the size and ratio of its tables',
      url: 'https://relay.example/v1beta/models/gemini-3.1-flash-image-preview:generateContent',
      asked: {
        provider: 'third-relay',
        model: 'gemini-3.1-flash-image-preview',
        prompt: 'a lighthouse',
        size: '0.5K',
        aspect: '1:8',
        temperature: 1,
      },
      body: {
        contents: [{ role: 'user', parts: [{ text: 'a lighthouse' }] }],
        generationConfig: {
          responseModalities: ['IMAGE'],
          imageConfig: { aspectRatio: '1:8', imageSize: '512' },
          temperature: 1,
        },
      },
    },
  ] as const)('$name', ({ asked, body, ...more }) => {
    const sent = call(asked, 'images' in more ? more.images : [])
    expect(sent.url).toBe('url' in more ? more.url : APIYI)
    expect(sent.headers).toEqual(BEARER)
    expect(JSON.parse(JSON.stringify(sent.body))).toEqual(body)
  })
})
