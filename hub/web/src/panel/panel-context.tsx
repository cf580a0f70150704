import type { Scalar } from '@fernlab/shared/capabilities/signals'
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react'
import type { SignalStore } from './signal-store.ts'
import type { PanelSignal } from './signals.ts'

/** Something that was done to the bench. */
export type Command = {
  readonly at: string
  readonly by: string
  /** `part.signal` or `part.action`. */
  readonly target: string
  /** Why it was not done. */
  readonly refused: string | undefined
} & ({ readonly what: 'set'; readonly value: Scalar } | { readonly what: 'call' })

/** The bench that a panel shows and moves. */
export interface PanelBench {
  readonly store: SignalStore
  readonly signals: ReadonlyMap<string, PanelSignal>
  /** 1 to 8, by signal. */
  readonly colours: ReadonlyMap<string, number>
  readonly commands: readonly Command[]
  /** Whether the person may move something now. */
  readonly ready: boolean
  /** What an action is called. */
  readonly titleOf: (action: string) => string
  /** Where a camera is looked at, by its part; absent where none is to be seen. */
  readonly cameraUrl?: (part: string) => string
  readonly set: (values: Readonly<Record<string, Scalar>>) => Promise<void>
  readonly call: (action: string, args: Readonly<Record<string, Scalar>>) => Promise<void>
}

const PanelContext = createContext<PanelBench | undefined>(undefined)

/** Gives the widgets below it their bench. */
export const PanelProvider = PanelContext

/** The bench of the panel around. */
export function usePanel(): PanelBench {
  const bench = useContext(PanelContext)
  if (bench === undefined) throw new Error('no panel above')
  return bench
}

/** What a signal is called and measured in; a key that no part has stands for itself. */
export function useSignal(key: string): PanelSignal {
  const { signals } = usePanel()
  return signals.get(key) ?? { title: key, unit: '1', dtype: 'number', access: 'read' }
}

/** The newest value of a signal; the component is drawn again when there is another. */
export function useLatest(key: string): Scalar | undefined {
  const { store } = usePanel()
  return useSyncExternalStore(
    store.subscribe,
    useCallback(() => store.latest(key), [store, key]),
  )
}

/** The last value that was asked for. */
export function useAsked(key: string): Scalar | undefined {
  const { store } = usePanel()
  return useSyncExternalStore(
    store.subscribe,
    useCallback(() => store.asked(key), [store, key]),
  )
}

/** Whether the bench has gone its own way since that value was asked for. */
export function useMissed(key: string): boolean {
  const { store } = usePanel()
  return useSyncExternalStore(
    store.subscribe,
    useCallback(() => store.missed(key), [store, key]),
  )
}
