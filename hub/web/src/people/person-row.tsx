import type { Me, PersonInfo } from '@fernlab/shared/contracts/api'
import { Button, NativeSelect } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './people.module.css'
import { ResetSecondFactor } from './reset-second-factor.tsx'
import { RevokeTokens } from './revoke-tokens.tsx'
import { allRoles } from './roles.ts'
import { Suspend } from './suspend.tsx'

type Role = PersonInfo['role']

/** One person; an admin gives another role here, and can take that back. */
export function PersonRow({ person, me }: { person: PersonInfo; me: Me | null }) {
  const { t, moment } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [before, setBefore] = useState<Role>()
  const select = useRef<HTMLSelectElement>(null)
  const change = useMutation({
    mutationFn: (role: Role) => api.send('PUT', `/api/v1/users/${person.id}`, { role }),
    onSuccess: async (_answer, role) => {
      setBefore(role === before ? undefined : person.role)
      await client.invalidateQueries({ queryKey: ['people'] })
      if (person.id === me?.id) await client.invalidateQueries({ queryKey: ['me'] })
    },
  })
  return (
    <li className={styles.person}>
      <span className={styles.name}>
        {person.name}
        {person.id === me?.id ? <span className="soft"> ({t('people.you')})</span> : null}
        {person.suspendedAt === undefined ? null : (
          <span className={styles.suspended}>{t('people.suspendedSince', { time: moment(person.suspendedAt) })}</span>
        )}
      </span>
      <span className={styles.email}>{person.email}</span>
      {me?.role === 'admin' ? (
        <NativeSelect
          size="xs"
          aria-label={t('people.roleOf', { name: person.name })}
          value={change.isPending ? change.variables : person.role}
          ref={select}
          data={allRoles.map((role) => ({ value: role, label: t(`account.roles.${role}`) }))}
          onChange={(event) => {
            // Not disabled meanwhile: that would take the keyboard's place away.
            if (!change.isPending) change.mutate(event.currentTarget.value as Role)
          }}
        />
      ) : (
        <span>{t(`account.roles.${person.role}`)}</span>
      )}
      <span className={styles.outcome} role="status">
        {before === undefined || change.isPending || change.error !== null ? null : (
          <>
            {t('people.changed', { name: person.name, role: t(`account.roles.${person.role}`) })}
            <Button
              size="compact-xs"
              variant="subtle"
              onClick={() => {
                // The button goes with what it undoes.
                select.current?.focus()
                change.mutate(before)
              }}
            >
              {t('people.undo')}
            </Button>
          </>
        )}
        {me?.role === 'admin' ? (
          <LinkButton
            to="/usage/uses"
            search={{ person: person.id }}
            size="compact-xs"
            variant="subtle"
            aria-label={`${t('nav.usage')}: ${person.name}`}
          >
            {t('nav.usage')}
          </LinkButton>
        ) : null}
        {me?.role === 'admin' ? <ResetSecondFactor person={person} /> : null}
        {me?.role === 'admin' ? <RevokeTokens person={person} /> : null}
        {me?.role === 'admin' && person.id !== me.id ? <Suspend person={person} /> : null}
      </span>
      {change.error === null ? null : (
        <div className={styles.wide}>
          <ProblemNotice error={change.error} />
        </div>
      )}
    </li>
  )
}
