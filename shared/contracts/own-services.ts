/** The parts of node.yaml that say which services of its own a node has, and in which processes they are. */
import * as z from 'zod'
import { NAME_PATTERN } from '../primitives/ids.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { serviceNameSchema } from './services.ts'
import type { Finding } from './yaml-file.ts'

const name = z.string().regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _')
const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** One process that hosts services. */
export const daemonEntrySchema = z.strictObject({
  memoryMB: z
    .int()
    .min(64)
    .max(65_536)
    .default(512)
    .describe('How much memory it may have, in MB; one that has more is ended and started again. Default: 512.'),
  openFiles: z
    .int()
    .min(64)
    .max(1_000_000)
    .describe(
      "How many files, sockets and pipes it may have open. Default: as many as the node. Needs Linux's prlimit.",
    )
    .exactOptional(),
  nice: z
    .int()
    .min(0)
    .max(19)
    .describe('How far it gives way to others for the processor: 19 takes only what nobody else wants. Default: 0.')
    .exactOptional(),
  autostart: z
    .boolean()
    .default(true)
    .describe('It starts with the node; without, when somebody says so. Default: true.'),
  hungS: z
    .int()
    .min(10)
    .max(86_400)
    .default(60)
    .describe('How long it may answer nothing before it is ended and started again, in seconds. Default: 60.'),
  env: z
    .record(z.string().regex(ENVIRONMENT_NAME, 'must be the name of an environment variable'), z.string().max(10_000))
    .default({})
    .describe(
      "Environment variables for it; of the node's own it gets PATH, HOME, USER and the language. Clients never see them.",
    ),
})
export type DaemonEntry = z.infer<typeof daemonEntrySchema>

/** One service of the lab's own: a file that a lab builder wrote, or a folder that is shared. */
export const ownServiceSchema = z.strictObject({
  file: z
    .string()
    .max(4096)
    .regex(/\.(ts|js|mjs|py)$/, 'must be a file of TypeScript, JavaScript or Python: ./fit.ts, ./fit.py')
    .describe('Its file, relative to node.yaml: ./fit.ts or ./fit.py.')
    .exactOptional(),
  folder: z
    .string()
    .min(1)
    .max(4096)
    .describe('Instead of a file: a folder whose files clients read, relative to node.yaml: ./results.')
    .exactOptional(),
  write: z.boolean().describe('Of a folder: clients may write in it. Default: false.').exactOptional(),
  quotaMB: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('Of a folder that may be written: how much may be in it, in MB (1,000,000 bytes). Default: 100.')
    .exactOptional(),
  daemon: name.describe('The daemon that it is in: one of those under daemons.'),
  instances: z
    .enum(['single', 'session', 'percall'])
    .default('single')
    .describe(
      'Whether all clients have the same object of it (single), each connection one of its own (session), or each call (percall). Default: single.',
    ),
  parameters: z
    .record(z.string().max(100), z.unknown())
    .default({})
    .describe('What it is given when it is made. Clients never see them.'),
  description: z.string().max(2000).describe('What people read of it in the directory.').exactOptional(),
  tags: z.array(z.string().min(1).max(64)).max(32).default([]).describe('Words by which it is found.'),
  metadata: z
    .record(z.string().max(64), z.string().max(500))
    .describe('Facts that people read of it: maker, serial number, place.')
    .exactOptional(),
  register: z
    .boolean()
    .default(true)
    .describe('It is in the directory; without, only who knows its name finds it. Default: true.'),
  whenLost: z
    .enum(['remove', 'keep'])
    .default('keep')
    .describe(
      'What the directory does when its process is lost: remove it, or keep it as gone, with its last address and time. Default: keep.',
    ),
})
export type OwnServiceEntry = z.infer<typeof ownServiceSchema>

/** node.yaml's `daemons`. */
export const daemonsSchema = z
  .record(name, daemonEntrySchema)
  .default({})
  .describe('Processes that host services, by name; one that fails touches no other.')

/** node.yaml's `services.own`. */
export const ownServicesSchema = z
  .record(serviceNameSchema, ownServiceSchema)
  .default({})
  .describe("Services of the lab's own, by name.")

/** Of a folder that may be written. */
export const DEFAULT_QUOTA_MB = 100

