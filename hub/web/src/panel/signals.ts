import type { InstrumentSpec, Scalar, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Panel, PanelWidget } from '@fernlab/shared/contracts/panel'
import { shownBy } from '@fernlab/shared/contracts/panel-signals'
import { plain } from '../run/plots.ts'

/** What the panel knows of a signal before it is read. */
export type PanelSignal = Pick<
  SignalSpec,
  'unit' | 'dtype' | 'access' | 'limits' | 'precision' | 'resolution' | 'values'
> & {
  readonly title: string
}

/** Every signal of a bench's instruments by `part.signal`. */
export function signalsOf(parts: Readonly<Record<string, unknown>>): ReadonlyMap<string, PanelSignal> {
  return new Map(
    Object.entries(parts).flatMap(([part, spec]) =>
      (spec as InstrumentSpec).signals.map((signal) => [
        `${part}.${signal.name}`,
        { ...signal, title: signal.title ?? plain(signal.name) },
      ]),
    ),
  )
}

/** What an action is called. */
export function actionTitle(parts: Readonly<Record<string, unknown>>, key: string): string {
  const [part = '', name = ''] = key.split('.')
  const spec = parts[part] as InstrumentSpec | undefined
  return spec?.actions.find((action) => action.name === name)?.title ?? plain(name)
}

/**
 * The colours of what can be drawn: by its order on the panel, so that a signal has one on all its charts, and, as what
 * the panel shows is recorded, the same on the page of the run.
 */
export function signalColours(
  { widgets }: Panel,
  signals: ReadonlyMap<string, PanelSignal>,
): ReadonlyMap<string, number> {
  const drawn = [...new Set(widgets.flatMap(shownBy))].filter((key) => {
    const { access, dtype = 'number' } = signals.get(key) ?? {}
    return access !== 'set' && (dtype === 'number' || dtype === 'integer')
  })
  return new Map(drawn.map((key, index) => [key, (index % 8) + 1]))
}

/**
 * The signals by what the panel calls them: by the widget that shows one alone, where it has a title. A lamp that is lit
 * above a level names what that means, not the signal.
 */
export function named(
  signals: ReadonlyMap<string, PanelSignal>,
  { widgets }: Panel,
  text: (title: NonNullable<PanelWidget['title']>) => string,
): ReadonlyMap<string, PanelSignal> {
  const titles = new Map<string, string>()
  for (const widget of widgets) {
    const [key, ...others] = shownBy(widget)
    if (key === undefined || others.length > 0 || widget.title === undefined || titles.has(key)) continue
    if (widget.kind === 'led' && widget.above !== undefined) continue
    titles.set(key, text(widget.title))
  }
  return new Map([...signals].map(([key, signal]) => [key, { ...signal, title: titles.get(key) ?? signal.title }]))
}

/** A value as a point of a chart: a switch is 1 or 0. */
export const asNumber = (value: Scalar): number =>
  typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : Number.NaN
