import type { LabSummary } from '@fernlab/shared/contracts/api'
import { NativeSelect } from '@mantine/core'
import { useTranslation } from 'react-i18next'

interface Props {
  readonly benches: LabSummary['benches']
  /** Empty: any. */
  readonly value: string
  readonly onChange: (bench: string) => void
}

/** Which bench of the lab, where there is a choice. */
export function BenchSelect({ benches, value, onChange }: Props) {
  const { t } = useTranslation()
  if (benches.length < 2) return null
  return (
    <NativeSelect
      label={t('booking.bench')}
      value={value}
      data={[
        { value: '', label: t('booking.anyBench') },
        ...benches.map(({ id, title }) => ({ value: id, label: title ?? id })),
      ]}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
