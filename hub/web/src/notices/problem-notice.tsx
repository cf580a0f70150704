import { Button, CopyButton, UnstyledButton } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { ApiProblem } from '../api/client.ts'
import { reasonIn } from '../words/reasons.ts'
import styles from './notices.module.css'
import { isPartMissing } from './part-missing.ts'
import { Refusal } from './refusal.tsx'

interface Props {
  readonly error: unknown
  readonly onRetry?: () => void
  /** Puts what the hub said into the language of the page, where it says more than every page knows. */
  readonly say?: (message: string) => string
}

/** What happened, what was kept, what to do; the code is small and can be copied. */
export function ProblemNotice({ error, onRetry, say }: Props) {
  const { t } = useTranslation()
  const { what, hint, code } = words(error, t)
  return (
    <div className={styles.problem} role="alert">
      <IconAlertTriangle size={20} stroke={1.8} aria-hidden="true" />
      <div className={styles.problemText}>
        <strong>{say === undefined ? <Refusal text={what} /> : say(what)}</strong>
        {hint === undefined ? null : <p>{hint}</p>}
        <CopyButton value={code}>
          {({ copied, copy }) => (
            <UnstyledButton className={styles.code} onClick={copy} aria-label={`${t('error.copy')}: ${code}`}>
              {copied ? t('error.copied') : code}
            </UnstyledButton>
          )}
        </CopyButton>
      </div>
      {onRetry === undefined || isFinal(error) ? null : (
        <Button variant="default" size="xs" onClick={onRetry}>
          {t('error.retry')}
        </Button>
      )}
    </div>
  )
}

/** Asked again, the hub would refuse it again. */
const isFinal = (error: unknown): boolean =>
  error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429

function words(error: unknown, t: TFunction) {
  if (isPartMissing(error)) return { what: t('error.part'), hint: t('error.partHint'), code: 'part-missing' }
  if (!(error instanceof ApiProblem)) {
    return { what: t('error.page'), hint: t('error.pageHint'), code: error instanceof Error ? error.name : 'unknown' }
  }
  if (error.code === 'network') return { what: t('error.network'), hint: t('error.networkHint'), code: error.code }
  if (error.code === 'forbidden' || error.code === 'scope-missing')
    return { what: t('error.forbidden'), hint: t('error.forbiddenHint'), code: error.code }
  if (error.status >= 500 && error.hint === undefined) {
    return { what: t('error.internal'), hint: t('error.internalHint'), code: error.code }
  }
  return { what: reasonIn(error.hint ?? error.message, t), hint: undefined, code: error.code }
}
