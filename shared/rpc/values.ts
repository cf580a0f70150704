/**
 * What may stand in a message: null, booleans, numbers, texts, lists, plain objects, typed arrays; and functions among the
 * arguments of a call. Both directions are walked once, which bounds depth, members and bytes before anything is written.
 *
 * INVARIANTS: `$type` marks what a format has no form for, `{$type: 'float64', base64}`, `{$type: 'number', text: 'NaN'}`,
 * `{$type: 'callback', id}`; a member of somebody's own that is called `$type`, `$$type` … has one `$` more on the wire;
 * what is read holds no member `__proto__`.
 */
import { LabError } from '../primitives/lab-error.ts'
import { tooLarge, unreadable } from './errors.ts'
import type { RpcLimits } from './limits.ts'
import { arrayFromBase64, arrayToBase64, typeOfArray } from './typed-arrays.ts'

export type Callback = (...args: unknown[]) => unknown

/** `text` has no typed arrays and no NaN; `copy` shares nothing with the value that it was made of. */
export type ValueForm = 'text' | 'binary' | 'copy'

export interface WriteOptions {
  readonly form: ValueForm
  readonly limits: RpcLimits
  /** Keeps a function and returns its number; without, functions are refused. */
  readonly keep?: ((callback: Callback) => number) | undefined
}

export interface WrittenValue {
  readonly value: unknown
  /** Something in it stands for something else: it must be read with {@link readValue}. */
  readonly special: boolean
}

const DOLLAR = 36
const MARK = /^\$+type$/
const odd = new Set(['NaN', 'Infinity', '-Infinity'])

/** Refuses, with the path, what no message carries. */
class Unwritable extends LabError {
  readonly path: (string | number)[] = []
  readonly why: string

  constructor(why: string) {
    super({ code: 'value-unwritable', kind: 'caller', message: why })
    this.why = why
  }
}

/**
 * Makes the value ready for a format; the same value, unless `copy`, where nothing in it is special.
 * Throws `value-unwritable` with the path (a cycle, a class of somebody's own, a BigInt), or `message-too-large`.
 */
export function writeValue(value: unknown, options: WriteOptions): WrittenValue {
  const writer = new ValueWriter(options)
  const written = withPath(() => writer.put(value, 0))
  return { value: written, special: writer.special }
}

function withPath<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (!(thrown instanceof Unwritable)) throw thrown
    const path = thrown.path.reduce<string>(
      (all, key) => (typeof key === 'number' ? `${all}[${key}]` : all === '' ? key : `${all}.${key}`),
      '',
    )
    const message = `${path} ${thrown.why}`.trim()
    throw new LabError({ code: 'value-unwritable', kind: 'caller', message, issues: [{ path, message: thrown.why }] })
  }
}

/** A short number with its comma, or the quotes and the colon of a name. */
const MEMBER_BYTES = 10
/** What says in a text of which type an array is, or a number that JSON has not. */
const MARK_BYTES = 32

const textBytes = (text: string, form: ValueForm): number => {
  if (form === 'text') return JSON.stringify(text).length
  return /[^ -~]/.test(text) ? 3 * text.length : text.length
}

/** Of a number in text, beyond MEMBER_BYTES at most. */
const digitsBytes = (number: number): number => {
  if (!Number.isFinite(number)) return MARK_BYTES
  return Number.isInteger(number) && Math.abs(number) < 1e9 ? 0 : 15
}

/**
 * About how many bytes values have together when they are written in one message, without writing them: whoever gathers an
 * answer learns in time that it is too large.
 */
export class WrittenSize {
  readonly #writer: ValueWriter

  constructor(limits: RpcLimits, form: 'text' | 'binary') {
    this.#writer = new ValueWriter({ form, limits, measures: true })
  }

  /** What there is room for still. */
  get left(): { readonly bytes: number; readonly values: number } {
    return this.#writer.left
  }

