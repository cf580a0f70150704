/** node.yaml, checked as far as it can be without touching hardware. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { AddedInstruments } from '@fernlab/shared/contracts/hardware-drafts'
import {
  type BenchEntry,
  benchEntrySchema,
  instrumentEntrySchema,
  type NodeFile,
  nodeFileSchemaZod,
  twinOf,
} from '@fernlab/shared/contracts/node-file'
import { ownServiceFindings } from '@fernlab/shared/contracts/own-services'
import { checkSchema, type Finding, pathText, readFileAs } from '@fernlab/shared/contracts/yaml-file'
import { formatIssues, type Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import type { z } from 'zod'
import type { CheckKind } from '../checks/check-kind.ts'
import { builtInCheckKinds } from '../checks/check-kinds.ts'
import type { Driver } from '../drivers/driver.ts'
import { checkSet } from '../instruments/check-set.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'
import { mergeAdded } from './added-merge.ts'
import { interlockFindings, unfitInterlocks } from './check-interlocks.ts'

/** A file's path, a file's text, or what such a file holds. */
export type ConfigSource =
  | { readonly file: string }
  | { readonly text: string; readonly folder?: string }
  | { readonly object: unknown; readonly folder?: string }

export interface NodeConfig {
  readonly file: NodeFile
  /** Folder that relative paths in the file start from. */
  readonly folder: string
  /** Those of the instruments that were added beside the file, and by name those that were left out, with the reason. */
  readonly added: ReadonlySet<string>
  readonly leftOut: ReadonlyMap<string, string>
  /** Gives a finding its place in the file. */
  place(finding: Finding): Issue
}

/** Reads and checks the configuration, with instruments that were `added` beside it; rejects with a `configuration-invalid` LabError whose issues have file, line and path. */
export async function loadConfig(
  source: ConfigSource,
  drivers: readonly Driver[],
  checkKinds: readonly CheckKind[] = builtInCheckKinds(),
  added: AddedInstruments = {},
): Promise<NodeConfig> {
  const { value, data, place, folder, issues } = await read(source)
  if (value === undefined) throw invalid([...issues, ...checkSoundEntries(data, drivers, checkKinds).map(place)])
  const { instruments, leftOut } = mergeAdded(value.instruments, added, drivers)
  const file = { ...value, instruments }
  const findings = [
    ...checkDrivers(file, drivers),
    ...checkClaims(file, drivers),
    ...checkBenches(file, leftOut),
    ...checkChecks(file, checkKinds),
    ...interlockFindings(file),
    ...ownServiceFindings(file),
  ]
  if (findings.length > 0) throw invalid(findings.map(place))
  const names = Object.keys(added).filter((name) => !leftOut.has(name))
  return { file, folder, added: new Set(names), leftOut, place }
}

/**
 * What the safe states and limits ask of the instruments as they were made; throws like `loadConfig`. What is asked of one
 * that is out of use is not checked: nobody gets its bench before the node has started again.
 */
export function checkAgainstInstruments(
  { file, place }: Pick<NodeConfig, 'file' | 'place'>,
  instruments: ReadonlyMap<string, InstrumentHandle>,
  checkKinds: readonly CheckKind[] = builtInCheckKinds(),
  outOfUse: Pick<ReadonlyMap<string, unknown>, 'has'> = new Map(),
): void {
  const isWhole = ({ parts }: BenchEntry) => !Object.values(parts).some((instrument) => outOfUse.has(instrument))
  const whole = Object.fromEntries(Object.entries(file.benches).filter(([, bench]) => isWhole(bench)))
  const findings: Finding[] = unfitInterlocks({ benches: whole, interlocks: file.interlocks }, instruments)
  for (const [name, bench] of Object.entries(file.benches)) {
    const instrumentOf = (key: string) => bench.parts[key.split('.')[0] ?? ''] ?? ''
    const signalOf = (key: string) => {
      const [, signal = ''] = key.split('.')
      return instruments.get(instrumentOf(key))?.spec.signals.find((spec) => spec.name === signal)
    }
    const isKnown = (key: string) => !outOfUse.has(instrumentOf(key))
    for (const [key, value] of Object.entries(bench.safeState)) {
      if (!isKnown(key)) continue
      const path = ['benches', name, 'safeState', key]
      const spec = signalOf(key)
      if (spec === undefined) {
        findings.push({ path, message: `there is no signal ${key} on this bench` })
        continue
      }
      try {
        checkSet({ label: key, spec, value, limits: [{ of: 'bench', limits: bench.limits?.[key] }] })
      } catch (error) {
        findings.push({ path, message: error instanceof LabError ? error.message : String(error) })
      }
    }
    for (const key of Object.keys(bench.limits ?? {})) {
      if (isKnown(key) && signalOf(key) === undefined)
        findings.push({ path: ['benches', name, 'limits', key], message: `there is no signal ${key} on this bench` })
    }
    if (!isWhole(bench)) continue
    const parts = new Map(
      Object.entries(bench.parts).flatMap(([part, instrument]) => {
        const handle = instruments.get(instrument)
        return handle === undefined ? [] : [[part, handle] as const]
      }),
    )
    for (const [check, { kind, config: asked }] of Object.entries(bench.checks ?? {})) {
      const unfit = checkKinds.find((known) => known.kind === kind)?.unfit(asked, parts) ?? []
      for (const { path, message } of unfit)
        findings.push({ path: ['benches', name, 'checks', check, 'config', ...path], message })
    }
  }
  if (findings.length > 0) throw invalid(findings.map(place))
}

