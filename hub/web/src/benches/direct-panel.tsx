import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench, exchangedSchema, Lease } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import type { z } from 'zod'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { benchesQuery, meQuery } from '../api/queries.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { EndHold, type HeldByAnother } from '../services/end-hold.tsx'
import { mayEndOthers } from '../services/hold-says.ts'
import { ReasonField } from '../services/reason-field.tsx'
import { useSaid } from '../services/use-said.ts'
import { useNow, useWords } from '../words/use-words.ts'
import styles from './benches.module.css'
import { SignalRow } from './signal-row.tsx'

type Exchanged = z.infer<typeof exchangedSchema>
type Scalar = number | string | boolean

const ttlS = 120
/** Three tries before its time is over. */
const renewEveryMs = (ttlS * 1000) / 4

/** What this page has, and until when by its own clock: the hub's may be another. */
interface Held extends Lease {
  readonly untilMs: number
}

/** The bench's instruments with their values; who takes the bench may set them, and its lease is renewed meanwhile. */
export function DirectPanel({ bench }: { bench: Bench }) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const nowMs = useNow(1000)
  const [lease, setLease] = useState<Held>()
  const [reason, setReason] = useState('')
  /** Why what this page had is no more. */
  const [lost, setLost] = useState<unknown>()
  /** What the hub had said last when this page gave the bench back or lost it, by the time of that. */
  const [goneAtMs, setGoneAtMs] = useState(0)
  const noteGone = () => setGoneAtMs(client.getQueryState(benchesQuery(api).queryKey)?.dataUpdatedAt ?? 0)
  const said = useSaid()
  const lose = (error: unknown) => {
    setLease(undefined)
    setAsked({})
    setLost(error)
    noteGone()
  }
  const [asked, setAsked] = useState<Readonly<Record<string, Scalar>>>({})
  const path = `/api/v1/benches/${bench.id}`
  const readable = Object.entries(bench.parts).flatMap(([part, { signals }]) =>
    (signals as readonly SignalSpec[])
      .filter((signal) => signal.access !== 'set' && signal.dtype !== 'array')
      .map((signal) => `${part}.${signal.name}`),
  )
  /** Resolves when the page knows who has the bench by now; history and outages follow, however long they take. */
  const changed = () => {
    const { queryKey } = benchesQuery(api)
    void client.invalidateQueries({ queryKey, predicate: (query) => query.queryKey.length > queryKey.length })
    return client.invalidateQueries({ queryKey, exact: true })
  }
  const take = useMutation({
    mutationFn: ({ held, reason = '' }: { readonly held?: string; readonly reason?: string }) =>
      api.send<Lease>('POST', `${path}/lease`, {
        ttlS,
        ...(held === undefined ? { resume: true } : { lease: held }),
        ...(reason === '' ? {} : { reason }),
      }),
    onMutate: () => ({ askedMs: Date.now() }),
    onSuccess: (taken, _, { askedMs }) => {
      setLost(undefined)
      setLease({ ...taken, untilMs: askedMs + ttlS * 1000 })
    },
    onError: (error, { held }) => {
      if (held === undefined) setLease(undefined)
      // Else it lasts until its time is over, and is renewed again: its hub is away, say.
      else if (endsLease(error)) lose(error)
    },
    onSettled: () => changed(),
  })
  const role = useQuery(meQuery(api)).data?.role
  const drives = isStaff(role)
  // A node reads a bench in use for nobody but who holds it.
  const takeable = bench.state === 'free' || bench.outage !== undefined
  const check = bench.leased ? undefined : bench.checks?.find(({ underWay }) => underWay !== undefined)
  const reads = drives && (lease !== undefined || (takeable && !bench.leased && !take.isPending))
  const readings = useQuery({
    queryKey: ['readings', bench.id, lease?.lease],
    queryFn: () => api.send<Exchanged>('POST', `${path}/exchange`, { read: readable, ...leaseOf(lease) }),
    enabled: reads && readable.length > 0,
    placeholderData: (before) => before,
    refetchInterval: 2_000,
    retry: false,
  })
  const unread = reads ? readings.error : null
  const isOver = lease !== undefined && endsLease(readings.error)
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once, by the reading that was refused
  useEffect(() => {
    if (!isOver) return
    lose(readings.error)
    void changed()
  }, [isOver])
  const isUnrenewed = lease !== undefined && nowMs >= lease.untilMs
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once, when its time is over
  useEffect(() => {
    if (!isUnrenewed) return
    lose(new Error(t('benches.unrenewed')))
    client.setQueryData(benchesQuery(api).queryKey, (known) =>
      known === undefined
        ? undefined
        : {
            ...known,
            items: known.items.map((one) => (one.id === bench.id ? { ...one, leased: false, mine: false } : one)),
          },
    )
    void changed()
  }, [isUnrenewed])
  const toldAtMs = useQuery(benchesQuery(api)).dataUpdatedAt
  // What the hub said before that is no more.
  const isMine = lease !== undefined || (bench.mine === true && toldAtMs !== goneAtMs)
  useEffect(() => {
    if (isMine) setLost(undefined)
  }, [isMine])
  // Until something could be read again.
  const wasRefused = isInUse(take.error) && take.submittedAt > readings.dataUpdatedAt
  const heldByAnother = bench.leased && bench.mine !== true && lease === undefined
  const inUse = isInUse(unread) || wasRefused || heldByAnother
  const giveBack = useMutation({
    mutationFn: () => api.send('DELETE', `${path}/lease`),
    onSettled: (_, error) => {
      if (error === null || endsLease(error)) noteGone()
      setLease(undefined)
      setAsked({})
      return changed()
    },
  })
  const set = useMutation({
    mutationFn: ({ signal, value }: { signal: string; value: Scalar }) =>
      api.send<Exchanged>('POST', `${path}/exchange`, { set: { [signal]: value }, ...leaseOf(lease) }),
    onSuccess: (_, { signal, value }) => {
      setAsked((before) => ({ ...before, [signal]: value }))
      void readings.refetch()
    },
  })
  const renew = useRef(take.mutate)
  renew.current = take.mutate
  useEffect(() => {
    if (lease === undefined) return
    const timer = setInterval(() => renew.current({ held: lease.lease }), renewEveryMs)
    return () => clearInterval(timer)
  }, [lease])
  const canTake = takeable || check !== undefined
  const takeIt = (event: FormEvent) => {
    event.preventDefault()
    take.mutate(isMine ? {} : { reason: reason.trim() })
  }
  const refused = set.error instanceof ApiProblem && set.error.status === 422 ? set.error : undefined
  const leftS = lease === undefined ? 0 : Math.max(0, (lease.untilMs - nowMs) / 1000)
  const endHold = mayEndOthers(role) ? (
    <EndHold
      of="bench"
      held={heldByAnother ? heldBy(bench) : undefined}
      end={async (reason, since) => {
        const asked = new URLSearchParams({ reason, ...(since === undefined ? {} : { since }) })
        try {
          await api.send('DELETE', `${path}/lease?${asked}`)
          take.reset()
        } finally {
          // Who has it by now is asked for too.
          await changed()
        }
      }}
    />
  ) : null
  return (
    <>
      {drives ? (
        <div className={styles.lease}>
          <p role="status">
            {lease !== undefined
              ? t('benches.taken', { time: words.duration(leftS) })
              : isMine
                ? t('benches.mine')
                : inUse && !take.isPending
                  ? bench.leasedBy === undefined
                    ? t('benches.inUse')
                    : t('benches.inUseBy', { person: bench.leasedBy.name })
                  : check === undefined
                    ? t('benches.takeText')
                    : t('benches.takeFromCheck', { check: check.title })}
          </p>
          {lease?.endedCheck === undefined ? null : (
            <p role="status">{t('benches.endedCheck', { check: lease.endedCheck })}</p>
          )}
          {lost === undefined || isMine ? null : (
            <p role="alert" className={styles.lost}>
              {t('service.lost', { why: said(lost) })}
            </p>
          )}
          <div className={styles.hands}>
            {lease !== undefined ? null : (
              <form className={styles.take} onSubmit={takeIt}>
                {isMine || !canTake ? null : <ReasonField value={reason} onChange={setReason} />}
                <Button type="submit" variant="default" loading={take.isPending} disabled={!canTake && !isMine}>
                  {isMine ? t('benches.resume') : t('benches.take')}
                </Button>
              </form>
            )}
            {isMine ? (
              <Button loading={giveBack.isPending} onClick={() => giveBack.mutate()}>
                {t('benches.giveBack')}
              </Button>
            ) : null}
            {isMine ? null : endHold}
          </div>
        </div>
      ) : (
        <div className={heldByAnother && endHold !== null ? styles.lease : undefined}>
          {heldByAnother && endHold !== null ? <p role="status">{t('benches.inUse')}</p> : null}
          {endHold}
        </div>
      )}
      {take.error === null || isInUse(take.error) || lost !== undefined ? null : <ProblemNotice error={take.error} />}
      {giveBack.error === null ? null : <ProblemNotice error={giveBack.error} />}
      {set.error === null || refused !== undefined || endsLease(set.error) ? null : <ProblemNotice error={set.error} />}
      {unread === null || inUse || isOver ? null : <ProblemNotice error={unread} />}
      {Object.entries(bench.parts).map(([part, { instrument, driver, model, signals }]) => (
        <section key={part} className={styles.part}>
          <h2>
            {part}{' '}
            <span className={styles.driver}>
              {instrument}, {model ?? driver}
            </span>
          </h2>
          <ScrollRegion name={part} className={styles.tableFrame}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t('benches.signal')}</th>
                  <th scope="col">{t('benches.is')}</th>
                  <th scope="col">{t('benches.asked')}</th>
                  <th scope="col">{t('benches.limits')}</th>
                  <th scope="col">{t('common.set')}</th>
                </tr>
              </thead>
              <tbody>
                {(signals as readonly SignalSpec[]).map((signal) => (
                  <SignalRow
                    key={signal.name}
                    signal={signal}
                    reading={readings.data?.readings[`${part}.${signal.name}`]}
                    asked={asked[`${part}.${signal.name}`]}
                    canSet={lease !== undefined}
                    refused={set.variables?.signal === `${part}.${signal.name}` ? refused : undefined}
                    onSet={(value) => set.mutate({ signal: `${part}.${signal.name}`, value })}
                  />
                ))}
              </tbody>
            </table>
          </ScrollRegion>
        </section>
      ))}
    </>
  )
}

const heldBy = ({ leasedBy, leasedSince, leaseReason }: Bench): HeldByAnother => ({
  person: leasedBy?.name,
  since: leasedSince,
  reason: leaseReason,
})

const endsLease = (error: unknown): boolean =>
  error instanceof ApiProblem && ['lease-ended', 'lease-invalid'].includes(error.code)

const isInUse = (error: unknown): boolean => error instanceof ApiProblem && error.code === 'bench-busy'

const leaseOf = (lease: Lease | undefined) => (lease === undefined ? {} : { lease: lease.lease })
