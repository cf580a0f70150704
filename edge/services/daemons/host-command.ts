/** The program that a daemon is. */
import { fileURLToPath } from 'node:url'

/** The command; it keeps to `memoryMB` by itself as far as it can. */
export function hostCommand(memoryMB: number): readonly [string, ...string[]] {
  const heap = `--max-old-space-size=${memoryMB}`
  const stacks = '--enable-source-maps'
  if (!import.meta.url.endsWith('.ts')) return [process.execPath, heap, stacks, beside('./service-host.js')]
  const host = beside('./service-host.ts')
  return [process.execPath, heap, stacks, '--import', import.meta.resolve('tsx'), '--conditions=source', host]
}

/** Beside this file, or the bundle that it is in. */
const beside = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
