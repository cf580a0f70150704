import type { Bench } from '@fernlab/shared/contracts/api'
import type { ShownCheck } from '@fernlab/shared/contracts/bench-checks'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { IconCircleCheck, IconCircleDashed, IconCircleX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { benchHistoryQuery, meQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { Mark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './health.module.css'
import { History } from './history.tsx'

/** Whether the bench is sound, how much of the time it was up, and what became of it. */
export function Health({ bench }: { bench: Bench }) {
  const { t } = useWords()
  const api = useApi()
  const client = useQueryClient()
  const role = useQuery(meQuery(api)).data?.role
  const maintains = isStaff(role) || role === 'builder'
  const history = useQuery(benchHistoryQuery(api, bench.id))
  const checks = bench.checks ?? []
  const check = useMutation({
    mutationFn: () => api.send('POST', `/api/v1/benches/${bench.id}/checks`),
    onSettled: () => client.invalidateQueries({ queryKey: ['benches'] }),
  })
  return (
    <section className={styles.health} aria-labelledby="health">
      <div className={styles.head}>
        <h2 id="health">{t('benches.health')}</h2>
        {maintains && checks.length > 0 ? (
          <Button variant="default" size="xs" loading={check.isPending} onClick={() => check.mutate()}>
            {t('benches.checkNow')}
          </Button>
        ) : null}
      </div>
      {check.error === null ? null : <ProblemNotice error={check.error} />}
      {checks.length === 0 ? (
        maintains ? (
          <p className="soft">{t('benches.checkNone')}</p>
        ) : null
      ) : (
        <ul className={styles.checks}>
          {checks.map((one) => (
            <CheckRow key={one.name} check={one} />
          ))}
        </ul>
      )}
      {history.data !== undefined ? (
        <History bench={bench.id} history={history.data} />
      ) : history.error === null ? (
        <Loading lines={2} />
      ) : (
        <ProblemNotice error={history.error} onRetry={() => void history.refetch()} />
      )}
    </section>
  )
}

function CheckRow({ check }: { check: ShownCheck }) {
  const { title, passed, reason: why, checkedAt, failing, run, issues = [] } = check
  const { t, reason, moment } = useWords()
  return (
    <li className={styles.check}>
      {issues.length > 0 ? (
        <Mark tone="fault" Icon={IconCircleX} word={t('benches.checkNever')} />
      ) : passed === undefined ? (
        <Mark tone="waiting" Icon={IconCircleDashed} word={t('benches.checkWaits')} />
      ) : passed ? (
        <Mark tone="free" Icon={IconCircleCheck} word={t('benches.checkPassed')} />
      ) : (
        <Mark tone="fault" Icon={IconCircleX} word={t('benches.checkFailed')} />
      )}
      <span className={styles.title}>{title}</span>
      {checkedAt === undefined ? null : <span className="soft">{moment(checkedAt)}</span>}
      {failing ? <span>{t('benches.checkKeepsOut')}</span> : null}
      {why === undefined ? null : <span className={styles.why}>{reason(why)}</span>}
      {run === undefined ? null : (
        <Link to="/runs/$runId" params={{ runId: run }}>
          {t('benches.checkRun')}
        </Link>
      )}
      <Pending check={check} />
      {issues.length === 0 ? null : (
        <div className={styles.wrong}>
          <p>{t('benches.checkWrong')}</p>
          <ul>
            {issues.map(({ path, message }) => (
              <li key={path + message}>
                <code>{path}</code>: {message}
              </li>
            ))}
          </ul>
        </div>
      )}
    </li>
  )
}

/** What is going on with a check that is a run; one that is to be done waits until nobody uses the bench. */
function Pending({ check: { underWay, asked, issues } }: { check: ShownCheck }) {
  const { t, language } = useWords()
  if (issues !== undefined || (underWay === undefined && asked === undefined)) return null
  const share = new Intl.NumberFormat(language, { style: 'percent' })
  return (
    <span className="soft" role="status">
      {underWay === undefined ? (
        t('benches.checkAsked')
      ) : (
        <Link to="/runs/$runId" params={{ runId: underWay.run }}>
          {underWay.fraction === undefined
            ? t('benches.checkBegins')
            : t('benches.checkUnderWay', { share: share.format(underWay.fraction) })}
        </Link>
      )}
    </span>
  )
}
