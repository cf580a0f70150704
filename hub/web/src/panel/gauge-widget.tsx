import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { marked } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { dialArc, dialPart } from './dial.ts'
import styles from './panel.module.css'
import { useLatest, useSignal } from './panel-context.tsx'
import { steadyOn, steadyQuantity, steadyText } from './steady.ts'
import { Tile, useTileIds } from './tile.tsx'

/** A reading on a scale. */
export function GaugeWidget({ widget, title }: { widget: PanelWidget & { kind: 'gauge' }; title: string }) {
  const { t } = useWords()
  const signal = useSignal(widget.signal)
  const value = useLatest(widget.signal)
  const { titleId } = useTileIds()
  const { low = 0, high = 1 } = widget.limits
  const steady = steadyOn({ low, high }, signal.unit)
  const ends = steadyOn({ low, high }, signal.unit, (high - low) / 10)
  const at = typeof value === 'number' ? value : undefined
  return (
    <Tile title={title} titleId={titleId}>
      {/* biome-ignore lint/a11y/useSemanticElements: a meter element holds no dial */}
      <div
        role="meter"
        className={styles.gauge}
        aria-labelledby={titleId}
        aria-valuemin={low}
        aria-valuemax={high}
        aria-valuenow={at === undefined ? low : Math.min(high, Math.max(low, at))}
        aria-valuetext={at === undefined ? '–' : marked(steadyQuantity(at, steady), t)}
      >
        <svg viewBox="0 0 100 92" aria-hidden="true">
          <path className={styles.dialTrack} d={dialArc(1, 44)} />
          {at === undefined ? null : <path className={styles.dialFill} d={dialArc(dialPart(at, { low, high }), 44)} />}
        </svg>
        <span className={styles.gaugeValue} aria-hidden="true">
          <b>{at === undefined ? '–' : marked(steadyText(at, steady), t)}</b>
          <span>{steady.unit}</span>
        </span>
        <span className={styles.gaugeEnds} aria-hidden="true">
          <span>{marked(steadyText(low, ends), t)}</span>
          <span>{marked(steadyText(high, ends), t)}</span>
        </span>
      </div>
    </Tile>
  )
}