interface Reading {
  readonly value?: NodeFile
  /** What the file holds, where its syntax is sound. */
  readonly data?: unknown
  readonly place: (finding: Finding) => Issue
  readonly folder: string
  readonly issues: readonly Issue[]
}

/** Of a check that is no run: the hub waits for it when it is to be done now. */
const LONGEST_S = 60

const noPlace = ({ path, message }: Finding): Issue => ({ path: pathText(path), message })

async function read(source: ConfigSource): Promise<Reading> {
  if ('object' in source) {
    const { value, findings } = checkSchema(source.object, nodeFileSchemaZod)
    const base = {
      data: source.object,
      place: noPlace,
      folder: source.folder ?? process.cwd(),
      issues: findings.map(noPlace),
    }
    return value === undefined ? base : { ...base, value }
  }
  const name = 'file' in source ? source.file : 'node.yaml'
  const text = 'text' in source ? source.text : await readText(source.file)
  const { value, yaml, issues } = readFileAs(text, nodeFileSchemaZod, { file: name })
  const folder = 'file' in source ? dirname(resolve(source.file)) : (source.folder ?? process.cwd())
  const base = { data: yaml?.data, place: yaml === undefined ? noPlace : yaml.place, folder, issues }
  return value === undefined ? base : { ...base, value }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw invalid([
      {
        file,
        line: 1,
        column: 1,
        path: '',
        message: missing ? 'there is no such file' : `can not be read: ${String(cause)}`,
      },
    ])
  }
}

/** What can be said of a file that has not the form of a node.yaml: each entry that is sound is checked as in one that has. */
function checkSoundEntries(data: unknown, drivers: readonly Driver[], checkKinds: readonly CheckKind[]): Finding[] {
  const { instruments: givenInstruments, benches: givenBenches } = mappingOf(data)
  const instruments = soundEntries(givenInstruments, instrumentEntrySchema)
  const findings = checkDrivers({ instruments: instruments.sound }, drivers)
  // Beside an instrument that cannot be read, a bench that names it would be blamed as well.
  if (!instruments.all) return findings
  const benches = soundEntries(givenBenches, benchEntrySchema).sound
  return [
    ...findings,
    ...checkBenches({ instruments: instruments.sound, benches }),
    ...checkChecks({ benches }, checkKinds),
  ]
}

function soundEntries<T>(given: unknown, schema: z.ZodType<T>): { sound: Record<string, T>; all: boolean } {
  const entries = Object.entries(mappingOf(given)).map(([name, entry]) => [name, schema.safeParse(entry)] as const)
  const sound = entries.flatMap(([name, { data }]) => (data === undefined ? [] : [[name, data] as const]))
  return { sound: Object.fromEntries(sound), all: sound.length > 0 && sound.length === entries.length }
}

const mappingOf = (data: unknown): Readonly<Record<string, unknown>> =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Record<string, unknown>) : {}

