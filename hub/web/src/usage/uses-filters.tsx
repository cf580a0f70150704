import { Button, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useId, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { benchesQuery, labsQuery } from '../api/queries.ts'
import records from '../frame/records.module.css'
import { GroupSelect } from '../groups/group-select.tsx'
import { useForm } from '../sign-in/use-form.ts'
import { runStates } from '../states/run-states.ts'
import { useUsageWords } from './use-usage-words.ts'
import type { UsesSearch } from './uses-queries.ts'

interface Props {
  /** Of direct uses, which are of no lab. */
  readonly kind?: 'direct'
  readonly search: UsesSearch
  readonly onFind: (search: UsesSearch) => void
  /** What stands for no course. */
  readonly everybody: string
  /** The way back to all uses. */
  readonly clear: ReactNode
}

/** Which uses are shown; folded on a phone, where the uses come first. */
export function UsesFilters({ kind, search, onFind, everybody, clear }: Props) {
  const { t, text, country } = useUsageWords()
  const api = useApi()
  const labs = useQuery(labsQuery(api)).data?.items ?? []
  const benches = useQuery(benchesQuery(api)).data?.items ?? []
  const form = useForm(
    { course: '', person: '', lab: '', bench: '', state: '', country: '', from: '', until: '', ...search },
    () => ({}),
  )
  const [open, setOpen] = useState(false)
  const id = useId()
  const count = Object.keys(search).length
  const send = (values: typeof form.values) =>
    onFind(
      Object.fromEntries(
        Object.entries(values)
          .map(([name, value]) => [name, value.trim()] as const)
          .filter(([, value]) => value !== ''),
      ),
    )
  /** Also what is chosen and no longer there. */
  const choices = (chosen: string | undefined, known: readonly { value: string; label: string }[]) => [
    { value: '', label: t('uses.any') },
    ...known,
    ...(chosen === undefined || known.some(({ value }) => value === chosen) ? [] : [{ value: chosen, label: chosen }]),
  ]
  const countries = ['site', 'unknown', ...(search.country === undefined ? [] : [search.country])]
  return (
    <>
      <div className={records.fold}>
        <Button variant="default" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          {count === 0 ? t('uses.filter') : t('uses.filtered', { count })}
        </Button>
      </div>
      <form id={id} className={records.filters} data-open={open} noValidate onSubmit={form.onSubmit(send)}>
        <GroupSelect label={t('uses.course')} none={everybody} managed {...form.field('course')} />
        <TextInput
          label={t('usage.person')}
          placeholder={t('uses.personHelp')}
          maxLength={254}
          {...form.field('person')}
        />
        {kind === 'direct' ? null : (
          <NativeSelect
            label={t('usage.lab')}
            data={choices(
              search.lab,
              labs.map((lab) => ({ value: lab.id, label: text(lab.title) || lab.id })),
            )}
            {...form.field('lab')}
          />
        )}
        <NativeSelect
          label={t('uses.bench')}
          data={choices(
            search.bench,
            benches.map((bench) => ({ value: bench.id, label: bench.id })),
          )}
          {...form.field('bench')}
        />
        {kind === 'direct' ? null : (
          <NativeSelect
            label={t('uses.state')}
            data={choices(
              search.state,
              runStates.map((state) => ({ value: state, label: t(`run.${state}`) })),
            )}
            {...form.field('state')}
          />
        )}
        <NativeSelect
          label={t('uses.country')}
          data={choices(
            undefined,
            [...new Set(countries)].map((code) => ({
              value: code,
              label: country(code === 'unknown' ? undefined : code),
            })),
          )}
          {...form.field('country')}
        />
        <TextInput type="date" label={t('usage.from')} {...form.field('from')} />
        <TextInput type="date" label={t('usage.until')} {...form.field('until')} />
        <div className={records.buttons}>
          <Button type="submit">{t('uses.find')}</Button>
          {clear}
        </div>
      </form>
    </>
  )
}
