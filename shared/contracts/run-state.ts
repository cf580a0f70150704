import * as z from 'zod'
import type { TransitionTable } from '../primitives/state-machine.ts'

export const runStates = [
  'queued',
  'assigned',
  'running',
  'succeeded',
  'partial',
  'failed',
  'cancelled',
  'interrupted',
  'inapplicable',
] as const
export const runStateSchema = z.enum(runStates)
export type RunState = z.infer<typeof runStateSchema>

/** What is published on `hub/runs/<state>`: never a person's name. */
export const runNoticeSchema = z.object({
  id: z.string(),
  state: runStateSchema,
  attempt: z.number(),
  lab: z.string(),
  protocol: z.string(),
  bench: z.string().nullable(),
  at: z.iso.datetime(),
})
export type RunNotice = z.infer<typeof runNoticeSchema>

/** Who gets a bench first: lower is sooner. */
export const priorities = { soonest: 1, usual: 5, latest: 100 } as const

export const finalStates = ['succeeded', 'partial', 'failed', 'cancelled', 'interrupted', 'inapplicable'] as const
export const finalStateSchema = z.enum(finalStates)
export type FinalState = z.infer<typeof finalStateSchema>

/**
 * A run's life on the hub. `assigned`/`running` → `queued` is a new attempt: the node refused the assignment, or the
 * attempt was interrupted and the protocol says `restart: safe`.
 */
export const runTransitions: TransitionTable<RunState> = {
  queued: ['assigned', 'cancelled', 'failed', 'inapplicable'],
  assigned: ['running', 'queued', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted', 'inapplicable'],
  running: ['queued', 'succeeded', 'partial', 'failed', 'cancelled', 'interrupted', 'inapplicable'],
  succeeded: [],
  partial: [],
  failed: [],
  cancelled: [],
  interrupted: [],
  inapplicable: [],
}

export const isFinal = (state: RunState): state is FinalState => runTransitions[state].length === 0

/** The event model's `exit_status` for each final state. */
export const exitStatus: Readonly<Record<FinalState, 'success' | 'abort' | 'fail'>> = {
  succeeded: 'success',
  partial: 'success',
  cancelled: 'abort',
  interrupted: 'abort',
  failed: 'fail',
  inapplicable: 'fail',
}

export const benchStates = ['free', 'busy', 'offline', 'maintenance', 'fault'] as const
export const benchStateSchema = z.enum(benchStates)
export type BenchState = z.infer<typeof benchStateSchema>
