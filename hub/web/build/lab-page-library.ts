import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import type { Plugin } from 'vite'

const source = 'library/fernlab.ts'

/** Builds the library of labs' own pages beside the page, with its types: one file that depends on nothing. */
export function labPageLibrary(): Plugin {
  let root = ''
  return {
    name: 'fernlab-lab-page-library',
    apply: 'build',
    configResolved(config) {
      root = config.root
    },
    buildStart() {
      const id = join(root, source)
      this.emitFile({ type: 'chunk', id, fileName: 'lab-page/fernlab.js', preserveSignature: 'strict' })
    },
    generateBundle() {
      const file = join(root, source)
      const { outputText } = ts.transpileDeclaration(readFileSync(file, 'utf8'), { fileName: file })
      this.emitFile({ type: 'asset', fileName: 'lab-page/fernlab.d.ts', source: outputText })
    },
  }
}
