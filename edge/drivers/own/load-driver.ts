/** A lab builder's driver as a module. */
import { access, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Driver } from '../driver.ts'
import { loadOwn } from './load-own.ts'

export interface LoadDriverOptions {
  /** The folder of node.yaml, from which the driver's is counted. */
  readonly configFolder: string
  /** Address of the module that the driver imports as `@fernlab/driver`. */
  readonly surface: string
}

const entries = ['driver.ts', 'driver.js', 'driver.mjs']
const CODE = 'own-driver-wrong'

/**
 * The driver that the folder's driver.ts exports as its default; nothing of it runs before each of its files was found to
 * be written by nobody whom the node does not trust. Rejects with a configuration-kind LabError that says where and why.
 */
export async function loadDriver(folder: string, { configFolder, surface }: LoadDriverOptions): Promise<Driver> {
  const named = resolve(configFolder, folder)
  const entry = await entryIn(named, folder)
  const loaded = await loadOwn({
    // What is looked at is what was read, though somebody lays a link to another place meanwhile.
    root: await realpath(named),
    named,
    entry,
    configFolder,
    surface: { name: '@fernlab/driver', address: surface },
    code: CODE,
  })
  if (isDriver(loaded.default)) return loaded.default
  throw wrong(`${join(folder, entry)} exports no driver: it ends in "export default driverOf({ … })"`)
}

async function entryIn(root: string, folder: string): Promise<string> {
  for (const name of entries) {
    const isThere = await access(join(root, name)).then(
      () => true,
      () => false,
    )
    if (isThere) return name
  }
  throw wrong(`${folder} has no ${entries.join(', ')} that can be read (looked for in ${root})`)
}

function isDriver(value: unknown): value is Driver {
  if (typeof value !== 'object' || value === null) return false
  const { kind, check, create } = value as Partial<Record<keyof Driver, unknown>>
  return typeof kind === 'string' && typeof check === 'function' && typeof create === 'function'
}

const wrong = (message: string): LabError => new LabError({ code: CODE, kind: 'configuration', message })
