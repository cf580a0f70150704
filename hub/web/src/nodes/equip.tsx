import { type DraftValues, filledConfig, wrongValues } from '@fernlab/shared/contracts/draft-values'
import type { HardwareFind } from '@fernlab/shared/contracts/hardware'
import type { HardwareDraft } from '@fernlab/shared/contracts/hardware-drafts'
import { Button, Modal, NativeSelect, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { nodeAddress } from '../api/queries.ts'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { DraftField, firstValues } from './draft-field.tsx'
import { foundIn, nodeSays } from './findings.ts'
import styles from './hardware.module.css'
import { useLookAgain } from './look-again.ts'

interface Props {
  readonly node: string
  readonly find: HardwareFind
  readonly drafts: readonly HardwareDraft[]
}

/** A button that makes an instrument of a find, by a dialog that asks for its name and for what the find does not say. */
export function Equip({ node, find, drafts }: Props) {
  const { t, language } = useWords()
  const what = foundIn(find.title, t, language)
  const [opened, setOpened] = useState(false)
  const close = () => setOpened(false)
  return (
    <div>
      <Button variant="default" size="xs" onClick={() => setOpened(true)} aria-label={t('nodes.equipOf', { what })}>
        {t('nodes.equip')}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        size="lg"
        title={t('nodes.equipTitle', { what })}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <EquipForm node={node} find={find} drafts={drafts} onClose={close} />
      </Modal>
    </div>
  )
}

const isName = (text: string): boolean => /^[a-z0-9][a-z0-9_-]{0,62}$/.test(text)

function EquipForm({ node, find, drafts, onClose }: Props & { onClose: () => void }) {
  const { t, language } = useWords()
  const api = useApi()
  const lookAgain = useLookAgain(node)
  const [name, setName] = useState('')
  const [kind, setKind] = useState<HardwareDraft['driver'] | undefined>(drafts[0]?.driver)
  const draft = drafts.find(({ driver }) => driver === kind)
  const [values, setValues] = useState<DraftValues>(() => firstValues(draft))
  const [sent, setSent] = useState(false)
  const add = useMutation({
    mutationFn: () =>
      api.send('POST', `${nodeAddress(node)}/instruments`, { find: find.id, driver: kind, name, settings: values }),
    onSuccess: async () => {
      onClose()
      await lookAgain()
    },
  })
  if (draft === undefined) return null
  const wrong = wrongValues(draft, values)
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (isName(name) && wrong.size === 0) add.mutate()
  }
  return (
    <form className={dialog.content} onSubmit={send} noValidate>
      <p>{t('nodes.equipText')}</p>
      <TextInput
        label={t('nodes.equipName')}
        description={t('nodes.equipNameHelp')}
        error={sent && !isName(name) ? t('nodes.equipNameHelp') : undefined}
        value={name}
        data-autofocus
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {drafts.length > 1 ? (
        <NativeSelect
          label={t('nodes.equipDriver')}
          value={draft.driver}
          data={drafts.map(({ driver }) => ({ value: driver, label: t(`nodes.driver.${driver}`) }))}
          onChange={(event) => {
            const chosen = drafts.find(({ driver }) => driver === event.currentTarget.value)
            setKind(chosen?.driver)
            setValues(firstValues(chosen))
          }}
        />
      ) : null}
      {draft.settings.map((setting) => (
        <DraftField
          key={`${draft.driver} ${setting.name}`}
          setting={setting}
          value={values[setting.name]}
          isWrong={sent && wrong.has(setting.name)}
          onChange={(value) => setValues({ ...values, [setting.name]: value })}
        />
      ))}
      <div>
        <p className="soft">{t('nodes.equipYaml')}</p>
        <pre className={styles.yaml}>{entry(name, draft, values)}</pre>
      </div>
      {add.error === null ? null : <ProblemNotice error={add.error} say={nodeSays(add.error, t, language)} />}
      <div className={dialog.buttons}>
        <Button variant="default" onClick={onClose}>
          {t('common.cancel')}
        </Button>
        <Button type="submit" loading={add.isPending}>
          {t('nodes.equipAdd')}
        </Button>
      </div>
    </form>
  )
}

/** In the short form of YAML, which is JSON's. */
const entry = (name: string, draft: HardwareDraft, values: DraftValues): string =>
  `${name === '' ? '…' : name}:\n  driver: ${draft.driver}\n  config: ${JSON.stringify(filledConfig(draft, values))}`
