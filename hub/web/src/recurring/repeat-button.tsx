import { Button, type ButtonProps } from '@mantine/core'
import { IconCalendarRepeat } from '@tabler/icons-react'
import { lazy, Suspense, useState } from 'react'
import { withTexts } from '../language/late-texts.ts'
import { useWords } from '../words/use-words.ts'
import type { Repeated } from './repeat-dialog.tsx'

/** Most runs are made once. */
const RepeatDialog = lazy(() => withTexts(['recurring'], () => import('./repeat-dialog.tsx')))

interface Props extends ButtonProps {
  readonly repeated: Repeated
  /** What it is called at first. */
  readonly title: string
}

/** Opens the way to a run that recurs. */
export function RepeatButton({ repeated, title, ...look }: Props) {
  const { t } = useWords()
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconCalendarRepeat size={16} aria-hidden="true" />}
        onClick={() => setAsking(true)}
        {...look}
      >
        {t('runPage.repeat')}
      </Button>
      <Suspense>
        {asking ? <RepeatDialog repeated={repeated} title={title} onClose={() => setAsking(false)} /> : null}
      </Suspense>
    </>
  )
}
