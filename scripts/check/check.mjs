// npm run check: format and lint, types, import direction, unused code, generated files, rules of the repository.
// All steps run, two at a time; each is timed; the output of those that failed is shown.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const say = (line) => process.stdout.write(`${line}\n`)

const steps = [
  ['types', 'node_modules/typescript/bin/tsc', '-b', '--pretty', 'false'],
  [
    'format and lint',
    'node_modules/@biomejs/biome/bin/biome',
    'ci',
    '--colors=off',
    '--diagnostic-level=warn',
    '--max-diagnostics=50',
    '.',
  ],
  [
    'import direction',
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    '--output-type',
    'err',
    'shared',
    'firmware-bridge',
    'edge',
    'hub',
    'scripts',
  ],
  ['unused code', 'node_modules/knip/bin/knip.js', '--no-progress'],
  ['generated files', 'scripts/check/generated.mjs'],
  ['repository', 'scripts/check/repository.mjs'],
]

function run([name, script, ...args]) {
  const startedAt = performance.now()
  const chunks = []
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const end = (code) =>
      resolve({
        name,
        ok: code === 0,
        output: Buffer.concat(chunks).toString('utf8'),
        ms: performance.now() - startedAt,
      })
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.once('error', () => end(1))
    child.once('close', end)
  })
}

async function main() {
  const waiting = [...steps]
  let failed = 0
  const worker = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const { name, ok, output, ms } = await run(step)
      say(`${ok ? 'ok  ' : 'FAIL'} ${name}  ${(ms / 1000).toFixed(1)} s`)
      if (!ok) {
        failed += 1
        say(output.trimEnd().replace(/^/gm, '    '))
      }
    }
  }
  await Promise.all([worker(), worker()])
  return failed
}

process.exitCode = (await main()) === 0 ? 0 : 1
