import { Button, Progress } from '@mantine/core'
import type { TFunction } from 'i18next'
import { useWords } from '../words/use-words.ts'
import styles from './people.module.css'
import type { ImportStep } from './use-import.ts'

/** How far a list is, and how to stop it. */
export function ImportProgressLine({ step, onStop }: { step: ImportStep; onStop: () => void }) {
  const { t } = useWords()
  return (
    <div className={styles.progress}>
      <p role="status">{stepText(step, t)}</p>
      <Progress value={100 * shareOf(step)} aria-label={t('people.import')} />
      <Button variant="default" onClick={onStop}>
        {t('people.importStop')}
      </Button>
    </div>
  )
}

const shareOf = (step: ImportStep): number =>
  step.step === 'sending' ? step.share : step.of === 0 ? 0 : step.done / step.of

function stepText(now: ImportStep, t: TFunction): string {
  switch (now.step) {
    case 'sending':
      return t('people.importSending')
    case 'waiting':
      return t('people.importWaiting')
    case 'reading':
      return t('people.importReading')
    case 'checking':
      return t('people.importChecking')
    default:
      return t('people.importWriting')
  }
}
