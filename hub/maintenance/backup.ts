/**
 * Copies of everything that a hub holds, while it runs; restore.ts is the way back.
 *
 * INVARIANTS: a backup's database is one moment's; its manifest is written last, so a folder with a manifest is whole.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, mkdir, open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Database } from '@fernlab/shared/storage/database'
import { writeDurably } from '@fernlab/shared/storage/settings-file'
import * as z from 'zod'
import { migrations } from '../store/migrations.ts'

const manifestName = 'manifest.json'
export const databaseName = 'hub.db'
/** Small files beside the database: settings, and the secret that signs cookies. */
export const settingsName = 'settings.json'
const settingsNames = [settingsName, 'identity.json']

const manifestSchema = z.strictObject({
  format: z.literal(1),
  version: z.string(),
  site: z.string(),
  createdAt: z.iso.datetime(),
  migrations: z.array(z.string()),
  files: z.record(z.string(), z.strictObject({ bytes: z.number(), sha256: z.string() })),
})
export type BackupManifest = z.infer<typeof manifestSchema>

export interface BackupOptions {
  /** The database in use; another process may be using it too. */
  readonly database: Database
  /** The hub's own folder, with its settings. */
  readonly hubFolder: string
  /** A folder that does not exist yet, or is empty. */
  readonly target: string
  readonly version: string
  readonly site: string
  readonly clock: Clock
}

/** Writes a consistent copy into `target` while everything goes on; rejects with `backup-target-used`. */
export async function backup(options: BackupOptions): Promise<BackupManifest> {
  const { database, hubFolder, target, version, site, clock } = options
  await requireEmpty(target, 'backup-target-used')
  await mkdir(target, { recursive: true, mode: 0o700 })
  await database.backup(join(target, databaseName))
  const present = new Set(await readdir(hubFolder))
  const settings = settingsNames.filter((name) => present.has(name))
  for (const name of settings) await copyFile(join(hubFolder, name), join(target, name))
  const files: BackupManifest['files'] = {}
  for (const name of [databaseName, ...settings]) {
    await sync(join(target, name))
    files[name] = await describe(join(target, name))
  }
  const manifest: BackupManifest = {
    format: 1,
    version,
    site,
    createdAt: new Date(clock.now()).toISOString(),
    migrations: (await database.read('SELECT name FROM migration ORDER BY name')).map(({ name }) => String(name)),
    files,
  }
  await writeDurably(join(target, manifestName), `${JSON.stringify(manifest, null, 2)}\n`)
  return manifest
}

/** Reads the manifest and compares every file with it; nothing is changed. */
export async function checkBackup(from: string): Promise<BackupManifest> {
  const manifest = await readManifest(from)
  const known = new Set(migrations.map(({ name }) => name))
  const newer = manifest.migrations.filter((name) => !known.has(name))
  if (newer.length > 0) {
    throw new LabError({
      code: 'backup-newer',
      kind: 'configuration',
      message: `the backup is of version ${manifest.version}, which this release does not know (${newer.join(', ')}); use that version`,
    })
  }
  const issues: Issue[] = []
  for (const [name, expected] of Object.entries(manifest.files)) {
    const found = await describe(join(from, name)).catch(() => undefined)
    if (found === undefined) issues.push({ path: name, message: 'is missing' })
    else if (found.bytes !== expected.bytes) {
      issues.push({ path: name, message: `has ${found.bytes} bytes instead of ${expected.bytes}` })
    } else if (found.sha256 !== expected.sha256) issues.push({ path: name, message: 'has another content (sha-256)' })
  }
  if (issues.length > 0) throw damaged(from, issues)
  return manifest
}

/** Reads the manifest alone. */
export async function readManifest(from: string): Promise<BackupManifest> {
  const wrong = (message: string) => damaged(from, [{ path: manifestName, message }])
  const text = await readFile(join(from, manifestName), 'utf8').catch(() => undefined)
  if (text === undefined) throw wrong('is missing: this is no backup, or one that was cut off')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong('is not JSON')
  }
  const checked = manifestSchema.safeParse(value)
  if (!checked.success) throw wrong(z.prettifyError(checked.error))
  const odd = Object.keys(checked.data.files).find((name) => name !== databaseName && !settingsNames.includes(name))
  if (odd !== undefined) throw wrong(`names ${odd}, which is no file of a hub`)
  if (checked.data.files[databaseName] === undefined) throw wrong('names no database')
  return checked.data
}

/** The error of a backup that can't be used. */
export function damaged(where: string, issues: readonly Issue[]): LabError {
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ')
  return new LabError({
    code: 'backup-damaged',
    kind: 'configuration',
    message: `the backup ${where} can't be used: ${list}. Nothing was changed.`,
    issues,
  })
}

/** Throws `code` for a folder that holds something. */
export async function requireEmpty(folder: string, code: string): Promise<void> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (entries.length === 0) return
  throw new LabError({
    code,
    kind: 'configuration',
    message: `${folder} is not empty; name a folder that is, or one that does not exist yet`,
  })
}

async function describe(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return { bytes: (await stat(path)).size, sha256: hash.digest('hex') }
}

/** Has the disk keep the file, or the names in the folder. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
