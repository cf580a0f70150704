import type { PanelWidget } from '@fernlab/shared/contracts/panel'
import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { checkInput } from '../lab/parameters.ts'
import { marked, quantityIn, unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import { useLatest, useSignal } from './panel-context.tsx'
import { type Steady, steadyAt, steadyOn, steadyText } from './steady.ts'
import { Notes, Tile, useTileIds } from './tile.tsx'
import { useControl } from './use-control.ts'

interface Props {
  readonly widget: PanelWidget & { kind: 'number' }
  readonly title: string
}

/** A field where the signal can be set, and the number that it reads where it can not. */
export function NumberWidget(props: Props) {
  const signal = useSignal(props.widget.signal)
  return signal.access === 'read' ? <Readout {...props} /> : <Field {...props} />
}

function Readout({ widget, title }: Props) {
  const { t } = useWords()
  const signal = useSignal(widget.signal)
  const value = useLatest(widget.signal)
  const at = typeof value === 'number' ? value : undefined
  const { low, high } = widget.limits ?? {}
  const steady: Steady =
    low !== undefined && high !== undefined
      ? steadyOn({ low, high }, signal.unit)
      : steadyAt(at ?? 0, signal.unit, signal.dtype)
  return (
    <Tile title={title}>
      <p className={styles.readout}>
        <b style={{ minWidth: `${steady.width}ch` }}>{at === undefined ? '–' : marked(steadyText(at, steady), t)}</b>
        <span>{steady.unit}</span>
      </p>
    </Tile>
  )
}

function Field({ widget, title }: Props) {
  const { t } = useWords()
  const signal = useSignal(widget.signal)
  const control = useControl(widget.signal)
  const { titleId, notesId } = useTileIds()
  const [input, setInput] = useState<string>()
  const [wrong, setWrong] = useState<string>()
  const { low, high } = { ...signal.limits, ...widget.limits }
  const { step } = widget
  const unit = unitText(signal.unit)
  const send = (event: FormEvent) => {
    event.preventDefault()
    const checked = checkInput(
      {
        name: widget.signal,
        type: signal.dtype === 'integer' ? 'integer' : 'number',
        unit: signal.unit,
        ...(low === undefined ? {} : { minimum: low }),
        ...(high === undefined ? {} : { maximum: high }),
        ...(step === undefined ? {} : { multipleOf: step }),
      },
      input ?? '',
      t,
    )
    if ('error' in checked) return setWrong(checked.error)
    setWrong(undefined)
    control.ask(checked.value)
  }
  const say = (value: unknown) => quantityIn(t, Number(value), signal.unit)
  const placed = control.shown === undefined ? '' : String(Number(Number(control.shown).toPrecision(6)))
  return (
    <Tile title={title} titleId={titleId}>
      <form className={styles.field} onSubmit={send} noValidate>
        <TextInput
          aria-labelledby={titleId}
          aria-describedby={notesId}
          error={wrong !== undefined || control.refused !== undefined}
          className={styles.input ?? ''}
          classNames={{ input: styles.digits ?? '' }}
          size="md"
          inputMode="decimal"
          autoComplete="off"
          spellCheck={false}
          disabled={!control.ready}
          value={input ?? placed}
          rightSection={unit === '' ? undefined : <span className={styles.unit}>{unit}</span>}
          rightSectionWidth={unit === '' ? undefined : 20 + unit.length * 9}
          rightSectionPointerEvents="none"
          onChange={(event) => {
            setInput(event.currentTarget.value)
            setWrong(undefined)
          }}
        />
        <Button type="submit" size="md" variant="default" disabled={!control.ready} loading={control.isPending}>
          {t('common.set')}
        </Button>
      </form>
      <Notes id={notesId} control={control} readable={signal.access !== 'set'} say={say} wrong={wrong} />
    </Tile>
  )
}
