import { Button, VisuallyHidden } from '@mantine/core'
import { useState } from 'react'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './usage.module.css'

interface Props {
  readonly name: string
  /** Seconds, one for each hour of the day. */
  readonly rows: readonly { readonly label: string; readonly values: readonly number[] }[]
  readonly say: (value: number) => string
  /** What the faintest and the strongest shade stand for. */
  readonly legend: readonly [string, string]
}

const SHADES = 5

/** As short as a cell has room for. */
const inMinutes = (seconds: number): string =>
  seconds <= 0 ? '–' : seconds < 60 ? '<1' : String(Math.round(seconds / 60))

/** A table of hours that is read by its shades, or by its numbers; each cell says its value too. */
export function HeatMap({ name, rows, say, legend }: Props) {
  const { t } = useWords()
  const [numbers, setNumbers] = useState(false)
  const most = Math.max(0, ...rows.flatMap(({ values }) => values))
  const shade = (value: number) => (value <= 0 ? 0 : Math.max(1, Math.ceil((value / most) * SHADES)))
  return (
    <>
      <ScrollRegion name={name} className={styles.scroll}>
        <table className={styles.heat}>
          <thead>
            <tr>
              <td />
              {Array.from({ length: 24 }, (_, hour) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: hours are their places
                <th key={hour} scope="col">
                  {hour % 3 === 0 ? hour : <VisuallyHidden>{hour}</VisuallyHidden>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ label, values }) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {values.map((value, hour) => (
                  <td
                    // biome-ignore lint/suspicious/noArrayIndexKey: hours are their places
                    key={hour}
                    data-shade={numbers ? undefined : shade(value)}
                    title={`${label} ${hour}:00 · ${say(value)}`}
                  >
                    {numbers ? <span aria-hidden="true">{inMinutes(value)}</span> : null}
                    <VisuallyHidden>{say(value)}</VisuallyHidden>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <div className={styles.legend}>
        {numbers ? (
          <span>{t('usage.minutes')}</span>
        ) : (
          <span className={styles.shades} aria-hidden="true">
            <span>{legend[0]}</span>
            {Array.from({ length: SHADES + 1 }, (_, level) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: shades are their places
              <span key={level} className={styles.swatch} data-shade={level} />
            ))}
            <span>{legend[1]}</span>
          </span>
        )}
        <Button
          size="compact-xs"
          variant="subtle"
          aria-label={`${t('usage.numbers')}: ${name}`}
          aria-pressed={numbers}
          onClick={() => setNumbers(!numbers)}
        >
          {t('usage.numbers')}
        </Button>
      </div>
    </>
  )
}
