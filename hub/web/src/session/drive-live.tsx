import type { LabDetail, Run } from '@fernlab/shared/contracts/api'
import type { OpenSession, Session } from '@fernlab/shared/contracts/sessions'
import { Button, NativeSelect } from '@mantine/core'
import { IconHandMove } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useId, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { activeRunsQuery, meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import styles from '../lab/lab.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { isSession, offeredBy } from './session-run.ts'

/** Beside the form of a lab that offers live sessions: opens one, or leads back to the one that is open. */
export default function DriveLive({ lab }: { lab: LabDetail }) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api))
  const active = useQuery({ ...activeRunsQuery(api, me.data?.id ?? ''), enabled: me.data != null })
  const offered = offeredBy(lab)
  const [seconds, setSeconds] = useState<number>()
  const [key, setKey] = useState(idempotencyKey)
  const guestId = useId()
  const open = useMutation({
    mutationFn: (body: OpenSession) => api.send<Session>('POST', '/api/v1/sessions', body, { 'idempotency-key': key }),
    onSuccess: (session) => {
      void client.invalidateQueries({ queryKey: ['runs'] })
      void navigate({ to: '/sessions/$sessionId', params: { sessionId: session.id } })
    },
    onError: () => setKey(idempotencyKey()),
  })
  if (offered === undefined) return null
  const mine = active.data?.items.find((run: Run) => run.lab === lab.id && isSession(run))
  const isGuest = me.data?.role === 'guest'
  const length = seconds ?? offered.seconds
  return (
    <section className={styles.live} aria-label={t('session.title')}>
      <p className="soft">{t('session.driveText', { time: words.duration(length) })}</p>
      {mine !== undefined ? (
        <LinkButton to="/sessions/$sessionId" params={{ sessionId: mine.id }} size="md" fullWidth variant="default">
          {t('session.back')}
        </LinkButton>
      ) : me.data === null ? (
        <LinkButton to="/sign-in" search={{ next: `/labs/${lab.id}` }} size="md" fullWidth variant="default">
          {t('session.signIn')}
        </LinkButton>
      ) : (
        <>
          <NativeSelect
            label={t('session.howLong')}
            value={String(length)}
            disabled={isGuest}
            data={lengthsOf(offered).map((one) => ({ value: String(one), label: words.duration(one) }))}
            onChange={(event) => {
              setSeconds(Number(event.currentTarget.value))
              setKey(idempotencyKey())
            }}
          />
          <Button
            size="md"
            fullWidth
            variant="default"
            loading={open.isPending}
            disabled={isGuest}
            {...(isGuest ? { 'aria-describedby': guestId } : {})}
            leftSection={<IconHandMove size={18} aria-hidden="true" />}
            onClick={() => open.mutate({ lab: lab.id, seconds: length })}
          >
            {t('session.drive')}
          </Button>
          {isGuest ? (
            <p id={guestId} className="soft">
              {t('session.guest')}
            </p>
          ) : null}
        </>
      )}
      {open.error === null ? null : <ProblemNotice error={open.error} />}
    </section>
  )
}

/** Half of the lab's own length, that, and the longest, in whole minutes where they have any. */
function lengthsOf({ seconds, mostSeconds }: { readonly seconds: number; readonly mostSeconds: number }): number[] {
  const half = Math.round(seconds / 120) * 60
  return [...new Set([...(half >= 60 && half < seconds ? [half] : []), seconds, mostSeconds])]
}
