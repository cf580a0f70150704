import type { ServiceState } from '@fernlab/shared/contracts/services'
import {
  type Icon,
  IconAlertTriangle,
  IconCircleCheck,
  IconLock,
  IconPlugConnectedX,
  IconProgress,
} from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { Mark, type Tone } from './state-mark.tsx'

const services: Readonly<Record<ServiceState, readonly [Tone, Icon]>> = {
  up: ['free', IconCircleCheck],
  busy: ['busy', IconProgress],
  locked: ['waiting', IconLock],
  unhealthy: ['fault', IconAlertTriangle],
  gone: ['offline', IconPlugConnectedX],
}

/** A service's state: colour, icon and word. */
export function ServiceMark({ state }: { state: ServiceState }) {
  const { t } = useTranslation()
  const [tone, Icon] = services[state]
  return <Mark tone={tone} Icon={Icon} word={t(`services.state.${state}`)} />
}
