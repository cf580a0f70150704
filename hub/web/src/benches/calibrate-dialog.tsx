import type { Bench } from '@fernlab/shared/contracts/api'
import type { CalibrationRecord, SignalCalibrations } from '@fernlab/shared/contracts/calibrations'
import { lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { Button, Checkbox, Modal, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useMemo, useRef, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { calibrationsQuery, meQuery } from '../api/queries.ts'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Refusal } from '../notices/refusal.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { unitText } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import type { CalibratedSignal } from './bench-signals.ts'
import styles from './calibrate.module.css'
import { type Bad, badFields, blank, bodyOf, DEGREES, understood, type Values } from './calibration-form.ts'
import { withRaw } from './calibration-points.ts'
import { CalibrationPreview } from './calibration-preview.tsx'
import { calibrationReasonIn, curveWords } from './calibration-words.ts'
import { RawReading } from './raw-reading.tsx'

interface Props {
  readonly bench: Pick<Bench, 'id' | 'node'>
  readonly signals: readonly CalibratedSignal[]
  /** Which is chosen at first. */
  readonly first: CalibratedSignal
  readonly onClose: () => void
  readonly onDone: (signal: string) => void
}

/** Calibrates a signal by points: which curve goes through them, how well, until when it is good. */
export default function CalibrateDialog({ bench, signals, first, onClose, onDone }: Props) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const [key, setKey] = useState(first.key)
  const [values, setValues] = useState(blank)
  const [sent, setSent] = useState(false)
  const pointsField = useRef<HTMLTextAreaElement>(null)
  const [taken, setTaken] = useState(0)
  const unsaved = useUnsaved(values, onClose)
  const me = useQuery(meQuery(api)).data
  const inForce = useInForce(bench.node, key)
  const signal = signals.find((one) => one.key === key) ?? first
  const { unit } = signal.spec
  const understanding = useMemo(() => understood(values), [values])
  const { typed, fit } = understanding
  const bad = badFields(values, understanding, unit, Date.now(), t)
  // While somebody types, what is not complete yet is not wrong yet; that no curve is possible is worth knowing at once.
  const shown: Bad = sent ? bad : typed.bad === undefined && bad.form !== undefined ? { form: bad.form } : {}
  const save = useMutation({
    mutationFn: (body: object) =>
      api.send<SignalCalibrations>('POST', `/api/v1/nodes/${bench.node}/calibrations`, { signal: key, ...body }),
    onSuccess: async () => {
      unsaved.kept()
      await client.invalidateQueries(calibrationsQuery(api, bench.node))
      void client.invalidateQueries({ queryKey: ['benches'] })
      onDone(key)
    },
  })
  useEffect(() => {
    const field = pointsField.current
    if (taken === 0 || field === null) return
    field.focus()
    field.setSelectionRange(field.value.length, field.value.length)
  }, [taken])
  const put = (change: Partial<Values>) => {
    setValues((before) => ({ ...before, ...change }))
    save.reset()
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (Object.keys(bad).length > 0 || fit === undefined || 'refused' in fit) {
      if (bad.points !== undefined) pointsField.current?.focus()
      return
    }
    save.mutate(bodyOf(values, fit, unit, t))
  }
  const refused = refusals(save.error)
  const said = (field: keyof typeof refused) => {
    const text = refused[field]
    if (text === undefined) return undefined
    const known = calibrationReasonIn(text, t)
    return known === text ? <Refusal text={text} /> : known
  }
  const toPoint = unitText(unit)
  return (
    <Modal
      opened
      onClose={unsaved.leave}
      size="xl"
      title={t('calibrate.title')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className={dialog.content} onSubmit={send} noValidate>
        <p>{t('calibrate.text')}</p>
        <NativeSelect
          label={t('calibrate.signal')}
          description={
            inForce === undefined || inForce.curve === null
              ? t('calibrate.nowNone')
              : t('calibrate.now', { curve: curveWords(inForce.curve, t), name: inForce.by })
          }
          value={key}
          data={signals.map((one) => ({ value: one.key, label: labelOf(one) }))}
          onChange={(event) => {
            setKey(event.currentTarget.value)
            save.reset()
          }}
        />
        <Textarea
          ref={pointsField}
          label={toPoint === '' ? t('calibrate.pointsPlain') : t('calibrate.points', { unit: toPoint })}
          description={t('calibrate.pointsHelp')}
          classNames={{ input: styles.typed ?? '' }}
          data-autofocus
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
          value={values.text}
          error={shown.points ?? said('points')}
          onChange={(event) => put({ text: event.currentTarget.value })}
        />
        <RawReading
          key={key}
          bench={bench}
          signal={signal}
          onTaken={(raw) => {
            setValues((before) => ({ ...before, text: withRaw(before.text, raw) }))
            setTaken((times) => times + 1)
          }}
        />
        <div className={styles.pair}>
          <NativeSelect
            label={t('calibrate.form')}
            value={values.form}
            error={shown.form ?? said('form')}
            data={[
              { value: 'linear', label: t('calibrate.formLinear') },
              { value: 'polynomial', label: t('calibrate.formPolynomial') },
              { value: 'table', label: t('calibrate.formTable') },
            ]}
            onChange={(event) => put({ form: event.currentTarget.value as Values['form'] })}
          />
          {values.form === 'polynomial' ? (
            <NativeSelect
              label={t('calibrate.degree')}
              value={values.degree}
              data={[...DEGREES]}
              onChange={(event) => put({ degree: event.currentTarget.value })}
            />
          ) : null}
        </div>
        {values.form === 'table' ? (
          <Checkbox
            label={t('calibrate.extrapolate')}
            checked={values.extrapolate}
            onChange={(event) => put({ extrapolate: event.currentTarget.checked })}
          />
        ) : null}
        {fit === undefined || 'refused' in fit ? null : (
          <CalibrationPreview points={typed.points} fitted={fit} unit={unit} />
        )}
        <div className={styles.pair}>
          <TextInput
            type="date"
            label={t('calibrate.validUntil')}
            description={t('calibrate.validUntilHelp')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            value={values.validUntil}
            error={shown.validUntil ?? said('validUntil')}
            onChange={(event) => put({ validUntil: event.currentTarget.value })}
          />
          <TextInput
            label={t('calibrate.uncertainty')}
            description={t('calibrate.uncertaintyHelp')}
            inputWrapperOrder={['label', 'input', 'description', 'error']}
            inputMode="decimal"
            rightSection={<span className="soft">{toPoint}</span>}
            rightSectionPointerEvents="none"
            value={values.uncertainty}
            error={shown.uncertainty ?? said('uncertainty')}
            onChange={(event) => put({ uncertainty: event.currentTarget.value })}
          />
        </div>
        <TextInput
          label={t('calibrate.note')}
          description={t('calibrate.noteHelp')}
          maxLength={500}
          value={values.note}
          error={said('note')}
          onChange={(event) => put({ note: event.currentTarget.value })}
        />
        {me == null ? null : <p className="soft">{t('calibrate.who', { name: me.name })}</p>}
        {save.error === null || Object.keys(refused).length > 0 ? null : (
          <ProblemNotice error={save.error} say={(message) => calibrationReasonIn(message, t)} />
        )}
        <div className={dialog.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {t('calibrate.save')}
          </Button>
        </div>
      </form>
      {unsaved.question}
    </Modal>
  )
}

function useInForce(node: string, key: string): CalibrationRecord | undefined {
  const { data } = useQuery(calibrationsQuery(useApi(), node))
  return lastGood(data?.items.find(({ signal }) => signal === key)?.history ?? [])
}

function labelOf({ key, spec }: CalibratedSignal): string {
  return spec.title === undefined ? key : `${spec.title} (${key})`
}

type Refused = Partial<Record<'points' | 'form' | 'validUntil' | 'uncertainty' | 'note', string>>

/** What hub and node say against fields, by field; empty where they say something else. */
function refusals(error: unknown): Refused {
  if (!(error instanceof ApiProblem)) return {}
  if (error.code === 'calibration-unfit') return { form: error.message }
  const found: Refused = {}
  for (const { path, message } of error.issues) {
    if (path.startsWith('curve.points')) found.points ??= message
    else if (path.startsWith('curve')) found.form ??= message
    else if (path === 'validUntil' || path === 'uncertainty' || path === 'note') found[path] ??= message
  }
  return found
}
