/**
 * Expressions of the protocol language. jsep makes the tree; only the node kinds, operators and functions listed here
 * compile, into closures that cannot loop, assign or reach anything but the given scope.
 */
import jsep from 'jsep'
import type { Scalar } from '../capabilities/signals.ts'
import { LabError } from '../primitives/lab-error.ts'
import type { RecordStatistic } from './environment.ts'
import { constants, functions, statisticNames } from './expression-functions.ts'
import type { SignalKey } from './protocol.ts'

const MAX_LENGTH = 1000
const MAX_DEPTH = 50

/** What an expression can see. */
export interface Scope {
  /** A parameter, loop variable, column or coefficient. */
  variable(name: string): Scalar | undefined
  reading(signal: SignalKey): Scalar | undefined
  statistic(kind: RecordStatistic, signal: SignalKey, frequencyHz?: number): number | undefined
}

/** A compiled expression; it may be kept and evaluated any number of times. */
export interface Expression {
  readonly text: string
  /** Names of variables it uses (constants are not among them). */
  readonly names: ReadonlySet<string>
  /** `part.signal` of the readings it uses. */
  readonly signals: ReadonlySet<SignalKey>
  /** `part.signal` of the records it uses. */
  readonly recorded: ReadonlySet<SignalKey>
  /** Those of them whose amplitude or phase it asks for without naming a frequency. */
  readonly oscillating: ReadonlySet<SignalKey>
  /** The value; throws LabError `expression-failed` that names the expression and the values it saw. */
  evaluate(scope: Scope): Scalar
  /** The same where a finite number is wanted. */
  number(scope: Scope): number
  /** The same where true or false is wanted. */
  condition(scope: Scope): boolean
}

type Compiled = (scope: Scope) => Scalar

interface Uses {
  readonly names: Set<string>
  readonly signals: Set<SignalKey>
  readonly recorded: Set<SignalKey>
  readonly oscillating: Set<SignalKey>
}

