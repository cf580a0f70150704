// npm run bench [-- filter… --rounds N --out DIR --write --profile --list --source]: the benchmarks, each beside its peer in the same run.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { buildStale } from '../build/build-stale.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const args = process.argv.slice(2)
const fromSource = args.includes('--source') // for work on the benchmarks themselves; figures are from compiled code

async function main() {
  if (!fromSource && !(await buildStale(root))) return 1
  const program = fromSource
    ? ['--import', 'tsx', '--conditions=source', 'scripts/bench/main.ts']
    : ['scripts/dist/bench/main.js']
  const child = spawn(process.execPath, [...program, ...args.filter((arg) => arg !== '--source')], {
    cwd: root,
    stdio: 'inherit',
  })
  // Ctrl-C reaches the whole group; the child ends what it started, then itself.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  process.on('SIGHUP', () => child.kill('SIGTERM'))
  // npm hands a signal to its shell, which ends without handing it on.
  const parent = process.ppid
  const look = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM')
  }, 500)
  look.unref()
  return await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
}

process.exitCode = await main()
