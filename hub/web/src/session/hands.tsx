import type { Me } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import { Button, Menu } from '@mantine/core'
import { IconEye, IconHandMove } from '@tabler/icons-react'
import { useMutation } from '@tanstack/react-query'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { InvitePartner } from './invite-partner.tsx'
import styles from './session.module.css'
import type { LiveSession } from './use-session.ts'
import type { Person } from './wire.ts'

interface Props {
  readonly session: Session
  readonly live: LiveSession
  readonly control: Person
  readonly me: Me | undefined
}

/** Whose hand is on the controls, who else is there, and handing over. */
export function Hands({ session, live, control, me }: Props) {
  const { t } = useWords()
  const give = useMutation({
    mutationFn: (to: Person | undefined) =>
      to === undefined ? live.call('control.take', {}) : live.call('control.give', { to: to.id }),
  })
  const isMine = control.id === me?.id
  const isOwner = session.person.id === me?.id
  const others = live.present.filter((one) => one.role !== 'observer' && one.id !== control.id && one.id !== me?.id)
  const here = live.present.filter((one) => one.id !== control.id && one.id !== me?.id)
  return (
    <div className={styles.hands}>
      <p role="status" className={styles.hand}>
        {isMine ? <IconHandMove size={20} aria-hidden="true" /> : <IconEye size={20} aria-hidden="true" />}
        {isMine ? t('session.mine') : t('session.theirs', { name: control.name })}
      </p>
      {(isMine || isOwner) && others.length > 0 ? (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button size="xs" variant="default" disabled={!live.connected} loading={give.isPending}>
              {t('session.handOver')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map((one) => (
              <Menu.Item key={one.id} onClick={() => give.mutate(one)}>
                {one.name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      ) : null}
      {isOwner && !isMine ? (
        <Button
          size="xs"
          variant="default"
          disabled={!live.connected}
          loading={give.isPending}
          onClick={() => give.mutate(undefined)}
        >
          {t('session.take')}
        </Button>
      ) : null}
      {isOwner ? <InvitePartner session={session} /> : null}
      {here.length === 0 ? null : (
        <p className="soft">
          {t('session.present', {
            names: here
              .map(({ name, role }) => (role === 'observer' ? t('session.watches', { name }) : name))
              .join(', '),
          })}
        </p>
      )}
      {give.error === null ? null : <ProblemNotice error={give.error} />}
    </div>
  )
}
