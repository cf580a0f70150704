/** Makes one module of a lab builder's driver, TypeScript or not, and loads it. */
import { access, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { BuildFailure, Plugin } from 'esbuild'
import type { Driver } from '../driver.ts'
import { requireTrusted } from './trusted.ts'

export interface LoadDriverOptions {
  /** The folder of node.yaml, from which the driver's is counted. */
  readonly configFolder: string
  /** Address of the module that the driver imports as `@fernlab/driver`. */
  readonly surface: string
}

const entries = ['driver.ts', 'driver.js', 'driver.mjs']
const SURFACE = /^@fernlab\/driver$/

/**
 * The driver that the folder's driver.ts exports as its default; nothing of it runs before each of its files was found to
 * be written by nobody whom the node does not trust. Rejects with a configuration-kind LabError that says where and why.
 */
export async function loadDriver(folder: string, { configFolder, surface }: LoadDriverOptions): Promise<Driver> {
  const named = resolve(configFolder, folder)
  const entry = await entryIn(named, folder)
  // What is looked at is what was read, though somebody lays a link to another place meanwhile.
  const root = await realpath(named)
  const scratch = await mkdtemp(join(tmpdir(), 'fernlab-driver-'))
  try {
    const outfile = join(scratch, 'driver.mjs')
    const files = await compile(root, entry, outfile, surface)
    await requireTrusted([...files, named], { root, configFolder })
    const loaded: { default?: unknown } = await import(pathToFileURL(outfile).href)
    if (isDriver(loaded.default)) return loaded.default
    throw wrong(`${join(folder, entry)} exports no driver: it ends in "export default driverOf({ … })"`)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
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

/** Writes the one file; resolves with all that went into it. */
async function compile(root: string, entry: string, outfile: string, surface: string): Promise<string[]> {
  const { build, stop } = await import('esbuild').catch((cause: unknown) => {
    throw wrong('the package esbuild is not installed, which makes JavaScript of TypeScript', cause)
  })
  try {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      sourcemap: 'inline',
      sourcesContent: false,
      metafile: true,
      logLevel: 'silent',
      // Packages in the older module format ask for others at run time.
      banner: {
        js: `import{createRequire as requireFrom}from'node:module';const require=requireFrom(${address(root)});`,
      },
      plugins: [surfaceAt(surface)],
    })
    return Object.keys(metafile.inputs).map((path) => resolve(root, path))
  } catch (thrown) {
    throw wrong(failureText(thrown as BuildFailure, root), thrown)
  } finally {
    // Its own process would stay for as long as this one.
    await stop()
  }
}

const address = (root: string): string => JSON.stringify(pathToFileURL(join(root, 'driver.js')).href)

/** Not compiled in: there is one `LabError`, and one of each class, for the driver and the program that holds it. */
const surfaceAt = (path: string): Plugin => ({
  name: 'surface',
  setup: ({ onResolve }) => onResolve({ filter: SURFACE }, () => ({ path, external: true })),
})

function failureText({ errors, message }: BuildFailure, root: string): string {
  const [first] = errors ?? []
  if (first === undefined) return message
  const { location, text } = first
  if (location === null) return text
  return `${relative(root, resolve(root, location.file))}:${location.line}:${location.column + 1}: ${text}`
}

function isDriver(value: unknown): value is Driver {
  if (typeof value !== 'object' || value === null) return false
  const { kind, check, create } = value as Partial<Record<keyof Driver, unknown>>
  return typeof kind === 'string' && typeof check === 'function' && typeof create === 'function'
}

const wrong = (message: string, cause?: unknown): LabError =>
  new LabError({ code: 'own-driver-wrong', kind: 'configuration', message, ...(cause === undefined ? {} : { cause }) })
