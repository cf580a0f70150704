// The node as a few files, its process, the threads of its database and of emulated boards, the programs of own drivers and services: a Pi reads them from its card in one go and keeps none
// of what it does not use in memory. Native addons stay packages.
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { nativePackages } from './native-packages.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** zod's namespace holds its messages in 50 languages; ours are written by us. */
const withoutLanguages = {
  name: 'without-languages',
  setup: ({ onLoad }) =>
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
      loader: 'js',
      resolveDir: fileURLToPath(new URL('../../node_modules/zod/v4/locales/', import.meta.url)),
    })),
}

await build({
  absWorkingDir: root,
  entryPoints: {
    'edge-process': 'edge/edge-process.ts',
    'node-command': 'edge/node-command.ts',
    'database-worker': 'shared/storage/database-worker.ts',
    'board-thread': 'firmware-bridge/boards/board-thread.ts',
    'driver-host': 'edge/drivers/own/driver-host.ts',
    'service-host': 'edge/services/daemons/service-host.ts',
  },
  outdir: 'edge/dist/bundle',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  conditions: ['source'],
  // Node's own streams; the package is a copy of them for other places.
  alias: { 'readable-stream': 'node:stream' },
  external: nativePackages,
  // Names stay, so that an error's stack can be read.
  minifyWhitespace: true,
  minifySyntax: true,
  keepNames: false,
  legalComments: 'linked',
  // Packages in the older module format ask for Node's own modules at run time.
  banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
  plugins: [withoutLanguages],
  logLevel: 'warning',
})
for (const path of ['scpi/models', 'lines/models', 'process/python/fernlab_driver.py']) {
  cpSync(`${root}edge/drivers/${path}`, `${root}edge/dist/bundle/${path}`, { recursive: true })
}
cpSync(`${root}edge/services/daemons/python`, `${root}edge/dist/bundle/python`, { recursive: true })
cpSync(`${root}edge/driver-kit/new`, `${root}edge/dist/bundle/new`, { recursive: true })
cpSync(`${root}firmware-bridge/transports/usbtmc/usbtmc.py`, `${root}edge/dist/bundle/usbtmc/usbtmc.py`)
