import type { PermissionTemplate } from '@fernlab/shared/contracts/permissions'
import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { PeopleNav } from '../people/people-nav.tsx'
import { useWords } from '../words/use-words.ts'
import { ApplyDialog } from './apply-dialog.tsx'
import { templatesQuery } from './permission-queries.ts'
import styles from './permissions.module.css'
import { TemplateDialog } from './template-dialog.tsx'
import { termsText } from './term-words.ts'

type Asked =
  | { readonly kind: 'make' }
  | { readonly kind: 'change' | 'copy' | 'apply'; readonly template: PermissionTemplate }

/** Terms by name: admins make and change them and give them to many, instructors look. */
export default function TemplatesPage() {
  const words = useWords()
  const { t } = words
  useTitle(t('templates.title'))
  const api = useApi()
  const client = useQueryClient()
  const manages = useQuery(meQuery(api)).data?.role === 'admin'
  const templates = useQuery(templatesQuery(api))
  const [asked, setAsked] = useState<Asked>()
  const [given, setGiven] = useState<number>()
  const head = useRef<HTMLParagraphElement>(null)
  const refresh = () => client.invalidateQueries({ queryKey: ['permission-templates'] })
  const remove = useMutation({
    mutationFn: ({ id }: PermissionTemplate) => api.send('DELETE', `/api/v1/permission-templates/${id}`),
    onSuccess: async () => {
      undo.reset()
      await refresh()
      // The button went with its template.
      head.current?.focus()
    },
  })
  const undo = useMutation({
    mutationFn: ({ id, ...body }: PermissionTemplate) => api.send('PUT', `/api/v1/permission-templates/${id}`, body),
    onSuccess: async () => {
      remove.reset()
      await refresh()
      head.current?.focus()
    },
  })
  const ask = (next: Asked) => {
    setGiven(undefined)
    setAsked(next)
  }
  const close = () => setAsked(undefined)
  const items = templates.data?.items
  const removed = remove.isSuccess ? remove.variables : undefined
  const problem = remove.error ?? undo.error
  const make = (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => ask({ kind: 'make' })}>
      {t('templates.make')}
    </Button>
  )
  return (
    <Page title={t('templates.title')} {...(manages ? { aside: make } : {})}>
      <PeopleNav />
      <p className="soft" ref={head} tabIndex={-1}>
        {t('templates.text')}
      </p>
      <p className={styles.outcome} role="status">
        {removed !== undefined ? (
          <>
            {t('templates.removed', { title: removed.title })}
            <Button size="compact-sm" variant="subtle" loading={undo.isPending} onClick={() => undo.mutate(removed)}>
              {t('people.undo')}
            </Button>
          </>
        ) : given !== undefined ? (
          t('templates.given', { count: given })
        ) : null}
      </p>
      {problem === null ? null : <ProblemNotice error={problem} />}
      {items === undefined ? (
        templates.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={templates.error} onRetry={() => void templates.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyState title={t('templates.empty')}>{t('templates.emptyText')}</EmptyState>
      ) : (
        <ul className={styles.list}>
          {items.map((template) => (
            <li key={template.id} className={styles.template}>
              <div className={styles.what}>
                <h2>{template.title}</h2>
                <p>{termsText(template.gives, words)}</p>
                <p className="soft">
                  <code>{template.id}</code>
                </p>
              </div>
              {manages ? (
                <div className={styles.ways}>
                  {(['apply', 'change', 'copy'] as const).map((kind) => (
                    <Button
                      key={kind}
                      size="xs"
                      variant="default"
                      aria-label={`${t(`templates.do.${kind}`)}: ${template.title}`}
                      onClick={() => ask({ kind, template })}
                    >
                      {t(`templates.do.${kind}`)}
                    </Button>
                  ))}
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`${t('templates.do.remove')}: ${template.title}`}
                    loading={remove.isPending && remove.variables.id === template.id}
                    onClick={() => {
                      setGiven(undefined)
                      remove.mutate(template)
                    }}
                  >
                    {t('templates.do.remove')}
                  </Button>
                </div>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {asked?.kind === 'make' ? <TemplateDialog known={items ?? []} onClose={close} /> : null}
      {asked?.kind === 'change' || asked?.kind === 'copy' ? (
        <TemplateDialog known={items ?? []} template={asked.template} copy={asked.kind === 'copy'} onClose={close} />
      ) : null}
      {asked?.kind === 'apply' ? <ApplyDialog template={asked.template} onClose={close} onGiven={setGiven} /> : null}
    </Page>
  )
}
