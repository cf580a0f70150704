import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { loadSqlite } from '@fernlab/shared/storage/sqlite'

/** Keeps other hubs off the data folder. */
export interface DataLock {
  release(): void
}

/**
 * Takes the folder for this process; the operating system frees it when the process ends, however it ends. Throws a
 * configuration error when another hub has it.
 */
export async function lockDataFolder(folder: string): Promise<DataLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { DatabaseSync } = await loadSqlite()
  const database = new DatabaseSync(join(folder, 'hub.lock'))
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new LabError({
      code: 'data-folder-taken',
      kind: 'configuration',
      message: `another hub runs on ${folder}; stop it, or set FERNLAB_DATA to another folder`,
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
