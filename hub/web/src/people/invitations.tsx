import type { Invitation } from '@fernlab/shared/contracts/api'
import { invitationState } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { invitationsQuery } from '../api/queries.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './people.module.css'

/** The invitations: whom each is for, how many have come, and how to take it back. */
export function Invitations() {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const invitations = useInfiniteQuery(invitationsQuery(api))
  const [taking, setTaking] = useState<Invitation>()
  const items = invitations.data?.pages.flatMap((page) => page.items)
  const takeBack = useMutation({
    mutationFn: ({ id }: Invitation) => api.send('DELETE', `/api/v1/invitations/${id}`),
    onSuccess: () => {
      setTaking(undefined)
      void client.invalidateQueries({ queryKey: ['invitations'] })
    },
  })
  return (
    <section className={styles.invitations} aria-labelledby="invitations">
      <h2 id="invitations">{t('people.invitations')}</h2>
      {items === undefined ? (
        invitations.error === null ? (
          <Loading lines={2} />
        ) : (
          <ProblemNotice error={invitations.error} onRetry={() => void invitations.refetch()} />
        )
      ) : items.length === 0 ? (
        <p className="soft">{t('people.invitationsEmpty')}</p>
      ) : (
        <ul className={styles.list}>
          {items.map((invitation) => (
            <InvitationRow
              key={invitation.id}
              invitation={invitation}
              onTakeBack={() => {
                takeBack.reset()
                setTaking(invitation)
              }}
            />
          ))}
        </ul>
      )}
      <MoreButton list={invitations}>{t('people.more')}</MoreButton>
      <ConfirmDialog
        opened={taking !== undefined}
        onClose={() => setTaking(undefined)}
        title={t('people.takeBackTitle')}
        confirm={t('people.takeBack')}
        pending={takeBack.isPending}
        error={takeBack.error}
        onConfirm={() => taking && takeBack.mutate(taking)}
      >
        <p>{t('people.takeBackText')}</p>
      </ConfirmDialog>
    </section>
  )
}

function InvitationRow({ invitation, onTakeBack }: { invitation: Invitation; onTakeBack: () => void }) {
  const { t, moment } = useWords()
  const { note, role, most, used, createdBy, createdAt } = invitation
  const state = invitationState(invitation, Date.now())
  const name = note ?? t(`account.roles.${role}`)
  return (
    <li className={styles.invitation}>
      <span className={styles.name}>{name}</span>
      <span>
        {note === undefined ? '' : `${t(`account.roles.${role}`)}, `}
        {t('people.joined', { used, most })}
      </span>
      <span className="soft">
        {moment(createdAt)} {t('people.by', { name: createdBy })}
      </span>
      <span className="soft">
        {state === 'open' ? t('people.until', { time: moment(invitation.expiresAt) }) : t(`people.${state}`)}
      </span>
      {state === 'open' ? (
        <Button size="xs" variant="default" aria-label={`${t('people.takeBack')}: ${name}`} onClick={onTakeBack}>
          {t('people.takeBack')}
        </Button>
      ) : (
        <span />
      )}
    </li>
  )
}
