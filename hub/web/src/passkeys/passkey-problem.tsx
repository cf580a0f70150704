import { useTranslation } from 'react-i18next'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { NoPasskey } from './web-authn.ts'

/** Why there is no passkey: what the browser said, or the hub. */
export function PasskeyProblem({ error }: { error: unknown }) {
  const { t } = useTranslation()
  if (!(error instanceof NoPasskey)) return <ProblemNotice error={error} />
  return <p role="alert">{t(error.why === 'known' ? 'passkey.known' : 'passkey.left')}</p>
}
