import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { Button, TextInput } from '@mantine/core'
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { useWords } from '../words/use-words.ts'
import { followLog, type ReadLog, unreadLog } from './follow-log.ts'
import styles from './service.module.css'
import type { ServiceLink } from './service-link.ts'
import { useUnread } from './use-said.ts'

interface Props {
  readonly service: Pick<DirectoryService, 'daemon'>
  readonly link: ServiceLink | undefined
}

/** What the daemon of the service has written, where the person may read it; read while it is open. */
export function ServiceLog({ service, link }: Props) {
  const { t } = useWords()
  const [isOpen, setOpen] = useState(false)
  const [isPaused, setPaused] = useState(false)
  const [part, setPart] = useState('')
  // A part of a bench has no daemon, and so no log.
  const log = useLog(service.daemon === undefined ? undefined : link, isOpen && !isPaused)
  if (log.isThere !== true) return null
  return (
    <details className={styles.log} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <h2>{t('service.log', { daemon: log.daemon })}</h2>
      </summary>
      <div className={styles.logTools}>
        <TextInput
          label={t('service.logFilter')}
          value={part}
          onChange={(event) => setPart(event.currentTarget.value)}
          className={styles.logFilter}
        />
        <Button variant="default" onClick={() => setPaused(!isPaused)}>
          {t(isPaused ? 'service.logGoOn' : 'service.logPause')}
        </Button>
        <span className="soft">{t('service.logZone', { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}</span>
      </div>
      <LogLines log={log} part={part.trim().toLowerCase()} isOpen={isOpen} />
    </details>
  )
}

function useLog(link: ServiceLink | undefined, isFollowed: boolean): ReadLog {
  const [log, setLog] = useState(unreadLog)
  const newest = useRef(unreadLog)
  useEffect(() => {
    if (link === undefined) return
    const over = new AbortController()
    void followLog({
      link,
      from: newest.current,
      isFollowed,
      isSeen: () => document.visibilityState === 'visible',
      told: (told) => {
        newest.current = told
        setLog(told)
      },
      clock: systemClock,
      signal: over.signal,
    })
    return () => over.abort()
  }, [link, isFollowed])
  return log
}

/** How near to its end a list is still at it, in pixels. */
const AT_END_PX = 24

function LogLines({ log, part, isOpen }: { log: ReadLog; part: string; isOpen: boolean }) {
  const { t, absolute, clockTime, date } = useWords()
  const unread = useUnread()
  const list = useRef<HTMLElement>(null)
  const isAtEnd = useRef(true)
  const lines = log.lines.filter(({ text }) => text.toLowerCase().includes(part))
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever is at the end stays there when lines come or go
  useLayoutEffect(() => {
    if (isAtEnd.current) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [log.lines, part, isOpen])
  const today = date(new Date().toISOString())
  return (
    <>
      {log.error === undefined ? null : (
        <p className={styles.trouble}>{t('service.unread', { why: unread(log.error) })}</p>
      )}
      {lines.length === 0 ? (
        <p className="soft">{t(log.lines.length === 0 ? 'service.logNone' : 'service.logNoFit')}</p>
      ) : null}
      {lines.length === 0 ? null : (
        <section
          ref={list}
          className={styles.logLines}
          aria-label={t('service.log', { daemon: log.daemon })}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: without focus its rest is out of a keyboard's reach
          tabIndex={0}
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            isAtEnd.current = scrollHeight - scrollTop - clientHeight < AT_END_PX
          }}
        >
          <ol className={styles.list}>
            {lines.map(({ number, time, from, text }) => (
              <li key={number} className={from === 'node' ? 'soft' : undefined}>
                <time className={styles.at} dateTime={time} title={absolute(time)}>
                  {date(time) === today ? clockTime(time) : `${date(time)} ${clockTime(time)}`}
                </time>
                <span>
                  {from === 'output' ? null : <span className={styles.logFrom}>{t(`service.logFrom.${from}`)}</span>}
                  {text}
                </span>
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  )
}
