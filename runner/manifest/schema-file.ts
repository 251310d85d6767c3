// Writes the manifest's schema to its file at the root of the project: `npm run schema`.
import { writeFileSync } from 'node:fs'
import { SCHEMA_FILE, schemaText } from './json-schema.ts'

writeFileSync(new URL(`../../${SCHEMA_FILE}`, import.meta.url), schemaText())
