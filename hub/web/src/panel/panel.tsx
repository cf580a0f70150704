import type { Panel as PanelFile, PanelWidget } from '@fernlab/shared/contracts/panel'
import { type CSSProperties, lazy, memo, Suspense } from 'react'
import { useWords } from '../words/use-words.ts'
import { ButtonWidget } from './button-widget.tsx'
import { GaugeWidget } from './gauge-widget.tsx'
import { KnobWidget } from './knob-widget.tsx'
import { LedWidget } from './led-widget.tsx'
import { LogWidget } from './log-widget.tsx'
import { NumberWidget } from './number-widget.tsx'
import styles from './panel.module.css'
import { usePanel } from './panel-context.tsx'
import { SliderWidget } from './slider-widget.tsx'
import { SwitchWidget } from './switch-widget.tsx'

const CameraWidget = lazy(() => import('./camera-widget.tsx'))
const ChartWidget = lazy(() => import('./chart-widget.tsx'))
const WaveformWidget = lazy(() => import('./waveform-widget.tsx'))

/**
 * The lab's panel: its widgets where lab.yaml puts them, one below the other on a phone. It is drawn again when its bench
 * is another, not with what is around it.
 */
export const Panel = memo(function Panel({ panel }: { panel: PanelFile }) {
  return (
    <div className={styles.panel}>
      {panel.widgets.map((widget, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a panel stays as it is
        <div key={index} className={styles.place} style={placeOf(widget)}>
          <Widget widget={widget} />
        </div>
      ))}
    </div>
  )
})

const sizes: Readonly<Record<PanelWidget['kind'], readonly [width: number, height: number]>> = {
  switch: [3, 1],
  button: [3, 1],
  slider: [6, 1],
  knob: [3, 2],
  number: [3, 1],
  gauge: [3, 2],
  led: [3, 1],
  chart: [12, 4],
  waveform: [12, 4],
  camera: [6, 4],
  log: [12, 2],
}

/** As variables, which the style of a narrow page leaves aside. */
function placeOf({ kind, place = {} }: PanelWidget): CSSProperties {
  const [width, height] = sizes[kind]
  const span = (from: number | undefined, most: number) => `${from ?? 'auto'} / span ${most}`
  return {
    '--column': span(place.column, place.width ?? width),
    '--row': span(place.row, place.height ?? (place.row === undefined ? height : 1)),
    '--rows': place.height ?? height,
  } as CSSProperties
}

function Widget({ widget }: { widget: PanelWidget }) {
  const { t, text } = useWords()
  const { signals, titleOf } = usePanel()
  const own = text(widget.title)
  const called = (key: string | undefined, fallback: string) =>
    own || (key === undefined ? fallback : (signals.get(key)?.title ?? key))
  switch (widget.kind) {
    case 'switch':
      return <SwitchWidget widget={widget} title={called(widget.signal, '')} />
    case 'button':
      return (
        <ButtonWidget
          widget={widget}
          title={own || (widget.action === undefined ? t('common.set') : titleOf(widget.action))}
        />
      )
    case 'slider':
      return <SliderWidget widget={widget} title={called(widget.signal, '')} />
    case 'knob':
      return <KnobWidget widget={widget} title={called(widget.signal, '')} />
    case 'number':
      return <NumberWidget widget={widget} title={called(widget.signal, '')} />
    case 'gauge':
      return <GaugeWidget widget={widget} title={called(widget.signal, '')} />
    case 'led':
      return <LedWidget widget={widget} title={called(widget.signal, '')} />
    case 'chart':
      return (
        <Suspense fallback={<div className={styles.tile} />}>
          <ChartWidget widget={widget} title={called(widget.signals[0], '')} />
        </Suspense>
      )
    case 'waveform':
      return (
        <Suspense fallback={<div className={styles.tile} />}>
          <WaveformWidget widget={widget} title={called(widget.signals[0], '')} />
        </Suspense>
      )
    case 'camera':
      return (
        <Suspense fallback={<div className={styles.tile} />}>
          <CameraWidget widget={widget} title={called(undefined, t('panel.camera.title'))} />
        </Suspense>
      )
    case 'log':
      return <LogWidget title={called(undefined, t('panel.log.title'))} />
  }
}
