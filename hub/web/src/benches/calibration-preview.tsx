import { curveAt } from '@fernlab/shared/calibration/curve'
import type { CalibrationPoint, FittedCurve } from '@fernlab/shared/calibration/curve-fit'
import { lazy, Suspense, useMemo } from 'react'
import type { ChartContent } from '../chart/series.ts'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './calibrate.module.css'
import { curveWords } from './calibration-words.ts'

const Chart = lazy(() => import('../chart/chart.tsx'))

const HEIGHT = 220
const OFF_HEIGHT = 140
/** Points at which a curve is drawn. */
const DRAWN = 200

interface Props {
  readonly points: readonly CalibrationPoint[]
  readonly fitted: FittedCurve
  readonly unit: string
}

/** The points, the curve through them, and how far each is off it: drawn, and as a table. */
export function CalibrationPreview({ points, fitted, unit }: Props) {
  const { t } = useWords()
  const { curve, residuals, scatter } = fitted
  const say = (value: number) => quantityIn(t, value, unit)
  const [whole, off] = useMemo(() => {
    const raw = apart(points.map((point) => point.raw))
    const axis = { title: t('calibrate.raw'), unit, values: raw, scale: 'linear' } as const
    const common = { kind: 'scatter', x: axis, yScale: 'linear' } as const
    const series = (title: string, colour: number, values: readonly number[]) => [
      { key: title, title, unit, colour, values },
    ]
    const value = points.map((point) => point.value)
    return [
      { ...common, title: t('calibrate.plot'), series: series(t('calibrate.true'), 1, value), fit: drawn(fitted, raw) },
      { ...common, title: t('calibrate.offPlot'), series: series(t('calibrate.off'), 3, residuals) },
    ] satisfies ChartContent[]
  }, [points, fitted, residuals, unit, t])
  const words = curveWords(curve, t)
  return (
    <div className={styles.preview}>
      <p>
        {scatter === undefined
          ? t('calibrate.exact', { curve: words })
          : t('calibrate.scatter', { curve: words, scatter: say(scatter) })}
      </p>
      <Suspense fallback={<div style={{ height: HEIGHT + OFF_HEIGHT }} />}>
        {whole === undefined ? null : <Chart content={whole} height={HEIGHT} />}
        {off === undefined ? null : <Chart content={off} height={OFF_HEIGHT} />}
      </Suspense>
      <ScrollRegion name={t('calibrate.table')} className={styles.points}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('calibrate.raw')}</th>
              <th scope="col">{t('calibrate.true')}</th>
              <th scope="col">{t('calibrate.ofCurve')}</th>
              <th scope="col">{t('calibrate.off')}</th>
            </tr>
          </thead>
          <tbody>
            {points.map(({ raw, value }, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: points may be alike, and are in their order
              <tr key={i}>
                <td>{say(raw)}</td>
                <td>{say(value)}</td>
                <td>{say(curveAt(curve, raw))}</td>
                <td>{say(residuals[i] ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </div>
  )
}

/** Equal raw values moved apart by less than a pixel, since a drawing has one row for each. */
function apart(raws: readonly number[]): number[] {
  const step = (Math.max(...raws) - Math.min(...raws)) * 1e-7
  const seen = new Map<number, number>()
  return raws.map((raw) => {
    const times = seen.get(raw) ?? 0
    seen.set(raw, times + 1)
    return raw + times * step
  })
}

function drawn({ curve }: FittedCurve, raws: readonly number[]) {
  const low = Math.min(...raws)
  const high = Math.max(...raws)
  const x = Array.from({ length: DRAWN + 1 }, (_, i) => low + ((high - low) * i) / DRAWN)
  const y = x.map((raw) => curveAt(curve, raw)).map((value) => (Number.isFinite(value) ? value : null))
  return { x, y }
}
