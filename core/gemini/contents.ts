// The rules of turns and parts that hold for every model, and the vendor's own sentences where they are broken.
import type { Body, Content } from './fields.ts'
import { invalidFields, type RpcError } from './rpc.ts'

/** The members of which a part has exactly one. */
const DATA = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
]

const ROLES = ['', 'user', 'model', 'function']

/** The turns of a body, checked together with its system text.
 *  @throws RpcError 400 for the first rule that is broken. */
export function checkedContents<Data>(
  body: Pick<Body<Data>, 'contents' | 'systemInstruction'>,
): Content<Data>[] {
  if (!body.contents?.length)
    throw wrong('contents', '* GenerateContentRequest.contents: contents is not specified')
  for (const [turn, content] of body.contents.entries()) {
    const path = `contents[${turn}]`
    if (!ROLES.includes(content.role ?? ''))
      throw wrong(`${path}.role`, 'Please use a valid role: user, model.')
    checkParts(content, path)
  }
  if (body.systemInstruction) checkParts(body.systemInstruction, 'system_instruction')
  return body.contents
}

function checkParts<Data>(content: Content<Data>, path: string): void {
  if (!content.parts?.length)
    throw wrong(`${path}.parts`, `* GenerateContentRequest.${path}.parts: contents.parts must not be empty.`)
  for (const [index, part] of content.parts.entries()) {
    const where = `${path}.parts[${index}]`
    const data = DATA.filter((name) => part[name] !== undefined)
    if (data.length === 0)
      throw wrong(
        where,
        `* GenerateContentRequest.${where}.data: required oneof field 'data' must have one initialized field`,
      )
    // A part never holds both text and an image: what a relay makes of it is undefined (APIYI's editing page).
    if (data.length > 1)
      throw wrong(
        where,
        `Invalid value at '${where}' (oneof), oneof field 'data' is already set. Cannot set '${data[1]}'`,
      )
  }
}

function wrong(field: string, description: string): RpcError {
  return invalidFields([{ field, description }])
}
