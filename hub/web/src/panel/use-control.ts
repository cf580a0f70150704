import type { Scalar } from '@fernlab/shared/capabilities/signals'
import { useEffect, useMemo, useRef, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useWords } from '../words/use-words.ts'
import { createLatestSender } from './latest-sender.ts'
import { useAsked, useLatest, useMissed, usePanel } from './panel-context.tsx'

/** No control sends more often. */
const everyMs = 100

export interface Control {
  /** Whether the person may move it. */
  readonly ready: boolean
  /** Where the control stands: what is being asked for, else what was unless the bench is otherwise, else what is. */
  readonly shown: Scalar | undefined
  readonly asked: Scalar | undefined
  readonly is: Scalar | undefined
  /** Whether the bench has yet to answer. */
  readonly isPending: boolean
  /** Why it was not taken. */
  readonly refused: string | undefined
  ask(value: Scalar): void
}

/** Moves one signal: what is asked for goes out a few times a second at most, and the last of it always. */
export function useControl(key: string): Control {
  const { set, ready } = usePanel()
  const why = useRefusal()
  const asked = useAsked(key)
  const missed = useMissed(key)
  const is = useLatest(key)
  const [pending, setPending] = useState<Scalar>()
  const [refused, setRefused] = useState<string>()
  const now = useRef({ set, why })
  now.current = { set, why }
  const sender = useMemo(
    () =>
      createLatestSender<Scalar>({
        everyMs,
        send: (value) => now.current.set({ [key]: value }),
        settled: ({ error, more }) => {
          if (more) return
          setPending(undefined)
          setRefused(error === undefined ? undefined : now.current.why(error))
        },
      }),
    [key],
  )
  // What was not sent before the controls came to rest is not sent after it either.
  useEffect(() => {
    if (ready) return
    sender.drop()
    setPending(undefined)
  }, [ready, sender])
  useEffect(() => () => sender.drop(), [sender])
  return {
    ready,
    shown: pending ?? (missed ? is : asked) ?? is,
    asked: pending ?? asked,
    is,
    isPending: pending !== undefined,
    refused,
    ask: (value) => {
      if (!ready) return
      setPending(value)
      setRefused(undefined)
      sender.offer(value)
    },
  }
}

/** Why the bench or the hub refused, in the page's language. */
export function useRefusal(): (error: unknown) => string {
  const { t, reason } = useWords()
  return (error) => {
    if (!(error instanceof ApiProblem)) return t('error.page')
    return error.code === 'network' ? t('panel.lost') : reason(error.hint ?? error.message)
  }
}
