/** The program that a daemon is, by the language of its services. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DaemonEntry, isPython } from '@fernlab/shared/contracts/own-services'

/** The command for a daemon with such a file, or with none; `memoryMB` is told to it, as far as it can keep to it by itself. */
export function hostCommand(file: string | undefined, memoryMB: number): readonly [string, ...string[]] {
  if (isPython(file)) return ['python3', '-B', pythonHost(), String(memoryMB)]
  const heap = `--max-old-space-size=${memoryMB}`
  const stacks = '--enable-source-maps'
  if (!import.meta.url.endsWith('.ts')) return [process.execPath, heap, stacks, beside('./service-host.js')]
  const host = beside('./service-host.ts')
  return [process.execPath, heap, stacks, '--import', import.meta.resolve('tsx'), '--conditions=source', host]
}

const PRLIMIT = '/usr/bin/prlimit'
const NICE = '/usr/bin/nice'

/** The command within the limits of a daemon; on a machine without these programs it can't be started, and says so. */
export function limitedCommand(
  command: readonly [string, ...string[]],
  { openFiles, nice = 0 }: Pick<DaemonEntry, 'openFiles' | 'nice'>,
): readonly [string, ...string[]] {
  const kinder: readonly [string, ...string[]] = nice === 0 ? command : [NICE, '-n', String(nice), ...command]
  // What it starts has the same, and none of it may raise it.
  return openFiles === undefined ? kinder : [PRLIMIT, `--nofile=${openFiles}:${openFiles}`, ...kinder]
}

/** Beside this file, or the bundle that it is in; or where this was compiled from. */
function pythonHost(): string {
  const near = beside('./python/fernlab_host.py')
  return existsSync(near) ? near : beside('../../../services/daemons/python/fernlab_host.py')
}

const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
