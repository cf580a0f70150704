import type { Limits } from '@fernlab/shared/capabilities/signals'
import type { PanelSignal } from './signals.ts'

export interface Scale {
  readonly low: number
  readonly high: number
  readonly step: number
}

/** The scale that a control runs over, in steps that the signal can take: its resolution, or whole numbers. */
export function scaleOf(
  { limits, step }: { readonly limits: Limits; readonly step?: number },
  { dtype, resolution }: Pick<PanelSignal, 'dtype' | 'resolution'>,
): Scale {
  const { low = 0, high = 1 } = limits
  return { low, high, step: step ?? resolution ?? (dtype === 'integer' ? 1 : (high - low) / 200) }
}

/** The nearest value that the scale has; its ends always are. */
export function onScale(value: number, { low, high, step }: Scale): number {
  if (value <= low) return low
  if (value >= high) return high
  return Math.min(high, Number((low + Math.round((value - low) / step) * step).toPrecision(12)))
}

/** What a key does to a slider (WAI-ARIA authoring practices); undefined for a key that does nothing. */
export function keyed(key: string, value: number, scale: Scale): number | undefined {
  const { low, high, step } = scale
  const page = Math.max(step, (high - low) / 10)
  const moves: Readonly<Record<string, number>> = {
    ArrowUp: value + step,
    ArrowRight: value + step,
    ArrowDown: value - step,
    ArrowLeft: value - step,
    PageUp: value + page,
    PageDown: value - page,
    Home: low,
    End: high,
  }
  const to = moves[key]
  return to === undefined ? undefined : onScale(to, scale)
}
