import { memo } from 'react'
import { ScrollRegion } from '../notices/scroll-region.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { type Command, usePanel } from './panel-context.tsx'
import { Tile } from './tile.tsx'

const most = 200

/** What was done to the bench, newest first; a signal that is moved has one line, not one for each step. */
export function LogWidget({ title }: { title: string }) {
  const { t, value, reason } = useWords()
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
              <Line
                key={`${command.at} ${command.what} ${command.target}`}
                at={command.at}
                by={command.by}
                what={what(command)}
                refused={
                  command.refused === undefined ? undefined : t('panel.log.refused', { why: reason(command.refused) })
                }
              />
            ))}
          </ol>
        )}
      </ScrollRegion>
    </Tile>
  )
}

interface LineProps {
  readonly at: string
  readonly by: string
  readonly what: string
  readonly refused: string | undefined
}

/** It stays as it is while others come: there may be hundreds. */
const Line = memo(function Line({ at, by, what, refused }: LineProps) {
  const { clockTime } = useWords()
  return (
    <li>
      <time className={styles.at}>{clockTime(at)}</time>
      <span className={styles.by}>{by}</span>
      <span>
        {what}
        {refused === undefined ? null : <span className={styles.refused}> {refused}</span>}
      </span>
    </li>
  )
})

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
