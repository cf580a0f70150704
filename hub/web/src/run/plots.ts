import type { PlotSpec } from '@fernlab/shared/protocol/protocol'
import type { TFunction } from 'i18next'
import type { ChartContent, ChartCurve } from '../chart/series.ts'
import { textIn } from '../words/use-words.ts'
import { columnName, numbers, type StreamData } from './run-data.ts'

/**
 * The plots that the protocol declares, or one over time for each stream where it declares none. While a run goes on,
 * a declared plot waits for its stream; a run that ended before its stream began is drawn by what it has.
 */
export function plotsFor(
  declared: readonly PlotSpec[],
  streams: readonly StreamData[],
  final: boolean,
): readonly PlotSpec[] {
  const usable = declared.filter((plot) => {
    const data = streams.find((one) => one.stream === plot.stream)
    return data === undefined ? !final : plot.y.some((name) => columnName(data, name) !== undefined)
  })
  if (usable.length > 0) return usable
  // Names of pictures make no chart.
  const drawable = streams.filter(({ keys }) => !Object.values(keys).some(({ external }) => external !== undefined))
  return drawable.map((data) => ({
    title: data.stream,
    stream: data.stream,
    x: 'time',
    y: Object.keys(data.keys)
      .filter((key) => data.keys[key]?.dtype === 'number' || data.keys[key]?.dtype === 'integer')
      .slice(0, 8),
    kind: 'line',
    xScale: 'linear',
    yScale: 'linear',
  }))
}

/** A colour for each column of a run: those that are plotted first, in their order, so that none changes on the page. */
export function coloursFor(plots: readonly PlotSpec[], streams: readonly StreamData[]): ReadonlyMap<string, number> {
  const names = new Set<string>()
  for (const plot of plots) {
    for (const y of plot.y) names.add(`${plot.stream} ${y.replace('.', '_')}`)
  }
  for (const data of streams) {
    for (const key of Object.keys(data.keys)) names.add(`${data.stream} ${key}`)
  }
  return new Map([...names].map((name, index) => [name, (index % 8) + 1]))
}

interface ContentOptions {
  readonly plot: PlotSpec
  readonly data: StreamData
  readonly colours: ReadonlyMap<string, number>
  readonly language: string
  readonly t: TFunction
  readonly fit?: ChartCurve | undefined
}

/** What the chart of one plot shows. */
export function contentOf({ plot, data, colours, language, t, fit }: ContentOptions): ChartContent {
  const xName = plot.x === 'time' ? undefined : columnName(data, plot.x)
  const start = data.time[0] ?? 0
  const xKey = xName === undefined ? undefined : data.keys[xName]
  return {
    title: textIn(plot.title, language),
    kind: plot.kind,
    yScale: plot.yScale,
    x: {
      title: xName === undefined ? t('chart.time') : (xKey?.title ?? plain(xName)),
      unit: xName === undefined ? 's' : (xKey?.unit ?? '1'),
      scale: plot.xScale,
      values:
        xName === undefined
          ? data.time.map((time) => time - start)
          : numbers(data.columns[xName] ?? []).map((value) => value ?? Number.NaN),
    },
    series: plot.y.flatMap((name) => {
      const key = columnName(data, name)
      if (key === undefined) return []
      return {
        key,
        title: data.keys[key]?.title ?? plain(key),
        unit: data.keys[key]?.unit ?? '1',
        colour: colours.get(`${plot.stream} ${key}`) ?? 1,
        values: numbers(data.columns[key] ?? []),
      }
    }),
    ...(fit === undefined ? {} : { fit }),
    ...(data.reduced ? { reducedFrom: data.rows } : {}),
  }
}

/** `meter_voltage` as `Meter voltage`. */
export function plain(key: string): string {
  const words = key.replace(/[_.]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
