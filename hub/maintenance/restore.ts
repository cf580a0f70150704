/**
 * The way back from a backup.
 *
 * INVARIANTS: every file is checked before anything is put in place; the database is put where the hub will open it
 * under the restored settings, never over one that is there; all of it is put in place or nothing.
 */
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Environment } from '@fernlab/shared/programs/settings-reader'
import { type Database, openDatabase } from '@fernlab/shared/storage/database'
import * as z from 'zod'
import { parseConfig, settingsSchema } from '../config/config.ts'
import { migrations } from '../store/migrations.ts'
import { sqlitePath } from '../store/store.ts'
import {
  type BackupManifest,
  checkBackup,
  damaged,
  databaseName,
  readManifest,
  requireEmpty,
  settingsName,
  sync,
} from './backup.ts'

export interface RestoreOptions {
  readonly from: string
  /** The environment that the hub will be started with; names the data folder, which is empty or does not exist yet. */
  readonly env: Environment
  readonly cwd: string
}

export interface Restored {
  readonly manifest: BackupManifest
  readonly dataFolder: string
  readonly databaseFile: string
}

/**
 * Checks a backup, then puts it in place and tells where; rejects with `backup-damaged`, `backup-newer`,
 * `restore-target-used`, and `setting-invalid` when the hub could not start with the environment and the restored settings.
 */
export async function restore({ from, env, cwd }: RestoreOptions): Promise<Restored> {
  const settings = await settingsIn(from)
  const { dataFolder, hubFolder, databaseUrl } = parseConfig(env, settings, cwd)
  const databaseFile = sqlitePath(databaseUrl)
  await requireEmpty(hubFolder, 'restore-target-used')
  const placeInFolder = relative(hubFolder, databaseFile)
  const outside = placeInFolder.startsWith('..') || isAbsolute(placeInFolder)
  if (outside) requireAbsent(databaseFile)
  const manifest = await checkBackup(from)

  const staging = `${hubFolder}.restoring`
  const staged = outside ? `${databaseFile}.restoring` : join(staging, placeInFolder)
  const clear = async () => {
    await rm(staging, { recursive: true, force: true })
    for (const path of partsOf(staged)) await rm(path, { force: true })
  }
  await clear()
  for (const folder of [staging, dirname(staged)]) await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    for (const name of Object.keys(manifest.files)) {
      const target = name === databaseName ? staged : join(staging, name)
      await copyFile(join(from, name), target)
      await sync(target)
    }
    await checkDatabase(staged)
    await rm(hubFolder, { recursive: true, force: true })
    // First the database: a hub that finds its folder without it would start empty.
    if (outside) await rename(staged, databaseFile)
    try {
      if (outside) await sync(dirname(databaseFile))
      await rename(staging, hubFolder)
    } catch (error) {
      if (outside) await rm(databaseFile, { force: true })
      throw error
    }
    await sync(dirname(hubFolder))
  } catch (error) {
    await clear()
    throw error
  }
  return { manifest, dataFolder, databaseFile }
}

async function settingsIn(from: string) {
  const { files } = await readManifest(from)
  if (files[settingsName] === undefined) return {}
  const wrong = (message: string) => damaged(from, [{ path: settingsName, message }])
  let value: unknown
  try {
    value = JSON.parse(await readFile(join(from, settingsName), 'utf8'))
  } catch (error) {
    throw wrong(asLabError(error).message)
  }
  const checked = settingsSchema.safeParse(value)
  if (!checked.success) throw wrong(z.prettifyError(checked.error))
  return checked.data
}

/** A database's file and the files that SQLite keeps beside it. */
const partsOf = (databaseFile: string) => ['', '-wal', '-shm'].map((suffix) => `${databaseFile}${suffix}`)

/** A log that was left over would be taken for one of the restored database. */
function requireAbsent(databaseFile: string): void {
  const present = partsOf(databaseFile).find((path) => existsSync(path))
  if (present === undefined) return
  throw new LabError({
    code: 'restore-target-used',
    kind: 'configuration',
    message: `${present} exists, and the settings say that the database goes there; move it away, or name another file in FERNLAB_DATABASE_URL`,
  })
}

async function checkDatabase(path: string): Promise<void> {
  let database: Database | undefined
  try {
    database = await openDatabase({ path, migrations })
    const problems = await database.check()
    if (problems.length > 0)
      throw damaged(
        path,
        problems.map((message) => ({ path: databaseName, message })),
      )
    await database.checkpoint()
  } catch (error) {
    const { code, message } = asLabError(error)
    throw code === 'backup-damaged' ? error : damaged(path, [{ path: databaseName, message }])
  } finally {
    await database?.close()
  }
}
