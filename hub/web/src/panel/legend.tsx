import { marked } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { useLatest, usePanel, useSignal } from './panel-context.tsx'
import { steadyAt, steadyText } from './steady.ts'

/** The drawn signals by colour and name, each with its newest value. */
export function Legend({ signals }: { signals: readonly string[] }) {
  return (
    <ul className={styles.legend}>
      {signals.map((key) => (
        <Entry key={key} signal={key} />
      ))}
    </ul>
  )
}

function Entry({ signal: key }: { signal: string }) {
  const { t } = useWords()
  const { colours } = usePanel()
  const { title, unit, dtype } = useSignal(key)
  const value = useLatest(key)
  const steady = steadyAt(typeof value === 'number' ? value : 0, unit, dtype)
  return (
    <li>
      <span className={styles.swatch} style={{ background: `var(--data-${colours.get(key) ?? 1})` }} />
      {title}
      <b style={{ minWidth: `${steady.width}ch` }}>
        {typeof value === 'number'
          ? marked(steadyText(value, steady), t)
          : value === undefined
            ? '–'
            : t(value ? 'common.on' : 'common.off')}
      </b>
      {dtype === 'boolean' ? null : <span className={styles.legendUnit}>{steady.unit}</span>}
    </li>
  )
}
