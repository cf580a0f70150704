import { VisuallyHidden } from '@mantine/core'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import styles from './usage.module.css'

interface Props {
  readonly name: string
  /** One for each hour of the day. */
  readonly rows: readonly { readonly label: string; readonly values: readonly number[] }[]
  readonly say: (value: number) => string
  /** What the faintest and the strongest shade stand for. */
  readonly legend: readonly [string, string]
}

const SHADES = 5

/** A table of hours that is read by its shades; each cell says its value too. */
export function HeatMap({ name, rows, say, legend }: Props) {
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
                  // biome-ignore lint/suspicious/noArrayIndexKey: hours are their places
                  <td key={hour} data-shade={shade(value)} title={`${label} ${hour}:00 · ${say(value)}`}>
                    <VisuallyHidden>{say(value)}</VisuallyHidden>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
      <p className={styles.legend} aria-hidden="true">
        <span>{legend[0]}</span>
        {Array.from({ length: SHADES + 1 }, (_, level) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: shades are their places
          <span key={level} className={styles.swatch} data-shade={level} />
        ))}
        <span>{legend[1]}</span>
      </p>
    </>
  )
}
