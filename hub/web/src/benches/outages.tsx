import type { Bench } from '@fernlab/shared/contracts/api'
import type { Outage } from '@fernlab/shared/contracts/bench-care'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery, outagesQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { OutageDialog } from './outage-dialog.tsx'
import styles from './outages.module.css'
import { dayNames } from './weekdays.ts'

/** When the bench is not for runs, and the way to plan it or to take it back. */
export function Outages({ bench }: { bench: Bench }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const role = useQuery(meQuery(api)).data?.role
  const maintains = isStaff(role) || role === 'builder'
  const outages = useQuery(outagesQuery(api, bench.id))
  const [planning, setPlanning] = useState(false)
  const [ending, setEnding] = useState<Outage>()
  const changed = () => void client.invalidateQueries({ queryKey: ['benches'] })
  const end = useMutation({
    mutationFn: ({ id }: Outage) => api.send('DELETE', `/api/v1/benches/${bench.id}/outages/${id}`),
    onSuccess: () => {
      setEnding(undefined)
      changed()
    },
  })
  const items = outages.data?.items
  return (
    <section className={styles.out} aria-labelledby="out">
      <div className={styles.outHead}>
        <h2 id="out">{t('benches.out')}</h2>
        {maintains ? (
          <Button variant="default" size="xs" onClick={() => setPlanning(true)}>
            {t('benches.outPlan')}
          </Button>
        ) : null}
      </div>
      {items === undefined ? (
        outages.error === null ? (
          <Loading lines={1} />
        ) : (
          <ProblemNotice error={outages.error} onRetry={() => void outages.refetch()} />
        )
      ) : items.length === 0 ? (
        <p className="soft">{t('benches.outNone')}</p>
      ) : (
        <ul className={styles.list}>
          {items.map((outage) => (
            <OutageRow
              key={outage.id}
              outage={outage}
              onEnd={
                maintains
                  ? () => {
                      end.reset()
                      setEnding(outage)
                    }
                  : undefined
              }
            />
          ))}
        </ul>
      )}
      <OutageDialog benches={[bench]} opened={planning} onClose={() => setPlanning(false)} onPlanned={changed} />
      <ConfirmDialog
        opened={ending !== undefined}
        onClose={() => setEnding(undefined)}
        title={ending?.inForce ? `${t('benches.outBack')}?` : t('benches.outTakeBackTitle')}
        confirm={ending?.inForce ? t('benches.outBack') : t('benches.outTakeBack')}
        pending={end.isPending}
        error={end.error}
        onConfirm={() => ending && end.mutate(ending)}
      >
        <p>
          {ending?.inForce && ending.weekly === undefined ? t('benches.outPutBackText') : t('benches.outTakeBackText')}
        </p>
      </ConfirmDialog>
    </section>
  )
}

function OutageRow({ outage, onEnd }: { outage: Outage; onEnd: (() => void) | undefined }) {
  const { t } = useWords()
  const when = useWhen(outage)
  const more = [
    outage.atOnce ? t('benches.outAtOnce') : '',
    outage.createdBy === '' ? '' : t('benches.outBy', { name: outage.createdBy }),
  ].filter(Boolean)
  const action = outage.inForce && outage.weekly === undefined ? t('benches.outBack') : t('benches.outTakeBack')
  return (
    <li className={styles.outRow} data-in-force={outage.inForce || undefined}>
      <span className={styles.outWhat}>
        <span className={styles.outReason}>{outage.reason}</span>
        <span>{when}</span>
        {more.length === 0 ? null : <span className="soft">{more.join(', ')}</span>}
      </span>
      {onEnd === undefined ? null : (
        <Button size="xs" variant="default" aria-label={`${action}: ${outage.reason}`} onClick={onEnd}>
          {action}
        </Button>
      )}
    </li>
  )
}

/** `mon, tue 22:00–06:00, time of Europe/Madrid, next from …`, or from when until when. */
function useWhen({ weekly, from, until, inForce }: Outage): string {
  const { t, language, soonTime } = useWords()
  const end = until === undefined ? t('benches.outOpen') : t('benches.outUntil', { time: soonTime(until) })
  if (weekly === undefined) {
    const begin = inForce
      ? t('benches.outSince', { time: soonTime(from) })
      : t('benches.outFrom', { time: soonTime(from) })
    return `${begin} ${end}`
  }
  const names = dayNames(language, 'short')
  const days = weekly.days.map((day) => names[day]).join(', ')
  const next = inForce ? `${t('benches.outNow')}, ${end}` : t('benches.outNext', { time: soonTime(from) })
  return `${days} ${weekly.from}–${weekly.until} (${t('benches.outZone', { zone: weekly.timeZone })}); ${next}`
}