interface OwnServices {
  readonly daemons: Readonly<Record<string, DaemonEntry>>
  readonly services: { readonly own: Readonly<Record<string, OwnServiceEntry>> }
  readonly benches: Readonly<Record<string, unknown>>
  readonly instruments: Readonly<Record<string, unknown>>
}

/** Services in daemons that there are not, names that are taken, and two languages in one process. */
export function ownServiceFindings(file: OwnServices): Finding[] {
  return [...placeFindings(file), ...sharedFolderFindings(file)]
}

function placeFindings({ daemons, services, benches }: OwnServices): Finding[] {
  const first = new Map<string, string>()
  return Object.entries(services.own).flatMap(([service, { daemon, file, folder }]) => {
    const path = ['services', 'own', service]
    const [bench = '', second] = service.split('.')
    const findings: Finding[] = []
    if (bench === 'node')
      findings.push({
        path,
        message: 'node, and what begins with node., are services of the node itself: choose another name',
      })
    if (second !== undefined && Object.hasOwn(benches, bench))
      findings.push({ path, message: `names that begin with ${bench}. are those of the parts of bench ${bench}` })
    if (!Object.hasOwn(daemons, daemon)) {
      const hint = didYouMean(daemon, Object.keys(daemons))
      const message = `there is no daemon ${daemon}${hint || `: name it under daemons, as ${daemon}: {}`}`
      findings.push({ path: [...path, 'daemon'], message })
    }
    const what = file ?? folder
    if (what === undefined) return findings
    const other = first.get(daemon)
    if (other === undefined) first.set(daemon, what)
    else if (isPython(other) !== isPython(file)) {
      const message = `daemon ${daemon} has ${other} already: a daemon is of one language, so give it another one`
      findings.push({ path: [...path, 'daemon'], message })
    }
    return findings
  })
}

/** Services that are neither file nor folder, and folders that would show or change what is the node's. */
function sharedFolderFindings({ services, instruments }: OwnServices): Finding[] {
  const all = Object.entries(services.own)
  const code = [
    ...all.flatMap(([, { file }]) => file ?? []),
    // Drivers of one's own are named by their folder.
    ...Object.values(instruments).flatMap((entry) => {
      const { driver } = entry as { readonly driver?: unknown }
      return typeof driver === 'string' && /^[./]/.test(driver) ? driver : []
    }),
  ]
  return all.flatMap(([service, entry], index) => {
    const { file, folder, write = false, quotaMB, instances, parameters } = entry
    const path = ['services', 'own', service]
    const at = (member: string, message: string): Finding[] => [{ path: [...path, member], message }]
    if (folder === undefined) {
      if (file === undefined) return [{ path, message: 'must have a file, as ./fit.ts, or a folder, as ./results' }]
      return [
        ...(entry.write === undefined ? [] : at('write', 'is of a folder, and this is a file')),
        ...(quotaMB === undefined ? [] : at('quotaMB', 'is of a folder, and this is a file')),
      ]
    }
    const same =
      write && all.slice(0, index).find(([, { folder: other, write: writes }]) => writes && meet(other, folder))
    const held = code.find((path) => isIn(path, folder))
    return [
      ...(file === undefined ? [] : at('folder', 'a service is either a file or a folder')),
      ...(quotaMB !== undefined && !write ? at('quotaMB', 'is of a folder that may be written: write: true') : []),
      ...(instances === 'single' ? [] : at('instances', 'a folder is one for all clients: single')),
      ...(Object.keys(parameters).length === 0 ? [] : at('parameters', 'a folder has none')),
      ...(isIn('.', folder) ? at('folder', "holds node.yaml, which is nobody else's: name a folder beside it") : []),
      ...(held === undefined ? [] : at('folder', `holds ${held}, which the node runs: name another folder`)),
      ...(same ? at('folder', `is written by ${same[0]} as well, and one alone can keep to a quota`) : []),
    ]
  })
}

/** A path beside node.yaml, without detours. */
const placeOf = (path: string): string => `${new URL(`${path}/`, 'file:///node/config/').pathname.replace(/\/+$/, '')}/`
const isIn = (path: string, folder: string): boolean => placeOf(path).startsWith(placeOf(folder))
const meet = (one: string | undefined, other: string): boolean =>
  one !== undefined && (isIn(one, other) || isIn(other, one))

/** Whether Python runs the file. */
export const isPython = (file: string | undefined): boolean => file?.endsWith('.py') === true
