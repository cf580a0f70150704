import 'uplot/dist/uPlot.min.css'
import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { useRef } from 'react'
import { useWords } from '../words/use-words.ts'
import { Legend } from './legend.tsx'
import { joined } from './live-plot.ts'
import styles from './panel.module.css'
import { usePanel } from './panel-context.tsx'
import { cut } from './sweep.ts'
import { Tile } from './tile.tsx'
import { useLivePlot } from './use-live-plot.ts'

/** How much of the past a chart shows, when the panel says nothing else. */
const lastMinute = 60

/** The last while of some signals; the newest is at the right. */
export default function ChartWidget({ widget, title }: { widget: PanelWidget & { kind: 'chart' }; title: string }) {
  const { t, duration } = useWords()
  const { store, signals, colours } = usePanel()
  const frame = useRef<HTMLDivElement>(null)
  const { seconds = lastMinute } = widget
  const lines = widget.signals.map((key) => ({
    key,
    unit: signals.get(key)?.unit ?? '1',
    colour: colours.get(key) ?? 1,
  }))
  useLivePlot(frame, { lines, from: -seconds, to: 0, xLabel: t('chart.time') }, () => {
    const now = store.now
    return joined(
      widget.signals.map((key) => {
        // A second more than is shown, so that the line does not end before the edge.
        const { time, values } = cut(store.history(key), now - seconds - 1, seconds + 2)
        return { time: time.map((at) => at - seconds - 1), values }
      }),
    )
  })
  return (
    <Tile title={title} fill>
      <Legend signals={widget.signals} />
      <div
        ref={frame}
        className={styles.plot}
        role="img"
        aria-label={t('panel.chart', { title, time: duration(seconds) })}
      />
    </Tile>
  )
}
