import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { useWords } from '../words/use-words.ts'

/** Why a service stands as it does: who has it, when it was last heard of, or what its node says. */
export function useWhy({ node, state, lockedBy, lastSeen, reason }: DirectoryEntry): string {
  const { t, moment } = useWords()
  if (state === 'gone') {
    const time = moment(lastSeen)
    const isNodeAway = reason === undefined || reason === `${node} is not connected`
    return isNodeAway ? t('services.lastSeen', { time }) : t('services.lostSince', { time, reason })
  }
  if (state === 'busy') return t('services.onBench')
  if (lockedBy === undefined) return reason ?? ''
  const time = moment(lockedBy.since)
  const who = lockedBy.mine
    ? t('services.lockedByYou', { time })
    : lockedBy.person === undefined
      ? t('services.lockedBySomebody', { time })
      : t('services.lockedBy', { person: lockedBy.person.name, time })
  const held = lockedBy.reason === undefined ? who : t('services.because', { who, reason: lockedBy.reason })
  return state === 'unhealthy' && reason !== undefined ? t('services.unhealthyHeld', { reason, held }) : held
}
