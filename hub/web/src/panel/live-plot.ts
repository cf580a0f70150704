import uPlot from 'uplot'
import { axisUnit, tickTexts } from '../chart/ticks.ts'

/** A line of a live drawing. */
export interface LiveLine {
  readonly key: string
  /** UCUM; lines of one unit share an axis. */
  readonly unit: string
  readonly colour: number
  /** Stands behind the others: the sweep before. */
  readonly faint?: boolean
}

export interface LivePlotSpec {
  readonly lines: readonly LiveLine[]
  /** The ends of the time axis, in seconds. */
  readonly from: number
  readonly to: number
  readonly xLabel: string
}

interface Look {
  readonly width: number
  readonly height: number
  readonly colour: (name: string) => string
  /** A number's text in the language of the page. */
  readonly marked: (text: string) => string
}

const font = "12px 'Source Sans 3 Variable', system-ui, sans-serif"

/** What uPlot needs for a drawing whose time axis stands still. */
export function livePlotOptions({ lines, from, to, xLabel }: LivePlotSpec, look: Look): uPlot.Options {
  const units = [...new Set(lines.map((line) => line.unit))]
  const grid = { stroke: look.colour('--line'), width: 1 }
  const axis = {
    stroke: look.colour('--ink-soft'),
    font,
    labelFont: `500 ${font}`,
    grid,
    ticks: { ...grid, size: 4 },
    labelSize: 20,
    gap: 6,
  }
  const time = axisUnit(Math.max(Math.abs(from), Math.abs(to)), 's')
  return {
    width: look.width,
    height: look.height,
    padding: [8, units.length > 1 ? 0 : 12, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: () => [from, to] },
      ...Object.fromEntries(
        units.map((unit) => [unit, { range: (_: uPlot, low: number, high: number) => roomy(low, high) }]),
      ),
    },
    axes: [
      {
        ...axis,
        label: `${xLabel} (${time.text})`,
        size: 30,
        space: 60,
        values: (_, splits) => tickTexts(splits, time.divide).map(look.marked),
      },
      ...units.map((unit, index): uPlot.Axis => {
        const scaled = (plot: uPlot) => {
          const { min = 0, max = 0 } = plot.scales[unit] ?? {}
          return axisUnit(Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0)), unit)
        }
        return {
          ...axis,
          scale: unit,
          side: index === 0 ? 3 : 1,
          grid: index === 0 ? grid : { show: false },
          label: (plot) => scaled(plot).text,
          size: 48,
          space: 32,
          values: (plot, splits) => tickTexts(splits, scaled(plot).divide).map(look.marked),
        }
      }),
    ],
    series: [
      {},
      ...lines.map(({ unit, colour, faint = false }): uPlot.Series => {
        return {
          scale: unit,
          stroke: look.colour(`--data-${colour}`),
          width: 2,
          alpha: faint ? 0.35 : 1,
          spanGaps: true,
          points: { show: false },
        }
      }),
    ],
  }
}

/** Room above and below; a line of noise does not fill the drawing. */
function roomy(low: number, high: number): uPlot.Range.MinMax {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  const least = Math.max(Math.abs(low), Math.abs(high)) * 0.02 || 1
  const air = Math.max(0, least - (high - low)) / 2
  return uPlot.rangeNum(low - air, high + air, 0.08, true) as uPlot.Range.MinMax
}

/** The lines on one time axis; between a line's own points the others' times are left out. */
export function joined(lines: readonly { time: readonly number[]; values: readonly number[] }[]): uPlot.AlignedData {
  const tables = lines.map(({ time, values }) => [time, values] as unknown as uPlot.AlignedData)
  return tables.length === 0 ? [[]] : uPlot.join(tables)
}
