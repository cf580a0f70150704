import type { Me } from '@fernlab/shared/contracts/api'
import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { Button } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { serviceQuery } from '../api/queries.ts'
import { useNow, useWords } from '../words/use-words.ts'
import { EndHold, type HeldByAnother } from './end-hold.tsx'
import { type HoldSays, holdSays, mayEndOthers } from './hold-says.ts'
import { ReasonField } from './reason-field.tsx'
import styles from './service.module.css'
import type { LinkState, ServiceLink } from './service-link.ts'
import { useSaid } from './use-said.ts'

interface Props {
  readonly service: DirectoryService
  readonly role: Me['role'] | undefined
  readonly link: ServiceLink | undefined
  readonly state: LinkState | undefined
}

/** Who has the service, and what takes it, lets it go, or ends the hold of another. */
export function HoldLine({ service, role, link, state }: Props) {
  const { t, duration } = useWords()
  const said = useSaid()
  const api = useApi()
  const client = useQueryClient()
  const nowMs = useNow(1000)
  const [reason, setReason] = useState('')
  const says = holdSays(service, role, state)
  const isPart = service.bench !== undefined
  const look = () => client.invalidateQueries(serviceQuery(api, service.node, service.name))
  const take = (event: FormEvent) => {
    event.preventDefault()
    void link?.lock(reason.trim()).then(look)
  }
  const leftS = state?.until === undefined ? undefined : Math.max(0, (Date.parse(state.until) - nowMs) / 1000)
  const mayTake = says === 'free' || says === 'elsewhere' || says === 'use'
  return (
    <section className={styles.hold} aria-label={t('service.holding')}>
      <p role="status">{sentence(says, service, t)}</p>
      {says === 'held' && leftS !== undefined ? (
        <p className="soft">{t('service.left', { time: duration(leftS) })}</p>
      ) : null}
      {state?.lockError === undefined ? null : (
        <p role="alert" className={styles.trouble}>
          {t(
            state.lock === 'none' && state.calls.some(({ what, error }) => what === 'lock' && error === state.lockError)
              ? 'service.notGiven'
              : 'service.lost',
            { why: said(state.lockError) },
          )}
        </p>
      )}
      {mayTake ? (
        <form className={styles.take} onSubmit={take}>
          <ReasonField value={reason} onChange={setReason} />
          <Button type="submit" loading={state?.lock === 'taking'} disabled={link === undefined}>
            {t(says === 'elsewhere' ? 'service.resume' : isPart ? 'service.takeBench' : 'service.take')}
          </Button>
        </form>
      ) : null}
      {says === 'held' || says === 'held-away' ? (
        <Button variant="default" loading={state?.lock === 'releasing'} onClick={() => void link?.release().then(look)}>
          {t('service.release')}
        </Button>
      ) : null}
      {mayEndOthers(role) && !isOwn.includes(says) ? (
        <EndHold
          of={isPart ? 'bench' : 'service'}
          held={says === 'others' ? heldByAnother(service) : undefined}
          disabled={link === undefined}
          end={async (why, since) => {
            const ended = await link?.unlock(why, since)
            // Who has it by now is asked for too.
            await look()
            if (ended?.outcome === 'failed') throw ended.error
          }}
        />
      ) : null}
    </section>
  )
}

const isOwn: readonly HoldSays[] = ['held', 'held-away', 'elsewhere']

const heldByAnother = ({ lockedBy }: DirectoryService): HeldByAnother => ({
  person: lockedBy?.person?.name,
  since: lockedBy?.since,
  reason: lockedBy?.reason,
})

function sentence(
  says: HoldSays,
  { bench, node, state }: DirectoryService,
  t: ReturnType<typeof useWords>['t'],
): string {
  switch (says) {
    case 'held':
      return bench === undefined ? t('service.yours') : t('service.yoursBench', { bench })
    case 'held-away':
      return t('service.heldAway')
    case 'away':
      return state === 'gone' ? t('service.awayNode', { node }) : t('service.away')
    case 'down':
      return t('service.down')
    case 'elsewhere':
      return t('service.yoursElsewhere')
    case 'others':
      return t('service.others')
    case 'run':
      return t('service.onRun')
    case 'look':
      return t('service.mayNot')
    case 'use':
      return t('service.mayUse')
    case 'free':
      return t(bench === undefined ? 'service.free' : 'service.freeBench')
  }
}
