import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { useSignal } from './panel-context.tsx'
import { Notes, Tile, useTileIds } from './tile.tsx'
import { useControl } from './use-control.ts'

/** A signal that is on or off. */
export function SwitchWidget({ widget, title }: { widget: PanelWidget & { kind: 'switch' }; title: string }) {
  const { t } = useWords()
  const signal = useSignal(widget.signal)
  const control = useControl(widget.signal)
  const { titleId, notesId } = useTileIds()
  const on = control.shown === true
  const say = (value: unknown) => (value === true ? t('common.on') : t('common.off'))
  return (
    <Tile title={title} titleId={titleId}>
      <button
        type="button"
        role="switch"
        aria-checked={on}
        aria-labelledby={titleId}
        aria-describedby={notesId}
        className={styles.switch}
        data-pending={control.isPending || undefined}
        disabled={!control.ready}
        onClick={() => control.ask(!on)}
      >
        <span className={styles.track} aria-hidden="true" />
        <span aria-hidden="true">{say(control.shown)}</span>
      </button>
      <Notes id={notesId} control={control} say={say} readable={signal.access !== 'set'} />
    </Tile>
  )
}
