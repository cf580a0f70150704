import type { PageCalls, PageMethod, PageState } from '@fernlab/shared/contracts/lab-page'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { useComputedColorScheme } from '@mantine/core'
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { queryString } from '../api/queries.ts'
import type { PanelBench } from '../panel/panel-context.tsx'
import type { LiveSession } from '../session/use-session.ts'
import { useWords } from '../words/use-words.ts'
import { openPageLink, type PageLink } from './page-link.ts'

const beatMs = 4_000
const leastHeight = 240
const mostHeight = 4_000

interface Options {
  readonly session: Session
  readonly live: LiveSession
  readonly bench: PanelBench
  readonly role: PageState['role']
  readonly frame: RefObject<HTMLIFrameElement | null>
  /** Another number, another frame. */
  readonly load: number
}

/** Speaks with the lab's page in the frame: how high it wants to be, and whether it answers. */
export function useLabPage({ session, live, bench, role, frame, load }: Options) {
  const api = useApi()
  const { t, language, reason } = useWords()
  const theme = useComputedColorScheme('light')
  const [height, setHeight] = useState<number>()
  const [answers, setAnswers] = useState(true)
  const link = useRef<PageLink>(undefined)
  const signals = useMemo(
    () =>
      Object.fromEntries(
        [...bench.signals].map(([key, { title, unit, dtype, access, limits, values }]) => [
          key,
          { title, unit, dtype, access, ...(limits && { limits }), ...(values && { values }) },
        ]),
      ),
    [bench.signals],
  )
  const state: PageState = {
    session: session.state,
    ready: bench.ready,
    role,
    secondsLeft: live.endsAtMs === undefined ? null : Math.max(0, (live.endsAtMs - Date.now()) / 1000),
    signals,
    language,
    theme,
  }

  const perform = async <Name extends PageMethod>(method: Name, params: object): Promise<unknown> => {
    const asked = params as PageCalls[Name]
    switch (method) {
      case 'read':
        return ((await live.call('read', asked as PageCalls['read'])) as { readings: unknown }).readings
      case 'data':
      case 'download':
        return await given(method, (asked as PageCalls['data']).stream)
      default:
        await live.call(method as 'set' | 'call' | 'extend' | 'finish', asked as PageCalls['set'])
        return undefined
    }
  }
  const given = async (method: 'data' | 'download', stream: string): Promise<string | undefined> => {
    // The stream of commands says who gave them.
    if (typeof stream !== 'string' || stream === 'commands') throw new ApiProblem(404, { code: 'not-found' })
    const path = `/api/v1/runs/${session.id}/data.csv${queryString({ stream })}`
    if (method === 'data') return await (await api.open(path, {}, AbortSignal.timeout(30_000))).text()
    const anchor = document.createElement('a')
    anchor.href = path
    anchor.download = ''
    anchor.click()
    return undefined
  }
  const why = (error: unknown): string => {
    if (!(error instanceof ApiProblem)) return t('error.page')
    const known: Readonly<Record<string, string>> = {
      network: t('panel.lost'),
      'not-in-control': t('session.page.notYours'),
      'too-many-calls': t('session.page.tooMany'),
      forbidden: t('session.page.ownerOnly'),
    }
    return known[error.code] ?? reason(error.hint ?? error.message)
  }
  const newest = () =>
    Object.fromEntries(
      [...bench.signals].flatMap(([key, { unit }]) => {
        const value = live.store.latest(key)
        const at = live.store.history(key).time.at(-1)
        return value === undefined || at === undefined ? [] : [[key, { unit, time: [at], values: [value] }]]
      }),
    )
  const current = useRef({ state, perform, why, newest })
  current.current = { state, perform, why, newest }

  // biome-ignore lint/correctness/useExhaustiveDependencies: another frame is another page
  useLayoutEffect(() => {
    setAnswers(true)
    const own = openPageLink({
      mailbox: window,
      frame: () => frame.current?.contentWindow ?? null,
      state: current.current.state,
      newest: () => current.current.newest(),
      perform: (method, params) => current.current.perform(method, params),
      why: (error) => current.current.why(error),
      onHeight: (wanted) => setHeight(Math.min(mostHeight, Math.max(leastHeight, wanted))),
      onAnswering: setAnswers,
    })
    link.current = own
    const stop = live.onSamples(own.samples)
    const timer = setInterval(own.beat, beatMs)
    return () => {
      clearInterval(timer)
      stop()
      own.close()
      link.current = undefined
    }
  }, [load, frame, live.onSamples])

  useEffect(() => link.current?.tell(state))
  return { height, answers }
}
