import type { Scalar } from '../capabilities/signals.ts'
import { textIn } from '../contracts/common.ts'
import { LabError } from '../primitives/lab-error.ts'
import type { Environment } from './environment.ts'
import { createCompiler } from './expression.ts'
import {
  type AssertStep,
  type LabVisit,
  MAX_INSTRUCTIONS,
  type ParameterValues,
  type Protocol,
  type SetStep,
  type SignalKey,
  type Step,
  type UntilStep,
} from './protocol.ts'
import {
  amountIn,
  type Compile,
  evaluateValue,
  type LoopScope,
  notNegative,
  positive,
  rampOf,
  repeatCount,
  rootScope,
  splitKey,
  sweepValues,
  withVariable,
} from './quantities.ts'

export interface Assignment {
  readonly part: string
  readonly signal: string
  readonly value: Scalar
  /** The unit `value` is in; undefined when the protocol gave a bare number: it is in the signal's own unit. */
  readonly unit?: string
}

/** A signal as a column of a stream; its key is `part.signal`. */
export interface SignalColumn {
  readonly part: string
  readonly signal: string
}

export interface DerivedValue {
  readonly name: string
  readonly unit: string
  /** Reads the environment: call it after the row's readings were observed. Throws a LabError when not finite. */
  compute(): number
}

export type Instructions = Generator<Instruction, void, void>

/** What the engine performs, in order. */
export type Instruction = Placed & Operation

/** Where an instruction comes from. */
export interface Placed {
  /** The step's place in the file: `steps[3].sweep.steps[0].set`. */
  readonly path: string
  /** The label of the step, else of the nearest one around it. */
  readonly label?: string
}

type Operation =
  | { readonly op: 'set'; readonly assignments: readonly Assignment[] }
  | {
      readonly op: 'ramp'
      readonly part: string
      readonly signal: string
      readonly from?: number
      readonly to: number
      /** The unit of from, to and rate (per second); undefined: the signal's own. */
      readonly unit?: string
      readonly overS?: number
      readonly rate?: number
    }
  | { readonly op: 'wait'; readonly seconds: number }
  | {
      readonly op: 'read'
      readonly stream: string
      readonly columns: readonly SignalColumn[]
      readonly variables: Readonly<Record<string, number>>
      readonly derived: readonly DerivedValue[]
    }
  | {
      readonly op: 'record'
      readonly stream: string
      readonly columns: readonly SignalColumn[]
      readonly rateHz: number
      readonly variables: Readonly<Record<string, number>>
      readonly forS?: number
      readonly body?: Instructions
    }
  | { readonly op: 'parallel'; readonly branches: readonly Instructions[] }
  | {
      readonly op: 'call'
      readonly part: string
      readonly action: string
      readonly args: Readonly<Record<string, Scalar>>
      /** Units of those arguments that the protocol gave one; the others are in the declared unit. */
      readonly units: Readonly<Record<string, string>>
      readonly withinS?: number
    }
  | {
      readonly op: 'deadline'
      readonly seconds: number
      readonly body: Instructions
      readonly onExpiry: 'fail' | 'continue'
    }
  | { readonly op: 'fail'; readonly error: LabError }
  | {
      readonly op: 'live'
      readonly seconds: number
      readonly idleS: number
      readonly silenceS: number
      readonly server?: LabVisit
    }
  | { readonly op: 'dispose'; readonly part: string }

/** The signal's name as written in protocols and used as column key. */
export const signalKey = (column: { readonly part: string; readonly signal: string }): SignalKey =>
  `${column.part}.${column.signal}`

/** How many samples a record of a given length takes, the first at its start. */
export const sampleCount = (seconds: number, rateHz: number): number => Math.max(1, Math.round(seconds * rateHz))

interface Run {
  readonly compile: Compile
  readonly environment: Environment
  budget: number
  /** Steps since the last that made an instruction. */
  quiet: number
}

