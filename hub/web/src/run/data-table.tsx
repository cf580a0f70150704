import type { Run } from '@fernlab/shared/contracts/api'
import { Button, NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { dataQuery } from '../api/queries.ts'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { count, marked, unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { columnText } from './column-text.ts'
import { plain } from './plots.ts'
import styles from './run.module.css'
import type { StreamData } from './run-data.ts'

const pageRows = 50
/** A table of more rows is a download's job; the page then shows rows spread over the run. */
const mostRows = 20_000

interface Props {
  readonly run: Run
  readonly streams: readonly StreamData[]
  /** The stream that is shown until a person chooses another. */
  readonly first: string | undefined
  readonly final: boolean
}

/** The rows as numbers, fifty at a time. */
export function DataTable({ run, streams, first, final }: Props) {
  const words = useWords()
  const { t, language } = words
  const [chosen, setChosen] = useState<string>()
  const [page, setPage] = useState(0)
  const shown = streams.find((one) => one.stream === (chosen ?? first)) ?? streams[0]
  const whole = useQuery({
    ...dataQuery(useApi(), run.id, { stream: shown?.stream ?? '', attempt: run.attempt }),
    enabled: final && shown?.reduced === true && shown.rows <= mostRows,
  })
  if (shown === undefined) return null
  const data = whole.data?.stream === shown.stream ? whole.data : shown
  const rows = data.time.length
  const last = Math.max(0, Math.ceil(rows / pageRows) - 1)
  // A run in progress shows its latest rows.
  const at = final ? Math.min(page, last) : last
  const from = final ? at * pageRows : Math.max(0, rows - pageRows)
  const to = Math.min(rows, from + pageRows)
  const keys = Object.keys(data.keys).filter((key) => data.columns[key] !== undefined)
  const start = data.time[0] ?? 0
  const shownRows = Array.from({ length: to - from }, (_, i) => from + i)
  const columns = keys.map((key) =>
    columnText(
      shownRows.map((row) => data.columns[key]?.[row] ?? null),
      words.t,
    ),
  )
  return (
    <div className={styles.table}>
      <div className={styles.tableHead}>
        <h2>{t('runPage.table')}</h2>
        {streams.length > 1 ? (
          <NativeSelect
            size="xs"
            aria-label={t('runPage.stream')}
            value={shown.stream}
            data={streams.map((one) => one.stream)}
            onChange={(event) => {
              setChosen(event.currentTarget.value)
              setPage(0)
            }}
          />
        ) : null}
        <span className={styles.tableCount}>
          {t('runPage.tableRows', {
            from: count(rows === 0 ? 0 : from + 1, language),
            to: count(to, language),
            rows: count(rows, language),
          })}
        </span>
        {final && last > 0 ? (
          <span className={styles.tablePages}>
            <Button size="xs" variant="default" disabled={at === 0} onClick={() => setPage(at - 1)}>
              {t('runPage.previous')}
            </Button>
            <Button size="xs" variant="default" disabled={at === last} onClick={() => setPage(at + 1)}>
              {t('runPage.next')}
            </Button>
          </span>
        ) : null}
      </div>
      <ScrollRegion name={t('runPage.table')} className={styles.tableFrame}>
        <table>
          <thead>
            <tr>
              <th scope="col">{`${t('chart.time')} (s)`}</th>
              {keys.map((key) => (
                <th key={key} scope="col">
                  {data.keys[key]?.title ?? plain(key)}
                  {unitText(data.keys[key]?.unit) === '' ? '' : ` (${unitText(data.keys[key]?.unit)})`}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shownRows.map((row, i) => (
              <tr key={row}>
                <td>{marked(((data.time[row] ?? start) - start).toFixed(3), words.t)}</td>
                {keys.map((key, column) => (
                  <td key={key}>{columns[column]?.[i]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      {data.reduced ? (
        <p className={styles.small}>
          {t('runPage.tableReduced', { shown: count(rows, language), rows: count(shown.rows, language) })}
        </p>
      ) : null}
    </div>
  )
}
