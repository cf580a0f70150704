/** Which streams a protocol fills and with which columns, without knowing the instruments. Light: for the browser too. */
import { COMMANDS_STREAM, commandColumns } from '../contracts/session-columns.ts'
import type { Path } from '../contracts/yaml-file.ts'
import type { Protocol, SignalKey, Step } from './protocol.ts'

/** A column as the protocol alone tells it. */
export type ColumnSource =
  | { readonly kind: 'signal'; readonly key: SignalKey }
  | { readonly kind: 'variable'; readonly key: string; readonly unit: string; readonly integer: boolean }
  | { readonly kind: 'derived'; readonly key: string; readonly unit: string }
  | { readonly kind: 'text'; readonly key: string }

/** One step that fills a stream. */
export interface StreamUse {
  readonly stream: string
  readonly path: Path
  readonly columns: readonly ColumnSource[]
}

type Variable = Extract<ColumnSource, { kind: 'variable' }>

/** Every step of the protocol that fills a stream, in order. */
export function streamUses(protocol: Protocol): StreamUse[] {
  const uses: StreamUse[] = []
  walk(protocol.steps, ['steps'], [], uses)
  return uses
}

/** The columns of each stream, from the first step that fills it. */
export function streamColumns(protocol: Protocol): Map<string, readonly ColumnSource[]> {
  const streams = new Map<string, readonly ColumnSource[]>()
  for (const use of streamUses(protocol)) if (!streams.has(use.stream)) streams.set(use.stream, use.columns)
  return streams
}

function walk(steps: readonly Step[], path: Path, variables: readonly Variable[], uses: StreamUse[]): void {
  steps.forEach((step, i) => {
    const here = [...path, i, step.kind]
    switch (step.kind) {
      case 'read': {
        const derived = Object.entries(step.derive).map(([key, { unit }]) => ({ kind: 'derived', key, unit }) as const)
        uses.push({ stream: step.stream, path: here, columns: [...signals(step.signals), ...variables, ...derived] })
        return
      }
      case 'record':
        uses.push({ stream: step.stream, path: here, columns: [...signals(step.signals), ...variables] })
        if (step.steps !== undefined) walk(step.steps, [...here, 'steps'], variables, uses)
        return
      case 'sweep': {
        const variable: Variable = { kind: 'variable', key: step.variable, unit: step.unit ?? '1', integer: false }
        walk(step.steps, [...here, 'steps'], [...variables, variable], uses)
        return
      }
      case 'repeat': {
        const { variable } = step
        const inner =
          variable === undefined ? [] : [{ kind: 'variable', key: variable, unit: '1', integer: true } as const]
        walk(step.steps, [...here, 'steps'], [...variables, ...inner], uses)
        return
      }
      case 'until':
        walk(step.steps, [...here, 'steps'], variables, uses)
        return
      case 'parallel':
        step.branches.forEach((branch, b) => {
          walk(branch, [...here, b], variables, uses)
        })
        return
      case 'live':
        uses.push({
          stream: COMMANDS_STREAM,
          path: here,
          columns: commandColumns.map((key) => ({ kind: 'text', key })),
        })
        return
      case 'set':
      case 'ramp':
      case 'wait':
      case 'call':
      case 'assert':
      case 'dispose':
        return
    }
  })
}

function signals(keys: readonly SignalKey[]): ColumnSource[] {
  return [...new Set(keys)].map((key) => ({ kind: 'signal', key }))
}
