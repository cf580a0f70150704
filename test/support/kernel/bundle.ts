/** Guest test files and the runner as one script each: a guest needs no TypeScript and no source tree. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { root } from '../source-files.ts'
import { nativePackages } from './native-packages.ts'

/** Where the project lies in a guest. */
export const guestProject = '/fernlab'

/**
 * Bundles a source file of the repository into `to`. Its modules see themselves at the place that they have in the
 * repository, below `/fernlab`, so that what they read beside them is found there.
 */
export async function bundleForGuest(file: string, to: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [file],
    outfile: to,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['source'],
    alias: { 'readable-stream': 'node:stream' },
    external: [...nativePackages, 'cbor-extract'],
    banner: { js: banner(file) },
    plugins: [atItsPlace],
    logLevel: 'warning',
  })
}

const banner = (file: string) =>
  [
    "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);",
    // The suite names a file by its source, as the list of skips does.
    `process.argv[1]=${JSON.stringify(`${guestProject}/${file}`)};`,
  ].join('')

const atItsPlace: Plugin = {
  name: 'at-its-place',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined
      const url = pathToFileURL(`${guestProject}/${relative(root, path)}`).href
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(url))
      return { contents, loader: 'ts' }
    })
  },
}
