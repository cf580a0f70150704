import type { Permission } from '@fernlab/shared/contracts/permissions'
import { Button, Checkbox, NativeSelect } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { labsQuery, meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { PeopleNav } from '../people/people-nav.tsx'
import { useWords } from '../words/use-words.ts'
import { BulkDialog } from './bulk-dialog.tsx'
import { PermissionDialog } from './permission-dialog.tsx'
import { permissionsQuery } from './permission-queries.ts'
import styles from './permissions.module.css'
import { subjectText, termsText } from './term-words.ts'

type Asked =
  | { readonly kind: 'give' }
  | { readonly kind: 'change' | 'copy' | 'take'; readonly permission: Permission }
  | { readonly kind: 'bulk' | 'takeMany' }

/** Who may use which lab how, by lab and by whom; admins change it, instructors look. */
export default function PermissionsPage() {
  const words = useWords()
  const { t, text } = words
  useTitle(t('permissions.title'))
  const api = useApi()
  const client = useQueryClient()
  const search = useSearch({ from: '/framed/people/permissions' })
  const navigate = useNavigate({ from: '/people/permissions' })
  const me = useQuery(meQuery(api))
  const labs = useQuery(labsQuery(api))
  const permissions = useInfiniteQuery(permissionsQuery(api, search))
  const [asked, setAsked] = useState<Asked>()
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const items = permissions.data?.pages.flatMap((page) => page.items)
  const selected = (items ?? []).filter(({ id }) => chosen.has(id))
  const manages = me.data?.role === 'admin'
  const close = () => setAsked(undefined)
  const find = ({ lab = '', kind = '' }) =>
    void navigate({ search: { ...(lab === '' ? {} : { lab }), ...(kind === '' ? {} : { kind }) }, replace: true })
  const take = useMutation({
    mutationFn: ({ id }: Permission) => api.send('DELETE', `/api/v1/permissions/${id}`),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['permissions'] })
      void client.invalidateQueries({ queryKey: ['may'] })
      close()
    },
  })
  const takeMany = useMutation({
    mutationFn: () => api.send('POST', '/api/v1/permissions/bulk', { ids: selected.map(({ id }) => id), remove: true }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['permissions'] })
      void client.invalidateQueries({ queryKey: ['may'] })
      setChosen(new Set())
      close()
    },
  })
  const labTitle = (id: string | null) => {
    if (id === null) return t('permissions.everyLab')
    const lab = labs.data?.items.find((one) => one.id === id)
    return lab === undefined ? id : text(lab.title)
  }
  const ways = (
    <>
      <LinkButton to="/people/permissions/templates" variant="default">
        {t('templates.title')}
      </LinkButton>
      {manages && selected.length > 0 ? (
        <>
          <Button variant="default" onClick={() => setAsked({ kind: 'bulk' })}>
            {t('permissions.changeMany', { count: selected.length })}
          </Button>
          <Button
            variant="default"
            onClick={() => {
              takeMany.reset()
              setAsked({ kind: 'takeMany' })
            }}
          >
            {t('permissions.takeMany', { count: selected.length })}
          </Button>
        </>
      ) : null}
      {manages ? (
        <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setAsked({ kind: 'give' })}>
          {t('permissions.give')}
        </Button>
      ) : null}
    </>
  )
  return (
    <Page title={t('permissions.title')} aside={ways}>
      <PeopleNav />
      <div className={styles.filters}>
        <NativeSelect
          label={t('permissions.lab')}
          value={search.lab ?? ''}
          data={[
            { value: '', label: t('permissions.anyLab') },
            ...(labs.data?.items ?? []).map((lab) => ({ value: lab.id, label: text(lab.title) })),
          ]}
          onChange={(event) => {
            const lab = event.currentTarget.value
            find({ ...search, lab })
          }}
        />
        <NativeSelect
          label={t('permissions.to')}
          value={search.kind ?? ''}
          data={[
            { value: '', label: t('permissions.anybody') },
            ...(['everyone', 'role', 'group', 'person'] as const).map((kind) => ({
              value: kind,
              label: t(`permissions.kinds.${kind}`),
            })),
          ]}
          onChange={(event) => {
            const kind = event.currentTarget.value
            find({ ...search, kind })
          }}
        />
      </div>
      <p className="soft">{t('permissions.mostWins')}</p>
      {items === undefined ? (
        permissions.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={permissions.error} onRetry={() => void permissions.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyState title={t('permissions.empty')}>{t('permissions.emptyText')}</EmptyState>
      ) : (
        <ul className={styles.list}>
          {items.map((permission) => (
            <li key={permission.id} className={styles.permission}>
              {manages ? (
                <Checkbox
                  aria-label={t('permissions.select', { whom: subjectText(permission, words) })}
                  checked={chosen.has(permission.id)}
                  onChange={(event) => {
                    const next = new Set(chosen)
                    if (event.currentTarget.checked) next.add(permission.id)
                    else next.delete(permission.id)
                    setChosen(next)
                  }}
                />
              ) : (
                <span />
              )}
              <div className={styles.what}>
                <h2>
                  {subjectText(permission, words)} · {labTitle(permission.lab)}
                </h2>
                <p>{termsText(permission.gives, words)}</p>
                <p className="soft">{scopeText(permission, words)}</p>
              </div>
              {manages ? (
                <div className={styles.ways}>
                  {(['change', 'copy', 'take'] as const).map((kind) => (
                    <Button
                      key={kind}
                      size="xs"
                      variant="default"
                      aria-label={`${t(`permissions.do.${kind}`)}: ${subjectText(permission, words)}`}
                      onClick={() => {
                        take.reset()
                        setAsked({ kind, permission })
                      }}
                    >
                      {t(`permissions.do.${kind}`)}
                    </Button>
                  ))}
                </div>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      <MoreButton list={permissions}>{t('people.more')}</MoreButton>
      {asked?.kind === 'give' ? <PermissionDialog onClose={close} /> : null}
      {asked?.kind === 'change' || asked?.kind === 'copy' ? (
        <PermissionDialog permission={asked.permission} copy={asked.kind === 'copy'} onClose={close} />
      ) : null}
      {asked?.kind === 'bulk' ? <BulkDialog chosen={selected} onClose={close} /> : null}
      <ConfirmDialog
        opened={asked?.kind === 'takeMany'}
        onClose={close}
        title={t('permissions.takeManyTitle', { count: selected.length })}
        confirm={t('permissions.do.take')}
        pending={takeMany.isPending}
        error={takeMany.error}
        onConfirm={() => takeMany.mutate()}
      >
        <p>{t('permissions.takeManyText')}</p>
        <ul className={styles.changes}>
          {selected.map((one) => (
            <li key={one.id}>{`${subjectText(one, words)} · ${labTitle(one.lab)}`}</li>
          ))}
        </ul>
      </ConfirmDialog>
      <ConfirmDialog
        opened={asked?.kind === 'take'}
        onClose={close}
        title={t('permissions.takeTitle')}
        confirm={t('permissions.do.take')}
        pending={take.isPending}
        error={take.error}
        onConfirm={() => asked?.kind === 'take' && take.mutate(asked.permission)}
      >
        <p>
          {asked?.kind === 'take'
            ? t('permissions.takeText', {
                whom: subjectText(asked.permission, words),
                lab: labTitle(asked.permission.lab),
              })
            : null}
        </p>
      </ConfirmDialog>
    </Page>
  )
}

type Words = ReturnType<typeof useWords>

function scopeText({ protocols, from, until, note }: Permission, { t, absolute }: Words): string {
  return [
    ...(note === undefined ? [] : [note]),
    ...(protocols === null ? [] : [t('permissions.only', { protocols: protocols.join(', ') })]),
    ...(from === undefined ? [] : [t('permissions.fromTime', { time: absolute(from) })]),
    ...(until === undefined ? [] : [t('permissions.untilTime', { time: absolute(until) })]),
  ].join(' · ')
}
