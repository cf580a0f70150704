import { LabError } from '@fernlab/shared/primitives/lab-error'
import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { ConfirmDialog } from '../notices/confirm-dialog.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './service.module.css'
import { useSaid } from './use-said.ts'

interface Props {
  /** Of a bench no hold is ended without a reason. */
  readonly of: 'bench' | 'service'
  /** Undefined: nobody else has it. */
  readonly held: HeldByAnother | undefined
  /** Ends the hold that is held since then; rejects with why it was not ended, `hold-changed` where it is another by now. */
  readonly end: (reason: string, since: string | undefined) => Promise<void>
  readonly disabled?: boolean
}

/** As far as the person may know. */
export interface HeldByAnother {
  readonly person: string | undefined
  readonly since: string | undefined
  readonly reason: string | undefined
}

const MOST_CHARS = 200
const SHOWS_MS = 5000

/** Ends the hold of another: names whose it is, and asks why; and again where somebody else has it by then. */
export function EndHold({ of, held, end, disabled }: Props) {
  const { t } = useWords()
  const said = useSaid()
  /** Whose hold the dialog is about. */
  const [asked, setAsked] = useState<HeldByAnother>()
  const [reason, setReason] = useState('')
  const [isBad, setBad] = useState(false)
  const [isPending, setPending] = useState(false)
  const [refused, setRefused] = useState<unknown>()
  const [ended, setEnded] = useState<'no' | 'done' | 'seen'>('no')
  const result = useRef<HTMLParagraphElement>(null)
  const field = useRef<HTMLInputElement>(null)
  // Who has it shows a moment later; that somebody took it again, too.
  const isFree = held === undefined
  useEffect(() => {
    if (ended !== 'done') return
    const seen = () => setEnded('seen')
    if (isFree) return seen()
    const timer = setTimeout(seen, SHOWS_MS)
    return () => clearTimeout(timer)
  }, [ended, isFree])
  // What had the focus went with the hold.
  useEffect(() => {
    if (ended === 'seen') result.current?.focus()
  }, [ended])
  const latest = useRef(held)
  latest.current = held
  // While it is being ended, the answer says how it stands: one may let it go and another take it meanwhile.
  const isEnding = useRef(false)
  useEffect(() => {
    if (isFree && !isEnding.current) setAsked(undefined)
  }, [isFree])
  const ask = () => {
    setAsked(held)
    setReason('')
    setBad(false)
    setRefused(undefined)
    setEnded('no')
  }
  const confirm = async () => {
    const why = reason.trim()
    setBad(of === 'bench' && why === '')
    if (of === 'bench' && why === '') return field.current?.focus()
    setPending(true)
    isEnding.current = true
    try {
      await end(why, asked?.since)
      setAsked(undefined)
      setEnded('done')
    } catch (thrown) {
      setRefused(thrown)
      const now = heldNow(thrown, latest.current)
      if (now !== undefined) setAsked(now)
    } finally {
      isEnding.current = false
      setPending(false)
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!isPending) void confirm()
  }
  return (
    <>
      {isFree ? null : (
        <Button variant="default" loading={ended === 'done'} disabled={disabled ?? false} onClick={ask}>
          {t('hold.end')}
        </Button>
      )}
      {ended === 'seen' ? (
        <p role="status" tabIndex={-1} ref={result}>
          {t('hold.ended')}
        </p>
      ) : null}
      <ConfirmDialog
        opened={asked !== undefined}
        title={asked?.person === undefined ? t('hold.endTitle') : t('hold.endTitleOf', { person: asked.person })}
        confirm={t('hold.end')}
        pending={isPending}
        onConfirm={() => void confirm()}
        onClose={() => setAsked(undefined)}
      >
        {asked === undefined ? null : <HeldText {...asked} />}
        <p>{t(of === 'bench' ? 'hold.endBenchText' : 'hold.endServiceText')}</p>
        <form onSubmit={submit} noValidate>
          <TextInput
            ref={field}
            label={t('hold.why')}
            description={t('hold.whyHelp')}
            required={of === 'bench'}
            maxLength={MOST_CHARS}
            value={reason}
            error={isBad && reason.trim() === '' ? t('hold.whyBad') : undefined}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        </form>
        {refused === undefined ? null : (
          <p role="alert" className={styles.trouble}>
            {isChanged(refused) ? t('hold.changed') : t('hold.notEnded', { why: said(refused) })}
          </p>
        )}
      </ConfirmDialog>
    </>
  )
}

const isChanged = (error: unknown): error is LabError | ApiProblem =>
  (error instanceof LabError || error instanceof ApiProblem) && error.code === 'hold-changed'

/** Who has it by now, by the refusal; names that it does not tell are as the page knows them. */
function heldNow(error: unknown, known: HeldByAnother | undefined): HeldByAnother | undefined {
  if (!isChanged(error)) return undefined
  const { since, by, reason } = error.details
  if (typeof since !== 'string') return undefined
  if (known?.since === since) return known
  return { person: textOr(by), since, reason: textOr(reason) }
}

const textOr = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function HeldText({ person, since, reason }: HeldByAnother) {
  const { t, moment } = useWords()
  if (since === undefined) return null
  const time = moment(since)
  const who = person === undefined ? t('services.lockedBySomebody', { time }) : t('services.lockedBy', { person, time })
  return <p>{reason === undefined ? who : t('services.because', { who, reason })}</p>
}
