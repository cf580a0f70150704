/** A guest's root file system as cpio archives: one with all that seldom changes, one with the tests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  createWriteStream,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { root } from '../source-files.ts'
import { bundleForGuest, guestProject } from './bundle.ts'
import { cached, ownSource } from './cache.ts'
import type { GuestFile } from './guest-files.ts'
import type { Kernel } from './kernel.ts'
import { runCommand } from './run-command.ts'
import { layEdge } from './staged-edge.ts'

export interface GuestBase {
  readonly name: string
  /** A change of these makes it anew. */
  readonly ingredients: readonly (string | Buffer)[]
  fill(guestRoot: string): Promise<void>
}

/** How trees are copied into a base: links stay links, which else would point into this machine's cache. */
export const whole = { recursive: true, verbatimSymlinks: true }

/** The archive of a base, made once. */
export async function baseArchive({ name, ingredients, fill }: GuestBase): Promise<string> {
  const folder = await cached(name, [...ingredients, ownSource(import.meta.url)], async (making) => {
    const guestRoot = join(making, 'root')
    mkdirSync(guestRoot)
    await fill(guestRoot)
    await archive(guestRoot, join(making, 'base.cpio'))
    rmSync(guestRoot, { recursive: true })
  })
  return join(folder, 'base.cpio')
}

/** Writes the whole initramfs: the base, then what these test files need. `folder` is for what is made meanwhile. */
export async function writeInitramfs(
  base: string,
  kernel: Kernel,
  guests: readonly GuestFile[],
  folder: string,
): Promise<string> {
  const guestRoot = join(folder, 'root')
  mkdirSync(guestRoot)
  const initPath = join(guestRoot, 'init')
  copyFileSync(fileURLToPath(new URL('./in-guest/init.sh', import.meta.url)), initPath)
  chmodSync(initPath, 0o755)
  await bundleForGuest('test/support/kernel/in-guest/runner.ts', join(guestRoot, guestProject, 'runner.mjs'))
  for (const { file, bundle } of guests) await bundleForGuest(file, join(guestRoot, bundle))
  for (const file of new Set(['test/support/skips.json', ...guests.flatMap(({ need }) => need.files ?? [])])) {
    const target = join(guestRoot, guestProject, file)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(join(root, file), target)
  }
  if (guests.some(({ need }) => need.edge === true)) await layEdge(guestRoot)
  const wanted = guests.flatMap(({ need }) => need.modules ?? []).map((module) => module.split(' ')[0] ?? module)
  copyModules(kernel, wanted, guestRoot)
  const tests = join(folder, 'tests.cpio')
  await archive(guestRoot, tests)
  const whole = join(folder, 'initramfs.cpio')
  copyFileSync(base, whole)
  appendFileSync(whole, readFileSync(tests))
  return whole
}

/** Copies these modules with all that they depend on, and the lists by which `modprobe` finds them. */
function copyModules(kernel: Kernel, wanted: readonly string[], guestRoot: string): void {
  const modules = join('lib/modules', kernel.release)
  const dependencies = new Map<string, readonly string[]>()
  for (const line of readFileSync(join(kernel.moduleRoot, modules, 'modules.dep'), 'utf8').split('\n')) {
    const [path, needed] = line.split(':')
    if (path !== undefined && needed !== undefined)
      dependencies.set(
        path,
        needed.split(' ').filter((each) => each !== ''),
      )
  }
  const paths = new Set<string>()
  for (const name of wanted) {
    const path = [...dependencies.keys()].find((each) => moduleName(each) === name.replaceAll('-', '_'))
    if (path === undefined) throw new Error(`kernel ${kernel.release} has no module ${name}`)
    for (const each of [path, ...(dependencies.get(path) ?? [])]) paths.add(each)
  }
  const to = join(guestRoot, modules)
  mkdirSync(to, { recursive: true })
  for (const path of paths) {
    mkdirSync(dirname(join(to, path)), { recursive: true })
    copyFileSync(join(kernel.moduleRoot, modules, path), join(to, path))
  }
  const lines = [...paths].map((path) => `${path}: ${(dependencies.get(path) ?? []).join(' ')}`.trim())
  writeFileSync(join(to, 'modules.dep'), `${lines.join('\n')}\n`)
}

const moduleName = (path: string): string =>
  (path.split('/').at(-1) ?? '').replace(/\.ko(\.xz)?$/, '').replaceAll('-', '_')

/** Packs a folder as the kernel unpacks it: the files belong to root. */
async function archive(folder: string, to: string): Promise<void> {
  const names = await runCommand('find', ['.', '-print0'], { cwd: folder })
  const cpio = spawn('cpio', ['--quiet', '--null', '-o', '-H', 'newc', '-R', '0:0'], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(cpio, 'exit')
  cpio.stdin.end(names)
  await pipeline(cpio.stdout, createWriteStream(to))
  const [code] = await ended
  if (code !== 0) throw new Error(`cpio ended with ${code}`)
}
