import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Bench, exchangedSchema, leaseSchema } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { z } from 'zod'
import { useApi } from '../api/context.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { useNow, useWords } from '../words/use-words.ts'
import styles from './benches.module.css'
import { SignalRow } from './signal-row.tsx'

type Lease = z.infer<typeof leaseSchema>
type Exchanged = z.infer<typeof exchangedSchema>
type Scalar = number | string | boolean

const ttlS = 120

/** The bench's instruments with their values; who takes the bench may set them, and its lease is renewed meanwhile. */
export function DirectPanel({ bench }: { bench: Bench }) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const nowMs = useNow(1000)
  const [lease, setLease] = useState<Lease>()
  const [asked, setAsked] = useState<Readonly<Record<string, Scalar>>>({})
  const path = `/api/v1/benches/${bench.id}`
  const reach = bench.state === 'free' || bench.state === 'busy' || lease !== undefined
  const readable = Object.entries(bench.parts).flatMap(([part, { signals }]) =>
    (signals as readonly SignalSpec[])
      .filter((signal) => signal.access !== 'set' && signal.dtype !== 'array')
      .map((signal) => `${part}.${signal.name}`),
  )
  // Reading never disturbs a run: the node answers with what it last saw while the bench is busy.
  const readings = useQuery({
    queryKey: ['benches', bench.id, 'readings'],
    queryFn: () => api.send<Exchanged>('POST', `${path}/exchange`, { read: readable, ...leaseOf(lease) }),
    enabled: reach && readable.length > 0 && (bench.run === undefined || lease !== undefined),
    refetchInterval: 2_000,
    retry: false,
  })
  const take = useMutation({
    mutationFn: (held: string | undefined) =>
      api.send<Lease>('POST', `${path}/lease`, { ttlS, ...(held === undefined ? {} : { lease: held }) }),
    onSuccess: setLease,
    onError: () => setLease(undefined),
  })
  const giveBack = useMutation({
    mutationFn: () => api.send('DELETE', `${path}/lease`),
    onSettled: () => {
      setLease(undefined)
      setAsked({})
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
    const timer = setInterval(() => renew.current(lease.lease), (ttlS * 1000) / 3)
    return () => clearInterval(timer)
  }, [lease])
  const leftS = lease === undefined ? 0 : Math.max(0, (Date.parse(lease.expiresAt) - nowMs) / 1000)
  return (
    <>
      <div className={styles.lease}>
        <p>{lease === undefined ? t('benches.takeText') : t('benches.taken', { time: words.duration(leftS) })}</p>
        {lease === undefined ? (
          <Button
            variant="default"
            loading={take.isPending}
            disabled={bench.state !== 'free'}
            onClick={() => take.mutate(undefined)}
          >
            {t('benches.take')}
          </Button>
        ) : (
          <Button loading={giveBack.isPending} onClick={() => giveBack.mutate()}>
            {t('benches.giveBack')}
          </Button>
        )}
      </div>
      {take.error === null ? null : <ProblemNotice error={take.error} />}
      {set.error === null ? null : <ProblemNotice error={set.error} />}
      {readings.error === null ? null : <ProblemNotice error={readings.error} />}
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
                  <th scope="col">{t('benches.set')}</th>
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

const leaseOf = (lease: Lease | undefined) => (lease === undefined ? {} : { lease: lease.lease })
