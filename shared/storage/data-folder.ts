import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError } from '../primitives/lab-error.ts'
import { loadSqlite } from './sqlite.ts'

/** Makes a data folder that only its owner may look into; throws a configuration error when it can't be written. */
export async function makeDataFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
    throw new LabError({
      code: 'data-folder-unusable',
      kind: 'configuration',
      message: `${folder} can't be written (${code}); FERNLAB_DATA may be a folder that can`,
      cause,
    })
  }
}

/** Keeps others off a data folder. */
export interface DataLock {
  release(): void
}

/**
 * Makes the folder and takes it for this process; the operating system frees it when the process ends, however it ends.
 * Throws a configuration error when another `part` has it.
 */
export async function lockDataFolder(folder: string, part: 'hub' | 'node'): Promise<DataLock> {
  await makeDataFolder(folder)
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(join(folder, `${part}.lock`))
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (!/locked/i.test(String(cause))) throw cause
    throw new LabError({
      code: 'data-folder-taken',
      kind: 'configuration',
      message: `another ${part} runs on ${folder}; stop it, or set FERNLAB_DATA to another folder`,
      cause,
    })
  }
  let released = false
  return {
    release: () => {
      if (released) return
      released = true
      database.close()
    },
  }
}
