import 'uplot/dist/uPlot.min.css'
import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { useRef } from 'react'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { Legend } from './legend.tsx'
import { joined } from './live-plot.ts'
import styles from './panel.module.css'
import { usePanel } from './panel-context.tsx'
import { cut, type Sweep, sweepAt } from './sweep.ts'
import { Tile } from './tile.tsx'
import { useLivePlot } from './use-live-plot.ts'

/** The screen of an oscilloscope: the present sweep, and the rest of the one before it behind. */
export default function WaveformWidget({
  widget,
  title,
}: {
  widget: PanelWidget & { kind: 'waveform' }
  title: string
}) {
  const { t } = useWords()
  const { store, signals, colours } = usePanel()
  const frame = useRef<HTMLDivElement>(null)
  const sweep = useRef<Sweep>(undefined)
  const { seconds, trigger } = widget
  const lines = widget.signals.flatMap((key) => {
    const line = { unit: signals.get(key)?.unit ?? '1', colour: colours.get(key) ?? 1 }
    return [
      { ...line, key, faint: true },
      { ...line, key },
    ]
  })
  useLivePlot(frame, { lines, from: 0, to: seconds, xLabel: t('chart.time') }, () => {
    sweep.current = sweepAt(store.now, sweep.current, {
      seconds,
      ...(trigger === undefined ? {} : { trigger: { history: store.history(trigger.signal), level: trigger.level } }),
    })
    const { from, before } = sweep.current ?? { from: Number.POSITIVE_INFINITY, before: undefined }
    return joined(
      widget.signals.flatMap((key) => {
        const history = store.history(key)
        const present = cut(history, from, seconds)
        const drawn = present.time.at(-1) ?? 0
        const rest = cut(history, before ?? Number.POSITIVE_INFINITY, seconds)
        const first = rest.time.findIndex((at) => at > drawn)
        const ahead = {
          time: first < 0 ? [] : rest.time.slice(first),
          values: first < 0 ? [] : rest.values.slice(first),
        }
        return [ahead, present]
      }),
    )
  })
  const what =
    trigger === undefined
      ? t('panel.sweep', { title, time: quantityIn(t, seconds, 's') })
      : t('panel.triggered', {
          title,
          time: quantityIn(t, seconds, 's'),
          signal: signals.get(trigger.signal)?.title ?? trigger.signal,
          level: quantityIn(t, trigger.level, signals.get(trigger.signal)?.unit ?? '1'),
        })
  return (
    <Tile title={title} fill>
      <Legend signals={widget.signals} />
      <div ref={frame} className={styles.plot} role="img" aria-label={what} />
    </Tile>
  )
}
