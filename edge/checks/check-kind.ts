/**
 * The check port: what a node asks of code that finds out in one way whether a bench is sound. A new kind is one file
 * beside the others in kinds/, and a line in check-kinds.ts.
 *
 * INVARIANTS: a kind that is not `harmless` is done only while nobody holds the bench, one at a time, and stops promptly
 * when its signal aborts: somebody takes the bench; it changes nothing on the bench.
 */
import type { BenchEntry } from '@fernlab/shared/contracts/node-file'
import { checkSchema, type Finding } from '@fernlab/shared/contracts/yaml-file'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type * as z from 'zod'
import type { Bench } from '../benches/bench.ts'
import type { InstrumentHandle } from '../instruments/instrument-handle.ts'

/** What a kind does; its config has passed its schema. */
export interface CheckKindParts<Config> {
  /** As in node.yaml: `reachable`, `identify`. */
  readonly kind: string
  readonly config: z.ZodType<Config>
  /** It may be done while somebody uses the bench, and while an instrument is away. */
  readonly harmless: boolean
  /** What the config asks of the bench that it can not give; paths relative to the config. Pure. */
  findings(config: Config, bench: BenchEntry): Finding[]
  /** The same of the bench's instruments, by part. Pure. */
  unfit?(config: Config, parts: ReadonlyMap<string, InstrumentHandle>): Finding[]
  /**
   * One try: resolves when the bench passes, rejects with a LabError that says what is wrong. Without, the hub does it, by
   * a run on the bench.
   */
  perform?(config: Config, bench: Bench, signal: AbortSignal): Promise<void>
}

/** A kind whose config is still to be checked. */
export interface CheckKind {
  readonly kind: string
  readonly config: z.ZodType
  readonly harmless: boolean
  /** The hub does it, by a run on the bench. */
  readonly byHub: boolean
  findings(config: unknown, bench: BenchEntry): Finding[]
  unfit(config: unknown, parts: ReadonlyMap<string, InstrumentHandle>): Finding[]
  /** Throws for a config that has findings. */
  perform(config: unknown, bench: Bench, signal: AbortSignal): Promise<void>
}

/** The kind, for any config. */
export function checkKind<Config>(parts: CheckKindParts<Config>): CheckKind {
  const { kind, config: schema, harmless } = parts
  return {
    kind,
    config: schema,
    harmless,
    byHub: parts.perform === undefined,
    findings: (config, bench) => {
      const { value, findings } = checkSchema(config, schema)
      return value === undefined ? [...findings] : parts.findings(value, bench)
    },
    unfit: (config, instruments) => {
      const { value } = checkSchema(config, schema)
      return value === undefined ? [] : (parts.unfit?.(value, instruments) ?? [])
    },
    perform: async (config, bench, signal) => {
      const { value } = checkSchema(config, schema)
      if (value === undefined || parts.perform === undefined)
        throw new LabError({
          code: 'check-config-wrong',
          kind: 'bug',
          message: `the config of a ${kind} check is wrong`,
        })
      await parts.perform(value, bench, signal)
    },
  }
}