/** Steps that may make no instruction; after many in a row the engine gets a turn, so that nothing spins. */
const QUIET_KINDS: ReadonlySet<Step['kind']> = new Set<Step['kind']>(['assert', 'repeat', 'sweep'])
const MAX_QUIET = 1000
/** What one that asks a record counts for: it may look at thousands of samples. */
const RECORD_WEIGHT = 200
/** Pause between the turns of an `until` that names none. */
const DEFAULT_EVERY_S = 0.01

/**
 * The protocol as instructions, made lazily: each is made when asked for, so that expressions see what the engine has
 * observed by then. Throws a LabError (kind caller) where an expression fails or the step budget is spent.
 */
export function* expand(protocol: Protocol, parameters: ParameterValues, environment: Environment): Instructions {
  yield* expandFrom(protocol.steps, 'steps', parameters, environment)
}

/** The protocol's clean-up as instructions, with a budget of its own. */
export function* expandCleanUp(
  { cleanUp = [] }: Protocol,
  parameters: ParameterValues,
  environment: Environment,
): Instructions {
  yield* expandFrom(cleanUp, 'cleanUp', parameters, environment)
}

function expandFrom(
  steps: readonly Step[],
  path: string,
  parameters: ParameterValues,
  environment: Environment,
): Instructions {
  const run: Run = { compile: createCompiler(), environment, budget: MAX_INSTRUCTIONS, quiet: 0 }
  return expandSteps(run, steps, path, rootScope(parameters, environment), undefined)
}

function* expandSteps(
  run: Run,
  steps: readonly Step[],
  path: string,
  scope: LoopScope,
  label: string | undefined,
): Instructions {
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] as Step
    yield* expandStep(run, step, `${path}[${i}].${step.kind}`, scope, step.label ?? label)
  }
}

