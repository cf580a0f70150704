/**
 * Writes on their way to the database's thread: one text and one block of bytes for a whole turn of the event loop. A
 * structured clone of the same rows costs several times as much on both sides.
 *
 * In the text a value is JSON's own, but: `[offset, length]` are bytes of the block, `[index]` is a buffer that moved,
 * `{"n": "…"}` is a bigint, `{"f": "…"}` a number that JSON does not have. SQL is sent once and then named by its number.
 */
import type { SqlValue, WriteStatement } from './messages.ts'

type PackedValue =
  | null
  | number
  | string
  | readonly [number, number]
  | readonly [number]
  | { n: string }
  | { f: string }
/** SQL's number, the rows' values, and -1 or how many rows must change. */
type PackedStatement = readonly [sql: number, rows: readonly (readonly PackedValue[])[], expect: number, single: 0 | 1]
type PackedWrite = readonly [id: number, statements: readonly PackedStatement[]]

export interface PackedWrites {
  readonly kind: 'writes'
  readonly text: string
  /** SQL that the other side has not seen, by number. */
  readonly sql: readonly (readonly [number, string])[]
  readonly bytes: Uint8Array
  readonly moved: readonly Uint8Array[]
}

/** Blobs of this size and more move instead of being copied; the caller gives them away. */
export const MOVE_BYTES = 65_536

const mostNumbers = 2000

/** Packs writes for one receiver, which remembers the SQL. */
export class Packer {
  readonly #numbers = new Map<string, number>()
  #sql: [number, string][] = []
  #writes: PackedWrite[] = []
  #blobs: Uint8Array[] = []
  #size = 0
  #moved: Uint8Array[] = []

  get empty(): boolean {
    return this.#writes.length === 0
  }

  add(id: number, statements: readonly WriteStatement[]): void {
    const packed = statements.map(({ sql, params = [], rows, expect }): PackedStatement => {
      const values = rows === undefined ? [this.#row(params)] : rows.map((row) => this.#row(row))
      return [this.#number(sql), values, expect ?? -1, rows === undefined ? 1 : 0]
    })
    this.#writes.push([id, packed])
  }

  /** What was added since the last time, and the buffers that move with it. */
  take(): { message: PackedWrites; transfer: ArrayBuffer[] } {
    const bytes = new Uint8Array(this.#size)
    let at = 0
    for (const blob of this.#blobs) {
      bytes.set(blob, at)
      at += blob.byteLength
    }
    const message: PackedWrites = {
      kind: 'writes',
      text: JSON.stringify(this.#writes),
      sql: this.#sql,
      bytes,
      moved: this.#moved,
    }
    const transfer = [bytes.buffer, ...new Set(this.#moved.map(({ buffer }) => buffer as ArrayBuffer))]
    // Numbers are given anew only between messages: within one, each has one meaning.
    if (this.#numbers.size > mostNumbers) this.#numbers.clear()
    this.#sql = []
    this.#writes = []
    this.#blobs = []
    this.#size = 0
    this.#moved = []
    return { message, transfer }
  }

  #number(sql: string): number {
    let number = this.#numbers.get(sql)
    if (number === undefined) {
      number = this.#numbers.size
      this.#numbers.set(sql, number)
      this.#sql.push([number, sql])
    }
    return number
  }

  #row(row: readonly SqlValue[]): readonly PackedValue[] {
    for (const value of row) if (!isPlain(value)) return row.map((each) => this.#value(each))
    return row as readonly PackedValue[]
  }

  #value(value: SqlValue): PackedValue {
    if (isPlain(value)) return value
    if (typeof value === 'bigint') return { n: String(value) }
    if (typeof value === 'number') return { f: String(value) }
    const { buffer, byteLength } = value
    if (byteLength >= MOVE_BYTES && buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) {
      this.#moved.push(value)
      return [this.#moved.length - 1]
    }
    const offset = this.#size
    this.#blobs.push(value)
    this.#size += byteLength
    return [offset, byteLength]
  }
}

function isPlain(value: SqlValue): value is null | number | string {
  return typeof value === 'string' || value === null || (typeof value === 'number' && Number.isFinite(value))
}

export interface UnpackedWrite {
  readonly id: number
  readonly statements: readonly WriteStatement[]
}

/** The other side: remembers SQL, gives the statements back. Blobs are views into the block. */
export class Unpacker {
  readonly #sql = new Map<number, string>()

  unpack({ text, sql, bytes, moved }: PackedWrites): UnpackedWrite[] {
    for (const [number, line] of sql) this.#sql.set(number, line)
    const value = (packed: PackedValue): SqlValue => {
      if (packed === null || typeof packed !== 'object') return packed
      if ('n' in packed) return BigInt(packed.n)
      if ('f' in packed) return Number(packed.f)
      const [first, length] = packed
      return length === undefined ? (moved[first] ?? null) : bytes.subarray(first, first + length)
    }
    return (JSON.parse(text) as PackedWrite[]).map(([id, statements]) => ({
      id,
      statements: statements.map(([number, rows, expect, single]) => ({
        sql: this.#sql.get(number) ?? '',
        ...(single === 1 ? { params: (rows[0] ?? []).map(value) } : { rows: rows.map((row) => row.map(value)) }),
        ...(expect < 0 ? {} : { expect }),
      })),
    }))
  }
}
