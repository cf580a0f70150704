import type { SessionState } from '@fernlab/shared/contracts/sessions'
import { IconCircleCheck, IconClock, IconHandMove, IconPlayerPlay, IconSparkles } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Mark } from '../states/state-mark.tsx'

const marks = {
  waiting: ['waiting', IconClock],
  preparing: ['waiting', IconPlayerPlay],
  active: ['busy', IconHandMove],
  finishing: ['busy', IconSparkles],
  closed: ['offline', IconCircleCheck],
} as const

/** A session's state: colour, icon and word. */
export function SessionMark({ state, large = false }: { state: SessionState; large?: boolean }) {
  const { t } = useTranslation()
  const [tone, Icon] = marks[state]
  return <Mark tone={tone} Icon={Icon} word={t(`sessionState.${state}`)} large={large} />
}
