import type { Bench } from '@fernlab/shared/contracts/api'
import { NativeSelect, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { labsQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { useWords } from '../words/use-words.ts'
import { type BenchChoice, stateOrder } from './bench-choice.ts'
import styles from './benches.module.css'

interface Props {
  readonly items: readonly Bench[]
  readonly choice: BenchChoice
  readonly onChoose: (choice: BenchChoice) => void
}

/** Finds benches by name, reason, state and lab; each state says how many are in it. */
export function BenchFilters({ items, choice, onChoose }: Props) {
  const { t, text } = useWords()
  const titles = useQuery(labsQuery(useApi())).data?.items ?? []
  const choose = (change: Partial<Record<keyof BenchChoice, string>>) => onChoose(withChoice(choice, change))
  const labs = [...new Set(items.flatMap((bench) => bench.labs))].sort()
  const count = (state: Bench['state']) => items.filter((bench) => bench.state === state).length
  return (
    <div className={styles.filters}>
      <TextInput
        type="search"
        aria-label={t('benches.find')}
        placeholder={t('benches.find')}
        leftSection={<IconSearch size={16} aria-hidden="true" />}
        value={choice.q ?? ''}
        onChange={({ currentTarget: { value } }) => choose({ q: value })}
      />
      <NativeSelect
        aria-label={t('benches.state')}
        value={choice.state ?? ''}
        data={[
          { value: '', label: t('benches.anyState') },
          ...stateOrder.map((value) => ({
            value,
            label: t('benches.inState', { state: t(`bench.${value}`), count: count(value) }),
          })),
        ]}
        onChange={({ currentTarget: { value } }) => choose({ state: value })}
      />
      <NativeSelect
        aria-label={t('benches.lab')}
        value={choice.lab ?? ''}
        data={[
          { value: '', label: t('benches.anyLab') },
          ...labs.map((value) => ({ value, label: text(titles.find(({ id }) => id === value)?.title) || value })),
        ]}
        onChange={({ currentTarget: { value } }) => choose({ lab: value })}
      />
    </div>
  )
}
