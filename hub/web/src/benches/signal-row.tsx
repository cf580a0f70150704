import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import { Button, NativeSelect, Switch, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import type { ApiProblem } from '../api/client.ts'
import { checkInput } from '../lab/parameters.ts'
import { quantityIn, unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './benches.module.css'

type Scalar = number | string | boolean

interface Props {
  readonly signal: SignalSpec
  readonly reading: { readonly value: Scalar; readonly unit: string; readonly time: string } | undefined
  readonly asked: Scalar | undefined
  readonly canSet: boolean
  /** What the hub or the node said against the last value. */
  readonly refused: ApiProblem | undefined
  readonly onSet: (value: Scalar) => void
}

/** One signal: what it is, what was asked for, its limits, and a field to set it. */
export function SignalRow({ signal, reading, asked, canSet, refused, onSet }: Props) {
  const { t, moment, value: words } = useWords()
  const say = (value: Scalar | undefined) => (value === undefined ? '—' : words(value, signal.unit))
  const { low, high } = signal.limits ?? {}
  const limits =
    low === undefined && high === undefined
      ? ''
      : `${low === undefined ? '' : quantityIn(t, low, signal.unit)} … ${high === undefined ? '' : quantityIn(t, high, signal.unit)}`
  return (
    <tr>
      <th scope="row">{signal.title ?? signal.name}</th>
      <td className={styles.value} title={reading === undefined ? undefined : moment(reading.time)}>
        {say(reading?.value)}
      </td>
      <td className={styles.value}>{say(asked)}</td>
      <td className={styles.limits}>{limits}</td>
      <td>
        {signal.access === 'read' ? (
          <span className="soft">{t('benches.readOnly')}</span>
        ) : signal.dtype === 'boolean' ? (
          <Switch
            aria-label={`${t('common.set')}: ${signal.title ?? signal.name}`}
            disabled={!canSet}
            checked={(asked ?? reading?.value) === true}
            onChange={(event) => onSet(event.currentTarget.checked)}
          />
        ) : (
          <Setter signal={signal} canSet={canSet} refused={refused} onSet={onSet} />
        )}
      </td>
    </tr>
  )
}

function Setter({ signal, canSet, refused, onSet }: Pick<Props, 'signal' | 'canSet' | 'refused' | 'onSet'>) {
  const { t, reason } = useWords()
  const [input, setInput] = useState(signal.values?.[0] ?? '')
  const [error, setError] = useState<string>()
  const send = (event: FormEvent) => {
    event.preventDefault()
    const { low, high } = signal.limits ?? {}
    const checked = checkInput(
      {
        name: signal.name,
        type: signal.dtype === 'string' ? 'string' : signal.dtype === 'integer' ? 'integer' : 'number',
        unit: signal.unit,
        ...(low === undefined ? {} : { minimum: low }),
        ...(high === undefined ? {} : { maximum: high }),
        ...(signal.values === undefined ? {} : { enum: signal.values }),
      },
      input,
      t,
    )
    if ('error' in checked) return setError(checked.error)
    setError(undefined)
    onSet(checked.value)
  }
  const label = `${t('common.set')}: ${signal.title ?? signal.name}`
  const wrong = error ?? (refused === undefined ? undefined : reason(refused.hint ?? refused.message))
  return (
    <form className={styles.setter} onSubmit={send} noValidate>
      {signal.values === undefined ? (
        <TextInput
          size="xs"
          aria-label={label}
          value={input}
          error={wrong}
          disabled={!canSet}
          inputMode={signal.dtype === 'string' ? 'text' : 'decimal'}
          rightSection={<span className={styles.unit}>{unitText(signal.unit)}</span>}
          rightSectionPointerEvents="none"
          onChange={(event) => setInput(event.currentTarget.value)}
        />
      ) : (
        <NativeSelect
          size="xs"
          aria-label={label}
          value={input}
          error={wrong}
          disabled={!canSet}
          data={[...signal.values]}
          onChange={(event) => setInput(event.currentTarget.value)}
        />
      )}
      <Button type="submit" size="xs" variant="default" disabled={!canSet}>
        {t('common.set')}
      </Button>
    </form>
  )
}
