import type { Me } from '@fernlab/shared/contracts/api'
import { Button, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, memo, useEffect, useRef, useState } from 'react'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'
import type { LiveSession } from './use-session.ts'

/** What the people of a session say to each other. */
export function Chat({ live, me }: { live: LiveSession; me: Me | undefined }) {
  const { t } = useWords()
  const [text, setText] = useState('')
  const end = useRef<HTMLOListElement>(null)
  const say = useMutation({
    mutationFn: (line: string) => live.call('chat', { text: line }),
    onSuccess: () => setText(''),
  })
  const send = (event: FormEvent) => {
    event.preventDefault()
    const line = text.trim()
    if (line !== '' && live.connected && !say.isPending) say.mutate(line)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what scrolls
  useEffect(() => {
    end.current?.scrollTo({ top: end.current.scrollHeight })
  }, [live.chat.length])
  return (
    <section className={styles.chat} aria-label={t('session.chat')}>
      <h2>{t('session.chat')}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without focus its rest is out of a keyboard's reach */}
      <ol ref={end} className={styles.lines} aria-live="polite" aria-label={t('session.chat')} tabIndex={0}>
        {live.chat.map(({ id, at, from, text: line }) => (
          <Line key={id} at={at} from={from.id === me?.id ? undefined : from.name} text={line} />
        ))}
      </ol>
      <form className={styles.say} onSubmit={send}>
        <TextInput
          aria-label={t('session.line')}
          placeholder={t('session.line')}
          value={text}
          maxLength={500}
          autoComplete="off"
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!live.connected} loading={say.isPending}>
          {t('session.say')}
        </Button>
      </form>
      {say.error === null ? null : <ProblemNotice error={say.error} />}
    </section>
  )
}

/** What was said, by oneself where there is no name; it stays as it is while others come. */
const Line = memo(function Line({ at, from, text }: { at: string; from: string | undefined; text: string }) {
  const { t, clockTime } = useWords()
  return (
    <li>
      <time>{clockTime(at)}</time> <b>{from === undefined ? t('session.you') : <bdi>{from}</bdi>}</b> <bdi>{text}</bdi>
    </li>
  )
})
