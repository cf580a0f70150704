import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { ApiProblem } from '../api/client.ts'
import { ProblemNotice } from './problem-notice.tsx'

/** Instead of a page that could not be drawn. */
export function PageFailed({ error }: { error: unknown }) {
  const { t } = useTranslation()
  return (
    <div style={{ display: 'grid', gap: 16, justifyItems: 'start', padding: 16 }}>
      <ProblemNotice error={error} />
      {error instanceof ApiProblem && error.status === 403 ? null : (
        <Button variant="default" onClick={() => location.reload()}>
          {t('error.reload')}
        </Button>
      )}
    </div>
  )
}
