import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { useLatest } from './panel-context.tsx'
import { Tile } from './tile.tsx'

/** Lit, or not; in a word too. */
export function LedWidget({ widget, title }: { widget: PanelWidget & { kind: 'led' }; title: string }) {
  const { t } = useWords()
  const value = useLatest(widget.signal)
  const lit = typeof value === 'number' ? value > (widget.above ?? 0) : value === true
  return (
    <Tile title={title}>
      <p className={styles.led} data-lit={lit}>
        <span className={styles.lamp} aria-hidden="true" />
        {value === undefined ? '–' : lit ? t('common.on') : t('common.off')}
      </p>
    </Tile>
  )
}
