/** Makes an instrument of node.yaml out of what was found. */
import { readFile, realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { AddedInstruments } from '@fernlab/shared/contracts/hardware-drafts'
import { withEntry, yamlValue } from '@fernlab/shared/contracts/yaml-edit'
import { readYaml } from '@fernlab/shared/contracts/yaml-file'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { writeDurably } from '@fernlab/shared/storage/settings-file'
import { loadConfig } from '../config/config.ts'
import type { Driver } from '../drivers/driver.ts'
import { draftOf } from './draft.ts'
import type { Find, Finding } from './find.ts'

export interface AddInstrument {
  readonly file: string
  /** Instruments that were added beside it. */
  readonly added?: AddedInstruments
  /** What the machine has. */
  readonly findings: readonly Finding[]
  readonly drivers: readonly Driver[]
  /** The id of a find. */
  readonly find: string
  readonly name?: string
  readonly driver?: string
  /** `key=value` of the config, as in `transport.baudRate=115200`. */
  readonly set: readonly string[]
  readonly isDry?: boolean
}

export interface Added {
  readonly file: string
  readonly name: string
  readonly instrument: { readonly driver: string; readonly config: Readonly<Record<string, unknown>> }
}

/**
 * Adds it to the file, which keeps its comments and is checked first as at the node's start; what was there is kept as
 * `.bak`. Rejects, with the file as it was, for a find that is not there or is used, and for a config that is wrong.
 */
export async function addInstrument(asked: AddInstrument): Promise<Added> {
  // What is wrong before is not blamed on what comes in.
  await loadConfig({ file: asked.file }, asked.drivers, undefined, asked.added)
  const find = findOf(asked)
  const draft = draftOf(find)
  const driver = asked.driver ?? draft?.driver
  if (driver === undefined)
    throw refuse('find-without-driver', `no driver takes ${find.id} by itself; name one with --driver`)
  const config = structuredClone(draft?.config ?? {})
  for (const each of asked.set) put(config as Record<string, unknown>, each)
  const text = await readFile(asked.file, 'utf8')
  const name = asked.name ?? freeName(find, text)
  const instrument = { driver, config }
  const changed = withEntry(text, 'instruments', name, instrument)
  try {
    await loadConfig({ text: changed, folder: dirname(resolve(asked.file)) }, asked.drivers, undefined, asked.added)
  } catch (error) {
    throw withHint(error, draft?.wanted)
  }
  // A link to it stays one.
  if (asked.isDry !== true) await writeDurably(await realpath(asked.file), changed, { keepsAccess: true })
  return { file: asked.file, name, instrument }
}

function findOf({ findings, find: id }: AddInstrument): Find {
  const finds = findings.flatMap(({ find }) => (find === undefined ? [] : [find]))
  const found = finds.find((each) => each.id === id)
  if (found === undefined) {
    const ids = finds.map((each) => each.id)
    const known = ids.length === 0 ? 'nothing was found here' : `found here are ${ids.join(', ')}`
    throw refuse('find-unknown', `there is no ${id}${didYouMean(id, ids)}; ${known}`)
  }
  // Of a chip with many pins each instrument has its own; the check says which are taken.
  if (found.kind !== 'gpio' && found.instruments.length > 0)
    throw refuse('find-used', `${id} is the instrument ${found.instruments.join(' and ')} already`)
  return found
}

function put(config: Record<string, unknown>, assignment: string): void {
  const [, path = '', value = ''] = /^([a-zA-Z]\w*(?:\.[a-zA-Z]\w*)*)=(.*)$/s.exec(assignment) ?? []
  if (path === '') throw refuse('bad-argument', `--set ${assignment}: it is KEY=VALUE, as in transport.baudRate=115200`)
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let at = config
  for (const key of keys) {
    const next = Object.hasOwn(at, key) ? at[key] : undefined
    const inner = typeof next === 'object' && next !== null ? (next as Record<string, unknown>) : {}
    at[key] = inner
    at = inner
  }
  at[last] = yamlValue(value)
}

/** Short names by kind; the second of a kind is `-2`. */
const names: Readonly<Record<Find['kind'], string>> = {
  serial: 'port',
  'i2c-bus': 'chip',
  'i2c-chip': 'chip',
  gpio: 'pins',
  'one-wire': 'probe',
  usbtmc: 'instrument',
  camera: 'camera',
}

function freeName(find: Find, text: string): string {
  const { instruments = {} } = (readYaml(text).yaml?.data ?? {}) as { instruments?: object }
  const base = find.chips?.length === 1 ? (find.chips[0] ?? '') : (find.board ?? names[find.kind])
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`
    if (!Object.hasOwn(instruments, name)) return name
  }
}

function withHint(error: unknown, wanted: string | undefined): unknown {
  if (!(error instanceof LabError) || wanted === undefined) return error
  const { code, kind, message, issues } = error
  return new LabError({
    code,
    kind,
    message: `${message}\nIt takes more than was found: ${wanted}`,
    issues,
    cause: error,
  })
}

const refuse = (code: string, message: string): LabError => new LabError({ code, kind: 'caller', message })
