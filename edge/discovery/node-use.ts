/** What a node.yaml has of the machine already: which instrument claims which hardware. */
import { readFile } from 'node:fs/promises'
import type { AddedInstruments } from '@fernlab/shared/contracts/hardware-drafts'
import { readYaml } from '@fernlab/shared/contracts/yaml-file'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { loadConfig } from '../config/config.ts'
import type { Driver } from '../drivers/driver.ts'
import type { Finding } from './find.ts'
import type { Root } from './root.ts'

export interface NodeUse {
  readonly file: string
  readonly claims: readonly { readonly instrument: string; readonly key: string; readonly what: string }[]
  /** The broker that the node calls, as the file has it. */
  readonly hubUrl?: string
  readonly findings: readonly Finding[]
}

/** Where an installed node has its file, and where one that is tried out has it. */
const usualPlaces = ['/etc/fernlab/node.yaml', 'node.yaml']

/** The file that a node of this machine probably runs with; undefined where there is none. */
export async function usualNodeFile(root: Root): Promise<string | undefined> {
  for (const path of usualPlaces) {
    const file = path.startsWith('/') ? path : `${process.cwd()}/${path}`
    if ((await root.access(file)) !== undefined) return path
  }
  return undefined
}

/** Reads a node.yaml as far as it can be read; what is wrong with it is a finding, not an error. */
export async function readNodeUse(
  file: string,
  drivers: readonly Driver[],
  added: AddedInstruments = {},
): Promise<NodeUse> {
  const group = 'Node'
  const what = file
  try {
    const { file: node, added: names, leftOut } = await loadConfig({ file }, drivers, undefined, added)
    const [instruments, benches] = [Object.keys(node.instruments).length, Object.keys(node.benches).length]
    const detail = `${node.node}: ${counted(instruments, 'instrument')}, ${counted(benches, 'bench', 'benches')}`
    return {
      file,
      ...(node.hub === undefined ? {} : { hubUrl: node.hub.url }),
      claims: claimsOf(node.instruments, drivers),
      findings: [{ group, what, verdict: 'ok', detail }, ...addedFindings(names, leftOut)],
    }
  } catch (error) {
    if (!(error instanceof LabError) || error.code !== 'configuration-invalid') throw error
    const findings = error.issues.map(({ line, path, message }): Finding => {
      const at = line === undefined ? '' : `line ${line}, `
      return { group, what, verdict: 'broken', detail: `${at}${path === '' ? '' : `${path}: `}${message}` }
    })
    return { file, claims: claimsOf({ ...added, ...(await instrumentsIn(file)) }, drivers), findings }
  }
}

/** The instruments of a file that is wrong elsewhere; none of one that can not be read. */
async function instrumentsIn(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'EACCES') return ''
    throw error
  })
  return mappingOf(mappingOf(readYaml(text).yaml?.data).instruments)
}

const mappingOf = (data: unknown): Readonly<Record<string, unknown>> =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Record<string, unknown>) : {}

/** The hardware that instruments claim; `instruments` as in node.yaml. */
export function claimsOf(
  instruments: Readonly<Record<string, unknown>>,
  drivers: readonly Driver[],
): NodeUse['claims'] {
  return Object.entries(instruments).flatMap(([instrument, entry]) => {
    const { driver, config } = mappingOf(entry)
    const claims = drivers.find(({ kind }) => kind === driver)?.claims?.(config) ?? []
    return claims.map(({ key, what }) => ({ instrument, key, what }))
  })
}

const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** Where instruments come from that the file has not. */
const addedFindings = (names: ReadonlySet<string>, leftOut: ReadonlyMap<string, string>): Finding[] => [
  ...[...names].map((name): Finding => ({ ...ofPage(name), verdict: 'ok', detail: "added on the hub's page" })),
  ...[...leftOut].map(([name, why]): Finding => {
    const detail = `added on the hub's page, and left out: ${why}; remove it there`
    return { ...ofPage(name), verdict: 'look', detail }
  }),
]

const ofPage = (name: string) => ({ group: 'Node', what: `instrument ${name}` })
