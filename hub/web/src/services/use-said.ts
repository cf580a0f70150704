import { LabError } from '@fernlab/shared/primitives/lab-error'
import { ApiProblem } from '../api/client.ts'
import type { enServices } from '../language/en-services.ts'
import { useWords } from '../words/use-words.ts'

type Known = keyof typeof enServices.service.fault

const known: readonly Known[] = [
  'bench-busy',
  'bench-held',
  'bench-not-held',
  'call-uncertain',
  'deadline-exceeded',
  'hold-ended',
  'hub-unreachable',
  'lease-ended',
  'link-ended',
  'node-unreachable',
  'right-missing',
  'service-gone',
  'service-locked',
  'service-unhealthy',
  'service-unknown',
]

/** What an error of the hub or a service says to do, in the language of the page; else in the words that came. */
export function useSaid(): (error: unknown) => string {
  const { t, reason } = useWords()
  return (error) => {
    if (error instanceof LabError || error instanceof ApiProblem) {
      const { why, by, reason: said } = error.details
      if (why === 'ended-by-other') {
        const who = typeof by === 'string' ? t('hold.endedBy', { person: by }) : t('hold.endedByStaff')
        return typeof said === 'string' ? t('services.because', { who, reason: said }) : who
      }
    }
    if (error instanceof LabError) {
      const code = known.find((one) => one === error.code)
      return code === undefined ? reason(error.studentMessage) : t(`service.fault.${code}`)
    }
    if (error instanceof ApiProblem) return reason(error.hint ?? error.message)
    return error instanceof Error ? error.message : String(error)
  }
}

/** The same of what was only read: nothing has to be looked at before it is read again. */
export function useUnread(): (error: unknown) => string {
  const { t } = useWords()
  const said = useSaid()
  return (error) => (isSilent(error) ? t('service.silent') : said(error))
}

/** Whether no answer came in time. */
export const isSilent = (error: unknown): boolean =>
  error instanceof LabError && (error.code === 'deadline-exceeded' || error.code === 'call-uncertain')
