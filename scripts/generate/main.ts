import { writeSchemas } from './write-schemas.ts'

writeSchemas(process.argv[2] ?? 'shared/schemas')
