import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fingerprint } from './fingerprint.mjs'

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
    command: ['node_modules/typescript/bin/tsc', '-b', 'scripts'],
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

/**
 * Compiles the code and the web page where their sources changed since the last build, side by side; returns false when
 * one failed. The stamps are kept beside what npm installed, so that a fresh install builds anew.
 */
export async function buildStale(root, say = (line) => process.stdout.write(`${line}\n`)) {
  const stampPath = join(root, 'node_modules', '.cache', 'fernlab', 'build.json')
  const stamps = existsSync(stampPath) ? JSON.parse(readFileSync(stampPath, 'utf8')) : {}
  const built = await Promise.all(
    parts.map(async (part) => {
      if (part.needs !== undefined && !existsSync(join(root, part.needs))) return true
      const hash = fingerprint(root, ...part.inputs)
      if (stamps[part.name] === hash && part.exists.every((path) => existsSync(join(root, path)))) return true
      say(`Building the ${part.name} …`)
      if (!(await run(root, part))) return false
      stamps[part.name] = hash
      return true
    }),
  )
  mkdirSync(dirname(stampPath), { recursive: true })
  writeFileSync(stampPath, JSON.stringify(stamps))
  return built.every(Boolean)
}

function run(root, { command: [script, ...args], folder }) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, script), ...args], { cwd: join(root, folder), stdio: 'inherit' })
    child.once('error', () => resolve(false))
    child.once('exit', (code) => resolve(code === 0))
  })
}
