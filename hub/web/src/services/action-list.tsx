import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import type { ValueSpec } from '@fernlab/shared/rpc/contract/value-spec'
import { Button, Textarea } from '@mantine/core'
import { type FormEvent, useRef, useState } from 'react'
import { ParameterField } from '../lab/parameter-field.tsx'
import { quantityIn } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { firstInput, parameterOf, type Read, readArgument, valueText } from './argument-input.ts'
import { actionWords } from './contract-words.ts'
import styles from './service.module.css'
import type { Call, ServiceLink } from './service-link.ts'
import { useSaid } from './use-said.ts'

type Action = DirectoryService['contract']['actions'][string]

interface Props {
  readonly actions: Readonly<Record<string, Action>>
  readonly link: ServiceLink | undefined
  readonly calls: readonly Call[]
  readonly canUse: boolean
}

/** Each action with a form made of its arguments, and what it answered last. */
export function ActionList({ actions, link, calls, canUse }: Props) {
  const { t } = useWords()
  const all = Object.entries(actions)
  if (all.length === 0) return null
  return (
    <section aria-label={t('service.actions')}>
      <h2>{t('service.actions')}</h2>
      <ul className={styles.list}>
        {all.map(([name, action]) => (
          <ActionForm
            key={name}
            name={name}
            action={action}
            link={link}
            last={calls.find(({ what, target }) => what === 'call' && target === name)}
            canUse={canUse}
          />
        ))}
      </ul>
    </section>
  )
}

interface FormProps extends Pick<Props, 'link' | 'canUse'> {
  readonly name: string
  readonly action: Action
  readonly last: Call | undefined
}

function ActionForm({ name, action, link, last, canUse }: FormProps) {
  const { t } = useWords()
  const specs = Object.entries(action.arguments) as [string, ValueSpec][]
  const [inputs, setInputs] = useState<Readonly<Record<string, string | boolean>>>({})
  const [isTold, setTold] = useState(false)
  const stop = useRef<AbortController>(undefined)
  const title = action.title ?? name
  const inputOf = (argument: string, spec: ValueSpec) => inputs[argument] ?? firstInput(spec)
  const read = specs.map(
    ([argument, spec]) => [argument, readArgument(argument, spec, inputOf(argument, spec), t)] as const,
  )
  const isUnderWay = last?.outcome === 'under-way'
  const isWrong = isTold && read.some(([, one]) => 'error' in one)
  const send = (event: FormEvent) => {
    event.preventDefault()
    setTold(true)
    const values = read.flatMap(([argument, one]) => ('value' in one ? [[argument, one.value] as const] : []))
    if (values.length < read.length || link === undefined) return
    stop.current = new AbortController()
    void link.call(name, Object.fromEntries(values), stop.current.signal)
  }
  return (
    <li className={styles.action} aria-label={title}>
      <form onSubmit={send} noValidate className={styles.actionForm}>
        <code>{actionWords(name, action)}</code>
        {action.description === undefined ? null : <p className="soft">{action.description}</p>}
        {specs.map(([argument, spec], index) => (
          <fieldset key={argument} disabled={!canUse} className={styles.field} aria-label={argument}>
            <ArgumentField
              name={argument}
              spec={spec}
              input={inputOf(argument, spec)}
              read={read[index]?.[1] ?? { error: '' }}
              isTold={isTold}
              canUse={canUse}
              onChange={(input) => setInputs((before) => ({ ...before, [argument]: input }))}
            />
          </fieldset>
        ))}
        <div className={styles.buttons}>
          <Button
            type="submit"
            variant="default"
            disabled={!canUse}
            loading={isUnderWay}
            aria-label={t('service.callIt', { name: title })}
          >
            {t('service.call')}
          </Button>
          {isUnderWay ? (
            <Button variant="subtle" onClick={() => stop.current?.abort()}>
              {t('service.stop')}
            </Button>
          ) : null}
        </div>
        <Outcome last={isWrong && !isUnderWay ? undefined : last} />
      </form>
    </li>
  )
}

interface FieldProps {
  readonly name: string
  readonly spec: ValueSpec
  readonly input: string | boolean
  readonly read: Read
  readonly isTold: boolean
  readonly canUse: boolean
  readonly onChange: (input: string | boolean) => void
}

function ArgumentField({ name, spec, input, read, isTold, canUse, onChange }: FieldProps) {
  const { t } = useWords()
  const parameter = parameterOf(name, spec)
  if (parameter !== undefined) {
    const checked =
      'error' in read ? (isTold ? read : { error: '' }) : { value: read.value as string | number | boolean }
    return (
      <ParameterField
        parameter={parameter}
        input={input}
        checked={checked}
        refused={undefined}
        disabled={!canUse}
        onChange={onChange}
      />
    )
  }
  if (spec.type === 'none') return null
  return (
    <Textarea
      label={name}
      description={t(spec.type === 'array' ? 'service.numbers' : 'service.optional')}
      value={String(input)}
      autosize
      maxRows={8}
      spellCheck={false}
      error={isTold && 'error' in read ? read.error : undefined}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

/** How the last call of it came out; said once it has. */
function Outcome({ last }: { last: Call | undefined }) {
  const { t } = useWords()
  const said = useSaid()
  if (last === undefined) return <div role="status" />
  const { outcome, error, result, items, ms = 0 } = last
  const time = quantityIn(t, Number((ms / 1000).toPrecision(2)), 's')
  const value = result === undefined || result === null ? '' : valueText(result)
  if (outcome === 'failed') {
    return (
      <p role="alert" className={styles.trouble}>
        {t('service.failed', { why: said(error) })}
      </p>
    )
  }
  return (
    <div role={outcome === 'done' ? 'status' : undefined} className={styles.result}>
      {items === undefined ? null : t('service.items', { count: items, value })}{' '}
      {outcome === 'under-way'
        ? t('service.working')
        : value === '' || items !== undefined
          ? t('service.answered', { time })
          : t('service.answeredWith', { time, value })}
    </div>
  )
}
