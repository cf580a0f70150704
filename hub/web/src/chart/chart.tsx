import 'uplot/dist/uPlot.min.css'
import { useMantineColorScheme } from '@mantine/core'
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import { marked, quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './chart.module.css'
import { plotData, plotOptions } from './plot-options.ts'
import { type ChartContent, fitColour, inOrder, spanOf } from './series.ts'

interface Props {
  readonly content: ChartContent
  readonly height: number
  /** Called with limits of x when a person zooms, with undefined for all; without it the chart zooms what it has. */
  readonly onZoom?: ((range: { from: number; to: number } | undefined) => void) | undefined
  readonly zoomed?: boolean
  /** Called with the x of the measured row under the cursor. */
  readonly onCursor?: ((x: number) => void) | undefined
}

/** A chart that can be read with the pointer, the keyboard and a screen reader. */
export default function Chart({ content: given, height, onZoom, zoomed = false, onCursor }: Props) {
  const words = useWords()
  const { t } = words
  const content = useMemo(() => inOrder(given), [given])
  const frame = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const [width, setWidth] = useState(0)
  const [index, setIndex] = useState<number | null>(null)
  const [byKey, setByKey] = useState(false)
  const [local, setLocal] = useState(false)
  /** The row where keys have put the cursor, until the pointer moves or the chart is left. */
  const keyRow = useRef<number>(undefined)
  const { colorScheme } = useMantineColorScheme()
  const helpId = useId()
  const zoomTo = useRef<(from: number, to: number) => void>(() => {})
  zoomTo.current = (from, to) => {
    if (onZoom !== undefined) return onZoom({ from, to })
    setLocal(true)
    plot.current?.setScale('x', { min: from, max: to })
  }
  const zoomOut = () => {
    setLocal(false)
    if (onZoom !== undefined) return onZoom(undefined)
    const span = spanOf(content.x.values)
    if (span !== undefined) plot.current?.setScale('x', { min: span.low, max: span.high })
  }
  const data = useMemo(() => plotData(content), [content])
  const rows = useMemo(() => measuredRows(data), [data])
  // Colours, axes and shape; a change of these needs a new drawing, a change of values does not.
  const shape = JSON.stringify([
    content.kind,
    content.yScale,
    content.x.scale,
    content.x.title,
    content.x.unit,
    content.series.map((one) => [one.key, one.title, one.unit, one.colour]),
    content.fit !== undefined,
    content.x.values.length <= 400,
    content.reducedFrom === undefined,
    content.x.values.length <= 150,
    magnitudes(content),
  ])
  const latest = useRef({ content, data })
  latest.current = { content, data }

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` and the scheme say when a new drawing is needed
  useEffect(() => {
    const element = frame.current
    if (element === null || width === 0) return
    const computed = getComputedStyle(element)
    const drawn = new uPlot(
      plotOptions(latest.current.content, {
        width,
        height,
        colour: (name) => computed.getPropertyValue(name).trim(),
        marked: (text) => marked(text, words.t),
        onCursor: (at) => {
          const row = keyRow.current
          // A page that moves under a pointer at rest lets go of the pointer's cursor, not of that of keys.
          if (at === null && row !== undefined) queueMicrotask(() => putCursor(plot.current, row))
          else setIndex(at)
        },
        onZoom: (from, to) => zoomTo.current(from, to),
      }),
      latest.current.data,
      element,
    )
    plot.current = drawn
    return () => {
      plot.current = undefined
      drawn.destroy()
    }
  }, [shape, width, height, colorScheme, words.t])

  useEffect(() => {
    if (plot.current !== undefined && plot.current.data !== data) plot.current.setData(data, !local)
  }, [data, local])

  const under = index === null ? undefined : data[0][rows[nearest(rows, index)] ?? -1]
  useEffect(() => {
    if (under !== undefined) onCursor?.(under)
  }, [under, onCursor])

  const keys = (event: KeyboardEvent) => {
    const drawn = plot.current
    if (drawn === undefined || rows.length === 0) return
    const at = index === null ? -1 : nearest(rows, index)
    const step = event.shiftKey ? Math.max(1, Math.round(rows.length / 20)) : 1
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: Math.max(0, at - step),
      ArrowRight: Math.min(rows.length - 1, at + step),
      Home: 0,
      End: rows.length - 1,
    }
    const to = rows[moves[event.key] ?? -1]
    if (to !== undefined) {
      event.preventDefault()
      setByKey(true)
      keyRow.current = to
      putCursor(drawn, to)
      setIndex(to)
    } else if (event.key === '+' || event.key === '-') {
      event.preventDefault()
      const { min = 0, max = 1 } = drawn.scales.x ?? {}
      const middle = drawn.data[0][index ?? Math.floor(drawn.data[0].length / 2)] ?? 0
      const half = ((max - min) / 2) * (event.key === '+' ? 0.5 : 2)
      zoomTo.current(middle - half, middle + half)
    } else if (event.key === 'Escape') zoomOut()
  }

  return (
    <figure className={styles.chart}>
      <figcaption className={styles.caption}>
        <h2 className={styles.title}>{content.title}</h2>
        <Readout
          content={content}
          data={data}
          index={index === null ? null : (rows[nearest(rows, index)] ?? null)}
          spoken={byKey}
        />
        {zoomed || local ? (
          <button type="button" className={styles.zoomOut} onClick={zoomOut}>
            {t('runPage.zoomOut')}
          </button>
        ) : null}
      </figcaption>
      <div
        ref={frame}
        className={styles.frame}
        style={{ height }}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the cursor
        tabIndex={0}
        aria-label={t('chart.region', { title: content.title })}
        aria-describedby={helpId}
        onKeyDown={keys}
        onBlur={() => {
          setByKey(false)
          keyRow.current = undefined
        }}
        onPointerMove={({ movementX, movementY }) => {
          if (movementX !== 0 || movementY !== 0) keyRow.current = undefined
        }}
        onDoubleClick={zoomOut}
      />
      <p id={helpId} className="visually-hidden">
        {summary(content, words)} {t('chart.keys')}
      </p>
      {content.reducedFrom === undefined ? null : (
        <p className={styles.note}>{t('chart.band', { rows: content.reducedFrom.toLocaleString(words.language) })}</p>
      )}
    </figure>
  )
}

function putCursor(plot: uPlot | undefined, row: number): void {
  if (plot !== undefined) plot.setCursor({ left: plot.valToPos(plot.data[0][row] ?? 0, 'x'), top: 10 })
}

/** The places in the drawn columns that hold measured rows; between them may stand points of a fitted curve. */
function measuredRows(data: uPlot.AlignedData): number[] {
  const rows: number[] = []
  for (let i = 0; i < data[0].length; i++) {
    if (data.slice(1, -1).some((column) => column[i] !== undefined) || data[1]?.[i] !== undefined) rows.push(i)
  }
  return rows
}

/** The place in a sorted list of the entry that is nearest to a number. */
function nearest(rows: readonly number[], wanted: number): number {
  let low = 0
  let high = rows.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  const before = rows[low - 1]
  return before !== undefined && wanted - before < (rows[low] ?? Number.POSITIVE_INFINITY) - wanted ? low - 1 : low
}

/** Powers of ten of the axes, which choose their units. */
function magnitudes(content: ChartContent): (number | undefined)[] {
  return [content.x, ...content.series].map(({ values }) => {
    const span = spanOf(values)
    const largest = span === undefined ? 0 : Math.max(Math.abs(span.low), Math.abs(span.high))
    return largest === 0 ? undefined : Math.floor(Math.log10(largest))
  })
}

function summary(content: ChartContent, { t }: ReturnType<typeof useWords>): string {
  const sentences = content.series.map((one) => {
    const span = spanOf(one.values)
    if (span === undefined) return t('chart.empty')
    const say = (value: number) => quantityIn(t, value, one.unit)
    return t('chart.summary', {
      name: one.title,
      count: one.values.length,
      low: say(span.low),
      high: say(span.high),
      last: say(span.last),
    })
  })
  return sentences.join(' ')
}

interface ReadoutProps {
  readonly content: ChartContent
  readonly data: uPlot.AlignedData
  readonly index: number | null
  readonly spoken: boolean
}

/** Names and colours of the signals and, under the cursor, their values; otherwise the latest ones. */
function Readout({ content, data, index, spoken }: ReadoutProps) {
  const { t } = useWords()
  const x = index === null ? undefined : data[0][index]
  return (
    <div className={styles.readout} aria-live={spoken ? 'polite' : 'off'}>
      {content.series.map((one, column) => {
        const under = index === null ? spanOf(one.values)?.last : data[column + 1]?.[index]
        return (
          <span key={one.key} className={styles.signal}>
            <span className={styles.swatch} style={{ background: `var(--data-${one.colour})` }} />
            {one.title}
            <span className={styles.value}>{typeof under === 'number' ? quantityIn(t, under, one.unit) : ''}</span>
          </span>
        )
      })}
      {content.fit === undefined ? null : (
        <span className={styles.signal}>
          <span className={styles.dash} style={{ borderColor: `var(--data-${fitColour(content)})` }} />
          {t('chart.fit')}
        </span>
      )}
      <span className={styles.at}>
        {x === undefined ? '' : t('chart.cursor', { x: quantityIn(t, x, content.x.unit) })}
      </span>
    </div>
  )
}
