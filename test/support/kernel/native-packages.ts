/** The npm packages with native code, as a guest's `node_modules`, built for the Node that runs here. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../source-files.ts'
import { cached, ownSource } from './cache.ts'
import { runCommand } from './run-command.ts'

/** Left out of the guests' bundles. */
export const nativePackages = ['onoff', 'i2c-bus', 'serialport', '@photostructure/sqlite'] as const
const compiled = ['epoll', 'i2c-bus'] as const

/** The folder that holds the `node_modules` of a guest with this processor (Node's name for it). */
export async function guestPackages(arch: 'x64' | 'arm64'): Promise<string> {
  const names = closure(nativePackages)
  const versions = names.map((name) => `${name}@${manifest(name).version}`)
  return await cached(
    `packages-${arch}`,
    [process.version, ...versions, ownSource(import.meta.url)],
    async (folder) => {
      for (const name of names) copyPackage(name, join(folder, 'node_modules', name), arch)
      for (const name of compiled) await compile(join(folder, 'node_modules', name), arch)
      rmSync(join(folder, 'node_modules/nan'), { recursive: true })
      rmSync(join(folder, 'node_modules/node-addon-api'), { recursive: true })
    },
  )
}

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const installed = (name: string) => join(root, 'node_modules', name)

function manifest(name: string): Manifest {
  const path = join(installed(name), 'package.json')
  if (!existsSync(path)) throw new Error(`${name} is not installed: npm install has left it out as optional`)
  return JSON.parse(readFileSync(path, 'utf8')) as Manifest
}

function closure(names: readonly string[]): string[] {
  const found = new Set<string>()
  const take = (name: string) => {
    if (found.has(name)) return
    found.add(name)
    for (const dependency of Object.keys(manifest(name).dependencies ?? {})) take(dependency)
  }
  for (const name of names) take(name)
  return [...found].sort()
}

function copyPackage(name: string, to: string, arch: string): void {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(installed(name), to, {
    recursive: true,
    filter: (path) => {
      const inside = path.slice(installed(name).length + 1)
      const [top, platform] = inside.split('/')
      if (top === 'prebuilds' && platform !== undefined) return platform === `linux-${arch}`
      return !/^(build|test|tests|doc|docs|example|examples|integration-test)$/.test(top ?? '')
    },
  })
}

/** Builds a package's addon, and leaves nothing but the addon of what that made. */
async function compile(folder: string, arch: string): Promise<void> {
  await runCommand(
    process.execPath,
    [nodeGypPath(), 'rebuild', `--nodedir=${nodeFolder()}`, `--arch=${arch}`, '--jobs=2', '--loglevel=error'],
    { cwd: folder, env: { npm_config_devdir: join(folder, 'build-cache'), ...compilers(arch) } },
  )
  for (const entry of readdirSync(join(folder, 'build/Release'))) {
    if (!entry.endsWith('.node')) rmSync(join(folder, 'build/Release', entry), { recursive: true })
  }
  for (const entry of readdirSync(join(folder, 'build'))) {
    if (entry !== 'Release') rmSync(join(folder, 'build', entry), { recursive: true })
  }
}

/** The compilers for another processor than this machine's. */
const compilers = (arch: string): Record<string, string> =>
  arch === process.arch ? {} : { CC: 'aarch64-linux-gnu-gcc', CXX: 'aarch64-linux-gnu-g++' }

/** Where the headers of the running Node are: beside it, or in Debian's libnode-dev. */
function nodeFolder(): string {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  const found = [prefix, '/usr/local', '/usr'].find((each) => existsSync(join(each, 'include/node/node_api.h')))
  if (found === undefined) throw new Error(`no include/node beside ${process.execPath}: install libnode-dev`)
  return found
}

function nodeGypPath(): string {
  const prefix = dirname(dirname(realpathSync(process.execPath)))
  const places = [prefix, '/usr/local', '/usr'].flatMap((each) => [
    join(each, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
    join(each, 'share/nodejs/node-gyp/bin/node-gyp.js'),
  ])
  const found = places.find((each) => existsSync(each))
  if (found === undefined) throw new Error(`npm's node-gyp is at none of ${places.join(', ')}`)
  return found
}
