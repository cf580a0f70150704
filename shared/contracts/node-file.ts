import * as z from 'zod'
import { identifierSchema, limitsSchema, signalKeySchema } from '../capabilities/signals.ts'
import { NAME_PATTERN } from '../primitives/ids.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { checkEntrySchema } from './bench-checks.ts'
import { interlockEntrySchema } from './interlocks.ts'
import { daemonsSchema, ownServiceFindings, ownServicesSchema } from './own-services.ts'
import { type Finding, readFileAs, type YamlOptions } from './yaml-file.ts'

const name = z.string().regex(NAME_PATTERN, 'must be lower-case letters, digits, - and _')

/** One instrument of a node: its driver and that driver's settings. */
export const instrumentEntrySchema = z.strictObject({
  driver: z.string().min(1).max(100).describe('The driver: the code that speaks to this kind of hardware.'),
  // Checked by the driver's own schema.
  config: z.record(z.string(), z.unknown()).default({}).describe("The driver's settings for this instrument."),
  title: z.string().describe('What people call it.').exactOptional(),
  tags: z
    .array(z.string().min(1).max(64))
    .max(32)
    .describe('By what else it is found in the directory of services: power-supply, optics.')
    .exactOptional(),
  metadata: z
    .record(z.string().max(64), z.string().max(500))
    .describe('What the directory of services tells of it: maker, serial number, place.')
    .exactOptional(),
  shared: z
    .boolean()
    .default(false)
    .describe(
      'Benches may share it: only for instruments that have no state which one bench could spoil for another. Default: false.',
    ),
  firmware: z
    .strictObject({
      board: z.string().describe('What kind of board it is: uno, nano …; `fernlab board kinds` lists them.'),
      hex: z
        .string()
        .min(1)
        .describe(
          'The firmware file, relative to node.yaml: ./thermal.hex, ./logger.bin for an ESP32, or ./blink.uf2 for a Pico.',
        ),
    })
    .describe(
      'What runs on the microcontroller behind its port: whenever the port is opened, a board that holds something else is given this first. One that can not be given it stays offline, with the reason.',
    )
    .exactOptional(),
  forward: z
    .int()
    .min(1)
    .max(65_535)
    .describe(
      'A TCP port of this machine alone at which other tools, such as avrdude, reach its port while its bench is free; the instrument is offline meanwhile. It asks nobody who they are: every account and program of this machine can use it, and limits and interlocks do not apply.',
    )
    .exactOptional(),
})

/** Where clients of services come straight to the node. */
const listenEntrySchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .default('0.0.0.0')
    .describe('The address that is listened at. Default: 0.0.0.0, all.'),
  port: z.int().min(0).max(65_535).describe('The TCP port; 0 takes one that is free, and the log says which.'),
  tls: z
    .strictObject({
      cert: z.string().min(1).describe('The certificate with its chain, PEM, relative to node.yaml.'),
      key: z.string().min(1).describe('Its private key, PEM, relative to node.yaml.'),
    })
    .describe('With it, the port speaks TLS (wss://); without, what goes over the network can be read there.')
    .exactOptional(),
  address: z
    .url({ protocol: /^wss?$/ })
    .describe('What clients are told instead of the addresses of this machine: wss://node1.lab.example.edu:8090/rpc')
    .exactOptional(),
  origins: z
    .array(z.url({ protocol: /^https?$/ }))
    .max(32)
    .describe(
      "Whose pages may come here from browsers, as https://lab.example.edu; [] for none. Default: the hub's. Programs need none.",
    )
    .exactOptional(),
  announce: z
    .boolean()
    .describe(
      'Whether the network is told by mDNS (DNS-SD, _fernlab._tcp) that the node is here, with its site, its name and whether it has TLS. Default: true, and false where only this machine can come.',
    )
    .exactOptional(),
  clients: z.int().min(1).max(10_000).default(500).describe('How many links may have signed in at once. Default: 500.'),
})
export type ListenEntry = z.infer<typeof listenEntrySchema>

