import type { Run } from '@fernlab/shared/contracts/api'
import { Button, Menu } from '@mantine/core'
import { IconDownload, IconPlayerStop, IconRepeat } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { queryString } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { RepeatButton } from '../recurring/repeat-button.tsx'
import { isSession } from '../session/session-run.ts'
import { isFinal } from '../states/run-states.ts'
import { useWords } from '../words/use-words.ts'
import styles from './run.module.css'
import type { AttemptStreams } from './run-history.ts'

/** Most who look at a run do not stop it. */
const CancelDialog = lazy(() => import('./cancel-dialog.tsx'))

const tables = ['csv', 'json', 'parquet', 'h5'] as const

/** What was run, and what can be done with it. */
export function RunHead({ run, attempts }: { run: Run; attempts: readonly AttemptStreams[] }) {
  const words = useWords()
  const { t } = words
  return (
    <header className={styles.head}>
      <div className={styles.title}>
        <h1>{words.text(run.protocolTitle) || run.protocol}</h1>
        <p>
          <Link to="/labs/$labId" params={{ labId: run.lab }}>
            {words.text(run.labTitle) || run.lab}
          </Link>
        </p>
      </div>
      <div className={styles.actions}>
        {isFinal(run.state) ? null : <CancelButton run={run} />}
        {attempts.length === 0 || run.dataRemovedAt !== undefined ? null : <Downloads run={run} attempts={attempts} />}
        {isSession(run) ? (
          <LinkButton to="/sessions/$sessionId" params={{ sessionId: run.id }} variant="default">
            {t('runPage.session')}
          </LinkButton>
        ) : (
          <>
            <RepeatButton
              repeated={{
                run: {
                  lab: run.lab,
                  protocol: run.protocol,
                  parameters: run.parameters,
                  ...(run.wantedBench === undefined ? {} : { bench: run.wantedBench }),
                },
              }}
              title={words.text(run.protocolTitle) || run.protocol}
            />
            <LinkButton
              to="/labs/$labId"
              params={{ labId: run.lab }}
              search={{ protocol: run.protocol, from: run.id }}
              hash="run-form"
              variant={isFinal(run.state) ? 'filled' : 'default'}
              leftSection={<IconRepeat size={16} aria-hidden="true" />}
            >
              {t('runPage.again')}
            </LinkButton>
          </>
        )}
      </div>
    </header>
  )
}

/** What can be downloaded of the newest attempt, or of an earlier one where a run has several. */
function Downloads({ run, attempts }: { run: Run; attempts: readonly AttemptStreams[] }) {
  const { t } = useWords()
  const [wanted, setWanted] = useState<number>()
  const chosen = attempts.find(({ attempt }) => attempt === wanted) ?? attempts[0]
  if (chosen === undefined) return null
  const { attempt, streams } = chosen
  const base = `/api/v1/runs/${run.id}`
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden="true" />}>
          {t('runPage.download')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {attempts.length < 2 ? null : (
          <>
            <Menu.RadioGroup value={String(attempt)} onChange={(value) => setWanted(Number(value))}>
              {attempts.map((one) => (
                <Menu.RadioItem key={one.attempt} value={String(one.attempt)}>
                  {t('runPage.attempt', { n: one.attempt })}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
            <Menu.Divider />
          </>
        )}
        {streams.map((stream) => (
          <div key={stream}>
            {streams.length > 1 ? <Menu.Label>{`${t('runPage.stream')} ${stream}`}</Menu.Label> : null}
            {tables.map((format) => (
              <Menu.Item
                key={format}
                component="a"
                href={`${base}/data.${format}${queryString({ stream, attempt })}`}
                download
              >
                {t(`runPage.downloads.${format}`)}
              </Menu.Item>
            ))}
          </div>
        ))}
        <Menu.Divider />
        <Menu.Item component="a" href={`${base}/documents?attempt=${attempt}`} download={`${run.id}.jsonl`}>
          {t('runPage.downloads.documents')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}

function CancelButton({ run }: { run: Run }) {
  const { t } = useWords()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button
        variant="default"
        disabled={run.cancelRequested}
        leftSection={<IconPlayerStop size={16} aria-hidden="true" />}
        onClick={() => setAsking(true)}
      >
        {run.cancelRequested
          ? t('runPage.cancelling')
          : run.state === 'queued'
            ? t('runPage.cancelQueued')
            : t('runPage.cancel')}
      </Button>
      <Suspense>{asking ? <CancelDialog run={run} onClosed={() => setAsking(false)} /> : null}</Suspense>
    </>
  )
}
