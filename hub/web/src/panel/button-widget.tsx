import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { usePanel } from './panel-context.tsx'
import { useRefusal } from './use-control.ts'

/** Calls an action, or sets signals, once for each press. */
export function ButtonWidget({ widget, title }: { widget: PanelWidget & { kind: 'button' }; title: string }) {
  const { t } = useWords()
  const { ready, set, call } = usePanel()
  const why = useRefusal()
  const { action, set: values, arguments: given } = widget
  const press = useMutation({
    mutationFn: async () => {
      if (action !== undefined) await call(action, given ?? {})
      if (values !== undefined) await set(values)
    },
  })
  return (
    <div className={styles.tile}>
      <Button
        size="md"
        variant="default"
        className={styles.button ?? ''}
        disabled={!ready}
        loading={press.isPending}
        onClick={() => press.mutate()}
      >
        {title}
      </Button>
      <div className={styles.notes} role="status">
        {press.isSuccess ? <span className={styles.pair}>{t('panel.done')}</span> : null}
        {press.error === null ? null : <span className={styles.refused}>{why(press.error)}</span>}
      </div>
    </div>
  )
}