const checksText = 'How it is found out that the bench is sound, by name; one that fails takes it out of use.'

/** One bench of a node. */
export const benchEntrySchema = z.strictObject({
  title: z.string().describe('What people call it.').exactOptional(),
  parts: z
    .record(identifierSchema, name)
    .describe("Which instrument is which part: the part's name as in lab.yaml, then the instrument's name."),
  labs: z
    .array(name)
    .describe('Keeps the bench for these labs; without it, it takes every lab that its parts and limits fit.')
    .exactOptional(),
  safeState: z
    .record(signalKeySchema, z.union([z.number(), z.boolean()]))
    .default({})
    .describe(
      "Where the bench goes at the end of every run, at every error and when the node starts: a value for each actuator, as part.signal, in the signal's unit.",
    ),
  limits: z
    .record(signalKeySchema, limitsSchema)
    .describe("What must never be exceeded on this bench: low and high for each part.signal, in the signal's unit.")
    .exactOptional(),
  checks: z.record(name, checkEntrySchema).describe(checksText).exactOptional(),
})

/** Only of what has one of the beginnings: of others that is said already. */
const isAddress = (url: string) => url === 'in-process' || !url.includes('://') || URL.canParse(url)

/** The schema of node.yaml. */
export const nodeFileSchemaZod = z.strictObject({
  site: name
    .describe("The hub's FERNLAB_SITE; enrolment tells the node, so that it is hardly ever written here.")
    .exactOptional(),
  node: name.describe('The name of this node, the same that it is enrolled under: the first half of <node>.<bench>.'),
  hub: z
    .strictObject({
      url: z
        .string()
        .regex(/^(mqtts?|wss?):\/\/\S+$|^in-process$/, 'must begin with mqtt://, mqtts://, ws:// or wss://')
        .refine(isAddress, 'must be an address with a host and, if it has one, a port of at most 65535')
        .describe("Address of the hub's MQTT broker: mqtt://, mqtts://, ws:// or wss://, its host and its port."),
      web: z
        .string()
        .regex(/^https?:\/\/[^\s/?#@]+\/?$/, 'must be http:// or https:// with a host and, if need be, a port')
        .refine(isAddress, 'must be an address with a host and, if it has one, a port of at most 65535')
        .describe(
          "The hub's web address as this node reaches it, for the pages of labs with a server of their own. Default: url where that is ws:// or wss://, else where the node was enrolled, else how browsers reach the hub.",
        )
        .exactOptional(),
    })
    .describe('Where the hub is; a node without one can be called by the holders of tokens that it signs itself.')
    .exactOptional(),
  instruments: z.record(name, instrumentEntrySchema).describe('The instruments on the wires of this node, by name.'),
  benches: z
    .record(name, benchEntrySchema)
    .default({})
    .describe('The benches that the instruments make up, by name; an instrument belongs to one bench.'),
  interlocks: z
    .record(name, interlockEntrySchema)
    .default({})
    .describe(
      'Conditions that force a bench to its safe state at once and keep it there, by name; the node watches them by itself.',
    ),
  daemons: daemonsSchema,
  services: z
    .strictObject({
      listen: listenEntrySchema
        .describe('Opens a port at which clients with a token call services straight. Default: none.')
        .exactOptional(),
      own: ownServicesSchema,
    })
    .prefault({})
    .describe('What clients reach on this node by its name, besides the parts of benches, and where.'),
})

/** The name of a driver or of a kind of check in node.yaml, and the schema of its `config`. */
export interface KindSchema {
  readonly kind: string
  readonly config: z.ZodType
}

/** node.yaml in full, with what these drivers and kinds of checks want of `config`, for JSON Schema. */
export function nodeFileSchemaWith(drivers: readonly KindSchema[], checkKinds: readonly KindSchema[]): z.ZodType {
  const { driver, config: anyConfig } = instrumentEntrySchema.shape
  const entries = drivers.map(({ kind, config }) =>
    instrumentEntrySchema.extend({
      driver: z.literal(kind).describe(driver.description ?? ''),
      config: config.describe(anyConfig.description ?? ''),
    }),
  )
  const { kind, config: anyCheckConfig } = checkEntrySchema.shape
  const checks = checkKinds.map(({ kind: known, config }) =>
    checkEntrySchema.extend({
      kind: z.literal(known).describe(kind.description ?? ''),
      config: config.describe(anyCheckConfig.description ?? ''),
    }),
  )
  const bench = benchEntrySchema.extend({
    checks: z.record(name, z.union(checks)).describe(checksText).exactOptional(),
  })
  const { instruments, benches } = nodeFileSchemaZod.shape
  return nodeFileSchemaZod.extend({
    instruments: z.record(name, z.union(entries)).describe(instruments.description ?? ''),
    benches: z
      .record(name, bench)
      .default({})
      .describe(benches.description ?? ''),
  })
}

/** node.yaml as data, defaults filled in. */
export type NodeFile = z.infer<typeof nodeFileSchemaZod>
export type InstrumentEntry = z.infer<typeof instrumentEntrySchema>
export type BenchEntry = z.infer<typeof benchEntrySchema>

/** Reads node.yaml; with issues there is no node. What drivers want of `config` is theirs to check. */
export function parseNodeFile(text: string, options: YamlOptions = {}): { node?: NodeFile; issues: Issue[] } {
  const { value, yaml, issues } = readFileAs(text, nodeFileSchemaZod, options)
  if (value === undefined || yaml === undefined) return { issues }
  const findings = [...benchFindings(value), ...ownServiceFindings(value)]
  return findings.length > 0 ? { issues: findings.map(yaml.place) } : { node: value, issues: [] }
}

/** An earlier part that is the same instrument: the limits and the safe state of the one would not hold for the other. */
export function twinOf(parts: BenchEntry['parts'], part: string): string | undefined {
  const [first] = Object.keys(parts).filter((name) => parts[name] === parts[part])
  return first === part ? undefined : first
}

/** Parts without instrument, instruments claimed twice, signals of parts that a bench does not have. */
function benchFindings(node: NodeFile): Finding[] {
  const findings: Finding[] = []
  const claims = new Map<string, string[]>()
  for (const [bench, { parts, safeState, limits = {} }] of Object.entries(node.benches)) {
    for (const [part, instrument] of Object.entries(parts)) {
      const path = ['benches', bench, 'parts', part]
      if (!Object.hasOwn(node.instruments, instrument)) {
        const hint = didYouMean(instrument, Object.keys(node.instruments))
        findings.push({ path, message: `there is no instrument ${instrument}${hint}` })
        continue
      }
      const twin = twinOf(parts, part)
      if (twin !== undefined) findings.push({ path, message: `${instrument} is part ${twin} of this bench already` })
      const other = claims.get(instrument)
      if (other !== undefined && other[1] !== bench && node.instruments[instrument]?.shared !== true) {
        findings.push({
          path,
          message: `${instrument} is claimed by ${other.join('.')} already; say shared: true if both may use it`,
        })
        findings.push({ path: other, message: `${instrument} is claimed by ${path.join('.')} too` })
      }
      if (other === undefined) claims.set(instrument, path)
    }
    for (const [key, section] of [
      ...Object.keys(safeState).map((signal) => [signal, 'safeState'] as const),
      ...Object.keys(limits).map((signal) => [signal, 'limits'] as const),
    ]) {
      const part = key.split('.')[0] ?? ''
      if (Object.hasOwn(parts, part)) continue
      findings.push({
        path: ['benches', bench, section, key],
        message: `bench ${bench} has no part ${part}${didYouMean(part, Object.keys(parts))}`,
      })
    }
    for (const [key, value] of Object.entries(safeState)) {
      const { low = -Infinity, high = Infinity } = limits[key] ?? {}
      if (typeof value !== 'number' || (value >= low && value <= high)) continue
      findings.push({
        path: ['benches', bench, 'safeState', key],
        message: `${value} is outside the limits of this bench`,
      })
    }
  }
  return findings
}
