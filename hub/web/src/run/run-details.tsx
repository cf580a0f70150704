import type { Run } from '@fernlab/shared/contracts/api'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { type LabProtocol, parametersOf } from '../lab/parameters.ts'
import { RunMark } from '../states/state-mark.tsx'
import { count } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { InstrumentSettings } from './instrument-settings.tsx'
import styles from './run.module.css'
import type { LogEntry } from './run-history.ts'

/** The parameters of the run and the settings of its instruments. */
export function Configuration({ run, protocol }: { run: Run; protocol: LabProtocol | undefined }) {
  const words = useWords()
  const declared = protocol === undefined ? [] : parametersOf(protocol)
  const entries = Object.entries(run.parameters)
  return (
    <Fact title={words.t('runPage.configuration')}>
      {entries.length === 0 ? <p className="soft">{words.t('lab.noParameters')}</p> : null}
      <dl className={styles.pairs}>
        {entries.map(([name, value]) => {
          const parameter = declared.find((one) => one.name === name)
          return (
            <Pair key={name} name={words.text(parameter?.title) || name}>
              <span className="number">{words.value(value, parameter?.unit ?? '1', { precision: 8 })}</span>
            </Pair>
          )
        })}
      </dl>
      <InstrumentSettings run={run} />
    </Fact>
  )
}

/** What happened to the run, when. */
export function Log({ run, told }: { run: Run; told: readonly LogEntry[] }) {
  const words = useWords()
  const entries = told.length > 0 ? told : fromTimes(run)
  const lines =
    told.length > 0 && run.endedAt !== undefined && !told.some((one) => one.state === run.state)
      ? [...entries, ...fromTimes(run).slice(-1)]
      : entries
  return (
    <Fact title={words.t('runPage.log')}>
      <ol className={styles.log}>
        {lines.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a log only grows at its end
          <li key={index}>
            <time dateTime={entry.at} className="number" title={words.absolute(entry.at)}>
              {words.clockTime(entry.at)}
            </time>
            <RunMark state={entry.state} />
            <span className="soft">
              {[
                entry.attempt > 1 && entry.state === 'queued'
                  ? words.t('runPage.again_attempt', { n: entry.attempt })
                  : '',
                words.reason(entry.reason ?? ''),
              ]
                .filter(Boolean)
                .join(': ')}
            </span>
          </li>
        ))}
      </ol>
    </Fact>
  )
}

function fromTimes(run: Run): LogEntry[] {
  const { attempt } = run
  const entries: LogEntry[] = [{ attempt: 1, at: run.createdAt, state: 'queued' }]
  if (run.assignedAt !== undefined) entries.push({ attempt, at: run.assignedAt, state: 'assigned' })
  if (run.startedAt !== undefined) entries.push({ attempt, at: run.startedAt, state: 'running' })
  if (run.endedAt !== undefined) entries.push({ attempt, at: run.endedAt, state: run.state, reason: run.reason })
  return entries
}

/** Where the results come from: enough to find and to repeat them. */
export function Provenance({ run }: { run: Run }) {
  const words = useWords()
  const { t } = words
  return (
    <Fact title={t('runPage.provenance')}>
      <dl className={styles.pairs}>
        <Pair name={t('runPage.id')}>
          <code>{run.id}</code>
        </Pair>
        <Pair name={t('runPage.who')}>{run.person.name}</Pair>
        {run.recurring === undefined ? null : (
          <Pair name={t('runPage.recurring')}>
            <Link to="/recurring/$recurringId" params={{ recurringId: run.recurring }}>
              {run.note ?? run.recurring}
            </Link>
          </Pair>
        )}
        <Pair name={t('runPage.bench')}>{run.bench ?? '—'}</Pair>
        <Pair name={t('runPage.labVersion')}>
          <Link to="/labs/$labId" params={{ labId: run.lab }}>
            {run.lab}
          </Link>{' '}
          {run.labVersion}
        </Pair>
        <Pair name={t('runPage.protocol')}>{run.protocol}</Pair>
        <Pair name={t('runPage.digest')}>
          <code title={run.protocolDigest}>{run.protocolDigest.slice(0, 16)}</code>
        </Pair>
        <Pair name={t('runPage.restart')}>
          {run.restart === 'safe' ? t('runPage.restartSafe') : t('runPage.restartNever')}
        </Pair>
        <Pair name={t('runPage.created')}>{words.absolute(run.createdAt)}</Pair>
        {run.startedAt === undefined ? null : <Pair name={t('runPage.started')}>{words.absolute(run.startedAt)}</Pair>}
        {run.endedAt === undefined ? null : <Pair name={t('runPage.ended')}>{words.absolute(run.endedAt)}</Pair>}
        {Object.entries(run.rows).map(([stream, rows]) => (
          <Pair key={stream} name={`${t('runPage.rows')}, ${stream}`}>
            <span className="number">{count(rows, words.language)}</span>
          </Pair>
        ))}
        {run.note === undefined ? null : <Pair name={t('runPage.note')}>{run.note}</Pair>}
      </dl>
    </Fact>
  )
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.fact}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

function Pair({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={styles.pair}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
