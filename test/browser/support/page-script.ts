/** A program of a page, with what it takes of `@fernlab/client/browser` in it. */
import { join } from 'node:path'
import { build } from 'esbuild'

/** The script that a page runs; `program` stands in the client's folder of the repository. */
export async function pageScript(root: string, program: string): Promise<string> {
  const bundled = await build({
    stdin: { contents: program, resolveDir: join(root, 'shared/clients/typescript'), loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
  })
  return bundled.outputFiles[0]?.text ?? ''
}
