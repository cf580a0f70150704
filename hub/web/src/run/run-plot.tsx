import type { Run } from '@fernlab/shared/contracts/api'
import type { PlotSpec } from '@fernlab/shared/protocol/protocol'
import { useMediaQuery } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { lazy, type RefObject, Suspense, useCallback, useEffect, useMemo, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { dataQuery } from '../api/queries.ts'
import type { ChartCurve } from '../chart/series.ts'
import type { LabProtocol } from '../lab/parameters.ts'
import { useWords } from '../words/use-words.ts'
import { contentOf } from './plots.ts'
import styles from './run.module.css'
import type { StreamData } from './run-data.ts'

const Chart = lazy(() => import('../chart/chart.tsx'))

interface Props {
  readonly run: Run
  readonly plot: PlotSpec
  readonly data: StreamData | undefined
  readonly colours: ReadonlyMap<string, number>
  readonly protocol: LabProtocol | undefined
  readonly parts: Readonly<Record<string, unknown>> | undefined
  readonly final: boolean
  readonly large: boolean
  /** Told the moment under the cursor of a chart over time, in epoch seconds. */
  readonly onMoment: RefObject<(time: number) => void>
}

/** One plot of the run; a zoom into reduced data asks the hub for that part in full detail. */
export function RunPlot({ run, plot, data, colours, protocol, parts, final, large, onMoment }: Props) {
  const { t, language } = useWords()
  const narrow = useMediaQuery('(max-width: 700px)', false, { getInitialValueInEffect: false })
  const api = useApi()
  const [range, setRange] = useState<{ from: number; to: number }>()
  const start = data?.time[0] ?? 0
  const canAsk = final && data?.reduced === true && plot.x === 'time'
  const detail = useQuery({
    ...dataQuery(api, run.id, {
      stream: plot.stream,
      attempt: run.attempt,
      from: start + (range?.from ?? 0),
      to: start + (range?.to ?? 0),
      points: 2400,
    }),
    enabled: canAsk && range !== undefined,
  })
  const fit = useFit(run, plot, data, protocol, parts, final)
  const zoomed = range !== undefined && detail.data !== undefined
  const shown = zoomed ? detail.data : data
  const content = useMemo(() => {
    if (shown === undefined) return undefined
    const made = contentOf({ plot, data: shown, colours, language, t, fit })
    if (!zoomed) return made
    // A part of the run keeps its place on the time axis.
    const shift = (shown.time[0] ?? start) - start
    return { ...made, x: { ...made.x, values: made.x.values.map((value) => value + shift) } }
  }, [shown, plot, colours, language, t, fit, zoomed, start])
  const onCursor = useCallback((x: number) => onMoment.current(start + x), [onMoment, start])
  if (content === undefined || content.series.length === 0) return null
  const height = large && !narrow ? 420 : 280
  return (
    <div className={large ? styles.largePlot : styles.plot}>
      <Suspense fallback={<div style={{ height: height + 32 }} />}>
        <Chart
          content={content}
          height={height}
          zoomed={zoomed}
          onZoom={canAsk ? setRange : undefined}
          onCursor={plot.x === 'time' ? onCursor : undefined}
        />
      </Suspense>
    </div>
  )
}

function useFit(
  run: Run,
  plot: PlotSpec,
  data: StreamData | undefined,
  protocol: LabProtocol | undefined,
  parts: Readonly<Record<string, unknown>> | undefined,
  final: boolean,
): ChartCurve | undefined {
  const [fit, setFit] = useState<ChartCurve>()
  const wanted = final && plot.fit !== undefined && plot.fit in run.outputs && data !== undefined && !data.reduced
  useEffect(() => {
    if (!wanted || data === undefined || protocol === undefined || parts === undefined) return
    let current = true
    void import('./fit-curve.ts').then(async ({ fitCurve }) => {
      const curve = await fitCurve({ run, plot, data, definition: protocol.definition, parts })
      if (current) setFit(curve)
    })
    return () => {
      current = false
    }
  }, [wanted, run, plot, data, protocol, parts])
  return wanted ? fit : undefined
}
