import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { deserialize, serialize } from 'node:v8'

export interface Question {
  readonly sql: string
  readonly params: readonly (string | number)[]
}

/** Asks a SQLite file from a process of its own: the file is not open any more when this resolves. */
export async function query(path: string, statements: readonly Question[]): Promise<Record<string, unknown>[][]> {
  const script = fileURLToPath(new URL('./query.mjs', import.meta.url))
  const argument = serialize({ path, statements }).toString('base64')
  const options = { encoding: 'buffer', maxBuffer: 512 * 1024 * 1024 } as const
  const { stdout } = await promisify(execFile)(process.execPath, [script, argument], options)
  return deserialize(stdout)
}

/** What SQLite's integrity check says; `['ok']` of a sound file. */
export async function integrityOf(path: string): Promise<unknown[]> {
  const [rows = []] = await query(path, [{ sql: 'PRAGMA integrity_check', params: [] }])
  return rows.map((row) => row.integrity_check)
}
