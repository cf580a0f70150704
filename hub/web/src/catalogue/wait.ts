import type { LabSummary } from '@fernlab/shared/contracts/api'
import { useWords } from '../words/use-words.ts'

/** How long a run that is sent now would wait, in words. */
export function useWait(lab: Pick<LabSummary, 'estimatedWaitS'>): string {
  const { t, about } = useWords()
  if (lab.estimatedWaitS === null) return t('wait.none')
  return lab.estimatedWaitS < 1 ? t('wait.free') : about(lab.estimatedWaitS)
}
