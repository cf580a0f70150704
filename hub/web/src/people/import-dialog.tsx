import type { ImportedPeople, Me } from '@fernlab/shared/contracts/api'
import { listText } from '@fernlab/shared/primitives/list-text'
import { Button, FileButton, Modal, NativeSelect } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { GroupSelect } from '../groups/group-select.tsx'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { useWords } from '../words/use-words.ts'
import { importReasonIn } from './import-reasons.ts'
import { linksFile } from './links-file.ts'
import styles from './people.module.css'
import { invitable } from './roles.ts'

/** More lines than anybody reads would make the page slow. */
const MOST_SHOWN = 200

interface Props {
  readonly opened: boolean
  readonly role: Me['role'] | undefined
  readonly onClose: () => void
}

/** Takes a list of people, shows what it would do, and does it. */
export function ImportDialog({ opened, role, onClose }: Props) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const [as, setAs] = useState('student')
  const [group, setGroup] = useState('')
  const [csv, setCsv] = useState('')
  const call = (preview: boolean, { text, to, into }: { text: string; to: string; into: string }) =>
    api.send<ImportedPeople>('POST', '/api/v1/users/import', {
      csv: text,
      role: to,
      ...(into === '' ? {} : { group: into }),
      preview,
    })
  const look = useMutation({ mutationFn: (list: { text: string; to: string; into: string }) => call(true, list) })
  const make = useMutation({
    mutationFn: () => call(false, { text: csv, to: as, into: group }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ['people'] })
      void client.invalidateQueries({ queryKey: ['groups'] })
    },
  })
  const choose = async (file: File | null) => {
    if (file === null) return
    const text = listText(new Uint8Array(await file.arrayBuffer()))
    setCsv(text)
    make.reset()
    look.mutate({ text, to: as, into: group })
  }
  const close = () => {
    look.reset()
    make.reset()
    setCsv('')
    setAs('student')
    setGroup('')
    onClose()
  }
  const shown = make.data ?? look.data
  const fresh = shown?.people.filter(({ known }) => !known) ?? []
  const joining = shown?.people.filter(({ known, groups }) => known && groups.length > 0).length ?? 0
  const error = make.error ?? look.error
  const say = (message: string) => importReasonIn(message, t)
  return (
    <Modal
      opened={opened}
      onClose={close}
      size="xl"
      closeOnClickOutside={make.data === undefined}
      title={t('people.import')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className={dialog.content}>
        {make.data === undefined ? (
          <>
            <p>{t('people.importText')}</p>
            <NativeSelect
              label={t('people.importRole')}
              value={as}
              data={invitable(role).map((to) => ({ value: to, label: t(`account.roles.${to}`) }))}
              onChange={(event) => {
                const to = event.currentTarget.value
                setAs(to)
                if (csv !== '') look.mutate({ text: csv, to, into: group })
              }}
            />
            <GroupSelect
              label={t('groups.into')}
              none={t('groups.intoNone')}
              managed
              value={group}
              onChange={(event) => {
                const into = event.currentTarget.value
                setGroup(into)
                if (csv !== '') look.mutate({ text: csv, to: as, into })
              }}
            />
            <FileButton accept=".csv,text/csv,text/plain" onChange={(file) => void choose(file)}>
              {(props) => (
                <Button variant="default" loading={look.isPending} {...props}>
                  {csv === '' ? t('people.choose') : t('people.chooseOther')}
                </Button>
              )}
            </FileButton>
          </>
        ) : (
          <p role="status">
            {t('people.importMade', { count: fresh.length })}{' '}
            {fresh.length === 0 ? '' : make.data.letters ? t('people.importLetters') : t('people.importLinks')}
          </p>
        )}
        {error === null ? null : <ProblemNotice error={error} say={say} />}
        <IssueList issues={error instanceof ApiProblem ? error.issues : []} say={say} />
        {shown === undefined ? null : <Listed people={shown.people} />}
        {make.data !== undefined || look.data === undefined || fresh.length > 0 || joining > 0 ? null : (
          <p className="soft">{t('people.noneNew')}</p>
        )}
        <div className={dialog.buttons}>
          {make.data === undefined ? (
            <>
              <Button variant="default" onClick={close}>
                {t('common.cancel')}
              </Button>
              <Button
                disabled={look.data === undefined || (fresh.length === 0 && joining === 0)}
                loading={make.isPending}
                onClick={() => make.mutate()}
              >
                {fresh.length === 0 && joining > 0
                  ? t('groups.putInCount', { count: joining })
                  : t('people.importMake', { count: fresh.length })}
              </Button>
            </>
          ) : (
            <>
              {fresh.some(({ link }) => link !== undefined) ? (
                <Button
                  component="a"
                  href={linksFile(fresh)}
                  download="fernlab-links.csv"
                  leftSection={<IconDownload size={16} aria-hidden="true" />}
                >
                  {t('people.saveLinks')}
                </Button>
              ) : null}
              <Button variant="default" onClick={close}>
                {t('common.done')}
              </Button>
            </>
          )}
        </div>
      </div>
    </Modal>
  )
}

function Listed({ people }: { people: ImportedPeople['people'] }) {
  const { t } = useWords()
  return (
    <ScrollRegion name={t('people.title')} className={styles.listed}>
      <table>
        <thead>
          <tr>
            <th scope="col">{t('people.line')}</th>
            <th scope="col">{t('people.importName')}</th>
            <th scope="col">{t('people.importEmail')}</th>
            <th scope="col">{t('account.role')}</th>
            <th scope="col">{t('groups.title')}</th>
            <th scope="col">{t('people.importState')}</th>
          </tr>
        </thead>
        <tbody>
          {people.slice(0, MOST_SHOWN).map((person) => (
            <tr key={person.line}>
              <td>{person.line}</td>
              <td>{person.name}</td>
              <td>{person.email}</td>
              <td>{t(`account.roles.${person.role}`)}</td>
              <td>{person.groups.join(', ')}</td>
              <td className={person.known ? 'soft' : undefined}>
                {person.known ? t('people.isKnown') : t('people.isNew')}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {people.length > MOST_SHOWN ? <p>{t('people.andMore', { count: people.length - MOST_SHOWN })}</p> : null}
    </ScrollRegion>
  )
}
