import { isStaff } from '@fernlab/shared/contracts/people'
import type { Recurring } from '@fernlab/shared/contracts/recurring'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { Fragment, useState } from 'react'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { labQuery, meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { parametersOf } from '../lab/parameters.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { LastTimes } from './outcome.tsx'
import styles from './recurring.module.css'
import { recurringQuery } from './recurring-queries.ts'
import RepeatDialog from './repeat-dialog.tsx'
import { whenWords } from './when-words.ts'

/** One recurring run: what it does, when next, and what came of the last times. */
export default function RecurringPage() {
  const { recurringId } = useParams({ from: '/framed/recurring/$recurringId' })
  const api = useApi()
  const found = useQuery(recurringQuery(api, recurringId))
  const place = found.data?.name ?? recurringId
  useTitle(place, place)
  if (found.data !== undefined) return <RecurringView item={found.data} />
  if (isAbsent(found.error)) return <NotFound />
  return (
    <Page title="">
      {found.error === null ? <Loading /> : <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />}
    </Page>
  )
}

function RecurringView({ item }: { item: Recurring }) {
  const words = useWords()
  const { t } = words
  const lab = useQuery({ ...labQuery(useApi(), item.lab), refetchInterval: false }).data
  const protocol = lab?.protocols.find(({ name }) => name === item.protocol)
  const declared = protocol === undefined ? [] : parametersOf(protocol)
  return (
    <Page title={item.name} aside={<Actions item={item} />}>
      <div className={styles.view}>
        <dl className={styles.facts}>
          <dt>{t('recurring.what')}</dt>
          <dd>
            <Link to="/labs/$labId" params={{ labId: item.lab }} search={{ protocol: item.protocol }}>
              {words.text(item.labTitle) || item.lab}
            </Link>
            {`: ${words.text(item.protocolTitle) || item.protocol}`}
          </dd>
          {Object.entries(item.parameters).map(([name, value]) => {
            const parameter = declared.find((one) => one.name === name)
            return (
              <Fragment key={name}>
                <dt>{words.text(parameter?.title) || name}</dt>
                <dd className="number">
                  {typeof value === 'object'
                    ? words.value(value.value, value.unit)
                    : words.value(value, parameter?.unit ?? '1', { precision: 8 })}
                </dd>
              </Fragment>
            )
          })}
          <dt>{t('recurring.when')}</dt>
          <dd>{whenWords(item, words)}</dd>
          {item.from === undefined ? null : (
            <>
              <dt>{t('recurring.from')}</dt>
              <dd>{words.absolute(item.from)}</dd>
            </>
          )}
          {item.until === undefined ? null : (
            <>
              <dt>{t('recurring.until')}</dt>
              <dd>{words.absolute(item.until)}</dd>
            </>
          )}
          <dt>{t('recurring.owner')}</dt>
          <dd>{item.person.name}</dd>
          {item.bench === undefined ? null : (
            <>
              <dt>{t('recurring.bench')}</dt>
              <dd>{lab?.benches.find(({ id }) => id === item.bench)?.title ?? item.bench}</dd>
            </>
          )}
          {item.priority === undefined ? null : (
            <>
              <dt>{t('recurring.priority')}</dt>
              <dd>{item.priority}</dd>
            </>
          )}
          <dt>{t('recurring.overlap')}</dt>
          <dd>{t(`recurring.overlaps.${item.overlap}`)}</dd>
          <dt>{t('recurring.missed')}</dt>
          <dd>{t(`recurring.misses.${item.missed}`)}</dd>
        </dl>
        <section className={styles.next} aria-labelledby="next">
          <h2 id="next">{t('recurring.next')}</h2>
          {item.pausedFor !== undefined ? (
            <p>{t(`recurring.pausedFor.${item.pausedFor}`)}</p>
          ) : item.next.length === 0 ? (
            <p className="soft">{t('recurring.states.over')}</p>
          ) : (
            <ol>
              {item.next.map((time) => (
                <li key={time}>{words.absolute(time)}</li>
              ))}
            </ol>
          )}
        </section>
        <section aria-labelledby="last">
          <h2 id="last">{t('recurring.last')}</h2>
          {item.last.length === 0 ? <p className="soft">{t('recurring.lastNone')}</p> : <LastTimes last={item.last} />}
        </section>
      </div>
    </Page>
  )
}

/** What its owner may do, and what staff may. */
function Actions({ item }: { item: Recurring }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api)).data
  const [changing, setChanging] = useState(false)
  const [removing, setRemoving] = useState(false)
  const path = `/api/v1/recurring/${item.id}`
  const forgetList = () => void client.invalidateQueries({ queryKey: ['recurring', 'list'] })
  const act = useMutation({
    mutationFn: (verb: 'pause' | 'resume' | 'run') =>
      api.send<Recurring>('POST', `${path}/${verb}`, undefined, { 'idempotency-key': idempotencyKey() }),
    onSuccess: (now) => {
      client.setQueryData(['recurring', 'one', item.id], now)
      void client.invalidateQueries({ queryKey: ['runs'] })
      forgetList()
    },
  })
  const remove = useMutation({
    mutationFn: () => api.send('DELETE', path),
    onSuccess: () => {
      forgetList()
      void navigate({ to: '/recurring' })
    },
  })
  const isOwner = me?.id === item.person.id
  if (!isOwner && !isStaff(me?.role)) return null
  return (
    <div className={styles.actions}>
      {isOwner ? (
        <Button variant="default" loading={act.isPending && act.variables === 'run'} onClick={() => act.mutate('run')}>
          {t('recurring.run')}
        </Button>
      ) : null}
      {item.pausedFor === 'owner-left' ? null : (
        <Button
          variant="default"
          loading={act.isPending && act.variables !== 'run'}
          onClick={() => act.mutate(item.state === 'paused' ? 'resume' : 'pause')}
        >
          {t(item.state === 'paused' ? 'recurring.resume' : 'recurring.pause')}
        </Button>
      )}
      {isOwner ? (
        <Button variant="default" onClick={() => setChanging(true)}>
          {t('recurring.change')}
        </Button>
      ) : null}
      <Button variant="default" onClick={() => setRemoving(true)}>
        {t('recurring.remove')}
      </Button>
      {act.error === null ? null : <ProblemNotice error={act.error} />}
      {changing ? (
        <RepeatDialog repeated={{ recurring: item }} title={item.name} onClose={() => setChanging(false)} />
      ) : null}
      <ConfirmDialog
        opened={removing}
        onClose={() => setRemoving(false)}
        title={t('recurring.removeTitle', { name: item.name })}
        confirm={t('recurring.remove')}
        pending={remove.isPending}
        error={remove.error}
        onConfirm={() => remove.mutate()}
      >
        <p>{t('recurring.removeText')}</p>
      </ConfirmDialog>
    </div>
  )
}
