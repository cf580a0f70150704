/** What a check that is a run asks of its lab and its bench. Pure. */
import type { InstrumentSpec, Limits } from '@fernlab/shared/capabilities/signals'
import { type Expectation, protocolCheckSchema } from '@fernlab/shared/contracts/bench-checks'
import { checkSchema, pathText } from '@fernlab/shared/contracts/yaml-file'
import type { Issue } from '@fernlab/shared/primitives/lab-error'
import { didYouMean } from '@fernlab/shared/primitives/nearest'
import { sameDimension } from '@fernlab/shared/primitives/units'
import { checkProtocol } from '@fernlab/shared/protocol/check-protocol'
import { estimate } from '@fernlab/shared/protocol/estimate'
import { checkParameters } from '@fernlab/shared/protocol/parameters'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import type { CatalogueLab, CatalogueProtocol } from '../catalogue/catalogue.ts'

export interface CheckPlan {
  readonly lab: CatalogueLab
  readonly protocol: string
  readonly found: CatalogueProtocol
  /** In declared units, defaults filled in. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>
  readonly estimatedS: number
  readonly expect: Readonly<Record<string, Expectation>>
}

export interface CheckPlanOptions {
  readonly labOf: (id: string) => CatalogueLab | undefined
  /** What the bench lacks to serve the lab. */
  readonly lacks: (lab: CatalogueLab) => readonly Issue[]
  /** The instruments of the bench, by part. */
  readonly parts: Readonly<Record<string, InstrumentSpec>>
}

/** The run that the config asks for, or why there can be none; paths are within the config. */
export function planCheck(config: unknown, options: CheckPlanOptions): { plan: CheckPlan } | { issues: Issue[] } {
  const { value, findings } = checkSchema(config, protocolCheckSchema)
  if (value === undefined) {
    return { issues: findings.map(({ path, message }) => ({ path: pathText(path), message })) }
  }
  const wrong = (path: string, message: string) => ({ issues: [{ path, message }] })
  const lab = options.labOf(value.lab)
  if (lab === undefined) return wrong('lab', `the lab ${value.lab} is not in the catalogue`)
  const [lack] = options.lacks(lab)
  if (lack !== undefined) return wrong('lab', lack.message)
  const names = Object.keys(lab.protocols)
  const found = Object.hasOwn(lab.protocols, value.protocol) ? lab.protocols[value.protocol] : undefined
  if (found === undefined) {
    return wrong('protocol', `the lab ${lab.id} has no protocol ${value.protocol}${hintAt(value.protocol, names)}`)
  }
  const { definition } = found
  const { values, issues } = checkParameters(definition, value.parameters)
  const misplaced = expectationIssues(value.expect, definition)
  if (issues.length + misplaced.length > 0) return { issues: [...issues, ...misplaced] }
  const limits: Readonly<Record<string, Limits>> = lab.lab.limits ?? {}
  const refused = checkProtocol(definition, { parts: options.parts, limits, parameters: values })
  if (refused.length > 0) {
    return { issues: refused.map(({ path, message }) => ({ path: 'protocol', message: `${path}: ${message}` })) }
  }
  const { seconds: estimatedS } = estimate(definition, values, { parts: options.parts })
  return {
    plan: { lab, protocol: value.protocol, found, parameters: values, estimatedS, expect: value.expect },
  }
}

/** What it may be called: the one that is nearly so, or all that there are. */
const hintAt = (name: string, names: readonly string[]): string =>
  didYouMean(name, names) || `; there ${names.length === 0 ? 'is none' : `are ${names.join(', ')}`}`

function expectationIssues(expect: Readonly<Record<string, Expectation>>, { outputs }: Protocol): Issue[] {
  return Object.entries(expect).flatMap(([name, { low, high, unit }]): Issue[] => {
    const path = `expect.${name}`
    const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined
    if (output === undefined) {
      return [{ path, message: `the protocol has no output ${name}${hintAt(name, Object.keys(outputs))}` }]
    }
    if (unit !== undefined && !sameDimension(unit, output.unit))
      return [{ path: `${path}.unit`, message: `${unit} can not be compared with ${output.unit}` }]
    if (low === undefined && high === undefined) return [{ path, message: 'needs low, high or both' }]
    return []
  })
}