function checkDrivers(file: Pick<NodeFile, 'instruments'>, drivers: readonly Driver[]): Finding[] {
  return Object.entries(file.instruments).flatMap(([name, entry]): Finding[] => {
    const driver = drivers.find(({ kind }) => kind === entry.driver)
    if (driver === undefined) {
      const known = drivers.map(({ kind }) => kind).join(', ')
      return [{ path: ['instruments', name, 'driver'], message: `unknown driver ${entry.driver}; known are ${known}` }]
    }
    return driver
      .check(entry.config)
      .map(({ path, message }) => ({ path: ['instruments', name, 'config', ...keysOf(path)], message }))
  })
}

/** Hardware that two instruments claim, or one twice: both places are named. */
function checkClaims({ instruments }: Pick<NodeFile, 'instruments'>, drivers: readonly Driver[]): Finding[] {
  const taken = new Map<string, { readonly at: string; readonly sharedAs: string | undefined }>()
  return Object.entries(instruments).flatMap(([name, { driver, config }]) => {
    const claims = drivers.find(({ kind }) => kind === driver)?.claims?.(config) ?? []
    return claims.flatMap(({ key, what, path: inConfig, sharedAs }): Finding[] => {
      const path = ['instruments', name, 'config', ...inConfig]
      const before = taken.get(key)
      if (before === undefined) taken.set(key, { at: pathText(path), sharedAs })
      if (before === undefined || (sharedAs !== undefined && sharedAs === before.sharedAs)) return []
      return [{ path, message: `${what} is claimed by ${before.at} already` }]
    })
  })
}

function checkChecks({ benches }: Pick<NodeFile, 'benches'>, checkKinds: readonly CheckKind[]): Finding[] {
  return Object.entries(benches).flatMap(([name, bench]) =>
    Object.entries(bench.checks ?? {}).flatMap(([check, { kind, config, timeoutS = 0 }]): Finding[] => {
      const path = ['benches', name, 'checks', check]
      const found = checkKinds.find((known) => known.kind === kind)
      if (found !== undefined) {
        const inConfig = found.findings(config, bench)
        return [
          ...inConfig.map((finding) => ({ ...finding, path: [...path, 'config', ...finding.path] })),
          ...(timeoutS <= LONGEST_S || found.byHub
            ? []
            : [{ path: [...path, 'timeoutS'], message: `a check of kind ${kind} may take ${LONGEST_S} s at most` }]),
        ]
      }
      const known = checkKinds.map((each) => each.kind)
      const hint = didYouMean(kind, known)
      return [
        { path: [...path, 'kind'], message: `unknown kind of check ${kind}${hint}; known are ${known.join(', ')}` },
      ]
    }),
  )
}

function checkBenches(
  file: Pick<NodeFile, 'instruments' | 'benches'>,
  leftOut: ReadonlyMap<string, string> = new Map(),
): Finding[] {
  const findings: Finding[] = []
  const owner = new Map<string, string>()
  for (const [bench, { parts, safeState, limits }] of Object.entries(file.benches)) {
    for (const [part, instrument] of Object.entries(parts)) {
      const path = ['benches', bench, 'parts', part]
      const entry = file.instruments[instrument]
      if (entry === undefined) {
        const why = leftOut.get(instrument)
        const more = why === undefined ? '' : `: the one that was added on the hub's page is left out, because ${why}`
        findings.push({ path, message: `there is no instrument ${instrument}${more}` })
        continue
      }
      const twin = twinOf(parts, part)
      if (twin !== undefined)
        findings.push({ path, message: `instrument ${instrument} is part ${twin} of this bench already` })
      const other = owner.get(instrument)
      if (other !== undefined && other !== bench && !entry.shared) {
        findings.push({
          path,
          message: `instrument ${instrument} is already claimed by bench ${other}; an instrument belongs to one bench`,
        })
      }
      owner.set(instrument, other ?? bench)
    }
    for (const [field, keys] of [
      ['safeState', safeState],
      ['limits', limits ?? {}],
    ] as const) {
      for (const key of Object.keys(keys)) {
        const [part = ''] = key.split('.')
        if (parts[part] === undefined)
          findings.push({ path: ['benches', bench, field, key], message: `bench ${bench} has no part ${part}` })
      }
    }
  }
  return findings
}

/** `a.b[0]` as `['a', 'b', 0]`. */
function keysOf(path: string): (string | number)[] {
  return [...path.matchAll(/[^.[\]]+/g)].map(([key]) => (/^\d+$/.test(key) ? Number(key) : key))
}

function invalid(issues: readonly Issue[]): LabError {
  return new LabError({ code: 'configuration-invalid', kind: 'configuration', message: formatIssues(issues), issues })
}
