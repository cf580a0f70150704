/**
 * Small JSON files that a person may read and edit over SSH: identity, credential, calibration, bootstrap settings.
 *
 * INVARIANTS: at every moment the file or its `.bak` is whole; a write has reached the disk when it resolves; the `.bak`
 * stands in for a file that is gone or cut off, never for one that a person wrote wrongly.
 */
import { chmod, chown, copyFile, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Adapter, Low } from 'lowdb'
import type { z } from 'zod'
import { LabError } from '../primitives/lab-error.ts'
import type { Log } from '../primitives/log.ts'

export interface SettingsFile<T> {
  readonly data: T
  /** Changes the data and puts it on disk; the writes of one file happen one after the other. */
  update(change: (data: T) => void): Promise<void>
}

export interface OpenSettingsOptions<Schema extends z.ZodType> {
  readonly path: string
  readonly schema: Schema
  /** Used when there is neither the file nor its `.bak`. */
  readonly initial: z.infer<Schema>
  readonly log: Log
}

/** Opens a settings file readable by its owner alone; takes the `.bak` (with a warning) when the file can't be read. */
export async function openSettingsFile<Schema extends z.ZodType>(
  options: OpenSettingsOptions<Schema>,
): Promise<SettingsFile<z.infer<Schema>>> {
  const { path, schema, log } = options
  type Data = z.infer<Schema>
  const check = (data: unknown, file: string): Data => {
    const checked = schema.safeParse(data)
    if (checked.success) return checked.data
    const issues = checked.error.issues.map((issue) => ({ file, path: issue.path.join('.'), message: issue.message }))
    throw new LabError({
      code: 'settings-invalid',
      kind: 'configuration',
      message: `${file} holds something else than settings: ${issues.map((i) => `${i.path}: ${i.message}`).join('; ')}`,
      issues,
    })
  }
  const adapter: Adapter<Data> = {
    read: async () => {
      const text = await readIfThere(path)
      const backup = text === undefined ? await readIfThere(`${path}.bak`) : undefined
      if (text === undefined)
        return backup === undefined ? null : check(parseJson(backup, `${path}.bak`), `${path}.bak`)
      let data: unknown
      try {
        data = parseJson(text, path)
      } catch (error) {
        const spare = await readIfThere(`${path}.bak`)
        if (spare === undefined) throw error
        log.warn({ path, error: String(error) }, 'the settings file is damaged; its .bak is used')
        return check(parseJson(spare, `${path}.bak`), `${path}.bak`)
      }
      // What a person wrote is never passed over for the spare copy: a mistake in it is told.
      return check(data, path)
    },
    write: (data) => writeDurably(path, `${JSON.stringify(data, null, 2)}\n`),
  }
  const low = new Low<Data>(adapter, options.initial)
  await low.read()
  let turn: Promise<void> = Promise.resolve()
  return {
    get data() {
      return low.data
    },
    update: (change) => {
      const next = turn.then(() => low.update(change))
      turn = next.catch(() => {})
      return next
    },
  }
}

export interface WriteDurablyOptions {
  /** The new file has owner and mode of the one that it replaces, instead of being its writer's alone. */
  readonly keepsAccess?: boolean
}

/** Replaces a file so that a power cut leaves the old or the new text, and keeps the old as `.bak`. */
export async function writeDurably(
  path: string,
  text: string,
  { keepsAccess = false }: WriteDurablyOptions = {},
): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const temporary = `${path}.tmp`
  await writeAndSync(temporary, text)
  if (keepsAccess) await copyAccess(path, temporary)
  if ((await readIfThere(path)) !== undefined) {
    await copyFile(path, `${path}.bak.tmp`)
    await chmod(`${path}.bak.tmp`, 0o600)
    await syncPath(`${path}.bak.tmp`)
    await rename(`${path}.bak.tmp`, `${path}.bak`)
  }
  await rename(temporary, path)
  await syncPath(folder)
}

async function writeAndSync(path: string, text: string): Promise<void> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function copyAccess(from: string, to: string): Promise<void> {
  const { uid, gid, mode } = await stat(from)
  const own = await stat(to)
  // Only root may give a file away.
  if (uid !== own.uid || gid !== own.gid) await chown(to, uid, gid)
  await chmod(to, mode & 0o777)
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new LabError({
      code: 'settings-invalid',
      kind: 'configuration',
      message: `${file} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    })
  }
}
