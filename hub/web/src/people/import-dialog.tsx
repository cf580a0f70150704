import type { Me } from '@fernlab/shared/contracts/api'
import { listText } from '@fernlab/shared/primitives/list-text'
import { Button, FileButton, Modal, NativeSelect } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { GroupSelect } from '../groups/group-select.tsx'
import dialog from '../notices/dialog.module.css'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { ImportList } from './import-list.tsx'
import { ImportProgressLine } from './import-progress.tsx'
import { importReasonIn } from './import-reasons.ts'
import { linksFile, save } from './links-file.ts'
import { invitable } from './roles.ts'
import { useImport } from './use-import.ts'

interface Props {
  readonly opened: boolean
  readonly role: Me['role'] | undefined
  readonly onClose: () => void
}

/** Takes a list of people, shows what it would do, and does it. */
export function ImportDialog({ opened, role, onClose }: Props) {
  const { t } = useWords()
  const client = useQueryClient()
  const [as, setAs] = useState('student')
  const [group, setGroup] = useState('')
  const [csv, setCsv] = useState('')
  const look = useImport(true)
  const make = useImport(false, () => {
    void client.invalidateQueries({ queryKey: ['people'] })
    void client.invalidateQueries({ queryKey: ['groups'] })
  })
  const choose = async (file: File | null) => {
    if (file === null) return
    const text = listText(new Uint8Array(await file.arrayBuffer()))
    setCsv(text)
    make.reset()
    look.start({ text, to: as, into: group })
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
  const { fresh = 0, joining = 0 } = shown ?? {}
  const step = make.step ?? look.step
  const stopped = make.stopped ?? look.stopped
  const error = make.error ?? look.error
  const made = make.data?.people ?? []
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
              disabled={make.isPending}
              data={invitable(role).map((to) => ({ value: to, label: t(`account.roles.${to}`) }))}
              onChange={(event) => {
                const to = event.currentTarget.value
                setAs(to)
                if (csv !== '') look.start({ text: csv, to, into: group })
              }}
            />
            <GroupSelect
              label={t('groups.into')}
              none={t('groups.intoNone')}
              managed
              value={group}
              disabled={make.isPending}
              onChange={(event) => {
                const into = event.currentTarget.value
                setGroup(into)
                if (csv !== '') look.start({ text: csv, to: as, into })
              }}
            />
            <FileButton accept=".csv,text/csv,text/plain" onChange={(file) => void choose(file)}>
              {(props) => (
                <Button variant="default" loading={look.isPending} disabled={make.isPending} {...props}>
                  {csv === '' ? t('people.choose') : t('people.chooseOther')}
                </Button>
              )}
            </FileButton>
          </>
        ) : (
          <p role="status">
            {t('people.importMade', { count: fresh })}{' '}
            {fresh === 0 ? '' : make.data.letters ? t('people.importLetters') : t('people.importLinks')}
          </p>
        )}
        {step === undefined ? null : <ImportProgressLine step={step} onStop={make.isPending ? make.stop : look.stop} />}
        {stopped === undefined ? null : (
          <p role="status">{t(stopped === 'late' ? 'people.importStoppedLate' : 'people.importStopped')}</p>
        )}
        {error === null ? null : <ProblemNotice error={error} say={say} />}
        <IssueList issues={error instanceof ApiProblem ? error.issues : []} say={say} />
        {shown === undefined ? null : <ImportList {...shown} />}
        {make.data !== undefined || look.data === undefined || fresh > 0 || joining > 0 ? null : (
          <p className="soft">{t('people.noneNew')}</p>
        )}
        <div className={dialog.buttons}>
          {make.data === undefined ? (
            <>
              <Button variant="default" onClick={close}>
                {t('common.cancel')}
              </Button>
              <Button
                disabled={look.data === undefined || (fresh === 0 && joining === 0)}
                loading={make.isPending}
                onClick={() => make.start({ text: csv, to: as, into: group })}
              >
                {fresh === 0 && joining > 0
                  ? t('groups.putInCount', { count: joining })
                  : t('people.importMake', { count: fresh })}
              </Button>
            </>
          ) : (
            <>
              {fresh > 0 && !make.data.letters ? (
                <Button
                  onClick={() => save(linksFile(made), 'fernlab-links.csv')}
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
