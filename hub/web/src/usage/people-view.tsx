import type { CourseUsage } from '@fernlab/shared/contracts/usage'
import { Button, CopyButton, NativeSelect, TextInput } from '@mantine/core'
import { IconCheck, IconCopy, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useApi } from '../api/context.tsx'
import { labsQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { type Choice, type CoursePerson, chosenPeople, orderOf, type SortKey, sortAfter } from './course-people.ts'
import styles from './usage.module.css'
import { useUsageWords } from './use-usage-words.ts'
import type { UsesSearch } from './uses-queries.ts'

interface Props extends Pick<CourseUsage, 'people'> {
  readonly choice: Choice
  readonly onChoose: (choice: Choice) => void
  /** Of the uses that a name leads to. */
  readonly search: UsesSearch
}

/** Who of a course did what: to search, to sort, by lab and by who is done with it, with the addresses to write to. */
export function PeopleView({ people, choice, onChoose, search }: Props) {
  const { t, labTitle } = useUsageWords()
  const shown = chosenPeople(people, choice)
  const known = useQuery(labsQuery(useApi())).data?.items.map(({ id }) => id) ?? []
  const used = people.flatMap(({ labs }) => labs.map(({ lab }) => lab))
  const labs = [...new Set([...known, ...used])]
    .map((value) => ({ value, label: labTitle(value) }))
    .sort((a, b) => a.label.localeCompare(b.label))
  const standings = choice.lab === undefined ? (['none'] as const) : (['done', 'open', 'none'] as const)
  const choose = (change: Partial<Record<keyof Choice, string>>) => onChoose(withChoice(choice, change))
  const addresses = shown.map(({ email }) => email).join(', ')
  return (
    <>
      <div className={styles.chosen}>
        <TextInput
          type="search"
          aria-label={t('usage.find')}
          placeholder={t('usage.find')}
          leftSection={<IconSearch size={16} aria-hidden="true" />}
          value={choice.who ?? ''}
          onChange={({ currentTarget: { value } }) => choose({ who: value })}
        />
        <NativeSelect
          aria-label={t('usage.lab')}
          value={choice.lab ?? ''}
          data={[{ value: '', label: t('usage.everyLab') }, ...labs]}
          onChange={({ currentTarget: { value } }) =>
            choose({ lab: value, ...(value === '' && choice.standing !== 'none' ? { standing: '' } : {}) })
          }
        />
        <NativeSelect
          aria-label={t('usage.standing')}
          value={choice.standing ?? ''}
          data={[
            { value: '', label: t('usage.everybody') },
            ...standings.map((value) => ({ value, label: t(`usage.standings.${value}`) })),
          ]}
          onChange={({ currentTarget: { value } }) => choose({ standing: value })}
        />
      </div>
      <div className={styles.outcome}>
        <span role="status" className="soft">
          {t('usage.shown', { shown: shown.length, count: people.length })}
        </span>
        {shown.length === 0 ? (
          <Button size="compact-sm" variant="subtle" onClick={() => onChoose({})}>
            {t('uses.clear')}
          </Button>
        ) : (
          <CopyButton value={addresses}>
            {({ copied, copy }) => (
              <Button
                size="compact-sm"
                variant="subtle"
                leftSection={
                  copied ? <IconCheck size={14} aria-hidden="true" /> : <IconCopy size={14} aria-hidden="true" />
                }
                onClick={copy}
              >
                {copied ? t('common.copied') : t('usage.copyAddresses', { count: shown.length })}
              </Button>
            )}
          </CopyButton>
        )}
      </div>
      {shown.length === 0 ? null : (
        <Table people={shown} sort={choice.sort} onSort={(sort) => choose({ sort })} search={search} />
      )}
    </>
  )
}

interface TableProps extends Pick<Props, 'people' | 'search'> {
  readonly sort: string | undefined
  readonly onSort: (sort: string) => void
}

function Table({ people, sort, onSort, search }: TableProps) {
  const { t } = useUsageWords()
  const most = Math.max(1, ...people.map(({ seconds }) => seconds))
  const order = orderOf(sort)
  const head = (key: SortKey, label: string, className?: string): ReactNode => (
    <th
      scope="col"
      className={className}
      aria-sort={order.key === key ? (order.down ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" className={styles.sort} onClick={() => onSort(sortAfter(sort, key))}>
        {label}
        <span aria-hidden="true">{order.key === key ? (order.down ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  )
  return (
    <ScrollRegion name={t('usage.people')} className={styles.scroll}>
      <table className={styles.table}>
        <thead>
          <tr>
            {head('name', t('usage.person'))}
            {head('uses', t('usage.uses'), styles.number)}
            {head('time', t('usage.time'))}
            {head('last', t('usage.last'))}
            <th scope="col">{t('usage.labs')}</th>
          </tr>
        </thead>
        <tbody>
          {people.map((person) => (
            <PersonLine key={person.person.id} of={person} most={most} search={search} />
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  )
}

function PersonLine({ of, most, search }: { of: CoursePerson; most: number; search: UsesSearch }) {
  const { t, labTitle, personName, time, moment } = useUsageWords()
  const { person, uses, seconds, lastAt, labs } = of
  return (
    <tr className={uses === 0 ? styles.idle : undefined}>
      <th scope="row" className={styles.who}>
        <Link to="/usage/uses" search={{ ...search, person: person.id }}>
          <bdi>{personName(person)}</bdi>
        </Link>
      </th>
      <td className={styles.number}>{uses}</td>
      <td>
        <span className={styles.inTable} aria-hidden="true">
          <span className={styles.bar} style={{ width: `${(seconds / most) * 100}%` }} />
        </span>
        {time(seconds)}
      </td>
      <td>{lastAt === undefined ? t('usage.never') : moment(lastAt)}</td>
      <td>
        {labs.map(({ lab, uses: count, succeeded, lastState }) => (
          <span key={lab} className={styles.lab}>
            {labTitle(lab)} ×{count}{' '}
            <span className="soft">
              ({succeeded > 0 ? t('usage.done', { count: succeeded }) : t(`run.${lastState}`)})
            </span>
          </span>
        ))}
      </td>
    </tr>
  )
}
