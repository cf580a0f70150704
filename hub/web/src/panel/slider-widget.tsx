import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { marked } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { useSignal } from './panel-context.tsx'
import { scaleOf } from './scale.ts'
import { steadyOn, steadyQuantity } from './steady.ts'
import { Notes, Tile, useTileIds } from './tile.tsx'
import { useControl } from './use-control.ts'

/** A signal on a scale, along a line. */
export function SliderWidget({ widget, title }: { widget: PanelWidget & { kind: 'slider' }; title: string }) {
  const { t } = useWords()
  const signal = useSignal(widget.signal)
  const control = useControl(widget.signal)
  const { titleId, notesId } = useTileIds()
  const { low, high, step } = scaleOf(widget, signal)
  const coarse = steadyOn({ low, high }, signal.unit, step)
  const fine = steadyOn({ low, high }, signal.unit, Math.min(step, (high - low) / 1000))
  const at = typeof control.shown === 'number' ? control.shown : low
  return (
    <Tile title={title} titleId={titleId}>
      <div className={styles.sliderLine}>
        <input
          type="range"
          className={styles.slider}
          min={low}
          max={high}
          step={step}
          value={Math.min(high, Math.max(low, at))}
          disabled={!control.ready}
          data-pending={control.isPending || undefined}
          aria-labelledby={titleId}
          aria-describedby={notesId}
          aria-valuetext={marked(steadyQuantity(at, coarse), t)}
          aria-invalid={control.refused !== undefined}
          onChange={(event) => control.ask(event.currentTarget.valueAsNumber)}
        />
        <span className={styles.ends} aria-hidden="true">
          <span>{marked(steadyQuantity(low, coarse), t)}</span>
          <span>{marked(steadyQuantity(high, coarse), t)}</span>
        </span>
      </div>
      <Notes
        id={notesId}
        control={control}
        readable={signal.access !== 'set'}
        say={(value) => marked(steadyQuantity(Number(value), fine), t)}
      />
    </Tile>
  )
}