/** Compiles; throws LabError `expression-invalid` for anything outside the language, without evaluating. */
export function compileExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) {
    throw invalid(`${text.slice(0, 40)}…`, `is longer than ${MAX_LENGTH} characters`)
  }
  let tree: jsep.Expression
  try {
    tree = jsep(text)
  } catch (error) {
    throw invalid(text, `cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  const uses: Uses = { names: new Set(), signals: new Set(), recorded: new Set(), oscillating: new Set() }
  const run = compileNode(tree, text, uses, 0)
  const evaluate = (scope: Scope): Scalar => {
    try {
      const value = run(scope)
      if (typeof value !== 'number' || Number.isFinite(value)) return value
      throw new Mistake('is not a finite number')
    } catch (error) {
      if (error instanceof Mistake) throw failed(text, error.message, uses, scope, error.details)
      throw error
    }
  }
  return {
    text,
    ...uses,
    evaluate,
    number: (scope) => {
      const value = evaluate(scope)
      if (typeof value === 'number') return value
      throw failed(text, `is ${describe(value)}, not a number`, uses, scope)
    },
    condition: (scope) => {
      const value = evaluate(scope)
      if (typeof value === 'boolean') return value
      throw failed(text, `is ${describe(value)}, not true or false`, uses, scope, ofType)
    },
  }
}

/** A memory of compiled expressions, for a caller that meets the same ones again. */
export function createCompiler(): (text: string) => Expression {
  const known = new Map<string, Expression>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const compiled = compileExpression(text)
    known.set(text, compiled)
    return compiled
  }
}

/** What went wrong during evaluation, before the expression and its values are added. Never leaves this file. */
class Mistake extends LabError {
  constructor(message: string, details: ErrorDetails = {}) {
    super({ code: 'expression-failed', kind: 'caller', message, details })
  }
}

type ErrorDetails = LabError['details']

/** The expression itself is wrong, whatever the values are. */
const ofType = { mistake: 'type' }

function compileNode(node: jsep.Expression, text: string, uses: Uses, depth: number): Compiled {
  if (depth > MAX_DEPTH) throw invalid(text, `nests deeper than ${MAX_DEPTH}`)
  const inner = (child: unknown) => compileNode(child as jsep.Expression, text, uses, depth + 1)
  switch (node.type) {
    case 'Literal': {
      const { value } = node as jsep.Literal
      if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return () => value
      throw invalid(text, `has ${String(value)}, which has no meaning here`)
    }
    case 'Identifier':
      return identifier((node as jsep.Identifier).name, uses)
    case 'MemberExpression': {
      const key = signalOf(node, text)
      uses.signals.add(key)
      return (scope) => {
        const value = scope.reading(key)
        if (value === undefined) throw new Mistake(`needs ${key}, which has not been read yet`)
        return value
      }
    }
    case 'UnaryExpression':
      return unary(node as jsep.UnaryExpression, text, inner)
    case 'BinaryExpression':
      return binary(node as jsep.BinaryExpression, text, inner)
    case 'ConditionalExpression': {
      const { test, consequent, alternate } = node as jsep.ConditionalExpression
      const [condition, yes, no] = [inner(test), inner(consequent), inner(alternate)]
      return (scope) => (truth(condition(scope)) ? yes(scope) : no(scope))
    }
    case 'CallExpression':
      return call(node as jsep.CallExpression, text, uses, inner)
    default:
      throw invalid(text, node.type === 'Compound' ? 'is not one expression' : `has ${kindName(node.type)}`)
  }
}

function identifier(name: string, uses: Uses): Compiled {
  const constant = constants[name]
  if (constant !== undefined) return () => constant
  uses.names.add(name)
  return (scope) => {
    const value = scope.variable(name)
    if (value === undefined) throw new Mistake(`needs ${name}, which has no value`)
    return value
  }
}

function signalOf(node: jsep.Expression, text: string): SignalKey {
  const { object, property, computed, optional } = node as jsep.MemberExpression
  if (computed || optional || object?.type !== 'Identifier' || property?.type !== 'Identifier') {
    throw invalid(text, 'may use a dot only as in part.signal')
  }
  return `${object.name}.${property.name}`
}

function unary(node: jsep.UnaryExpression, text: string, inner: (child: unknown) => Compiled): Compiled {
  const operand = inner(node.argument)
  switch (node.operator) {
    case '-':
      return (scope) => -amount(operand(scope))
    case '+':
      return (scope) => amount(operand(scope))
    case '!':
      return (scope) => !truth(operand(scope))
    default:
      throw invalid(text, `has the operator ${node.operator}, which is not one of - + !`)
  }
}

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  '**': (a, b) => a ** b,
}

const comparison: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

function binary(node: jsep.BinaryExpression, text: string, inner: (child: unknown) => Compiled): Compiled {
  const { operator } = node
  if (operator === '**' && node.left.type === 'UnaryExpression') {
    // -2 ** 2 is 4 to some and -4 to others, and the tree no longer shows parentheses.
    throw invalid(text, 'has a sign before **: write -(a ** b) or pow(-a, b)')
  }
  const [left, right] = [inner(node.left), inner(node.right)]
  const compute = arithmetic[operator]
  if (compute !== undefined) return (scope) => compute(amount(left(scope)), amount(right(scope)))
  const compare = comparison[operator]
  if (compare !== undefined) return (scope) => compare(finite(left(scope)), finite(right(scope)))
  switch (operator) {
    case '==':
    case '===':
      return (scope) => left(scope) === right(scope)
    case '!=':
    case '!==':
      return (scope) => left(scope) !== right(scope)
    case '&&':
      return (scope) => truth(left(scope)) && truth(right(scope))
    case '||':
      return (scope) => truth(left(scope)) || truth(right(scope))
    case '^':
      throw invalid(text, 'has ^: a power is written **')
    default:
      throw invalid(text, `has the operator ${operator}, which is not part of the language`)
  }
}

function call(node: jsep.CallExpression, text: string, uses: Uses, inner: (child: unknown) => Compiled): Compiled {
  const name = node.callee.type === 'Identifier' ? String(node.callee.name) : undefined
  const kind = statisticNames.find((candidate) => candidate === name)
  const first = node.arguments[0]
  if (kind !== undefined && first?.type === 'MemberExpression' && isStatistic(kind, node.arguments.length)) {
    const key = signalOf(first, text)
    uses.recorded.add(key)
    if ((kind === 'amplitude' || kind === 'phase') && node.arguments.length === 1) uses.oscillating.add(key)
    const frequency = node.arguments[1] === undefined ? undefined : inner(node.arguments[1])
    return (scope) => {
      const value = scope.statistic(kind, key, frequency === undefined ? undefined : amount(frequency(scope)))
      if (value === undefined) throw new Mistake(`needs a record of ${key} that has finished`)
      return value
    }
  }
  const found = name === undefined ? undefined : functions[name]
  if (found === undefined) {
    if (kind !== undefined) throw invalid(text, `wants ${kind}(part.signal)`)
    throw invalid(text, `calls ${name ?? 'something'}, which is not a function of the language`)
  }
  const [fewest, most] = found.arguments
  if (node.arguments.length < fewest || node.arguments.length > most) {
    throw invalid(
      text,
      `gives ${name} ${node.arguments.length} arguments, it takes ${fewest === most ? fewest : `${fewest} or more`}`,
    )
  }
  const values = node.arguments.map(inner)
  const [a, b] = values
  if (values.length === 1 && a !== undefined) return (scope) => found.compute(amount(a(scope)))
  if (values.length === 2 && a !== undefined && b !== undefined) {
    return (scope) => found.compute(amount(a(scope)), amount(b(scope)))
  }
  return (scope) => found.compute(...values.map((value) => amount(value(scope))))
}

/** `min(a.b, c.d)` compares two readings; with one argument it asks the record. */
function isStatistic(kind: RecordStatistic, count: number): boolean {
  return kind === 'amplitude' || kind === 'phase' ? count <= 2 : count === 1
}

function amount(value: Scalar): number {
  if (typeof value === 'number') return value
  throw new Mistake(`has ${describe(value)} where a number is wanted`, ofType)
}

function finite(value: Scalar): number {
  const number = amount(value)
  if (Number.isFinite(number)) return number
  throw new Mistake('compares something that is not a finite number')
}

function truth(value: Scalar): boolean {
  if (typeof value === 'boolean') return value
  throw new Mistake(`has ${describe(value)} where true or false is wanted`, ofType)
}

const describe = (value: Scalar): string => (typeof value === 'string' ? 'a text' : String(value))

function kindName(type: string): string {
  return { ArrayExpression: 'a list', ThisExpression: 'this', SequenceExpression: 'a comma' }[type] ?? type
}

function invalid(text: string, what: string): LabError {
  return new LabError({
    code: 'expression-invalid',
    kind: 'caller',
    message: `the expression ${JSON.stringify(text)} ${what}`,
    details: { expression: text },
  })
}

function failed(text: string, what: string, uses: Uses, scope: Scope, details: ErrorDetails = {}): LabError {
  const seen = [
    ...[...uses.names].map((name) => [name, scope.variable(name)] as const),
    ...[...uses.signals].map((key) => [key, scope.reading(key)] as const),
  ]
  const known = seen.filter(([, value]) => value !== undefined).map(([name, value]) => `${name} = ${value}`)
  return new LabError({
    code: 'expression-failed',
    kind: 'caller',
    message: `the expression ${JSON.stringify(text)} ${what}${known.length > 0 ? ` (${known.join(', ')})` : ''}`,
    details: { ...details, expression: text },
  })
}
