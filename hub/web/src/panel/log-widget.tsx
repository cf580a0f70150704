import { ScrollRegion } from '../notices/scroll-region.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { type Command, usePanel } from './panel-context.tsx'
import { Tile } from './tile.tsx'

const most = 200

/** What was done to the bench, newest first; a signal that is moved has one line, not one for each step. */
export function LogWidget({ title }: { title: string }) {
  const { t, clockTime, value, reason } = useWords()
  const { commands, signals, titleOf } = usePanel()
  const what = (command: Command): string => {
    if (command.what === 'call') return titleOf(command.target)
    const signal = signals.get(command.target)
    return `${signal?.title ?? command.target} → ${value(command.value, signal?.unit ?? '1')}`
  }
  const shown = merged(commands).slice(-most).reverse()
  return (
    <Tile title={title} fill>
      <ScrollRegion name={title} className={styles.logFrame}>
        {shown.length === 0 ? (
          <p className="soft">{t('panel.log.empty')}</p>
        ) : (
          <ol className={styles.log}>
            {shown.map((command) => (
              <li key={`${command.at} ${command.what} ${command.target}`}>
                <time className={styles.at}>{clockTime(command.at)}</time>
                <span className={styles.by}>{command.by}</span>
                <span>
                  {what(command)}
                  {command.refused === undefined ? null : (
                    <span className={styles.refused}> {t('panel.log.refused', { why: reason(command.refused) })}</span>
                  )}
                </span>
              </li>
            ))}
          </ol>
        )}
      </ScrollRegion>
    </Tile>
  )
}

/** Of one signal set again and again by the same person the last one stands. */
function merged(commands: readonly Command[]): Command[] {
  const lines: Command[] = []
  for (const command of commands) {
    const before = lines.at(-1)
    const goesOn =
      before?.what === 'set' &&
      command.what === 'set' &&
      before.target === command.target &&
      before.by === command.by &&
      before.refused === undefined
    if (goesOn) lines.pop()
    lines.push(command)
  }
  return lines
}
