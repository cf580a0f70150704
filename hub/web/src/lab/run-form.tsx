import type { Scalar } from '@fernlab/shared/capabilities/signals'
import type { LabDetail, Run, SubmitRun } from '@fernlab/shared/contracts/api'
import { Button, Checkbox, NativeSelect } from '@mantine/core'
import { IconPlayerPlay, IconRestore } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, lazy, Suspense, useId, useMemo, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { idempotencyKey } from '../api/idempotency-key.ts'
import { meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { withTexts } from '../language/late-texts.ts'
import { IssueList } from '../notices/issue-list.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useUnsaved } from '../notices/unsaved.tsx'
import { mayQuery } from '../permissions/permission-queries.ts'
import { RepeatButton } from '../recurring/repeat-button.tsx'
import { useWords } from '../words/use-words.ts'
import { useEstimate } from './estimate-line.tsx'
import styles from './lab.module.css'
import { ParameterField } from './parameter-field.tsx'
import { checkInput, initialInput, type LabProtocol, parametersOf } from './parameters.ts'

/** Apart: a stranger needs none of it. */
const MayLine = lazy(() => withTexts(['account', 'permissions'], () => import('./may-line.tsx')))

interface Props {
  readonly lab: LabDetail
  readonly protocol: LabProtocol
  /** An earlier run that the form starts from. */
  readonly from: Run | undefined
  readonly onProtocol: (name: string) => void
}

/** Protocol, parameters, how long it will take, and the one button. */
export function RunForm({ lab, protocol, from, onProtocol }: Props) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery(meQuery(api))
  const isGuest = me.data?.role === 'guest'
  const may = useQuery({
    ...mayQuery(api, lab.id, protocol.name),
    enabled: me.data != null && !isGuest,
  }).data
  const refusedToRun = may !== undefined && !may.gives.mayQueue
  const whyNot = useId()
  const parameters = useMemo(() => parametersOf(protocol), [protocol])
  const start = (earlier: Run | undefined) =>
    Object.fromEntries(parameters.map((one) => [one.name, initialInput(one, earlier?.parameters[one.name])]))
  const [inputs, setInputs] = useState(() => start(from))
  const unsaved = useUnsaved(me.data == null ? start(from) : inputs)
  const [isSame, setSame] = useState(true)
  const [key, setKey] = useState(idempotencyKey)
  const checked = Object.fromEntries(
    parameters.map((one) => [one.name, checkInput(one, inputs[one.name] ?? initialInput(one), t)]),
  )
  const served = lab.benches.length > 0
  const sameBench = lab.benches.find(({ id }) => id === from?.wantedBench)
  const onBench = sameBench === undefined || !isSame ? {} : { bench: sameBench.id }
  const wrong = Object.values(checked).filter((one) => 'error' in one).length
  const values =
    wrong > 0
      ? undefined
      : (Object.fromEntries(
          Object.entries(checked).map(([name, one]) => [name, 'value' in one ? one.value : '']),
        ) as Record<string, Scalar>)
  const estimate = useEstimate(lab, protocol, values)
  const submit = useMutation({
    mutationFn: (parametersNow: Record<string, Scalar>) => {
      const body: SubmitRun = { lab: lab.id, protocol: protocol.name, parameters: parametersNow, ...onBench }
      return api.send<Run>('POST', '/api/v1/runs', body, { 'idempotency-key': key })
    },
    onSuccess: (run) => {
      client.setQueryData(['runs', 'one', run.id], run)
      void client.invalidateQueries({ queryKey: ['runs', 'active'] })
      void client.invalidateQueries({ queryKey: ['runs', 'list'] })
      void client.invalidateQueries({ queryKey: ['may'] })
      unsaved.kept()
      void navigate({ to: '/runs/$runId', params: { runId: run.id } })
    },
  })
  const refused = submit.error instanceof ApiProblem ? submit.error.issues : []
  // What concerns one value stands at its field.
  const others = refused.filter(({ path }) => !parameters.some(({ name }) => path === `parameters.${name}`))
  const issueOf = (name: string) => refused.find((issue) => issue.path === `parameters.${name}`)?.message
  const change = (inputs: Readonly<Record<string, string | boolean>>) => {
    setInputs((before) => ({ ...before, ...inputs }))
    // A changed request is another request: the hub would refuse the old key with a new body.
    setKey(idempotencyKey())
    if (submit.error !== null) submit.reset()
  }
  const send = (event: FormEvent) => {
    event.preventDefault()
    if (!served || isGuest || refusedToRun) return
    if (values !== undefined) submit.mutate(values)
    else (event.currentTarget.querySelector('[aria-invalid="true"]') as HTMLElement | null)?.focus()
  }
  return (
    <form className={styles.form} onSubmit={send} noValidate aria-label={words.text(protocol.title)}>
      {lab.protocols.length > 1 ? (
        <NativeSelect
          label={t('lab.protocol')}
          value={protocol.name}
          data={lab.protocols.map((one) => ({ value: one.name, label: words.text(one.title) }))}
          onChange={(event) => onProtocol(event.currentTarget.value)}
        />
      ) : (
        <h2>{words.text(protocol.title)}</h2>
      )}
      {protocol.summary === undefined ? null : <p className="soft">{words.text(protocol.summary)}</p>}
      {from === undefined ? null : (
        <p className={styles.prefilled}>
          {t(from.person.id === me.data?.id ? 'lab.prefilled' : 'lab.prefilledOther', {
            time: words.moment(from.createdAt),
            name: from.person.name,
          })}
        </p>
      )}
      {parameters.length === 0 ? <p className="soft">{t('lab.noParameters')}</p> : null}
      {parameters.map((parameter) => (
        <ParameterField
          key={parameter.name}
          parameter={parameter}
          input={inputs[parameter.name] ?? initialInput(parameter)}
          checked={checked[parameter.name] ?? { error: t('field.required') }}
          refused={issueOf(parameter.name)}
          onChange={(input) => change({ [parameter.name]: input })}
        />
      ))}
      {sameBench === undefined ? null : (
        <Checkbox
          label={t('lab.sameBench', { bench: sameBench.title ?? sameBench.id })}
          checked={isSame}
          onChange={(event) => {
            setSame(event.currentTarget.checked)
            setKey(idempotencyKey())
          }}
        />
      )}
      <div className={styles.submit}>
        <p className={styles.estimate} aria-live="polite">
          {wrong > 0 ? t('lab.invalid', { count: wrong }) : estimate}
        </p>
        {served && wrong > 0 ? null : <p className={styles.starts}>{startText(lab, words)}</p>}
        {served ? null : <WhyNot lab={lab} />}
        {!served ? null : me.data === null ? (
          <LinkButton to="/sign-in" search={{ next: `/labs/${lab.id}` }} size="md" fullWidth>
            {t('lab.signInToRun')}
          </LinkButton>
        ) : (
          <Button
            type="submit"
            size="md"
            fullWidth
            loading={submit.isPending}
            disabled={isGuest || refusedToRun}
            {...(isGuest || refusedToRun ? { 'aria-describedby': whyNot } : {})}
            leftSection={<IconPlayerPlay size={18} aria-hidden="true" />}
          >
            {t('lab.run')}
          </Button>
        )}
        {values === undefined || me.data == null || isGuest || refusedToRun ? null : (
          <RepeatButton
            repeated={{ run: { lab: lab.id, protocol: protocol.name, parameters: values, ...onBench } }}
            title={words.text(protocol.title)}
            fullWidth
          />
        )}
        {isGuest && served ? (
          <p id={whyNot} className="soft">
            {t('lab.guest')}
          </p>
        ) : null}
        {may === undefined ? null : (
          <Suspense>
            <MayLine may={may} id={whyNot} />
          </Suspense>
        )}
        {submit.error === null ? null : <ProblemNotice error={submit.error} />}
        <IssueList issues={others} />
        {parameters.length === 0 ? null : (
          <Button
            variant="subtle"
            size="xs"
            leftSection={<IconRestore size={14} aria-hidden="true" />}
            onClick={() => change(start(undefined))}
          >
            {t('lab.reset')}
          </Button>
        )}
      </div>
    </form>
  )
}

/** For staff: what keeps each bench from the lab. */
function WhyNot({ lab }: { lab: LabDetail }) {
  if (lab.notServedBy === undefined || lab.notServedBy.length === 0) return null
  return (
    <ul className="soft">
      {lab.notServedBy.map(({ bench, reason }) => (
        <li key={bench}>{reason}</li>
      ))}
    </ul>
  )
}

function startText(lab: LabDetail, { t, about }: ReturnType<typeof useWords>): string {
  if (lab.benches.length === 0) return t('catalogue.noBench')
  if (lab.estimatedWaitS === null) return t('lab.cannotStart')
  return lab.estimatedWaitS < 1 ? t('lab.startsNow') : t('lab.startsIn', { time: about(lab.estimatedWaitS) })
}
