import type { LabDetail, Run } from '@fernlab/shared/contracts/api'
import type { OpenSession, Session } from '@fernlab/shared/contracts/sessions'
import { Button, Checkbox, NativeSelect } from '@mantine/core'
import { IconHandMove } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useId, useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { activeRunsQuery, meQuery, sessionQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import styles from '../lab/lab.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { plain } from '../run/plots.ts'
import { useWords } from '../words/use-words.ts'
import { isSession, offeredBy } from './session-run.ts'

/**
 * Beside the form of a lab that offers live sessions: opens one, or leads back to the one that is open. With `again`,
 * seconds as an earlier session had them, it comes into sight with its button at hand; `bench` is the one that was asked
 * for then.
 */
export default function DriveLive({
  lab,
  again,
  bench: before,
}: {
  lab: LabDetail
  again?: string | undefined
  bench?: string | undefined
}) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api))
  const active = useQuery({ ...activeRunsQuery(api, me.data?.id ?? ''), enabled: me.data != null })
  const offered = offeredBy(lab)
  const [seconds, setSeconds] = useState<number>()
  const [isSame, setSame] = useState(true)
  const [key, setKey] = useState(idempotencyKey)
  const guestId = useId()
  const button = useRef<HTMLButtonElement>(null)
  const isKnown = me.data != null && !active.isPending
  useEffect(() => {
    if (again !== undefined && isKnown) button.current?.focus()
  }, [again, isKnown])
  const open = useMutation({
    mutationFn: (body: OpenSession) => api.send<Session>('POST', '/api/v1/sessions', body, { 'idempotency-key': key }),
    onSuccess: (session) => {
      void client.invalidateQueries({ queryKey: ['runs'] })
      // Its page sees it begin, however soon that is.
      client.setQueryData(sessionQuery(api, session.id).queryKey, session)
      void client.invalidateQueries(sessionQuery(api, session.id))
      void navigate({ to: '/sessions/$sessionId', params: { sessionId: session.id } })
    },
    onError: () => setKey(idempotencyKey()),
  })
  if (offered === undefined) return null
  const mine = active.data?.items.find((run: Run) => run.lab === lab.id && isSession(run))
  const isGuest = me.data?.role === 'guest'
  const bench = lab.benches.find(({ id }) => id === before)
  const asked = Number(again)
  const preset = asked >= leastS && asked <= offered.mostSeconds ? asked : offered.seconds
  const length = seconds ?? preset
  return (
    <section className={styles.live} aria-label={t('session.title')}>
      <p className="soft">{t('session.driveText', { time: words.duration(length) })}</p>
      {offered.films === undefined ? null : (
        <p role="note">{t('session.willBeFilmed', { cameras: offered.films.map(plain).join(', ') })}</p>
      )}
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
            data={lengthsOf(offered, preset).map((one) => ({ value: String(one), label: words.duration(one) }))}
            onChange={(event) => {
              setSeconds(Number(event.currentTarget.value))
              setKey(idempotencyKey())
            }}
          />
          {bench === undefined ? null : (
            <Checkbox
              label={t('lab.sameBench', { bench: bench.title ?? bench.id })}
              checked={isSame}
              onChange={(event) => {
                setSame(event.currentTarget.checked)
                setKey(idempotencyKey())
              }}
            />
          )}
          <Button
            size="md"
            fullWidth
            variant="default"
            loading={open.isPending}
            disabled={isGuest}
            {...(isGuest ? { 'aria-describedby': guestId } : {})}
            ref={button}
            leftSection={<IconHandMove size={18} aria-hidden="true" />}
            onClick={() =>
              open.mutate({
                lab: lab.id,
                seconds: length,
                ...(bench === undefined || !isSame ? {} : { bench: bench.id }),
              })
            }
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

/** No session is shorter. */
const leastS = 10

/** Half of the lab's own length, that, the longest, and what was had before; in whole minutes where they have any. */
function lengthsOf(
  { seconds, mostSeconds }: { readonly seconds: number; readonly mostSeconds: number },
  preset: number,
): number[] {
  const half = Math.round(seconds / 120) * 60
  const lengths = new Set([...(half >= 60 && half < seconds ? [half] : []), seconds, mostSeconds, preset])
  return [...lengths].sort((a, b) => a - b)
}
