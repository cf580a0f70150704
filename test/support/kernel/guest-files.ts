import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../source-files.ts'
import { guestProject } from './bundle.ts'
import type { GuestNeed } from './need.ts'

/** One test file that runs in a guest. */
export interface GuestFile {
  /** Path in the repository. */
  readonly file: string
  /** `gpio` for `gpio.guest.ts` */
  readonly name: string
  /** Path of its bundle in the guest. */
  readonly bundle: string
  readonly need: GuestNeed
}

/**
 * The guest test files of a folder with what they need; those alone whose path holds a part named in
 * FERNLAB_GUESTS (separated by commas), where it names any.
 */
export async function guestFiles(folder: string): Promise<GuestFile[]> {
  const parts = (process.env.FERNLAB_GUESTS ?? '').split(',').filter((part) => part !== '')
  const files = readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.guest.ts'))
    .sort()
    .map((name) => `${folder}/${name}`)
  const named = files.filter((file) => parts.some((part) => file.includes(part)))
  return await Promise.all(
    (named.length > 0 ? named : files).map(async (file) => ({
      file,
      name: (file.split('/').at(-1) ?? file).replace(/\.guest\.ts$/, ''),
      bundle: `${guestProject}/${file.replace(/\.ts$/, '.mjs')}`,
      need: await readNeed(file.replace(/\.guest\.ts$/, '.need.ts')),
    })),
  )
}

async function readNeed(file: string): Promise<GuestNeed> {
  const path = join(root, file)
  if (!existsSync(path)) return {}
  const { need } = (await import(pathToFileURL(path).href)) as { need?: GuestNeed }
  if (need === undefined) throw new Error(`${file} does not export need`)
  return need
}
