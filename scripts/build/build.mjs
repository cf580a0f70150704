// npm run build: compiles what is stale.
import { fileURLToPath } from 'node:url'
import { buildStale } from './build-stale.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
process.exitCode = (await buildStale(root)) ? 0 : 1
