/** Makes one module of a lab builder's files, TypeScript or not, and loads it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { BuildFailure, Plugin } from 'esbuild'
import { requireTrusted } from './trusted.ts'

export interface LoadOwnOptions {
  /** The folder of the files, without a link on the way, and as it was named. */
  readonly root: string
  readonly named: string
  /** The file in it that imports the others. */
  readonly entry: string
  /** The folder of node.yaml. */
  readonly configFolder: string
  /** What the files import as part of Fernlab, and the address of the module that it is. */
  readonly surface: { readonly name: string; readonly address: string }
  /** The code of errors. */
  readonly code: 'own-driver-wrong' | 'own-service-wrong'
}

/**
 * What the entry exports; nothing of it runs before each of its files was found to be written by nobody whom the node does
 * not trust. Rejects with a configuration-kind LabError that says where and why.
 */
export async function loadOwn(options: LoadOwnOptions): Promise<Readonly<Record<string, unknown>>> {
  const { root, named, configFolder } = options
  const scratch = await mkdtemp(join(tmpdir(), 'fernlab-own-'))
  try {
    const outfile = join(scratch, 'own.mjs')
    const files = await compile(options, outfile)
    const writable = options.code === 'own-service-wrong' ? 'own-service-writable' : 'own-driver-writable'
    await requireTrusted([...files, named], { root, configFolder, code: writable })
    return await import(pathToFileURL(outfile).href)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Writes the one file; resolves with all that went into it. */
async function compile({ root, entry, surface, code }: LoadOwnOptions, outfile: string): Promise<string[]> {
  const wrong = (message: string, cause: unknown) => new LabError({ code, kind: 'configuration', message, cause })
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

const address = (root: string): string => JSON.stringify(pathToFileURL(join(root, 'own.js')).href)

/** Not compiled in: there is one `LabError`, and one of each class, for the files and the program that holds them. */
const surfaceAt = (surface: LoadOwnOptions['surface']): Plugin => ({
  name: 'surface',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@fernlab\// }, ({ path }) =>
      path === surface.name ? { path: surface.address, external: true } : undefined,
    ),
})

function failureText({ errors, message }: BuildFailure, root: string): string {
  const [first] = errors ?? []
  if (first === undefined) return message
  const { location, text } = first
  if (location === null) return text
  return `${relative(root, resolve(root, location.file))}:${location.line}:${location.column + 1}: ${text}`
}
