import type { NodeInfo } from '@fernlab/shared/contracts/api'
import type { BenchState, RunState } from '@fernlab/shared/contracts/run-state'
import {
  type Icon,
  IconAlertTriangle,
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleHalf2,
  IconCircleX,
  IconClock,
  IconPlayerPlay,
  IconPlugConnectedX,
  IconProgress,
  IconTool,
} from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import styles from './state-mark.module.css'

export type Tone = 'free' | 'waiting' | 'busy' | 'maintenance' | 'fault' | 'offline'

const benches: Readonly<Record<BenchState, readonly [Tone, Icon]>> = {
  free: ['free', IconCircleCheck],
  busy: ['busy', IconProgress],
  maintenance: ['maintenance', IconTool],
  fault: ['fault', IconAlertTriangle],
  offline: ['offline', IconPlugConnectedX],
}

const runs: Readonly<Record<RunState, readonly [Tone, Icon]>> = {
  queued: ['waiting', IconClock],
  assigned: ['waiting', IconPlayerPlay],
  running: ['busy', IconProgress],
  succeeded: ['free', IconCircleCheck],
  partial: ['waiting', IconCircleHalf2],
  failed: ['fault', IconCircleX],
  cancelled: ['offline', IconBan],
  interrupted: ['fault', IconAlertTriangle],
  inapplicable: ['maintenance', IconCircleDashed],
}

const nodes: Readonly<Record<NodeInfo['state'], readonly [Tone, Icon]>> = {
  online: ['free', IconCircleCheck],
  offline: ['fault', IconPlugConnectedX],
  revoked: ['offline', IconBan],
  'never-seen': ['waiting', IconCircleDashed],
}

/** A state: its colour, icon and word. */
export function Mark({
  tone,
  Icon,
  word,
  large,
}: {
  tone: Tone
  Icon: Icon
  word: string
  large?: boolean | undefined
}) {
  return (
    <span className={styles.mark} data-tone={tone} data-large={large || undefined}>
      <Icon size={large ? 20 : 16} stroke={1.9} aria-hidden="true" />
      {word}
    </span>
  )
}

/** A bench's state: colour, icon and word. */
export function BenchMark({ state, large }: { state: BenchState; large?: boolean }) {
  const { t } = useTranslation()
  const [tone, Icon] = benches[state]
  return <Mark tone={tone} Icon={Icon} word={t(`bench.${state}`)} large={large} />
}

/** A run's state: colour, icon and word. */
export function RunMark({ state, large }: { state: RunState; large?: boolean }) {
  const { t } = useTranslation()
  const [tone, Icon] = runs[state]
  return <Mark tone={tone} Icon={Icon} word={t(`run.${state}`)} large={large} />
}

/** A node's state: colour, icon and word. */
export function NodeMark({ state, large }: { state: NodeInfo['state']; large?: boolean }) {
  const { t } = useTranslation()
  const [tone, Icon] = nodes[state]
  return <Mark tone={tone} Icon={Icon} word={t(`node.${state}`)} large={large} />
}
