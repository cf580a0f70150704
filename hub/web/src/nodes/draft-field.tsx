import type { DraftValues } from '@fernlab/shared/contracts/draft-values'
import type { DraftSetting, HardwareDraft } from '@fernlab/shared/contracts/hardware-drafts'
import { NativeSelect, TextInput } from '@mantine/core'
import { useWords } from '../words/use-words.ts'

interface Props {
  readonly setting: DraftSetting
  readonly value: string | number | undefined
  readonly isWrong: boolean
  readonly onChange: (value: string | number) => void
}

/** One setting that a find does not say. */
export function DraftField({ setting, value = '', isWrong, onChange }: Props) {
  const { t } = useWords()
  const label = t(`nodes.setting.${setting.name}`, { defaultValue: setting.name })
  switch (setting.kind) {
    case 'choice':
    case 'rate':
      return (
        <NativeSelect
          label={label}
          value={String(value)}
          data={setting.choices.map(String)}
          onChange={({ currentTarget }) =>
            onChange(setting.kind === 'rate' ? Number(currentTarget.value) : currentTarget.value)
          }
        />
      )
    case 'number': {
      const help = t('nodes.settingNumber', { low: setting.low, high: setting.high })
      return (
        <TextInput
          label={label}
          inputMode="numeric"
          description={help}
          error={isWrong ? help : undefined}
          value={String(value)}
          onChange={({ currentTarget }) =>
            onChange(/^\d+$/.test(currentTarget.value) ? Number(currentTarget.value) : currentTarget.value)
          }
        />
      )
    }
    case 'identifier':
      return (
        <TextInput
          label={label}
          description={t('nodes.settingIdentifier')}
          error={isWrong ? t('nodes.settingIdentifier') : undefined}
          value={String(value)}
          autoComplete="off"
          spellCheck={false}
          onChange={({ currentTarget }) => onChange(currentTarget.value)}
        />
      )
  }
}

/** What is chosen before anybody chooses. */
export const firstValues = (draft: HardwareDraft | undefined): DraftValues =>
  Object.fromEntries(
    (draft?.settings ?? []).flatMap((setting): [string, string | number][] =>
      setting.kind === 'choice'
        ? [[setting.name, setting.choices[0] ?? '']]
        : setting.kind === 'rate'
          ? [[setting.name, setting.usual]]
          : [],
    ),
  )
