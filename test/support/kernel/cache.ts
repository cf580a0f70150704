/**
 * What the kernel stage downloads and builds, kept until `node_modules` is removed.
 *
 * INVARIANTS: a folder of the cache appears whole, under a name that holds a hash of all that it was made from, and is
 * never changed afterwards.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../source-files.ts'

const cacheFolder = join(root, 'node_modules/.cache/fernlab-tests/kernel')

/** The folder made from these ingredients: the cached one, or a new one that `make` has filled. */
export async function cached(
  name: string,
  ingredients: readonly (string | Buffer)[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const final = join(cacheFolder, `${name}-${hashOf(ingredients).slice(0, 16)}`)
  if (existsSync(final)) return final
  mkdirSync(cacheFolder, { recursive: true })
  const making = mkdtempSync(join(cacheFolder, `.${name}-`))
  const startedAt = performance.now()
  try {
    await make(making)
    putInPlace(making, final)
  } finally {
    rmSync(making, { recursive: true, force: true })
  }
  process.stdout.write(`made ${name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`)
  return final
}

/** The source text of a module, as an ingredient: what it makes is made anew when it has changed. */
export const ownSource = (url: string): Buffer => readFileSync(new URL(url))

function putInPlace(made: string, final: string): void {
  try {
    renameSync(made, final)
  } catch (error) {
    // Another test process was quicker: the same hash is the same content.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

function hashOf(ingredients: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const ingredient of ingredients) {
    hash.update(`${ingredient.length}\0`)
    hash.update(ingredient)
  }
  return hash.digest('hex')
}