  /** About how many bytes it is so far. */
  get bytes(): number {
    return this.#writer.bytes
  }

  /** Adds a value inside so many objects and lists. Throws as {@link writeValue}; such a value counts as far as it was seen. */
  add(value: unknown, depth: number): void {
    withPath(() => this.#writer.put(value, depth))
  }

  /** Adds one more value of a list that is so deep, in the same way. */
  addMember(value: unknown, depth: number): void {
    if (typeof value === 'number') this.#writer.putNumber(value)
    else this.add([value], depth)
  }
}

class ValueWriter {
  special = false
  #bytes = 0
  #values = 0
  readonly #form: ValueForm
  readonly #limits: RpcLimits
  readonly #keep: WriteOptions['keep']
  readonly #measures: boolean

  constructor({ form, limits, keep, measures = false }: WriteOptions & { readonly measures?: boolean }) {
    this.#form = form
    this.#measures = measures
    this.#limits = limits
    this.#keep = keep
  }

  get left(): { readonly bytes: number; readonly values: number } {
    const { messageBytes, values } = this.#limits
    return { bytes: messageBytes - this.#bytes, values: values - this.#values }
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Of a list that is being measured. */
  putNumber(value: number): void {
    this.#count(1)
    if (this.#form === 'text') this.#grow(digitsBytes(value))
  }

  put(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.#grow(this.#measures ? textBytes(value, this.#form) : value.length)
        return value
      case 'number':
        if (this.#measures && this.#form === 'text') this.#grow(digitsBytes(value))
        return this.#form === 'text' && !Number.isFinite(value)
          ? this.#marked({ $type: 'number', text: String(value) })
          : value
      case 'boolean':
      case 'undefined':
        return value
      case 'object':
        return value === null ? null : this.#putObject(value, depth)
      case 'function':
        if (this.#keep === undefined) throw new Unwritable('is a function, which only the arguments of a call may hold')
        return this.#marked({ $type: 'callback', id: this.#keep(value as Callback) })
      default:
        throw new Unwritable(`is a ${typeof value}, which no message carries`)
    }
  }

  #marked<T>(value: T): T {
    this.special = true
    return value
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    const { messageBytes } = this.#limits
    if (this.#bytes > messageBytes) throw tooLarge(`the message has more than ${messageBytes} bytes`, messageBytes)
  }

  #putObject(value: object, depth: number): unknown {
    if (depth >= this.#limits.depth)
      throw new Unwritable(`is nested more than ${this.#limits.depth} deep, or in itself`)
    if (Array.isArray(value)) return this.#putList(value, depth + 1)
    if (ArrayBuffer.isView(value)) return this.#putArray(value)
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return this.#putMembers(value, depth + 1)
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function') return this.put(toJSON.call(value), depth + 1)
    throw new Unwritable(
      `is a ${(prototype as { constructor?: { name?: string } }).constructor?.name || 'class of its own'}, not a plain object`,
    )
  }

  #putArray(view: ArrayBufferView): unknown {
    const type = typeOfArray(view)
    if (type === undefined) throw new Unwritable('is a view of bytes that no message carries: send a Uint8Array')
    this.#grow(this.#form === 'text' ? Math.ceil(view.byteLength / 3) * 4 + MARK_BYTES : view.byteLength)
    if (this.#measures) return view
    if (this.#form === 'text') return this.#marked({ $type: type, base64: arrayToBase64(view) })
    if (this.#form === 'binary') return view
    const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer
    // A Buffer of Node would come out as one: what arrives is a Uint8Array over every link.
    return type === 'uint8' ? new Uint8Array(bytes) : new (view.constructor as new (b: ArrayBuffer) => unknown)(bytes)
  }

  #putList(list: readonly unknown[], depth: number): unknown {
    this.#count(list.length)
    let copy: unknown[] | undefined
    for (let i = 0; i < list.length; i++) {
      const child = list[i]
      let put: unknown
      try {
        put = child === undefined ? null : this.put(child, depth)
      } catch (thrown) {
        if (thrown instanceof Unwritable) thrown.path.unshift(i)
        throw thrown
      }
      if (copy === undefined && put !== child) copy = list.slice(0, i)
      if (copy !== undefined) copy[i] = put
    }
    return copy ?? (this.#form === 'copy' ? list.slice() : list)
  }

  #putMembers(from: object, depth: number): unknown {
    const source = from as Record<string, unknown>
    const keys = Object.keys(source)
    this.#count(keys.length)
    let copy: Record<string, unknown> | undefined
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      this.#grow(key.length)
      const child = source[key]
      let put: unknown
      try {
        if (key === '__proto__') throw new Unwritable('is a name that no message carries')
        put = this.put(child, depth)
      } catch (thrown) {
        if (thrown instanceof Unwritable) thrown.path.unshift(key)
        throw thrown
      }
      const name = key.charCodeAt(0) === DOLLAR && MARK.test(key) ? `$${key}` : key
      if (name !== key) this.special = true
      if (copy === undefined && (put !== child || put === undefined || name !== key)) {
        copy = {}
        for (let j = 0; j < i; j++) copy[keys[j] as string] = source[keys[j] as string]
      }
      if (copy !== undefined && put !== undefined) copy[name] = put
    }
    // What is made of it at once costs a fraction of what is made of it name by name.
    return copy ?? (this.#form === 'copy' ? { ...source } : source)
  }

  #count(members: number): void {
    this.#values += members
    if (this.#measures) this.#grow(members * MEMBER_BYTES)
    const { values } = this.#limits
    if (this.#values > values)
      throw tooLarge(`the message has more than ${values} values: send numbers as a typed array`, values)
  }
}

export interface ReadOptions {
  readonly limits: RpcLimits
  /** Makes the function that calls back; without, callbacks are refused. */
  readonly callback?: ((id: number) => Callback) | undefined
}

/** Turns what a format read into what was sent, in place. Throws `rpc-unreadable`. */
export function readValue(value: unknown, options: ReadOptions, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (depth >= options.limits.depth) throw unreadable(`it is nested more than ${options.limits.depth} deep`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const child: unknown = value[i]
      if (typeof child === 'object' && child !== null) value[i] = readValue(child, options, depth + 1)
    }
    return value
  }
  const members = value as Record<string, unknown>
  if (Object.hasOwn(members, '$type')) return readMarked(members, options)
  for (const key in members) {
    if (key === '__proto__') throw unreadable('it has a member __proto__')
    const child = members[key]
    if (key.charCodeAt(0) === DOLLAR && MARK.test(key)) return readEscaped(members, options, depth)
    if (typeof child === 'object' && child !== null) members[key] = readValue(child, options, depth + 1)
  }
  return members
}

function readEscaped(members: Record<string, unknown>, options: ReadOptions, depth: number): unknown {
  const read: Record<string, unknown> = {}
  for (const [key, child] of Object.entries(members)) {
    if (key === '__proto__') throw unreadable('it has a member __proto__')
    read[MARK.test(key) ? key.slice(1) : key] = readValue(child, options, depth + 1)
  }
  return read
}

function readMarked(members: Readonly<Record<string, unknown>>, { callback }: ReadOptions): unknown {
  const { $type: type, base64, text, id } = members
  if (type === 'number' && typeof text === 'string' && odd.has(text)) return Number(text)
  if (type === 'callback' && Number.isSafeInteger(id)) {
    if (callback === undefined) throw unreadable('it holds a function, which only the arguments of a call may')
    return callback(id as number)
  }
  const array = typeof type === 'string' && typeof base64 === 'string' ? arrayFromBase64(type, base64) : undefined
  if (array === undefined) throw unreadable('it has a $type that is none')
  return array
}
