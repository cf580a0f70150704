// npm run simulate [-- --json …]: plays days of load against the scheduler; see scripts/simulate/main.ts.
import { fileURLToPath } from 'node:url'
import { buildStale } from '../build/build-stale.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const say = (line) => process.stderr.write(`${line}\n`)

if (await buildStale(root, say)) await import('../dist/simulate/main.js')
else process.exitCode = 1
