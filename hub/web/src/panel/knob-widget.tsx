import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { marked } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { dialArc, dialPart, dialPoint } from './dial.ts'
import styles from './panel.module.css'
import { useSignal } from './panel-context.tsx'
import { keyed, onScale, scaleOf } from './scale.ts'
import { steadyOn, steadyQuantity } from './steady.ts'
import { Notes, Tile, useTileIds } from './tile.tsx'
import { useControl } from './use-control.ts'

/** So far the pointer goes for the whole scale. */
const travelPx = 200

/** A signal on a scale, around a dial: dragged up or right for more, down or left for less, or moved by keys. */
export function KnobWidget({ widget, title }: { widget: PanelWidget & { kind: 'knob' }; title: string }) {
  const { t } = useWords()
  const signal = useSignal(widget.signal)
  const control = useControl(widget.signal)
  const { titleId, notesId } = useTileIds()
  const scale = scaleOf(widget, signal)
  const { low, high, step } = scale
  const coarse = steadyOn(scale, signal.unit, step)
  const fine = steadyOn(scale, signal.unit, Math.min(step, (high - low) / 1000))
  const at = typeof control.shown === 'number' ? control.shown : low
  const held = useRef<{ readonly x: number; readonly y: number; readonly value: number }>(undefined)

  const press = (event: KeyboardEvent) => {
    const to = keyed(event.key, at, scale)
    if (to === undefined) return
    event.preventDefault()
    control.ask(to)
  }
  const grip = (event: PointerEvent) => {
    if (!control.ready || event.button !== 0) return
    event.currentTarget.setPointerCapture(event.pointerId)
    held.current = { x: event.clientX, y: event.clientY, value: at }
  }
  const drag = (event: PointerEvent) => {
    if (held.current === undefined) return
    const { x, y, value } = held.current
    const to = onScale(value + ((event.clientX - x + y - event.clientY) / travelPx) * (high - low), scale)
    if (to !== at) control.ask(to)
  }
  const release = () => {
    held.current = undefined
  }

  const part = dialPart(at, scale)
  const tip = dialPoint(part, 30)
  const foot = dialPoint(part, 14)
  return (
    <Tile title={title} titleId={titleId}>
      <div
        role="slider"
        className={styles.knob}
        tabIndex={control.ready ? 0 : -1}
        aria-disabled={!control.ready}
        aria-labelledby={titleId}
        aria-describedby={notesId}
        aria-orientation="vertical"
        aria-valuemin={low}
        aria-valuemax={high}
        aria-valuenow={at}
        aria-valuetext={marked(steadyQuantity(at, coarse), t)}
        aria-invalid={control.refused !== undefined}
        data-pending={control.isPending || undefined}
        onKeyDown={press}
        onPointerDown={grip}
        onPointerMove={drag}
        onPointerUp={release}
        onPointerCancel={release}
        onLostPointerCapture={release}
      >
        <svg viewBox="0 0 100 92" aria-hidden="true">
          <path className={styles.dialTrack} d={dialArc(1, 44)} />
          <path className={styles.dialFill} d={dialArc(part, 44)} />
          <circle className={styles.knobBody} cx="50" cy="50" r="34" />
          <line className={styles.knobMark} x1={foot.x} y1={foot.y} x2={tip.x} y2={tip.y} />
        </svg>
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
