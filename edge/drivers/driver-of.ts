import { checkSchema, type Finding, pathText } from '@fernlab/shared/contracts/yaml-file'
import type { Issue, LabError } from '@fernlab/shared/primitives/lab-error'
import type { z } from 'zod'
import { configWrong } from './config-wrong.ts'
import type { Claim, Driver, DriverContext, Instrument } from './driver.ts'

export interface DriverParts<T> {
  readonly kind: string
  readonly schema: z.ZodType<T>
  /** For editors, where models by name say more than `schema` does. */
  readonly editorSchema?: () => Promise<z.ZodType>
  /** What is wrong beyond the schema; paths are relative to the config. Pure. */
  readonly findings?: (config: T) => readonly Finding[]
  readonly claims?: (config: T) => readonly Claim[]
  readonly failsAlone?: (error: LabError) => boolean
  readonly create: (config: T, context: DriverContext) => Promise<Instrument>
}

/** A driver whose config has a schema: it checks, and refuses, in the same way as all others. */
export function driverOf<T>(parts: DriverParts<T>): Driver {
  const { kind, schema, editorSchema, findings, claims, failsAlone, create } = parts
  const check = (config: unknown): { readonly value?: T; readonly issues: Issue[] } => {
    const { value, findings: inForm } = checkSchema(config, schema)
    if (value === undefined) return { issues: inForm.map(asIssue) }
    const beyond = findings?.(value) ?? []
    return beyond.length > 0 ? { issues: beyond.map(asIssue) } : { value, issues: [] }
  }
  return {
    kind,
    ...(failsAlone === undefined ? {} : { failsAlone }),
    editorSchema: editorSchema ?? (async () => schema),
    check: (config) => check(config).issues,
    claims: (config) => {
      const { value } = check(config)
      return value === undefined ? [] : (claims?.(value) ?? [])
    },
    create: async (config, context) => {
      const { value, issues } = check(config)
      if (value === undefined) throw configWrong(context.name, issues)
      return await create(value, context)
    },
  }
}

const asIssue = ({ path, message }: Finding): Issue => ({ path: pathText(path), message })
