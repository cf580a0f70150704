import { writeGenerated } from './write-generated.ts'

await writeGenerated(process.argv[2] ?? '.')