function* expandStep(run: Run, step: Step, path: string, scope: LoopScope, label: string | undefined): Instructions {
  run.budget -= 1
  if (run.budget < 0) {
    throw new LabError({
      code: 'too-many-steps',
      kind: 'caller',
      message: `${path}: the run has taken ${MAX_INSTRUCTIONS} steps, which is the most that one run may`,
    })
  }
  const at: Placed = label === undefined ? { path } : { path, label }
  run.quiet = QUIET_KINDS.has(step.kind) ? run.quiet + weight(run, step) : 0
  if (run.quiet > MAX_QUIET) {
    run.quiet = 0
    yield { op: 'wait', ...at, seconds: 0 }
  }
  switch (step.kind) {
    case 'set':
      yield { op: 'set', ...at, assignments: assignments(step.values, scope, run.compile) }
      return
    case 'ramp':
      yield { op: 'ramp', ...at, ...rampOf(step, scope, run.compile) }
      return
    case 'wait':
      yield { op: 'wait', ...at, seconds: notNegative(amountIn(step.duration, 's', scope, run.compile), path) }
      return
    case 'read':
      yield {
        op: 'read',
        ...at,
        stream: step.stream,
        columns: step.signals.map(splitKey),
        variables: scope.loop,
        derived: Object.entries(step.derive).map(([name, { value, unit }]) => {
          const expression = run.compile(value)
          return { name, unit, compute: () => expression.number(scope) }
        }),
      }
      return
    case 'record':
      yield {
        op: 'record',
        ...at,
        stream: step.stream,
        columns: step.signals.map(splitKey),
        rateHz: positive(amountIn(step.rate, 'Hz', scope, run.compile), `${path}.rate`),
        variables: scope.loop,
        ...(step.for === undefined
          ? {}
          : { forS: notNegative(amountIn(step.for, 's', scope, run.compile), `${path}.for`) }),
        ...(step.steps === undefined ? {} : { body: expandSteps(run, step.steps, `${path}.steps`, scope, label) }),
      }
      return
    case 'sweep': {
      const inside = `${path}.steps`
      const { count, at: valueAt } = sweepValues(step, scope, run.compile, path)
      for (let i = 0; i < count; i++)
        yield* expandSteps(run, step.steps, inside, withVariable(scope, step.variable, valueAt(i)), label)
      return
    }
    case 'repeat': {
      const inside = `${path}.steps`
      const times = repeatCount(step, scope, run.compile, path)
      for (let i = 0; i < times; i++) {
        const turn = step.variable === undefined ? scope : withVariable(scope, step.variable, i)
        yield* expandSteps(run, step.steps, inside, turn, label)
      }
      return
    }
    case 'until':
      yield {
        op: 'deadline',
        ...at,
        seconds: positive(amountIn(step.within, 's', scope, run.compile), `${path}.within`),
        body: untilBody(run, step, at, scope),
        onExpiry: step.otherwise,
      }
      return
    case 'parallel':
      yield {
        op: 'parallel',
        ...at,
        branches: step.branches.map((branch, b) => expandSteps(run, branch, `${path}[${b}]`, scope, label)),
      }
      return
    case 'call': {
      const { part, signal: action } = splitKey(step.action)
      const args = Object.fromEntries(
        Object.entries(step.arguments).map(
          ([name, value]) => [name, evaluateValue(value, scope, run.compile)] as const,
        ),
      )
      yield {
        op: 'call',
        ...at,
        part,
        action,
        args: mapArguments(args),
        units: mapUnits(args),
        ...(step.within === undefined
          ? {}
          : { withinS: positive(amountIn(step.within, 's', scope, run.compile), `${path}.within`) }),
      }
      return
    }
    case 'assert':
      if (run.compile(step.condition).condition(scope)) return
      yield { op: 'fail', ...at, error: assertionError(step, path) }
      return
    case 'live': {
      const { idleS, silenceS, server } = step
      const seconds = positive(amountIn(step.seconds, 's', scope, run.compile), `${path}.seconds`)
      yield { op: 'live', ...at, seconds, idleS, silenceS, ...(server === undefined ? {} : { server }) }
      return
    }
    case 'dispose':
      yield { op: 'dispose', ...at, part: step.part }
      return
  }
}

const weight = (run: Run, step: Step): number =>
  step.kind === 'assert' && run.compile(step.condition).recorded.size > 0 ? RECORD_WEIGHT : 1

function* untilBody(run: Run, step: UntilStep, at: Placed, scope: LoopScope): Instructions {
  const condition = run.compile(step.condition)
  for (;;) {
    yield* expandSteps(run, step.steps, `${at.path}.steps`, scope, at.label)
    if (condition.condition(scope)) return
    const every = step.every === undefined ? DEFAULT_EVERY_S : amountIn(step.every, 's', scope, run.compile)
    yield { op: 'wait', ...at, seconds: Math.max(DEFAULT_EVERY_S, notNegative(every, `${at.path}.every`)) }
  }
}

function assignments(values: SetStep['values'], scope: LoopScope, compile: Compile): Assignment[] {
  return Object.entries(values).map(([key, value]) => ({ ...splitKey(key), ...evaluateValue(value, scope, compile) }))
}

type Valued = { readonly value: Scalar; readonly unit?: string }

const mapArguments = (args: Readonly<Record<string, Valued>>): Record<string, Scalar> =>
  Object.fromEntries(Object.entries(args).map(([name, { value }]) => [name, value]))

const mapUnits = (args: Readonly<Record<string, Valued>>): Record<string, string> =>
  Object.fromEntries(Object.entries(args).flatMap(([name, { unit }]) => (unit === undefined ? [] : [[name, unit]])))

function assertionError(step: AssertStep, path: string): LabError {
  return new LabError({
    code: 'assertion-failed',
    kind: 'caller',
    message: `${path}: ${textIn(step.message, 'en')} (${step.condition})`,
    studentMessage: textIn(step.message, 'en'),
  })
}
