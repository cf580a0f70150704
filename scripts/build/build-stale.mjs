import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint } from './fingerprint.mjs'
import { onlyOne } from './only-one.mjs'

const sources = (path) => /\.(ts|tsx)$|\/(tsconfig|package)\.json$/.test(path)
const config = ['package-lock.json', 'tsconfig.base.json']

const parts = [
  {
    name: 'code',
    inputs: [
      ['shared', 'firmware-bridge', 'edge', 'hub', 'scripts', ...config],
      (path) => sources(path) && !path.startsWith('hub/web/'),
    ],
    exists: ['shared/dist', 'scripts/dist'],
    // Types are for `npm run check` to look at: without that, who starts it for the first time waits half as long.
    command: ['node_modules/typescript/bin/tsc', '-b', 'scripts', '--noCheck'],
    folder: '.',
  },
  {
    name: 'node',
    inputs: [
      ['shared', 'firmware-bridge', 'edge', 'scripts/build', ...config],
      (path) =>
        sources(path) ||
        path.endsWith('bundle-node.mjs') ||
        path.includes('/models/') ||
        path.includes('/driver-kit/new/') ||
        path.endsWith('.py'),
    ],
    exists: ['edge/dist/bundle/edge-process.js'],
    command: ['scripts/build/bundle-node.mjs'],
    folder: '.',
  },
  {
    name: 'web page',
    inputs: [['hub/web', 'shared', ...config], (path) => path.startsWith('hub/web/') || sources(path)],
    needs: 'hub/web/vite.config.ts',
    exists: ['hub/web/dist/index.html'],
    command: ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'],
    folder: 'hub/web',
  },
]

const everything = ['code', 'node', 'web page']

/**
 * Compiles the code, the node and the web page, or what else is named, where the sources changed since the last build, side by
 * side; returns false when one failed. The stamps are kept beside what npm installed, so that a fresh install builds anew.
 */
export async function buildStale(root, say = (line) => process.stdout.write(`${line}\n`), names = everything) {
  const cache = join(root, 'node_modules', '.cache', 'fernlab')
  const stampPath = join(cache, 'build.json')
  if (staleParts(root, stampPath, names).length === 0) return true
  return onlyOne(join(cache, 'build.lock'), say, async () => {
    const built = await Promise.all(
      staleParts(root, stampPath, names).map(async ({ part, hash }) => {
        say(`Building the ${part.name} …`)
        const ok = await run(root, part)
        if (ok) writeFileSync(stampPath, JSON.stringify({ ...readStamps(stampPath), [part.name]: hash }))
        return ok
      }),
    )
    return built.every(Boolean)
  })
}

function staleParts(root, stampPath, names) {
  const stamps = readStamps(stampPath)
  return parts
    .filter((part) => names.includes(part.name))
    .filter((part) => part.needs === undefined || existsSync(join(root, part.needs)))
    .map((part) => ({ part, hash: fingerprint(root, ...part.inputs) }))
    .filter(
      ({ part, hash }) => stamps[part.name] !== hash || !part.exists.every((path) => existsSync(join(root, path))),
    )
}

const readStamps = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {})

function run(root, { command: [script, ...args], folder }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, script), ...args], { cwd: join(root, folder), stdio: 'inherit' })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
