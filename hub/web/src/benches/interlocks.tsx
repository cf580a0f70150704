import type { Bench } from '@fernlab/shared/contracts/api'
import type { InterlockStatus } from '@fernlab/shared/contracts/interlocks'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { IconCircleCheck, IconCircleDashed, IconCircleX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Mark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './health.module.css'

/** How the interlocks of the bench stand; staff and lab builders reset those that are latched. */
export function Interlocks({ bench }: { bench: Bench }) {
  const { t } = useWords()
  const role = useQuery(meQuery(useApi())).data?.role
  const { interlocks = [] } = bench
  if (interlocks.length === 0) return null
  const maintains = isStaff(role) || role === 'builder'
  return (
    <section className={styles.health} aria-labelledby="interlocks">
      <div className={styles.head}>
        <h2 id="interlocks">{t('benches.interlocks')}</h2>
      </div>
      <ul className={styles.checks}>
        {interlocks.map((one) => (
          <Row key={one.name} bench={bench.id} interlock={one} maintains={maintains} />
        ))}
      </ul>
    </section>
  )
}

function Row({ bench, interlock, maintains }: { bench: string; interlock: InterlockStatus; maintains: boolean }) {
  const { name, title = name, when, state, reason: why, since, holds, latched } = interlock
  const { t, moment } = useWords()
  return (
    <li className={styles.check}>
      {state === 'tripped' ? (
        <Mark tone="fault" Icon={IconCircleX} word={t('benches.interlockTripped')} />
      ) : state === 'clear' ? (
        <Mark tone="free" Icon={IconCircleCheck} word={t('benches.interlockClear')} />
      ) : (
        <Mark tone="waiting" Icon={IconCircleDashed} word={t('benches.interlockUnread')} />
      )}
      <span className={styles.title}>{title}</span>
      {since === undefined ? null : <span className="soft">{moment(since)}</span>}
      <code className={styles.why}>{why ?? when}</code>
      {state !== 'tripped' ? null : (
        <span>{holds ? t('benches.interlockHolds') : latched ? t('benches.interlockOver') : null}</span>
      )}
      {maintains && latched ? <Reset bench={bench} name={name} title={title} holds={holds === true} /> : null}
    </li>
  )
}

function Reset({ bench, name, title, holds }: { bench: string; name: string; title: string; holds: boolean }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const reset = useMutation({
    mutationFn: () => api.send('POST', `/api/v1/benches/${bench}/reset-interlock`, { interlock: name }),
    onSuccess: () => setAsking(false),
    onSettled: () => client.invalidateQueries({ queryKey: ['benches'] }),
  })
  return (
    <>
      <Button
        variant="default"
        size="xs"
        disabled={holds}
        onClick={() => {
          reset.reset()
          setAsking(true)
        }}
      >
        {t('benches.interlockReset')}
      </Button>
      <ConfirmDialog
        opened={asking}
        onClose={() => setAsking(false)}
        title={t('benches.interlockResetTitle', { interlock: title })}
        confirm={t('benches.interlockReset')}
        pending={reset.isPending}
        error={reset.error}
        onConfirm={() => reset.mutate()}
      >
        <p>{t('benches.interlockResetText')}</p>
      </ConfirmDialog>
    </>
  )
}
