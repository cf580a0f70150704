import { TextInput } from '@mantine/core'
import { useWords } from '../words/use-words.ts'

const MOST_CHARS = 200

interface Props {
  readonly value: string
  readonly onChange: (value: string) => void
}

/** What something is taken for: others are told. */
export function ReasonField({ value, onChange }: Props) {
  const { t } = useWords()
  return (
    <TextInput
      label={t('service.reason')}
      description={t('service.reasonHelp')}
      value={value}
      maxLength={MOST_CHARS}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
