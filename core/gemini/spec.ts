// The fields of the Gemini API's requests and their JSON types, as its reference names them (ai.google.dev, 2026-11).
// Data only; what is missing here is refused as unknown, so that a misspelt setting never buys the wrong picture.

/** `any`: not looked into. `bytes`: Base64. A list also accepts a single element, as protocol buffers do. */
export type Spec =
  | 'any'
  | 'string'
  | 'bytes'
  | 'number'
  | 'integer'
  | 'boolean'
  | { fields: Readonly<Record<string, Spec>> }
  | { list: Spec }

const PART: Spec = {
  fields: {
    text: 'string',
    inlineData: { fields: { mimeType: 'string', data: 'bytes', displayName: 'string' } },
    fileData: { fields: { mimeType: 'string', fileUri: 'string', displayName: 'string' } },
    // Arguments and answers of a caller's own functions keep their own names.
    functionCall: { fields: { id: 'string', name: 'string', args: 'any' } },
    functionResponse: {
      fields: {
        id: 'string',
        name: 'string',
        response: 'any',
        parts: 'any',
        willContinue: 'boolean',
        scheduling: 'string',
      },
    },
    executableCode: { fields: { id: 'string', language: 'string', code: 'string' } },
    codeExecutionResult: { fields: { id: 'string', outcome: 'string', output: 'string' } },
    toolCall: { fields: { id: 'string', toolType: 'string', args: 'any' } },
    toolResponse: { fields: { id: 'string', toolType: 'string', response: 'any' } },
    thought: 'boolean',
    thoughtSignature: 'string',
    mediaResolution: { fields: { level: 'string', numTokens: 'integer' } },
    videoMetadata: { fields: { startOffset: 'string', endOffset: 'string', fps: 'number' } },
    partMetadata: 'any',
  },
}

const CONTENT: Spec = { fields: { role: 'string', parts: { list: PART } } }

// Vertex-only members (outputMimeType, prominentPeople, labels…) are absent on purpose: the Gemini API refuses them
// (req_llm#517).
const GENERATION_CONFIG: Spec = {
  fields: {
    responseModalities: { list: 'string' },
    imageConfig: { fields: { aspectRatio: 'string', imageSize: 'string', personGeneration: 'string' } },
    candidateCount: 'integer',
    temperature: 'number',
    topP: 'number',
    topK: 'number',
    seed: 'integer',
    maxOutputTokens: 'integer',
    stopSequences: { list: 'string' },
    presencePenalty: 'number',
    frequencyPenalty: 'number',
    responseLogprobs: 'boolean',
    logprobs: 'integer',
    responseMimeType: 'string',
    responseSchema: 'any',
    responseJsonSchema: 'any',
    speechConfig: 'any',
    mediaResolution: 'string',
    enableEnhancedCivicAnswers: 'boolean',
    thinkingConfig: {
      fields: { includeThoughts: 'boolean', thinkingLevel: 'string', thinkingBudget: 'integer' },
    },
  },
}

const FUNCTION: Spec = {
  fields: {
    name: 'string',
    description: 'string',
    behavior: 'string',
    parameters: 'any',
    parametersJsonSchema: 'any',
    response: 'any',
    responseJsonSchema: 'any',
  },
}

const INTERVAL: Spec = { fields: { startTime: 'string', endTime: 'string' } }

const TOOL: Spec = {
  fields: {
    functionDeclarations: { list: FUNCTION },
    googleSearch: {
      fields: {
        searchTypes: { fields: { webSearch: { fields: {} }, imageSearch: { fields: {} } } },
        timeRangeFilter: INTERVAL,
      },
    },
    googleSearchRetrieval: {
      fields: { dynamicRetrievalConfig: { fields: { mode: 'string', dynamicThreshold: 'number' } } },
    },
    googleMaps: { fields: { enableWidget: 'boolean' } },
    codeExecution: { fields: {} },
    urlContext: { fields: {} },
    computerUse: {
      fields: { environment: 'string', excludedPredefinedFunctions: { list: 'string' } },
    },
    fileSearch: {
      fields: { fileSearchStoreNames: { list: 'string' }, metadataFilter: 'string', topK: 'integer' },
    },
    mcpServers: { list: 'any' },
  },
}

const TOOL_CONFIG: Spec = {
  fields: {
    functionCallingConfig: { fields: { mode: 'string', allowedFunctionNames: { list: 'string' } } },
    retrievalConfig: {
      fields: { latLng: { fields: { latitude: 'number', longitude: 'number' } }, languageCode: 'string' },
    },
    includeServerSideToolInvocations: 'boolean',
  },
}

const GENERATE_CONTENT: Readonly<Record<string, Spec>> = {
  model: 'string',
  contents: { list: CONTENT },
  systemInstruction: CONTENT,
  generationConfig: GENERATION_CONFIG,
  safetySettings: { list: { fields: { category: 'string', threshold: 'string' } } },
  tools: { list: TOOL },
  toolConfig: TOOL_CONFIG,
  cachedContent: 'string',
  serviceTier: 'string',
  store: 'boolean',
}

/** The body of `generateContent` and `streamGenerateContent`. */
export const GENERATE_CONTENT_BODY: Spec = { fields: GENERATE_CONTENT }

/** The body of `countTokens`. */
export const COUNT_TOKENS_BODY: Spec = {
  fields: {
    model: 'string',
    contents: { list: CONTENT },
    generateContentRequest: { fields: GENERATE_CONTENT },
  },
}
