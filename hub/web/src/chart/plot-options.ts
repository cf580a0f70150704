import uPlot from 'uplot'
import type { ChartContent } from './series.ts'
import { fitColour, spanOf } from './series.ts'
import { axisUnit, logTickTexts, tickTexts } from './ticks.ts'

interface Look {
  readonly width: number
  readonly height: number
  readonly colour: (name: string) => string
  /** A number's text in the language of the page. */
  readonly marked: (text: string) => string
  readonly onCursor: (index: number | null) => void
  readonly onZoom: (from: number, to: number) => void
}

const font = "12px 'Source Sans 3 Variable', system-ui, sans-serif"

/** What uPlot needs to draw the content; scales are named by unit, so that signals of one unit share an axis. */
export function plotOptions(content: ChartContent, look: Look): uPlot.Options {
  const units = [...new Set(content.series.map((one) => one.unit))]
  const ink = look.colour('--ink-soft')
  const grid = { stroke: look.colour('--line'), width: 1 }
  const narrow = look.width < 520
  const xSpan = spanOf(content.x.values)
  const xUnit = axisUnit(Math.max(Math.abs(xSpan?.low ?? 0), Math.abs(xSpan?.high ?? 0)), content.x.unit)
  const xLog = content.x.scale === 'log'
  const yLog = content.yScale === 'log'
  const label = (title: string, unit: string) => (unit === '' ? title : `${title} (${unit})`)
  // A long name stands above the chart already; along the axis it would be cut off.
  const yLabel = (title: string, unit: string) => (title.length > 36 && unit !== '' ? unit : label(title, unit))
  const axis = { stroke: ink, font, labelFont: `500 ${font}`, grid, ticks: { ...grid, size: 4 }, labelSize: 22, gap: 6 }
  const points = content.x.values.length
  // With a fitted curve the points stand alone, so that one sees how they lie about it.
  const pointsOnly = content.kind === 'scatter' || (content.fit !== undefined && points <= 400)
  const showPoints = pointsOnly || points <= 150
  return {
    width: look.width,
    height: look.height,
    padding: [8, units.length > 1 ? 0 : 16, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 9, width: 2, fill: () => look.colour('--surface') },
    },
    scales: {
      x: {
        time: false,
        distr: xLog ? 3 : 1,
        // Points at the ends would be cut in half.
        ...(pointsOnly && !xLog ? { range: (_: uPlot, low: number, high: number) => aside(low, high) } : {}),
      },
      ...Object.fromEntries(
        units.map((unit) => [
          unit,
          yLog ? { distr: 3 as const } : { range: (_: uPlot, low: number, high: number) => roomy(low, high) },
        ]),
      ),
    },
    axes: [
      {
        ...axis,
        label: label(content.x.title, xLog ? axisUnit(1, content.x.unit).text : xUnit.text),
        size: 34,
        space: narrow ? 48 : 72,
        ...(xLog ? decades(grid) : {}),
        values: (_, splits) => (xLog ? logTickTexts(splits, false) : tickTexts(splits, xUnit.divide)).map(look.marked),
      },
      ...units.map((unit, index): uPlot.Axis => {
        const own = content.series.filter((one) => one.unit === unit)
        const spans = own.flatMap((one) => spanOf(one.values) ?? [])
        const largest = Math.max(0, ...spans.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)]))
        const shown = yLog ? axisUnit(1, unit) : axisUnit(largest, unit)
        return {
          ...axis,
          scale: unit,
          side: index === 0 ? 3 : 1,
          grid: index === 0 ? grid : { show: false },
          ...(yLog ? decades(index === 0 ? grid : { show: false }) : {}),
          label: yLabel(own.map((one) => one.title).join(', '), shown.text),
          size: narrow ? 46 : 56,
          space: 40,
          values: (_, splits) =>
            (yLog ? logTickTexts(splits, false) : tickTexts(splits, shown.divide)).map(look.marked),
        }
      }),
    ],
    series: [
      {},
      ...content.series.map((one): uPlot.Series => {
        const stroke = look.colour(`--data-${one.colour}`)
        return {
          scale: one.unit,
          stroke,
          width: content.reducedFrom === undefined ? 2 : 1,
          spanGaps: true,
          points: { show: showPoints, size: content.kind === 'scatter' ? 7 : 5, width: 1, fill: stroke },
          ...(pointsOnly ? { paths: () => null } : {}),
        }
      }),
      ...(content.fit === undefined
        ? []
        : [
            {
              scale: content.series[0]?.unit ?? 'y',
              stroke: look.colour(`--data-${fitColour(content)}`),
              width: 2,
              dash: [8, 5],
              spanGaps: true,
              points: { show: false },
            } satisfies uPlot.Series,
          ]),
    ],
    hooks: {
      setCursor: [(plot) => look.onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width < 6) return
          look.onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'))
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
        },
      ],
    },
  }
}

/** A little air at both sides. */
function aside(low: number, high: number): uPlot.Range.MinMax {
  const air = (high - low) * 0.012 || 1
  return [low - air, high + air]
}

/** Over many decades only whole powers of ten get a line; over few, all nine steps do. */
function decades(grid: uPlot.Axis.Grid): Pick<uPlot.Axis, 'grid' | 'ticks' | 'filter'> {
  const filter: uPlot.Axis.Filter = (_, splits) => {
    const many = Math.log10((splits.at(-1) ?? 1) / (splits[0] ?? 1)) > 1.5
    return many ? splits.map((split) => (Math.abs(Math.log10(split) % 1) < 1e-6 ? split : null)) : splits
  }
  return { grid: { ...grid, filter }, ticks: { ...grid, size: 4, filter }, filter }
}

/** A little air above and below, also for a flat line. */
function roomy(low: number, high: number): uPlot.Range.MinMax {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  if (low === high) {
    const half = Math.abs(low) * 0.1 || 1
    return [low - half, high + half]
  }
  return uPlot.rangeNum(low, high, 0.08, true) as uPlot.Range.MinMax
}

/** The columns that uPlot draws: x, the signals, then the fit on the same x. */
export function plotData(content: ChartContent): uPlot.AlignedData {
  const logarithmic = content.yScale === 'log'
  const positive = (values: readonly (number | null)[]) =>
    logarithmic ? values.map((value) => (value !== null && value > 0 ? value : null)) : [...values]
  const base: uPlot.AlignedData = [
    [...content.x.values],
    ...content.series.map((one) => positive(one.values)),
  ] as unknown as uPlot.AlignedData
  if (content.fit === undefined) return base
  const curve = [[...content.fit.x], positive(content.fit.y)] as unknown as uPlot.AlignedData
  return uPlot.join([base, curve])
}
