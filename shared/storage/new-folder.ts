import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LabError } from '../primitives/lab-error.ts'

/** Writes a folder that is not there yet; rejects with `folder-there` for one that is, and then writes nothing. */
export async function writeNewFolder(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const root = resolve(folder)
  await mkdir(dirname(root), { recursive: true })
  try {
    await mkdir(root)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new LabError({
      code: 'folder-there',
      kind: 'caller',
      message: `${folder} is there already\n  Name a folder that is not, or remove it first.`,
    })
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text, { flag: 'wx' })
  }
}
