import type { SignalSpec } from '../capabilities/signals.ts'
import { missingFrom } from '../capabilities/signals.ts'
import { type Finding, type Path, pathText } from '../contracts/yaml-file.ts'
import type { Issue } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { type BenchView, type CheckContext, createBenchView } from './bench-view.ts'
import { limitFindings } from './check-limits.ts'
import { checkOutputUnits } from './check-outputs.ts'
import { checkUnits } from './check-units.ts'
import { estimate } from './estimate.ts'
import {
  MAX_INSTRUCTIONS,
  MAX_POINTS,
  MAX_SAMPLES,
  MAX_SECONDS,
  type Protocol,
  type SignalKey,
  type Step,
} from './protocol.ts'
import { splitKey } from './quantities.ts'

export type { CheckContext } from './bench-view.ts'

import { staticFindings } from './static-check.ts'

/**
 * Everything that would keep the protocol from running on these instruments; empty when it may run. Values that
 * depend on loop variables are evaluated turn by turn (in very long loops: ends and a thousand between), those that
 * depend on readings are left to the node, which enforces limits at each set.
 */
export function checkProtocol(protocol: Protocol, context: CheckContext): Issue[] {
  return protocolFindings(protocol, context)
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: pathText(path), message }))
}

/** The same with paths as lists, for a caller that knows the file. */
export function protocolFindings(protocol: Protocol, context: CheckContext): Finding[] {
  const fixed = staticFindings(protocol)
  if (fixed.length > 0) return fixed
  const bench = createBenchView(protocol, context)
  const findings: Finding[] = [...requirementFindings(protocol, context)]
  const visitAll = (visit: (step: Step, path: Path) => void) => {
    visitSteps(protocol.steps, ['steps'], visit)
    visitSteps(protocol.cleanUp ?? [], ['cleanUp'], visit)
  }
  visitAll((step, path) => {
    checkUse(step, path, bench, findings)
  })
  if (findings.length > 0) return findings
  visitAll((step, path) => {
    checkUnits(step, path, bench, findings)
  })
  findings.push(...checkOutputUnits(protocol, context.parts))
  findings.push(...sizeFindings(protocol, context))
  if (findings.length === 0) findings.push(...limitFindings(protocol, bench))
  return findings
}

const MAX_ISSUES = 50

function requirementFindings(protocol: Protocol, context: CheckContext): Finding[] {
  return Object.entries(protocol.parts ?? {}).flatMap(([part, requirement]) => {
    const path = ['parts', part]
    const instrument = Object.hasOwn(context.parts, part) ? context.parts[part] : undefined
    if (instrument === undefined) return [{ path, message: `the bench has no part ${part}` }]
    return missingFrom(requirement, instrument).map((issue) => ({
      path: [...path, issue.path],
      message: issue.message,
    }))
  })
}

function visitSteps(steps: readonly Step[], path: Path, visit: (step: Step, path: Path) => void): void {
  steps.forEach((step, i) => {
    const here = [...path, i, step.kind]
    visit(step, here)
    if (step.kind === 'parallel') {
      step.branches.forEach((branch, b) => {
        visitSteps(branch, [...here, b], visit)
      })
    } else if ('steps' in step && step.steps !== undefined) visitSteps(step.steps, [...here, 'steps'], visit)
  })
}

function checkUse(step: Step, path: Path, bench: BenchView, findings: Finding[]): void {
  const use = (key: SignalKey, verb: 'set' | 'read', at: Path): SignalSpec | undefined => {
    const { part, signal: name } = splitKey(key)
    const instrument = bench.instrument(part)
    const signal = bench.signal(key)
    if (instrument === undefined) findings.push({ path: at, message: `the bench has no part ${part}` })
    else if (signal === undefined) {
      const names = instrument.signals.map((candidate) => candidate.name)
      findings.push({
        path: at,
        message: `part ${part} (${instrument.name}) has no signal ${name}${didYouMean(name, names)}`,
      })
    } else if (signal.access !== verb && signal.access !== 'read-set') {
      findings.push({ path: at, message: `${key} cannot be ${verb}` })
    } else return signal
    return undefined
  }
  const useLabServer = (part: string, at: Path) => {
    const instrument = bench.instrument(part)
    if (instrument === undefined) findings.push({ path: at, message: `the bench has no part ${part}` })
    else if (instrument.labServer !== true) {
      findings.push({ path: at, message: `part ${part} is no lab's own server: it needs labServer: true` })
    }
  }
  switch (step.kind) {
    case 'set':
      for (const key of Object.keys(step.values)) use(key, 'set', [...path, key])
      return
    case 'ramp': {
      const signal = use(step.signal, 'set', [...path, 'signal'])
      if (signal !== undefined && signal.dtype !== 'number') {
        findings.push({
          path: [...path, 'signal'],
          message: `${step.signal} is of type ${signal.dtype}: only numbers ramp`,
        })
      }
      return
    }
    case 'read':
      for (const [i, key] of step.signals.entries()) use(key, 'read', [...path, 'signals', i])
      return
    case 'record':
      for (const [i, key] of step.signals.entries()) {
        const signal = use(key, 'read', [...path, 'signals', i])
        if (signal === undefined) continue
        if (signal.dtype === 'string' || signal.dtype === 'array') {
          findings.push({
            path: [...path, 'signals', i],
            message: `${key} is of type ${signal.dtype}, which cannot be recorded`,
          })
        }
      }
      return
    case 'call': {
      const { part, signal: name } = splitKey(step.action)
      const instrument = bench.instrument(part)
      const at = [...path, 'action']
      const action = instrument?.actions.find((candidate) => candidate.name === name)
      if (instrument === undefined) findings.push({ path: at, message: `the bench has no part ${part}` })
      else if (action === undefined) {
        const names = instrument.actions.map((candidate) => candidate.name)
        findings.push({
          path: at,
          message: `part ${part} (${instrument.name}) has no action ${name}${didYouMean(name, names)}`,
        })
      }
      return
    }
    case 'live':
      if (step.server !== undefined) useLabServer(step.server.part, [...path, 'server', 'part'])
      return
    case 'dispose':
      useLabServer(step.part, [...path, 'part'])
      return
    case 'wait':
    case 'sweep':
    case 'repeat':
    case 'until':
    case 'parallel':
    case 'assert':
      return
  }
}

function sizeFindings(protocol: Protocol, context: CheckContext): Finding[] {
  const size = estimate(protocol, context.parameters ?? {}, { parts: context.parts })
  const findings: Finding[] = []
  const atMost = (value: number, most: number, what: () => string) => {
    if (!(value <= most))
      findings.push({
        path: ['steps'],
        message: `the run would ${what()}, and ${most.toLocaleString('en')} is the most`,
      })
  }
  const count = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 0 })
  atMost(size.points, MAX_POINTS, () => `read ${count(size.points)} points`)
  atMost(size.samples, MAX_SAMPLES, () => `record ${count(size.samples)} samples`)
  atMost(size.instructions, MAX_INSTRUCTIONS, () => `take ${count(size.instructions)} steps`)
  if (!(size.seconds <= MAX_SECONDS)) {
    findings.push({
      path: ['steps'],
      message: `the run would take ${count(size.seconds / 3600)} h, and 24 h is the most`,
    })
  }
  return findings
}
