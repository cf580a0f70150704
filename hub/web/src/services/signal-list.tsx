import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { Button, Switch } from '@mantine/core'
import { type FormEvent, useRef, useState } from 'react'
import { ParameterField } from '../lab/parameter-field.tsx'
import { checkInput, initialInput, type Parameter } from '../lab/parameters.ts'
import { useAsked, useLatest } from '../panel/panel-context.tsx'
import { steadyAt, steadyText } from '../panel/steady.ts'
import { marked, quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { parameterOfSignal } from './argument-input.ts'
import { sizedBy } from './keeps-prefix.ts'
import styles from './service.module.css'
import type { ServiceLink } from './service-link.ts'
import { useSaid } from './use-said.ts'

type Signal = DirectoryService['contract']['signals'][string]

interface Props {
  readonly signals: Readonly<Record<string, Signal>>
  readonly link: ServiceLink | undefined
  readonly canUse: boolean
  /** What was read is from before. */
  readonly isOld: boolean
}

/** Each signal with what it is now, and a field to set it. */
export function SignalList({ signals, link, canUse, isOld }: Props) {
  const { t } = useWords()
  const all = Object.entries(signals)
  if (all.length === 0) return null
  return (
    <section aria-label={t('service.values')}>
      <h2>{t('service.values')}</h2>
      <ul className={styles.list}>
        {all.map(([name, signal]) => (
          <SignalLine key={name} name={name} signal={signal} link={link} canUse={canUse} isOld={isOld} />
        ))}
      </ul>
    </section>
  )
}

interface LineProps extends Pick<Props, 'link' | 'canUse' | 'isOld'> {
  readonly name: string
  readonly signal: Signal
}

function SignalLine({ name, signal, link, canUse, isOld }: LineProps) {
  const { t, value: words } = useWords()
  const asked = useAsked(name)
  const parameter = signal.access === 'read' ? undefined : parameterOfSignal(name, signal)
  const title = signal.title ?? name
  return (
    <li className={styles.signal} aria-label={title}>
      <div className={styles.now}>
        <span className={styles.title}>{title}</span>
        {signal.access === 'set' ? null : <Now name={name} signal={signal} isOld={isOld} />}
        {parameter === undefined || signal.access === 'set' ? null : <Beyond parameter={parameter} />}
        {asked === undefined || parameter === undefined || !canUse ? null : (
          <span className="soft">{t('service.askedFor', { value: words(asked, signal.unit) })}</span>
        )}
      </div>
      {parameter === undefined ? null : signal.dtype === 'boolean' ? (
        <SwitchSignal name={name} title={title} link={link} canUse={canUse} />
      ) : (
        <SetSignal parameter={parameter} title={title} link={link} canUse={canUse} />
      )}
    </li>
  )
}

/** Its digits stand still; nobody is read a number four times a second. */
function Now({ name, signal, isOld }: Pick<LineProps, 'name' | 'signal' | 'isOld'>) {
  const { t } = useWords()
  const value = useLatest(name)
  const size = useRef(0)
  if (value === undefined) return <b className={styles.value}>–</b>
  if (typeof value === 'number') size.current = sizedBy(value, size.current)
  const steady = steadyAt(size.current, signal.unit, signal.dtype)
  return (
    <>
      <b className={isOld ? `${styles.value} ${styles.old}` : styles.value}>
        {typeof value === 'number' ? (
          <>
            {marked(steadyText(value, steady), t)} <span className={styles.unit}>{steady.unit}</span>
          </>
        ) : typeof value === 'boolean' ? (
          t(value ? 'common.on' : 'common.off')
        ) : (
          value
        )}
      </b>
      {isOld ? <span className="soft">{t('service.asLastRead')}</span> : null}
    </>
  )
}

/** Limits are of what is set: what stood so before, as when it was switched on, may lie outside them. */
function Beyond({
  parameter: { name, minimum = -Infinity, maximum = Infinity, unit = '1' },
}: {
  parameter: Parameter
}) {
  const { t } = useWords()
  const value = useLatest(name)
  if (typeof value !== 'number' || (value >= minimum && value <= maximum)) return null
  const limit = quantityIn(t, value > maximum ? maximum : minimum, unit)
  return <span className="soft">{t(value > maximum ? 'service.above' : 'service.below', { limit })}</span>
}

interface SetProps extends Pick<Props, 'link' | 'canUse'> {
  readonly title: string
}

function SetSignal({ parameter, title, link, canUse }: SetProps & { parameter: Parameter }) {
  const { t } = useWords()
  const said = useSaid()
  const latest = useLatest(parameter.name)
  const asked = useAsked(parameter.name)
  const standing = [latest, asked].find((value) => typeof value === 'number')
  const [input, setInput] = useState(() => initialInput(parameter))
  const [isTold, setTold] = useState(false)
  const [isPending, setPending] = useState(false)
  const [refused, setRefused] = useState<unknown>()
  const checked = checkInput(parameter, input, t)
  const send = async (event: FormEvent) => {
    event.preventDefault()
    setTold(true)
    if ('error' in checked || link === undefined) return
    setPending(true)
    const { error } = await link.set(parameter.name, checked.value)
    setRefused(error)
    setPending(false)
  }
  return (
    <form className={styles.set} onSubmit={(event) => void send(event)} noValidate>
      <fieldset disabled={!canUse} className={styles.field} aria-label={t('service.set', { name: title })}>
        <ParameterField
          parameter={{ ...parameter, title: t('service.newValue') }}
          input={input}
          checked={isTold || 'value' in checked ? checked : { error: '' }}
          refused={refused === undefined ? undefined : said(refused)}
          standing={standing}
          disabled={!canUse}
          onChange={(next) => {
            setInput(next)
            setRefused(undefined)
          }}
        />
      </fieldset>
      <Button
        type="submit"
        variant="default"
        disabled={!canUse}
        loading={isPending}
        aria-label={t('service.set', { name: title })}
      >
        {t('common.set')}
      </Button>
    </form>
  )
}

function SwitchSignal({ name, title, link, canUse }: SetProps & { name: string }) {
  const { t } = useWords()
  const said = useSaid()
  const is = useLatest(name)
  const asked = useAsked(name)
  const [pending, setPending] = useState<boolean>()
  const [refused, setRefused] = useState<unknown>()
  const turn = async (on: boolean) => {
    setPending(on)
    const outcome = await link?.set(name, on)
    setRefused(outcome?.error)
    setPending(undefined)
  }
  return (
    <Switch
      label={t('service.set', { name: title })}
      checked={pending ?? (is ?? asked) === true}
      disabled={!canUse}
      error={refused === undefined ? undefined : said(refused)}
      onChange={(event) => void turn(event.currentTarget.checked)}
    />
  )
}
