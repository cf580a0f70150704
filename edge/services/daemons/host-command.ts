/** The program that a daemon is, by the language of its services. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isPython } from '@fernlab/shared/contracts/own-services'

/** The command for a daemon with such a file, or with none; `memoryMB` is told to it, as far as it can keep to it by itself. */
export function hostCommand(file: string | undefined, memoryMB: number): readonly [string, ...string[]] {
  if (isPython(file)) return ['python3', '-B', pythonHost(), String(memoryMB)]
  const heap = `--max-old-space-size=${memoryMB}`
  const stacks = '--enable-source-maps'
  if (!import.meta.url.endsWith('.ts')) return [process.execPath, heap, stacks, beside('./service-host.js')]
  const host = beside('./service-host.ts')
  return [process.execPath, heap, stacks, '--import', import.meta.resolve('tsx'), '--conditions=source', host]
}

/** Beside this file, or the bundle that it is in; or where this was compiled from. */
function pythonHost(): string {
  const near = beside('./python/fernlab_host.py')
  return existsSync(near) ? near : beside('../../../services/daemons/python/fernlab_host.py')
}

const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
