import { writeSchemas } from './write-schemas.ts'

await writeSchemas(process.argv[2] ?? 'shared/schemas')
